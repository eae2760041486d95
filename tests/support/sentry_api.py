"""A strict fake of the parts of Sentry's API that releases and alerts use, and of its ingest.

It validates what it gets as Sentry does, adds ids, dates and nulls to what it returns, and keeps
records, which `GET /records` returns as JSON. It uses the standard library only, so that a plain
Python image can run it: `python sentry_api.py 8000`.
"""

import base64
import gzip
import json
import re
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = Any
ORGANIZATION = "acme"
PROJECT = "microblog"
DSN_PATH = "/7"
NOW = "2026-11-24T12:00:00Z"
EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
ENVIRONMENT = re.compile(r"(?!none$)[^\s/]{1,64}")
RELEASE = re.compile(r"(?!\.{1,2}$|latest$)[^\s/\\]{1,200}")
COMMIT = re.compile(r"[0-9a-f]{40}")
ANY_EVENT = {"first_seen_event", "regression_event", "reappeared_event"}
SCOPES = {
    "org:ci": {"org:ci"},
    "alerts": {"alerts:read", "alerts:write", "org:read", "project:read"},
    "reader": {"org:read", "project:read"},
}


RELEASE_SECRET = "PlantedReleaseToken".ljust(43, "A")  # base64 of 32 bytes


def organization_token(url: str) -> str:
    """Return a token for releases, which names its organization and server as Sentry's do."""
    facts = {"iat": 1.5, "url": url, "region_url": url, "org": ORGANIZATION}
    encoded = base64.b64encode(json.dumps(facts).encode()).decode()
    return f"sntrys_{encoded}_{RELEASE_SECRET}"


ALERTS_TOKEN = "planted-alerts-token"  # noqa: S105
READER_TOKEN = "planted-reader-token"  # noqa: S105


def scopes(authorization: str) -> set[str]:
    """Return what the bearer of a token may do."""
    token = authorization.removeprefix("Bearer ")
    if token.startswith("sntrys_") and token.endswith(f"_{RELEASE_SECRET}"):
        return SCOPES["org:ci"]
    return {ALERTS_TOKEN: SCOPES["alerts"], READER_TOKEN: SCOPES["reader"]}.get(token, set())


class RefusedError(Exception):
    """An error response."""

    def __init__(self, status: int, body: Json) -> None:
        """Keep the status and what is wrong."""
        self.status, self.body = status, body


def require(condition: object, **fault: str) -> None:
    """Refuse a body that has a fault."""
    if not condition:
        raise RefusedError(400, {field: [message] for field, message in fault.items()})


def require_keys(body: Json, *, needed: str = "", optional: str = "") -> None:
    """Refuse a body that lacks a field, or has one that Sentry does not know."""
    known = {*needed.split(), *optional.split()}
    require(isinstance(body, dict), detail="Expected an object.")
    for key in needed.split():
        require(key in body, **{key: "This field is required."})
    for key in body:
        require(key in known, **{key: "This field is unknown."})


