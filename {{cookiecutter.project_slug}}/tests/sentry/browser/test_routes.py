"""The script that sends errors and page loads from the browser, and where it sends them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.extensions import db
from app.limits import limiter
from tests.conftest import CsrfConfig, Sentry

SITE = "http://localhost"
EVENT = {"event_id": "0123456789abcdef0123456789abcdef", "platform": "javascript"}

pytestmark = pytest.mark.usefixtures("production")


@pytest.fixture(autouse=True)
def static(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of static files without the script."""
    folder = Path(shutil.copytree(app.static_folder or "", tmp_path / "static"))
    (folder / "browser.js").unlink(missing_ok=True)
    monkeypatch.setattr(app, "static_folder", str(folder))
    return folder


@pytest.fixture
def script(static: Path) -> None:
    """Build the script."""
    (static / "browser.js").write_text("", encoding="utf-8")


def envelope(*items: tuple[str, dict[str, Any]], **headers: Any) -> bytes:
    """Return an envelope as the SDK in the browser sends it."""
    lines: list[dict[str, Any]] = [headers]
    for kind, payload in items:
        lines += [{"type": kind}, payload]
    return b"\n".join(json.dumps(line).encode() for line in lines)


def send(client: FlaskClient, body: bytes, **headers: str) -> TestResponse:
    """Send `body` as the script does."""
    return client.post("/browser/envelope", data=body, headers={"Origin": SITE, **headers})


def settings(page: TestResponse) -> dict[str, str]:
    """Return the settings of the script in `page`."""
    (tag,) = re.findall(r"<script[^>]*/browser\.js[^>]*></script>", page.text)
    return dict(re.findall(r'data-(\w+)="(.*?)"', tag))


@pytest.mark.usefixtures("sentry")
def test_page_without_script(client: FlaskClient) -> None:
    """A page loads nothing where the script was not built."""
    assert "<script" not in client.get("/auth/login").text


@pytest.mark.usefixtures("script")
def test_page_without_sentry(client: FlaskClient) -> None:
    """While Sentry is off, a page loads the script, which may have more to do, without settings."""
    page = client.get("/auth/login")
    assert settings(page) == {}
    assert "sentry-trace" not in page.text


@pytest.mark.usefixtures("script", "sentry")
@pytest.mark.parametrize("path", ["/auth/login", "/missing", "/broken_route"])
def test_page_names_trace(client: FlaskClient, path: str) -> None:
    """A page names the trace of its request, for the browser to continue."""
    page = client.get(path)
    (trace,) = re.findall(r'<meta name="sentry-trace" content="(\w+)-', page.text)
    assert trace == page.headers["X-Trace-Id"]


@pytest.mark.usefixtures("script", "sentry")
def test_page_names_rule(client: FlaskClient, susan: int) -> None:
    """The script is told the rule of the page and the number of the user, and no name."""
    told = settings(client.get("/account?planted=1"))
    assert told["rule"] == "/account"
    assert told["user"] == str(susan)
    assert "susan" not in str(told)


@pytest.mark.usefixtures("script", "sentry")
def test_crash_names_user(client: FlaskClient, susan: int) -> None:
    """On the page of a crash, the script is told the number of the user who was loaded before."""
    assert settings(client.get("/broken_route"))["user"] == str(susan)


@pytest.mark.usefixtures("script", "sentry", "susan")
def test_crash_of_database_has_script(app: Flask, client: FlaskClient) -> None:
    """The page of a crash loads the script without asking the database who the user is."""
    with app.app_context():
        db.drop_all()
    assert settings(client.get("/account"))["rule"] == "/account"


@pytest.mark.usefixtures("script", "sentry")
def test_crash_asks_for_feedback(client: FlaskClient, sentry: Sentry) -> None:
    """The page of a crash asks what the person was doing, about this event."""
    page = client.get("/broken_route").text
    assert f'data-event="{sentry.items("event")[0]["event_id"]}"' in page


@pytest.mark.usefixtures("sentry")
def test_crash_without_script_asks_nothing(client: FlaskClient) -> None:
    """There is no form that nothing would send."""
    assert "<form" not in client.get("/broken_route").text


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("kind", ["event", "transaction"])
def test_tunnel_forwards(client: FlaskClient, anywhere: Sentry, kind: str) -> None:
    """What the browser sends arrives where the server's own events arrive."""
    assert send(client, envelope((kind, EVENT))).status_code == 204
    assert anywhere.items(kind) == [EVENT]


@pytest.mark.usefixtures("script")
def test_tunnel_forwards_feedback(client: FlaskClient, sentry: Sentry) -> None:
    """Feedback arrives as it was typed."""
    send(client, envelope(("feedback", {"contexts": {"feedback": {"message": "I clicked"}}})))
    assert "I clicked" in sentry.raw()


