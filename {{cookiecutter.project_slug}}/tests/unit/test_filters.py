"""What the templates can do with a value."""

from datetime import datetime, timedelta

import pytest

from app import filters
from app.filters import ago, hue, utc

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
    """A time is told in its largest unit, and by its date after a week."""
    monkeypatch.setattr(filters, "utcnow", lambda: NOON)
    assert ago(NOON - age) == words


def test_time_has_its_zone() -> None:
    """A time, which has no zone in the database, is given to browsers as UTC."""
    assert utc(NOON) == "2024-05-17T12:00:00Z"


def test_hue_is_stable() -> None:
    """A name has the same colour in every process."""
    assert hue("susan") == 124
