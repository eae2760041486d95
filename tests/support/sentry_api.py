"""A strict fake of the parts of Sentry's API that releases and alerts use, and of its ingest.

It validates what it gets as Sentry does, adds ids, dates and nulls to what it returns, and keeps
records, which `GET /records` returns as JSON. It uses the standard library only, so that a plain
Python image can run it: `python sentry_api.py 8000`.
"""

import base64
import email
import gzip
import hashlib
import io
import json
import re
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = Any
Endpoint = Callable[["Sentry", "Call"], Json]
ORGANIZATION = "acme"
PROJECT = "microblog"
DSN_PATH = "/7"
DISCORD = "55"
UPTIME = "uptime_domain_failure"
NOW = "2026-11-24T12:00:00Z"
EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+")
ENVIRONMENT = re.compile(r"(?!none$)[^\s/]{1,64}")
RELEASE = re.compile(r"(?!\.{1,2}$|latest$)[^\s/\\]{1,200}")
HEALTH_QUERY = {"health", "summaryStatsPeriod", "healthStatsPeriod"}
PERIODS = {"1h", "24h", "1d", "48h", "2d", "7d", "14d", "30d", "90d"}
STATUSES = ("exited", "errored", "crashed", "abnormal")
COMMIT = re.compile(r"[0-9a-f]{40}")
FREQUENCIES = {0, 5, 10, 30, 60, 180, 720, 1440, 10080}
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


class Refusal(Exception):  # noqa: N818 the API's response, not a fault of the fake
    """An error response."""

    def __init__(self, status: int, body: Json) -> None:
        """Keep the status and what is wrong."""
        self.status, self.body = status, body


def require(condition: object, **fault: str) -> None:
    """Refuse a body that has a fault."""
    if not condition:
        raise Refusal(400, {field: [message] for field, message in fault.items()})


def require_keys(body: Json, *, needed: str = "", optional: str = "") -> None:
    """Refuse a body that lacks a field, or has one that Sentry does not know."""
    known = {*needed.split(), *optional.split()}
    require(isinstance(body, dict), detail="Expected an object.")
    for key in needed.split():
        require(key in body, **{key: "This field is required."})
    for key in body:
        require(key in known, **{key: "This field is unknown."})


@dataclass
class Call:
    """A request to an endpoint."""

    key: str  # the release, workflow or detector in the path
    query: dict[str, list[str]]
    body: Json


ROUTES: list[tuple[str, str, str, Endpoint]] = []


def route(method: str, path: str, scope: str) -> Callable[[Endpoint], Endpoint]:
    """Register the endpoint at a path below the organization, for tokens with a scope."""

    def register(endpoint: Endpoint) -> Endpoint:
        pattern = f"/api/0/organizations/{ORGANIZATION}/" + path.replace("KEY", "(?P<key>[^/]+)")
        ROUTES.append((method, pattern, scope, endpoint))
        return endpoint

    return register


