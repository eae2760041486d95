"""Pages by keyset: every page costs the same, however far back it is."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from flask import request
from sqlalchemy import BigInteger, Row, Select, bindparam

from app.extensions import db

PAGE_SIZE = 25
ID_MAX = 2**31 - 1  # the largest integer of PostgreSQL
BEFORE = bindparam("before", type_=BigInteger)  # an id: a page has the rows before it

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class Page(NamedTuple):
    """Rows, newest first, and the id before which the next page begins."""

    rows: Sequence[AnyRow]
    older: int | None
    is_newest: bool


def paginate(statement: AnySelect, **parameters: object) -> Page:
    """Return the page of `?before=ID`, or the newest page without it.

    The statement selects the rows before `BEFORE`, newest first, and one more than fill a page.
    """
    before = request.args.get("before", ID_MAX + 1, type=row_id)
    rows = db.session.execute(statement, {"before": before, **parameters}).all()
    older = rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None
    return Page(rows[:PAGE_SIZE], older, is_newest=before > ID_MAX)


def row_id(value: str) -> int:
    """Return `value` as an id that fits every database's integers; raise ValueError otherwise."""
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > ID_MAX:
        raise ValueError
    return int(value)