class Sentry:
    """What the fake knows."""

    def __init__(self) -> None:
        """Start with a project, its built-in detector, and a Discord integration."""
        self.ids = map(str, count(100))
        self.lock = threading.Lock()
        self.requests: list[Json] = []
        self.events: list[Json] = []
        self.releases: dict[str, Json] = {}
        self.deploys: list[Json] = []
        self.repositories: list[Json] = []
        self.workflows: list[Json] = []
        self.detectors: list[Json] = [self.detector({"name": "All issues", "type": "issue_stream"})]
        self.messages: list[Json] = []

    def records(self) -> Json:
        """Return what was recorded."""
        kept = ["requests", "events", "releases", "deploys", "workflows", "detectors", "messages"]
        return {name: getattr(self, name) for name in kept}

    # Releases

    def new_release(self, body: Json) -> Json:
        """Create a release; one that exists is returned as it is."""
        require_keys(body, needed="version projects", optional="dateStarted refs commits")
        require(RELEASE.fullmatch(body["version"]), version="Release with name is not valid.")
        require(body["projects"] == [PROJECT], projects="Invalid project ids or slugs.")
        new = {"version": body["version"], "commits": [], "dateReleased": None, "finalized": 0}
        return self.shown(self.releases.setdefault(body["version"], new))

    def change_release(self, version: str, body: Json) -> Json:
        """Set the commits of a release, or finalize it."""
        require_keys(body, optional="projects dateReleased commits refs")
        release = self.release(version)
        for commit in body.get("commits", []):
            require(COMMIT.fullmatch(commit["id"]), commits="Enter a valid commit.")
            require(EMAIL.fullmatch(commit["author_email"]), commits="Enter a valid email address.")
        for ref in body.get("refs", []):
            names = {repository["name"] for repository in self.repositories}
            require(ref["repository"] in names, refs="Unable to find the repository.")
        release["commits"] = (
            [commit["id"] for commit in body.get("commits", [])]
            or [ref["commit"] for ref in body.get("refs", [])]
            or release["commits"]
        )
        if "dateReleased" in body:
            release.update(dateReleased=body["dateReleased"], finalized=release["finalized"] + 1)
        return self.shown(release)

    def release(self, version: str) -> Json:
        """Return a release that exists."""
        if version not in self.releases:
            raise RefusedError(404, {"detail": "The requested resource does not exist"})
        return self.releases[version]

    def shown(self, release: Json) -> Json:
        """Return a release as Sentry shows it."""
        commit = {"id": release["commits"][0]} if release["commits"] else None
        nulls = {"lastEvent": None, "lastDeploy": None, "url": None, "ref": None, "owner": None}
        projects = [{"id": 7, "slug": PROJECT, "name": "Microblog"}]
        return {
            "id": 1,
            "version": release["version"],
            "dateReleased": release["dateReleased"],
            "lastCommit": commit,
            "dateCreated": NOW,
            "newGroups": 0,
            "projects": projects,
            **nulls,
        }

    def previous(self, version: str) -> Json:
        """Return the release before a release, if one has commits."""
        earlier = [release for name, release in self.releases.items() if name != version]
        with_commits = [release for release in earlier if release["commits"]]
        return self.shown(with_commits[-1]) if with_commits else {}

    def new_deploy(self, version: str, body: Json) -> Json:
        """Record a deploy, which creates its environment."""
        self.release(version)
        require_keys(
            body, needed="environment", optional="name url dateStarted dateFinished projects"
        )
        require(ENVIRONMENT.fullmatch(body["environment"]), environment="Invalid value.")
        deploy = {"id": next(self.ids), "name": None, "dateStarted": None, **body}
        self.deploys.append({**deploy, "release": version})
        return deploy

    # Alerts

    def environment_exists(self, name: str | None) -> bool:
        """Tell whether Sentry has heard of an environment."""
        heard = {deploy["environment"] for deploy in self.deploys}
        heard |= {event.get("environment") for event in self.events}
        return name is None or name in heard

    def workflow(self, body: Json) -> Json:
        """Return a workflow as Sentry keeps it."""
        require_keys(
            body,
            needed="name enabled environment detectorIds config triggers actionFilters",
            optional="id owner",
        )
        require(
            self.environment_exists(body["environment"]), environment="Environment does not exist."
        )
        known = {detector["id"] for detector in self.detectors}
        require(known.issuperset(map(str, body["detectorIds"])), detectorIds="Unknown detector.")
        require(
            body["config"]["frequency"] in {0, 5, 10, 30, 60, 180, 720, 1440, 10080}, config="?"
        )
        require(body["triggers"]["logicType"] == "any-short", triggers="Invalid logicType.")
        types = {condition["type"] for condition in body["triggers"]["conditions"]}
        require(types <= ANY_EVENT, triggers="Invalid condition type.")
        for filters in body["actionFilters"]:
            require(filters["logicType"] in {"all", "any-short", "none"}, actionFilters="logicType")
            require(filters["actions"], actionFilters="An action is required.")
            for action in filters["actions"]:
                self.check_action(action)
        return {
            **body,
            "id": next(self.ids),
            "organizationId": "1",
            "createdBy": None,
            "dateCreated": NOW,
            "dateUpdated": NOW,
            "lastTriggered": None,
            "owner": None,
            "detectorIds": [str(detector) for detector in body["detectorIds"]],
            "config": dict(body["config"]),
            "triggers": self.numbered(body["triggers"], actions=[]),
            "actionFilters": [self.numbered(filters) for filters in body["actionFilters"]],
        }

    def check_action(self, action: Json) -> None:
        """Refuse an action that Sentry could not carry out."""
        require_keys(action, needed="type integrationId data config", optional="id status")
        require(action["type"] in {"email", "discord"}, actionFilters="Invalid action type.")
        if action["type"] == "discord":
            require(str(action["integrationId"]) == "55", actionFilters="Unknown integration.")
            identifier = action["config"]["targetIdentifier"]
            require(re.fullmatch(r"\d{17,20}", identifier), actionFilters="Unknown channel.")
        else:
            require(action["config"]["targetType"] == "issue_owners", actionFilters="targetType")

    def numbered(self, group: Json, **more: Json) -> Json:
        """Return a group of conditions with the ids that Sentry adds."""
        conditions = [{**condition, "id": next(self.ids)} for condition in group["conditions"]]
        actions = [
            {**action, "id": next(self.ids), "status": "active"}
            for action in group.get("actions", [])
        ]
        kept = {**group, "id": next(self.ids), "organizationId": "1", "conditions": conditions}
        return {**kept, "actions": actions, **more}

    def detector(self, body: Json) -> Json:
        """Return a detector as Sentry keeps it."""
        nulls = {"owner": None, "createdBy": None, "description": None, "latestGroup": None}
        kept: Json = {
            "id": next(self.ids),
            "projectId": "7",
            "workflowIds": [],
            "dateCreated": NOW,
            "dateUpdated": NOW,
            "dataSources": [],
            "conditionGroup": None,
            "config": {},
            "enabled": True,
            **nulls,
        }
        if body["type"] == "issue_stream":
            return {**kept, **body}
        require_keys(
            body,
            needed="name type enabled dataSources conditionGroup config workflowIds",
            optional="owner description projectId",
        )
        require(body["type"] == "metric_issue", type="Unknown detector type.")
        require(body["config"] == {"detectionType": "static"}, config="Invalid config.")
        group = body["conditionGroup"]
        require(
            {condition["conditionResult"] for condition in group["conditions"]} >= {0, 75},
            conditionGroup="A resolution condition is required.",
        )
        sources = [self.data_source(source) for source in body["dataSources"]]
        return {
            **kept,
            **body,
            "dataSources": sources,
            "conditionGroup": self.numbered(group),
            "workflowIds": [str(workflow) for workflow in body["workflowIds"]],
        }

    def data_source(self, source: Json) -> Json:
        """Return the query of a detector as Sentry keeps it."""
        require_keys(
            source,
            needed="dataset queryType eventTypes query timeWindow aggregate environment",
        )
        require(self.environment_exists(source["environment"]), environment="Does not exist.")
        query = {name: value for name, value in source.items() if name != "queryType"}
        snuba = {**query, "id": next(self.ids), "extrapolationMode": None}
        status = {"status": 1, "subscription": "9", "id": next(self.ids)}
        return {
            "id": next(self.ids),
            "type": "snuba_query_subscription",
            "organizationId": "1",
            "sourceId": "3",
            "queryObj": {**status, "snubaQuery": snuba},
        }

    def list_detectors(self, query: dict[str, list[str]]) -> Json:
        """Return the detectors of a project, of one type if asked."""
        require(query.get("projectSlug") == [PROJECT], projectSlug="Unknown project.")
        kind = query.get("query", [""])[0].removeprefix("type:")
        return [detector for detector in self.detectors if kind in ("", detector["type"])]

    def create(self, kept: list[Json], make: Callable[[Json], Json], body: Json) -> Json:
        """Keep a new workflow or detector."""
        kept.append(make(body))
        return kept[-1]

    def replace(self, kept: list[Json], make: Callable[[Json], Json], key: str, body: Json) -> Json:
        """Change a workflow or detector."""
        for place, old in enumerate(kept):
            if old["id"] == key:
                kept[place] = {**make(body), "id": key}
                return kept[place]
        raise RefusedError(404, {"detail": "The requested resource does not exist"})


