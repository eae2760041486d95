"""Create or update the alerts of alerts.toml in Sentry. A second run changes nothing.

usage: SENTRY_ALERTS_TOKEN=... SENTRY_ORG=... make alerts      (CHECK=1 only lists the differences)
SENTRY_PROJECT, SENTRY_ENVIRONMENT and SENTRY_URL have defaults; DISCORD_CHANNEL replaces e-mail.
"""

import json
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

Json = Any
HERE = Path(__file__).parent
PYPROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))
ALERTS = tomllib.loads((HERE / "alerts.toml").read_text("utf-8"))

# A workflow sets what it has no value for to nothing.
TOKEN = os.environ.get("SENTRY_ALERTS_TOKEN", "")
ORGANIZATION = os.environ.get("SENTRY_ORG", "")
PROJECT = os.environ.get("SENTRY_PROJECT") or PYPROJECT["project"]["name"]
ENVIRONMENT = os.environ.get("SENTRY_ENVIRONMENT") or "production"
CHANNEL = os.environ.get("DISCORD_CHANNEL", "")
CHECK = bool(os.environ.get("CHECK"))
URL = os.environ.get("SENTRY_URL") or "https://sentry.io"
API = f"{URL.rstrip('/')}/api/0/organizations/{ORGANIZATION}"

EMAIL = {
    "type": "email",
    "integrationId": None,
    "data": {"fallthroughType": "ActiveMembers"},
    "config": {"targetType": "issue_owners", "targetDisplay": None, "targetIdentifier": None},
}
DISCORD = {
    "type": "discord",
    "data": {"tags": ""},
    "config": {"targetType": "specific", "targetDisplay": "", "targetIdentifier": CHANNEL},
}


def main() -> None:
    """Make the alerts and the monitor in Sentry as alerts.toml describes them."""
    if not TOKEN:
        print("No alert was changed: SENTRY_ALERTS_TOKEN is not set.")
        return
    if not ORGANIZATION:
        sys.exit("No alert was changed: SENTRY_ORG is not set (expected your organization's slug).")
    monitors = call("GET", f"detectors/?projectSlug={PROJECT}")
    known = call("GET", f"workflows/?projectSlug={PROJECT}&per_page=100")
    action = {**DISCORD, "integrationId": discord_id()} if CHANNEL else EMAIL
    issues = [monitor["id"] for monitor in monitors if monitor["type"] == "issue_stream"]
    ids = []
    for alert in ALERTS["alerts"]:
        alert_id = upsert("workflows/", alert_body(alert, issues, action), known)
        ids += [alert_id] if alert["triggers"] else []
    create = f"projects/{PROJECT}/detectors/"
    upsert("detectors/", monitor_body(ALERTS["monitor"], ids), list(map(as_sent, monitors)), create)


def discord_id() -> str:
    """Return the id of the organization's Discord integration."""
    found = call("GET", "integrations/?providerKey=discord")
    if not found:
        sys.exit("No alert was changed: your organization in Sentry has no Discord integration.")
    return str(found[0]["id"])


def alert_body(alert: Json, detector_ids: list[str], action: Json) -> Json:
    """Return an alert as Sentry takes it."""
    conditions = {"logicType": "all", "conditions": alert["conditions"], "actions": [action]}
    return {
        "name": f"{PROJECT}: {alert['name']}",
        "enabled": True,
        "environment": ENVIRONMENT,
        "detectorIds": detector_ids,
        "config": {"frequency": 30},  # minutes between two messages on the same issue
        "triggers": {"logicType": "any-short", "conditions": alert["triggers"]},
        "actionFilters": [conditions],
    }


def monitor_body(monitor: Json, alert_ids: list[str]) -> Json:
    """Return a monitor as Sentry takes it."""
    return {
        "name": f"{PROJECT}: {monitor['name']}",
        "type": "metric_issue",
        "enabled": True,
        "config": {"detectionType": "static"},
        "workflowIds": alert_ids,
        "dataSources": [{**monitor["query"], "environment": ENVIRONMENT, "queryType": 2}],
        "conditionGroup": {"logicType": "any", "conditions": monitor["conditions"]},
    }


def as_sent(monitor: Json) -> Json:
    """Return a monitor of Sentry's as it was sent: Sentry returns its query in another place."""
    queries = [source.get("queryObj", {}).get("snubaQuery") for source in monitor["dataSources"]]
    return {**monitor, "dataSources": [{"queryType": 2, **(query or {})} for query in queries]}


def upsert(path: str, wanted: Json, known: Json, create: str = "") -> str:
    """Create or update an alert or a monitor unless it is as wanted, and return its id."""
    name = wanted["name"]
    current = next((each for each in known if each["name"] == name), None)
    found = list(differences(wanted, current))
    for difference in found:
        print(f"{name}{difference}")
    if not found:
        print(f"{name} is as it should be.")
    elif not CHECK:
        method, place = ("PUT", f"{path}{current['id']}/") if current else ("POST", create or path)
        outcome = "updated" if current else "created"
        current = call(method, place, wanted)
        print(f"{name} was {outcome}.")
    return str(current["id"]) if current else ""


def differences(wanted: Json, current: Json, path: str = "") -> Iterator[str]:
    """Yield a line for each wanted value that differs; what else Sentry has does not matter."""
    if isinstance(wanted, dict) and isinstance(current, dict):
        for key, value in wanted.items():
            yield from differences(value, current.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(current, list) and len(wanted) == len(current):
        for place, (value, other) in enumerate(zip(wanted, current, strict=True)):
            yield from differences(value, other, f"{path}.{place}")
    elif wanted != current:
        yield f"{path} does not exist" if current is None else f"{path} is {current}, not {wanted}"


def call(method: str, path: str, body: Json = None) -> Json:
    """Call Sentry's API and return its response, or exit with one line that says what is wrong."""
    data = json.dumps(body).encode() if body else None
    kind = {"Content-Type": "application/json"}
    try:
        request = Request(f"{API}/{path}", data, kind, method=method)  # noqa: S310 the user's own URL
        request.add_unredirected_header("Authorization", f"Bearer {TOKEN}")
        with urlopen(request, timeout=30) as response:  # noqa: S310
            return json.load(response)
    except HTTPError as error:
        reason = f"{path} {' '.join(error.read().decode(errors='replace').split())}"
        if error.code in (401, 403):
            reason = "SENTRY_ALERTS_TOKEN needs the scopes alerts:write and org:read."
        sys.exit(f"Sentry responded {error.code}: {reason}")
    except (OSError, ValueError) as error:
        sys.exit(f"Sentry did not respond as expected at {URL}: {error}")


if __name__ == "__main__":
    main()
