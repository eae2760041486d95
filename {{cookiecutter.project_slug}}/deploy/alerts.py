"""Create the alerts below in Sentry, or update those that it has by their names.

usage: SENTRY_ALERTS_TOKEN=... SENTRY_ORG=... make alerts
SENTRY_PROJECT, SENTRY_ENVIRONMENT and SENTRY_URL have defaults; DISCORD_CHANNEL replaces e-mail.
With PUBLIC_URL, Sentry asks the site for /readyz each minute.
"""

import json
import os
import sys
import tomllib
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

Json = Any
PYPROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))

# A workflow sets what it has no value for to nothing.
TOKEN = os.environ.get("SENTRY_ALERTS_TOKEN", "")
ORGANIZATION = os.environ.get("SENTRY_ORG", "")
PROJECT = os.environ.get("SENTRY_PROJECT") or PYPROJECT["project"]["name"]
ENVIRONMENT = os.environ.get("SENTRY_ENVIRONMENT") or "production"
CHANNEL = os.environ.get("DISCORD_CHANNEL", "")
SITE = os.environ.get("PUBLIC_URL", "")
NEW = f"projects/{PROJECT}/detectors/"
URL = os.environ.get("SENTRY_URL") or "https://sentry.io"
API = f"{URL.rstrip('/')}/api/0/organizations/{ORGANIZATION}"

# An alert on the issues of the project sends a message if one of its triggers happens and all its
# conditions hold. An alert without triggers looks at each event.
ALERTS: list[tuple[str, dict[str, Json], dict[str, Json]]] = [
    ("new issue", {"first_seen_event": True}, {}),
    ("regression", {"regression_event": True, "reappeared_event": True}, {}),
    (
        "an issue with more than 50 errors an hour in the latest release",
        {},
        {"latest_release": True, "event_frequency_count": {"value": 50, "interval": "1h"}},
    ),
]
CRASH_FREE = 99


def any_of(*levels: tuple[str, Json, int]) -> Json:
    """Return the conditions of a monitor, each with the priority of its issue; 0 resolves it."""
    found = [{"type": t, "comparison": c, "conditionResult": result} for t, c, result in levels]
    return {"logicType": "any", "conditions": found}


# A monitor opens an issue, of which the alerts with triggers tell.
CRASHES = "percentage(sessions_crashed, sessions) AS _crash_rate_alert_aggregate"
QUERY = {"dataset": "metrics", "query": "", "eventTypes": [], "timeWindow": 3600, "queryType": 2}
CRASH_FREE_SESSIONS: Json = {
    "name": f"{PROJECT}: crash-free sessions under {CRASH_FREE} %",
    "type": "metric_issue",
    "config": {"detectionType": "static"},
    "dataSources": [{**QUERY, "aggregate": CRASHES, "environment": ENVIRONMENT}],
    "conditionGroup": any_of(("lt", CRASH_FREE, 75), ("gte", CRASH_FREE, 0)),
}
PING = {"method": "GET", "intervalSeconds": 60, "timeoutMs": 5000, "traceSampling": False}
FAILURES = {"mode": 1, "environment": ENVIRONMENT, "downtimeThreshold": 3, "recoveryThreshold": 1}
UPTIME: Json = {
    "name": f"{PROJECT}: {SITE}/readyz responds",
    "type": "uptime_domain_failure",
    "config": FAILURES,
    "dataSources": [{**PING, "url": f"{SITE}/readyz"}],
    "conditionGroup": any_of(("eq", "failure", 75), ("eq", "success", 0)),
}


