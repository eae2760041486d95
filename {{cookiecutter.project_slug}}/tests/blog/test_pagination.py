"""The rows of a page, and the page that a URL asks for."""

import pytest
from flask import Flask
from sqlalchemy import insert

from app.blog.models import Post
from app.blog.pagination import ID_MAX, PAGE_SIZE, Page, paginate
from app.blog.queries import ALL_POSTS
from tests.blog.conftest import Blog

INVALID = ["abc", "-1", "1.5", "", "2147483648", "\u0667", "7 ", "7\n", "0x7", "9" * 30]


@pytest.fixture(autouse=True)
def posts(blog: Blog, david: int) -> None:
    """Add three more posts than fill a page, with the ids 1 to 28."""
    row = {"body": "Hello", "user_id": david}
    blog.execute(insert(Post).values([row] * (PAGE_SIZE + 3)))


def page_of(app: Flask, **query: str) -> Page:
    """Return the page that a query string asks for."""
    with app.test_request_context(query_string=query):
        return paginate(ALL_POSTS)


def test_newest_page(app: Flask) -> None:
    """Without a parameter, the page has the newest rows, newest first."""
    page = page_of(app)
    assert [row.id for row in page.rows] == list(range(28, 3, -1))
    assert page.is_newest


def test_next_page_begins_after_last_row(app: Flask) -> None:
    """The parameter of the next page is the id of the last row of this one."""
    assert page_of(app).older == 4


@pytest.mark.parametrize(("before", "ids"), [("4", [3, 2, 1]), ("1", [])])
def test_older_page(app: Flask, before: str, ids: list[int]) -> None:
    """An older page has the rows whose ids are lower than the parameter."""
    page = page_of(app, before=before)
    assert ([row.id for row in page.rows], page.is_newest) == (ids, False)


@pytest.mark.parametrize("before", ["26", "4", "1"])
def test_oldest_page(app: Flask, before: str) -> None:
    """A page that has all the rows that are left, even if these fill it, has no older page."""
    assert page_of(app, before=before).older is None


def test_highest_id(app: Flask) -> None:
    """The highest id that a database can store is a valid parameter."""
    page = page_of(app, before=str(ID_MAX))
    assert (page.rows[0].id, page.is_newest) == (28, False)


@pytest.mark.parametrize("before", INVALID)
def test_invalid_parameter(app: Flask, before: str) -> None:
    """A parameter that is not an id is ignored."""
    page = page_of(app, before=before)
    assert (page.rows[0].id, page.is_newest) == (28, True)