class Sentry:
    """What the fake knows."""

    def __init__(self) -> None:
        """Start with a project, its built-in detector, and a Discord integration."""
        self.last_id = 100
        self.requests: list[Json] = []
        self.events: list[Json] = []
        self.check_ins: list[Json] = []
        self.sessions: dict[str, Counter[str]] = {}
        self.releases: dict[str, Json] = {}
        self.deploys: list[Json] = []
        self.chunks: dict[str, bytes] = {}
        self.bundles: list[dict[str, bytes]] = []  # the files of each, by their path
        self.repositories: list[Json] = []
        self.workflows: list[Json] = []
        self.detectors: list[Json] = [self.detector({"name": "All issues", "type": "issue_stream"})]
        self.messages: list[Json] = []
        self.has_uptime = True  # not every plan has it

    def records(self) -> Json:
        """Return what was recorded."""
        kept = "requests events check_ins sessions releases deploys workflows detectors messages"
        return {name: getattr(self, name) for name in kept.split()}

    def new_id(self) -> str:
        """Return an id that nothing has yet."""
        self.last_id += 1
        return str(self.last_id)

    # Releases

    @route("GET", "repos/", "org:ci")
    def list_repositories(self, _: Call) -> Json:
        """Return the linked repositories."""
        return self.repositories

    @route("POST", "releases/", "org:ci")
    def new_release(self, call: Call) -> Json:
        """Create a release; one that exists is returned as it is."""
        body = call.body
        require_keys(body, needed="version projects", optional="dateStarted refs commits")
        require(RELEASE.fullmatch(body["version"]), version="Release with name is not valid.")
        require(body["projects"] == [PROJECT], projects="Invalid project ids or slugs.")
        new = {"version": body["version"], "commits": [], "dateReleased": None, "finalized": 0}
        return self.shown(self.releases.setdefault(body["version"], new))

    @route("PUT", "releases/KEY/", "org:ci")
    def change_release(self, call: Call) -> Json:
        """Set the commits of a release, or finalize it."""
        body, release = call.body, self.release(call.key)
        require_keys(body, optional="projects dateReleased commits refs")
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

    @route("GET", "releases/KEY/", "org:ci")
    def one_release(self, call: Call) -> Json:
        """Return a release, with its health only for `health=1`, as Sentry does."""
        require(call.query.keys() <= HEALTH_QUERY, detail="Unknown parameter.")
        for name in HEALTH_QUERY - {"health"}:
            require(call.query.get(name, ["1h"])[0] in PERIODS, detail="Invalid period.")
        shown = self.shown(self.release(call.key))
        if call.query.get("health") == ["1"]:
            shown["projects"][0]["healthData"] = self.health(call.key)
        return shown

    def health(self, version: str) -> Json:
        """Return what the session items of a release say."""
        seen = self.sessions.get(version, Counter())
        free = 100 * (1 - seen["crashed"] / seen.total()) if seen else None
        return {
            "totalSessions": seen.total(),
            "sessionsCrashed": seen["crashed"],
            "sessionsErrored": seen["errored"],
            "crashFreeSessions": free,
            "hasHealthData": bool(seen),
        }

    def ingest(self, kind: str, item: Json) -> None:
        """Record an item of an envelope."""
        if kind == "event":
            self.events.append(item)
        elif kind == "check_in":
            require({"monitor_slug", "status"} <= item.keys(), detail="Invalid check-in.")
            self.check_ins.append(item)
        elif kind == "sessions":
            seen = self.sessions.setdefault(item["attrs"]["release"], Counter())
            for bucket in item["aggregates"]:
                seen.update({status: bucket.get(status, 0) for status in STATUSES})

    def release(self, version: str) -> Json:
        """Return a release that exists."""
        if version not in self.releases:
            raise Refusal(404, {"detail": "The requested resource does not exist"})
        return self.releases[version]

    def shown(self, release: Json) -> Json:
        """Return a release as Sentry shows it."""
        commit = {"id": release["commits"][0]} if release["commits"] else None
        nulls = {"lastEvent": None, "lastDeploy": None, "url": None, "ref": None, "owner": None}
        projects = [{"id": 7, "slug": PROJECT, "name": "Microblog", "newGroups": 0}]
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

    @route("GET", "releases/KEY/previous-with-commits/", "org:ci")
    def previous_release(self, call: Call) -> Json:
        """Return the release before a release, if one has commits."""
        earlier = [release for name, release in self.releases.items() if name != call.key]
        with_commits = [release for release in earlier if release["commits"]]
        return self.shown(with_commits[-1]) if with_commits else {}

    @route("GET", "releases/KEY/deploys/", "org:ci")
    def list_deploys(self, call: Call) -> Json:
        """Return the deploys of a release."""
        version = self.release(call.key)["version"]
        return [deploy for deploy in self.deploys if deploy["release"] == version]

    @route("POST", "releases/KEY/deploys/", "org:ci")
    def new_deploy(self, call: Call) -> Json:
        """Record a deploy, which creates its environment."""
        body, version = call.body, self.release(call.key)["version"]
        known = "name url dateStarted dateFinished projects"
        require_keys(body, needed="environment", optional=known)
        require(ENVIRONMENT.fullmatch(body["environment"]), environment="Invalid value.")
        deploy = {"id": self.new_id(), "name": None, "dateStarted": None, **body}
        self.deploys.append({**deploy, "release": version})
        return deploy

    @route("GET", "chunk-upload/", "org:ci")
    def upload_options(self, _: Call) -> Json:
        """Say how source maps are uploaded."""
        size = 8 * 1024 * 1024
        limits = {"chunkSize": size, "maxRequestSize": 4 * size, "maxFileSize": 64 * size}
        how = {"concurrency": 1, "hashAlgorithm": "sha1", "compression": ["gzip"]}
        accept = ["artifact_bundles", "artifact_bundles_v2"]
        path = f"/api/0/organizations/{ORGANIZATION}/chunk-upload/"
        return {"url": path, "chunksPerRequest": 64, "accept": accept, **limits, **how}

    @route("POST", "chunk-upload/", "org:ci")
    def upload(self, call: Call) -> Json:
        """Keep chunks under their hashes."""
        for part in call.body.get_payload():
            chunk = gzip.decompress(part.get_payload(decode=True))
            digest = hashlib.sha1(chunk, usedforsecurity=False).hexdigest()
            require(digest == part.get_filename(), file="Wrong hash.")
            self.chunks[digest] = chunk
        return None

    @route("POST", "artifactbundle/assemble/", "org:ci")
    def assemble(self, call: Call) -> Json:
        """Make a bundle of chunks, or say which are missing."""
        require_keys(call.body, needed="checksum chunks projects", optional="version dist")
        require(call.body["projects"] == [PROJECT], projects="Invalid project ids or slugs.")
        release = self.release(call.body["version"])
        missing = [chunk for chunk in call.body["chunks"] if chunk not in self.chunks]
        if not missing:
            content = b"".join(self.chunks[chunk] for chunk in call.body["chunks"])
            with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                self.bundles.append({name: bundle.read(name) for name in bundle.namelist()})
                release["files"] = bundle.namelist()
        return {"state": "not_found" if missing else "ok", "missingChunks": missing}

    # Alerts

    def require_environment(self, name: str | None) -> None:
        """Refuse an environment that Sentry has not heard of."""
        heard = {None, *(deploy["environment"] for deploy in self.deploys)}
        heard |= {event.get("environment") for event in self.events}
        require(name in heard, environment="Environment does not exist.")

    def workflow(self, body: Json) -> Json:
        """Return a workflow as Sentry keeps it."""
        fields = "name enabled environment detectorIds config triggers actionFilters"
        require_keys(body, needed=fields, optional="id owner")
        self.require_environment(body["environment"])
        known = {detector["id"] for detector in self.detectors}
        require(known.issuperset(map(str, body["detectorIds"])), detectorIds="Unknown detector.")
        require(body["config"]["frequency"] in FREQUENCIES, config="Invalid frequency.")
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
            **self.added(),
            "detectorIds": [str(detector) for detector in body["detectorIds"]],
            "triggers": self.numbered(body["triggers"], actions=[]),
            "actionFilters": [self.numbered(filters) for filters in body["actionFilters"]],
        }

    def added(self) -> Json:
        """Return what Sentry adds to a workflow or detector."""
        facts = {"id": self.new_id(), "organizationId": "1", "owner": None, "createdBy": None}
        return {**facts, "dateCreated": NOW, "dateUpdated": NOW, "lastTriggered": None}

    def check_action(self, action: Json) -> None:
        """Refuse an action that Sentry could not carry out."""
        require_keys(action, needed="type integrationId data config", optional="id status")
        require(action["type"] in {"email", "discord"}, actionFilters="Invalid action type.")
        if action["type"] == "discord":
            require(action["integrationId"] == DISCORD, actionFilters="Unknown integration.")
            identifier = action["config"]["targetIdentifier"]
            require(re.fullmatch(r"\d{17,20}", identifier), actionFilters="Unknown channel.")
        else:
            require(action["config"]["targetType"] == "issue_owners", actionFilters="targetType")

    def numbered(self, group: Json, **more: Json) -> Json:
        """Return a group of conditions with the ids that Sentry adds."""
        conditions = [{**condition, "id": self.new_id()} for condition in group["conditions"]]
        actions = [{**action, "id": self.new_id()} for action in group.get("actions", [])]
        kept = {**group, "id": self.new_id(), "organizationId": "1", "conditions": conditions}
        return {**kept, "actions": actions, **more}

    def detector(self, body: Json) -> Json:
        """Return a detector as Sentry keeps it."""
        kept = {**self.added(), "projectId": "7", "description": None, **body}
        if body["type"] == "issue_stream":
            return {**kept, "workflowIds": [], "dataSources": [], "conditionGroup": None}
        needed = "name type enabled dataSources conditionGroup config workflowIds"
        require_keys(body, needed=needed, optional="owner description projectId")
        require(body["type"] in {"metric_issue", UPTIME}, type="Unknown detector type.")
        if body["type"] == UPTIME:
            if not self.has_uptime:
                raise Refusal(404, {"detail": "The requested resource does not exist"})
            fields = {"mode", "environment", "downtimeThreshold", "recoveryThreshold"}
            require(body["config"].keys() == fields, config="Invalid config.")
            self.require_environment(body["config"]["environment"])
        else:
            require(body["config"] == {"detectionType": "static"}, config="Invalid config.")
        group = body["conditionGroup"]
        results = {condition["conditionResult"] for condition in group["conditions"]}
        require(results >= {0, 75}, conditionGroup="A resolution condition is required.")
        source_of = self.ping if body["type"] == UPTIME else self.data_source
        sources = [source_of(source) for source in body["dataSources"]]
        workflows = [str(workflow) for workflow in body["workflowIds"]]
        more = {"conditionGroup": self.numbered(group), "workflowIds": workflows}
        return {**kept, **more, "dataSources": sources}

    def data_source(self, source: Json) -> Json:
        """Return the query of a detector as Sentry keeps it."""
        fields = "dataset queryType eventTypes query timeWindow aggregate environment"
        require_keys(source, needed=fields)
        self.require_environment(source["environment"])
        query = {name: value for name, value in source.items() if name != "queryType"}
        snuba = {**query, "id": self.new_id(), "extrapolationMode": None}
        kept = {"id": self.new_id(), "type": "snuba_query_subscription", "sourceId": "3"}
        return {**kept, "queryObj": {"id": self.new_id(), "status": 1, "snubaQuery": snuba}}

    def ping(self, source: Json) -> Json:
        """Return what an uptime monitor asks for as Sentry keeps it."""
        fields = "url method intervalSeconds timeoutMs traceSampling"
        require_keys(source, needed=fields, optional="headers body")
        require(re.fullmatch(r"https?://[^/]+\.[^/]+/.*", source["url"]), url="Invalid URL.")
        require(source["intervalSeconds"] in {60, 300, 600, 1200, 1800, 3600}, interval="Invalid.")
        query = {"headers": [], "body": None, **source}
        kept = {"id": self.new_id(), "type": "uptime_subscription", "sourceId": "4"}
        return {**kept, "queryObj": query}

    @route("GET", "integrations/", "org:read")
    def list_integrations(self, _: Call) -> Json:
        """Return the integrations of the organization."""
        return [{"id": DISCORD, "status": "active", "provider": {"key": "discord"}}]

    @route("GET", "detectors/", "org:read")
    def list_detectors(self, call: Call) -> Json:
        """Return the detectors of the project."""
        require(call.query.get("projectSlug") == [PROJECT], projectSlug="Unknown project.")
        return self.detectors

    @route("POST", f"projects/{PROJECT}/detectors/", "alerts:write")
    def new_detector(self, call: Call) -> Json:
        """Create a detector."""
        return self.create(self.detectors, self.detector(call.body))

    @route("PUT", "detectors/KEY/", "alerts:write")
    def change_detector(self, call: Call) -> Json:
        """Replace a detector."""
        return self.replace(self.detectors, call.key, self.detector(call.body))

    @route("GET", "workflows/", "org:read")
    def list_workflows(self, call: Call) -> Json:
        """Return the workflows of the project."""
        require(call.query.get("projectSlug") == [PROJECT], projectSlug="Unknown project.")
        return self.workflows

    @route("POST", "workflows/", "alerts:write")
    def new_workflow(self, call: Call) -> Json:
        """Create a workflow."""
        return self.create(self.workflows, self.workflow(call.body))

    @route("PUT", "workflows/KEY/", "alerts:write")
    def change_workflow(self, call: Call) -> Json:
        """Replace a workflow."""
        return self.replace(self.workflows, call.key, self.workflow(call.body))

    def create(self, kept: list[Json], new: Json) -> Json:
        """Keep a new workflow or detector."""
        kept.append(new)
        return new

    def replace(self, kept: list[Json], key: str, new: Json) -> Json:
        """Keep a workflow or detector in place of the one with the id."""
        places = [place for place, old in enumerate(kept) if old["id"] == key]
        if not places:
            raise Refusal(404, {"detail": "The requested resource does not exist"})
        kept[places[0]] = {**new, "id": key}
        return kept[places[0]]