def main() -> None:
    """Make the alerts and the monitor in Sentry as they are described above."""
    if not TOKEN:
        sys.exit(print("No alert was changed: SENTRY_ALERTS_TOKEN is not set."))
    if not ORGANIZATION:
        sys.exit("No alert was changed: SENTRY_ORG is not set (expected your organization's slug).")
    monitors = call("GET", f"detectors/?projectSlug={PROJECT}")
    known = call("GET", f"workflows/?projectSlug={PROJECT}&per_page=100")
    issues = [monitor["id"] for monitor in monitors if monitor["type"] == "issue_stream"]
    action, ids = message(), []
    for name, triggers, needed in ALERTS:
        body = {
            "name": f"{PROJECT}: {name}",
            "enabled": True,
            "environment": ENVIRONMENT,
            "detectorIds": issues,
            "config": {"frequency": 30},  # minutes between two messages on the same issue
            "triggers": {"logicType": "any-short", "conditions": conditions(triggers)},
            "actionFilters": [
                {"logicType": "all", "conditions": conditions(needed), "actions": [action]}
            ],
        }
        alert_id = upsert("workflows/", body, [a for a in known if a["name"] == body["name"]])
        ids += [alert_id] if triggers else []
    for monitor in [CRASH_FREE_SESSIONS, *([UPTIME] if SITE else [])]:
        body = {**monitor, "enabled": True, "workflowIds": ids}
        upsert("detectors/", body, [m for m in monitors if is_same(m, body)], NEW)


def is_same(monitor: Json, body: Json) -> bool:
    """Tell whether Sentry has a monitor already; it may itself have made one of the URL."""
    url = body["dataSources"][0].get("url")
    has_url = bool(url) and json.dumps(url) in json.dumps(monitor["dataSources"])
    return has_url or monitor["name"] == body["name"]


def conditions(kinds: dict[str, Json]) -> list[Json]:
    """Return conditions as Sentry takes them."""
    return [{"type": k, "comparison": v, "conditionResult": True} for k, v in kinds.items()]


def message() -> Json:
    """Return the action that sends a message, by e-mail or to Discord."""
    target = {"targetType": "issue_owners", "targetDisplay": None, "targetIdentifier": None}
    data = {"fallthroughType": "ActiveMembers"}
    if not CHANNEL:
        return {"type": "email", "integrationId": None, "data": data, "config": target}
    found = call("GET", "integrations/?providerKey=discord")
    if not found:
        sys.exit("No alert was changed: your organization in Sentry has no Discord integration.")
    target = {"targetType": "specific", "targetDisplay": "", "targetIdentifier": CHANNEL}
    identifier = str(found[0]["id"])
    return {"type": "discord", "integrationId": identifier, "data": {"tags": ""}, "config": target}


def upsert(path: str, body: Json, known: Json, create: str = "") -> str:
    """Create an alert or a monitor, or update the first of those that are it; return its id."""
    if known:
        made = call("PUT", f"{path}{known[0]['id']}/", body)
    else:
        made = call("POST", create or path, body)
    if made:
        print(f"{body['name']} was {'updated' if known else 'created'}.")
    return str(made["id"]) if made else ""


def call(method: str, path: str, body: Json = None) -> Json:
    """Call Sentry's API and return its response, or exit with one line that says what is wrong."""
    data = json.dumps(body).encode() if body else None
    kind = {"Content-Type": "application/json"}
    try:
        request = Request(f"{API}/{path}", data, kind, method=method)
        request.add_unredirected_header("Authorization", f"Bearer {TOKEN}")
        with urlopen(request, timeout=30) as response:
            return json.load(response)
    except HTTPError as error:
        reason = f"{path} {' '.join(error.read().decode(errors='replace').split())}"
        if path == NEW and error.code in (402, 403, 404):
            return print(f"Your plan has no such monitor. Sentry responded {error.code}: {reason}")
        if error.code in (401, 403):
            reason = "SENTRY_ALERTS_TOKEN needs the scopes alerts:write and org:read."
        sys.exit(f"Sentry responded {error.code}: {reason}")
    except (OSError, HTTPException, ValueError) as error:
        sys.exit(f"Sentry did not respond as expected at {URL}: {error}")


if __name__ == "__main__":
    main()
