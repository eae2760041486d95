"""Pages by keyset: the thousandth costs what the first one costs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from flask import request
from sqlalchemy import Select, SQLColumnExpression

from app.extensions import db

PAGE_SIZE = 25
ID_MAX = 2**31 - 1  # of PostgreSQL's integers


class HasId(Protocol):
    """Any model, for all that a page has to know."""

    id: Any


Row = TypeVar("Row", bound=HasId)
Query = TypeVar("Query", bound=Select[Any])


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: before the row `id`, after it, or (without one) at the newest."""

    id: int | None = None
    after: bool = False

    @classmethod
    def from_request(cls) -> "Cursor":
        """The cursor in `?before=ID` or `?after=ID`; the newest where that is no id."""
        after = request.args.get("after", type=row_id)
        return cls(after, after=True) if after else cls(request.args.get("before", type=row_id))

    def nearest(self, query: Query, column: SQLColumnExpression[int]) -> Query:
        """`query` from the cursor on by the ids in `column`, the nearest row first."""
        if self.after:
            return query.where(column > self.id).order_by(column.asc())
        if self.id is not None:
            query = query.where(column < self.id)
        return query.order_by(column.desc())


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows, newest first, with the ids at which the older and the newer page begin."""

    rows: list[Row]
    older: int | None
    newer: int | None


def row_id(value: str) -> int:
    """`value` as an id that fits every database's integers; else ValueError."""
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > ID_MAX:
        raise ValueError
    return int(value)


def paginate(query: Callable[[Cursor], Select[Row]], cursor: Cursor) -> Page[Row]:
    """The page of `query` at `cursor`."""
    rows = list(db.session.scalars(query(cursor).limit(PAGE_SIZE + 1)))
    at_the_top = cursor.after and len(rows) <= PAGE_SIZE
    if at_the_top or (cursor.id is not None and not rows):  # the newest page then, and a full one
        return paginate(query, Cursor())
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    if cursor.after:
        rows.reverse()
    return Page(
        rows,
        older=rows[-1].id if rows and (more or cursor.after) else None,
        newer=rows[0].id if rows and cursor.id is not None else None,
    )