@pytest.mark.usefixtures("script")
def test_tunnel_forwards_body_only(client: FlaskClient, sentry: Sentry) -> None:
    """Neither cookies, headers nor a DSN that the body names go along."""
    client.set_cookie("session", "planted")
    body = envelope(("event", EVENT), dsn="https://planted@example.com/2")
    send(client, body, **{"X-Forwarded-For": "planted", "User-Agent": "planted"})
    assert sentry.items("event") == [EVENT]
    assert "planted" not in sentry.raw()


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("kind", ["attachment", "profile", "replay_recording", "sessions"])
def test_tunnel_drops_other_items(client: FlaskClient, sentry: Sentry, kind: str) -> None:
    """What the script never sends is not forwarded."""
    send(client, envelope((kind, {"planted": 1}), ("event", EVENT)))
    assert sentry.items("event") == [EVENT]
    assert "planted" not in sentry.raw()


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", f"{SITE}.evil.example"])
def test_tunnel_refuses_other_sites(client: FlaskClient, sentry: Sentry, origin: str) -> None:
    """No other site can let its visitors send here."""
    response = send(client, envelope(("event", EVENT)), Origin=origin)
    assert response.status_code == 400
    assert sentry.items("event") == []


@pytest.mark.usefixtures("script", "sentry")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{}\n[]",
        b'{}\n{"type": "event"}\n{',
        b'{}\n{"type": "event", "length": "9"}\n{}',
        b'{}\n{"type": "event", "length": 1e400}\n{}',
        b'{}\n{"type": "event", "length": %d}\n{}' % 10**40,
        b'{}\n{"type": "event"}\n' + b"[" * 60_000,
    ],
)
def test_tunnel_refuses_nonsense(client: FlaskClient, body: bytes) -> None:
    """A body that is not an envelope is refused, and is nobody's error."""
    assert send(client, body).status_code == 400


@pytest.mark.usefixtures("script", "sentry")
def test_tunnel_refuses_much(client: FlaskClient) -> None:
    """A large body is refused, and is not taken for a broken storage of the limits."""
    assert send(client, envelope(("event", {"extra": "x" * 70_000}))).status_code == 413
    assert not limiter._storage_dead


@pytest.mark.usefixtures("script")
def test_tunnel_limits_rate(client: FlaskClient, sentry: Sentry) -> None:
    """An IP address is limited to 60 envelopes a minute."""
    statuses = [send(client, envelope(("event", EVENT))).status_code for _ in range(61)]
    assert statuses == [204] * 60 + [429]
    assert len(sentry.items("event")) == 60


@pytest.mark.usefixtures("script")
def test_feedback_has_its_own_limit(client: FlaskClient, sentry: Sentry) -> None:
    """Feedback arrives when page loads from the same network have used up their limit."""
    for _ in range(61):
        send(client, envelope(("event", EVENT)))
    feedback = b'{}\n{"type":"feedback"}\n{}'
    assert send(client, feedback).status_code == 204
    assert len(sentry.items("feedback")) == 1


@pytest.mark.usefixtures("sentry")
def test_tunnel_needs_script(client: FlaskClient) -> None:
    """Where no page loads the script, nothing is forwarded."""
    assert send(client, envelope(("event", EVENT))).status_code == 404


@pytest.mark.usefixtures("script")
def test_tunnel_is_not_traced(client: FlaskClient, anywhere: Sentry) -> None:
    """A request that carries telemetry makes none itself."""
    send(client, envelope())
    assert anywhere.items("transaction") == []


@pytest.mark.usefixtures("script", "sentry")
@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
def test_tunnel_needs_no_token(client: FlaskClient) -> None:
    """The script has no token, and the tunnel changes nothing on behalf of a user."""
    assert send(client, envelope(("event", EVENT))).status_code == 204


@pytest.mark.usefixtures("script", "sentry")
def test_broken_button(client: FlaskClient) -> None:
    """The page of the broken button names the route that it calls."""
    assert 'data-breaks="/broken_route"' in client.get("/broken_button").text


@pytest.mark.usefixtures("script", "sentry")
def test_broken_button_has_switch(app: Flask, client: FlaskClient) -> None:
    """The page is missing where BROKEN_ROUTE is off."""
    app.config["BROKEN_ROUTE"] = False
    assert client.get("/broken_button").status_code == 404


@pytest.mark.usefixtures("sentry")
def test_broken_button_without_script(client: FlaskClient) -> None:
    """Where its button would do nothing, the page says which command builds the script."""
    page = client.get("/broken_button").text
    assert "<code>make assets</code>" in page
    assert "<button" not in page.partition("<main")[2]


@pytest.mark.usefixtures("script")
def test_broken_button_without_sentry(client: FlaskClient) -> None:
    """While Sentry is off, the page of the broken button says how to switch it on."""
    assert "Sentry is off" in client.get("/broken_button").text
