"""Template filters, and the pieces of pages that parts of the app contribute."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app import templating
from app.templating import ago, exact, utc

NOON = datetime(2024, 5, 17, 12)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "1 d ago"),
        (timedelta(days=6), "6 d ago"),
        (timedelta(days=7), "2024-05-10"),
    ],
)
def test_ago(age: timedelta, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time is shown in its largest unit, and as a date after a week."""
    monkeypatch.setattr(templating, "utcnow", lambda: NOON)
    assert ago(NOON - age) == words


def test_time_has_its_zone() -> None:
    """A time, which has no zone in the database, is given to browsers as UTC."""
    assert utc(NOON) == "2024-05-17T12:00:00Z"


def test_exact_time_has_its_zone() -> None:
    """An exact time says in words that it is UTC."""
    assert exact(NOON) == "17 May 2024 at 12:00 UTC"


def test_pieces_are_found(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template `<part>/<name>.html` is one of the pieces of that name, and no other template."""
    names = ["bar.html", "shop/bar.html", "shop/barn.html", "shop/foo.html", "zoo/bar.html"]
    monkeypatch.setattr(
        app.jinja_env, "list_templates", lambda filter_func: list(filter(filter_func, names))
    )
    pieces: Any = app.jinja_env.globals["pieces"]
    assert pieces("bar") == ["shop/bar.html", "zoo/bar.html"]