API = f"/api/0/organizations/{ORGANIZATION}"
RELEASES, DEPLOYS = rf"{API}/releases/", rf"{API}/releases/([^/]+)/deploys/"
Route = tuple[str, str, str, Callable[..., Json]]
ROUTES: list[Route] = [
    ("GET", rf"{API}/repos/", "org:ci", lambda s, q, b: s.repositories),
    ("POST", RELEASES, "org:ci", lambda s, q, b: s.new_release(b)),
    ("PUT", rf"{RELEASES}([^/]+)/", "org:ci", lambda s, q, b, v: s.change_release(v, b)),
    ("GET", rf"{RELEASES}([^/]+)/", "org:ci", lambda s, q, b, v: s.shown(s.release(v))),
    (
        "GET",
        rf"{RELEASES}([^/]+)/previous-with-commits/",
        "org:ci",
        lambda s, q, b, v: s.previous(v),
    ),
    ("POST", DEPLOYS, "org:ci", lambda s, q, b, v: s.new_deploy(v, b)),
    (
        "GET",
        DEPLOYS,
        "org:ci",
        lambda s, q, b, v: [d for d in s.deploys if d["release"] == v and s.release(v)],
    ),
    (
        "GET",
        rf"{API}/integrations/",
        "org:read",
        lambda s, q, b: [{"id": "55", "status": "active", "provider": {"key": "discord"}}],
    ),
    ("GET", rf"{API}/detectors/", "org:read", lambda s, q, b: s.list_detectors(q)),
    (
        "POST",
        rf"{API}/projects/{PROJECT}/detectors/",
        "alerts:write",
        lambda s, q, b: s.create(s.detectors, s.detector, b),
    ),
    (
        "PUT",
        rf"{API}/detectors/(\d+)/",
        "alerts:write",
        lambda s, q, b, key: s.replace(s.detectors, s.detector, key, b),
    ),
    ("GET", rf"{API}/workflows/", "org:read", lambda s, q, b: s.workflows),
    (
        "POST",
        rf"{API}/workflows/",
        "alerts:write",
        lambda s, q, b: s.create(s.workflows, s.workflow, b),
    ),
    (
        "PUT",
        rf"{API}/workflows/(\d+)/",
        "alerts:write",
        lambda s, q, b, key: s.replace(s.workflows, s.workflow, key, b),
    ),
]


