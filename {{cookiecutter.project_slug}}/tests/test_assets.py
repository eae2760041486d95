"""Static files, which browsers keep."""

import re
import shutil
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from app.assets import static_url, version


@pytest.fixture
def style(client: FlaskClient) -> str:
    """Return the URL of the style sheet as a page has it."""
    (url,) = re.findall(r'href="(/static/style[^"]+)"', client.get("/auth/login").text)
    return str(url)


def test_versioned_file_is_kept(client: FlaskClient, style: str) -> None:
    """A browser that has the file does not ask for it again within a year."""
    policy = client.get(style, buffered=True).cache_control
    assert (policy.public, policy.max_age, policy.immutable) == (True, 31536000, True)


def test_versioned_file_is_kept_with_other_cookies(client: FlaskClient, style: str) -> None:
    """A browser keeps the file when its session changes, on which only pages depend."""
    assert "Cookie" in client.get("/auth/login").vary
    assert "Cookie" not in client.get(style, buffered=True).vary


def test_options_read_no_file(client: FlaskClient) -> None:
    """OPTIONS, to which Flask responds without a look at the path, reads nothing outside."""
    outside = version("pyproject.toml")
    response = client.options(f"/static/..%2f..%2fpyproject.toml?v={outside}")
    assert not response.cache_control.immutable


@pytest.mark.parametrize("url", ["/static/style.css", "/static/style.css?v=of-another-release"])
def test_other_version_is_not_kept(client: FlaskClient, url: str) -> None:
    """A file that may be of another release is asked for again."""
    assert client.get(url, buffered=True).cache_control.no_cache


def test_style_loads_nothing(client: FlaskClient, style: str) -> None:
    """A file that the style sheet names would have no version."""
    assert "url(" not in client.get(style, buffered=True).text


def test_version_follows_content(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with another content has another URL."""
    urls = set()
    for content in ("one", "two"):
        monkeypatch.setattr(app, "static_folder", str(tmp_path / content))
        (tmp_path / content).mkdir()
        (tmp_path / content / "style.css").write_text(content, encoding="utf-8")
        with app.test_request_context():
            urls.add(static_url("style.css"))
    assert len(urls) == 2


def test_edited_file_is_not_kept(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever edits a file sees the change without a restart."""
    copy = shutil.copytree(str(app.static_folder), str(tmp_path / "static"))
    monkeypatch.setattr(app, "static_folder", copy)
    with app.test_request_context():
        url = static_url("style.css")
    (tmp_path / "static/style.css").write_text("", encoding="utf-8")
    assert client.get(url, buffered=True).cache_control.no_cache


def test_url_has_the_prefix_of_its_part(own_app: Flask) -> None:
    """The URL of a file of a part leads to the file if the part has a prefix, too."""
    folder = Path(str(own_app.static_folder))
    part = Blueprint("shop", __name__, url_prefix="/shop", static_folder=folder)
    own_app.register_blueprint(part)
    with own_app.test_request_context():
        url = static_url("style.css", "shop")
    assert url.startswith("/shop/")
    assert own_app.test_client().get(url, buffered=True).cache_control.immutable


def test_file_is_hashed_for_a_version_only(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request without a version reads no more of a file than it sends."""
    monkeypatch.delattr("app.assets.version")
    assert client.get("/static/style.css", buffered=True).status_code == 200