class Handler(BaseHTTPRequestHandler):
    """Sentry's API over HTTP."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def respond(self) -> None:
        """Answer any request."""
        url = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            try:
                status, body = self.route(url.path, parse_qs(url.query), content)
            except Refusal as refusal:
                status, body = refusal.status, refusal.body
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = respond  # noqa: N815 the names that http.server calls

    def route(self, path: str, query: dict[str, list[str]], content: bytes) -> tuple[int, Json]:
        """Return the status and body for a request."""
        sentry = self.server.sentry
        if path == "/records":
            return 200, sentry.records()
        if path == f"/api{DSN_PATH}/envelope/":
            for kind, item in self.items(content):
                sentry.ingest(kind, item)
            return 200, {}
        if path.startswith(f"/api{DSN_PATH}/cron/"):
            sentry.ingest("check_in", {"monitor_slug": path.split("/")[4], **json.loads(content)})
            return 202, {}
        if path.startswith("/webhook/"):
            sentry.messages.append(json.loads(content))
            return 204, {}
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/"):
            upload = email.message_from_bytes(f"Content-Type: {kind}\n\n".encode() + content)
            return self.call(path, query, upload)
        body = json.loads(content) if content else None
        sentry.requests.append([self.command, path, body])
        return self.call(path, query, body)

    def call(self, path: str, query: dict[str, list[str]], body: Json) -> tuple[int, Json]:
        """Find the endpoint, check the token's scopes, and call it."""
        granted = scopes(self.headers.get("Authorization", ""))
        for method, pattern, scope, endpoint in ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                if not granted:
                    raise Refusal(401, {"detail": "Invalid token"})
                if scope not in granted:
                    detail = "You do not have permission to perform this action."
                    raise Refusal(403, {"detail": detail})
                call = Call(unquote(match.groupdict().get("key", "")), query, body)
                return 201 if method == "POST" else 200, endpoint(self.server.sentry, call)
        raise Refusal(404, {"detail": "The requested resource does not exist"})

    def items(self, content: bytes) -> Iterator[tuple[str, Json]]:
        """Yield the type and content of the JSON items of an envelope."""
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        lines = content.split(b"\n")
        for header, item in zip(lines[1::2], lines[2::2], strict=False):
            kind = json.loads(header)["type"]
            if kind in {"event", "sessions"}:
                yield kind, json.loads(item)

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """The fake, at an address."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        """Listen; a `with` block serves."""
        super().__init__((host, port), Handler)
        self.sentry, self.lock = Sentry(), threading.Lock()
        self.url = f"http://{host}:{self.server_address[1]}"

    def __enter__(self) -> "Server":
        """Serve in a thread."""
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    Server("0.0.0.0", int(sys.argv[1])).serve_forever()  # noqa: S104 in a container