class Handler(BaseHTTPRequestHandler):
    """Sentry's API over HTTP."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def respond(self) -> None:
        """Answer any request."""
        url = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.sentry.lock:
            try:
                status, body = self.route(url.path, parse_qs(url.query), content)
            except RefusedError as refusal:
                status, body = refusal.status, refusal.body
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = respond  # noqa: N815

    def route(self, path: str, query: dict[str, list[str]], content: bytes) -> tuple[int, Json]:
        """Return the status and body for a request."""
        sentry = self.server.sentry
        if path == "/records":
            return 200, sentry.records()
        if path == f"/api{DSN_PATH}/envelope/":
            sentry.events += self.events(content)
            return 200, {}
        if path.startswith("/webhook/"):
            sentry.messages.append(json.loads(content))
            return 204, {}
        body = json.loads(content) if content else None
        sentry.requests.append([self.command, path, body])
        return self.call(path, query, body)

    def call(self, path: str, query: dict[str, list[str]], body: Json) -> tuple[int, Json]:
        """Find the endpoint, check the token's scopes, and call it."""
        granted = scopes(self.headers.get("Authorization", ""))
        for method, pattern, scope, act in ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                if not granted:
                    raise RefusedError(401, {"detail": "Invalid token"})
                if scope not in granted:
                    detail = "You do not have permission to perform this action."
                    raise RefusedError(403, {"detail": detail})
                arguments = [unquote(group) for group in match.groups()]
                return 201 if method == "POST" else 200, act(
                    self.server.sentry, query, body, *arguments
                )
        raise RefusedError(404, {"detail": "The requested resource does not exist"})

    def events(self, content: bytes) -> list[Json]:
        """Return the events of an envelope."""
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        lines = content.split(b"\n")
        pairs = zip(lines[1::2], lines[2::2], strict=False)
        return [json.loads(item) for header, item in pairs if b'"type":"event"' in header]

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """The fake, at an address."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Listen."""
        super().__init__(address, Handler)
        self.sentry = Sentry()


if __name__ == "__main__":
    Server(("", int(sys.argv[1]))).serve_forever()
