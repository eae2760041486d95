"""Pages by keyset: every page costs the same, however far back it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from flask import request
from sqlalchemy import (
    BigInteger,
    Integer,
    Row,
    Select,
    SQLColumnExpression,
    bindparam,
    literal_column,
)

from app.extensions import db

PAGE_SIZE = 25
ID_MAX = 2**31 - 1  # the largest integer of PostgreSQL
START = bindparam("start", type_=BigInteger)

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
Statement = TypeVar("Statement", bound=AnySelect)


class Nearest(Protocol):
    """A function that restricts a statement to the rows beyond `START`, nearest first."""

    def __call__(self, statement: Statement, id_: SQLColumnExpression[int]) -> Statement:
        """Return the restricted and ordered statement."""


def older(statement: Statement, id_: SQLColumnExpression[int]) -> Statement:
    """Restrict `statement` to rows older than `START`, newest first."""
    return statement.where(id_ < START).order_by(id_.desc())


def newer(statement: Statement, id_: SQLColumnExpression[int]) -> Statement:
    """Restrict `statement` to rows newer than `START`, oldest first."""
    return statement.where(id_ > START).order_by(id_.asc())


def constant(number: int) -> SQLColumnExpression[int]:
    """Return `number` as text of the statement.

    If a limit were a parameter, PostgreSQL would plan the statement anew at each execution.
    """
    return literal_column(str(number), Integer)


class Statements(NamedTuple):
    """A query in both directions, each limited to a page and one row more."""

    older: AnySelect
    newer: AnySelect


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: before the row `start` or after it. The default is the newest page."""

    start: int = ID_MAX + 1
    after: bool = False

    @classmethod
    def from_request(cls) -> "Cursor":
        """Return the cursor in `?before=ID` or `?after=ID`, or the newest page if invalid."""
        if after := request.args.get("after", type=row_id):
            return cls(after, after=True)
        return cls(request.args.get("before", cls.start, type=row_id))


def row_id(value: str) -> int:
    """Return `value` as an id that fits every database's integers; raise ValueError otherwise."""
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > ID_MAX:
        raise ValueError
    return int(value)


@dataclass(frozen=True)
class Page:
    """Rows, newest first, and the ids at which the older and the newer page begin."""

    rows: Sequence[AnyRow]
    older: int | None
    newer: int | None


def paginate(cursor: Cursor, *ways: Statements, **parameters: object) -> Page:
    """Return the page at `cursor`, or the newest page where there is none at it.

    The first of the `ways` that fills the page is used, or else the last, which misses no rows.
    """
    rows: Sequence[AnyRow] = []
    for statements in ways:
        statement = statements.newer if cursor.after else statements.older
        rows = db.session.execute(statement, {"start": cursor.start, **parameters}).all()
        if len(rows) > PAGE_SIZE:
            break
    more = len(rows) > PAGE_SIZE
    newest = cursor == Cursor()
    # A page after the newest rows would not be full, so show the newest page instead.
    if not newest and (not rows or (cursor.after and not more)):
        return paginate(Cursor(), *ways, **parameters)
    rows = rows[:PAGE_SIZE]
    if cursor.after:
        rows = rows[::-1]
    return Page(
        rows,
        older=rows[-1].id if more or cursor.after else None,
        newer=rows[0].id if not newest else None,
    )
