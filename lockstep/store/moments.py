"""The database's time inside a statement, so that no statement is spent on asking for it first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from lockstep.store.columns import Moment

# As Moment writes it to SQLite: six digits, of which SQLite knows three.
_FORMAT = "%Y-%m-%d %H:%M:%f000"


class _Current(FunctionElement[datetime]):
    """When the statement began: one moment in all of it, and no older in a long transaction."""

    type = Moment()
    inherit_cache = True


class _After(FunctionElement[datetime]):
    """A moment, and how many seconds later."""

    type = Moment()
    inherit_cache = True


NOW: ColumnElement[datetime] = func.coalesce(bindparam("now", type_=Moment()), _Current())
"""The parameter ``now`` of the statement; the database's own time when it is None."""


def after(moment: ColumnElement[datetime], seconds: ColumnElement[float]) -> ColumnElement[datetime]:
    """So many seconds later."""
    return _After(moment, seconds)


@compiles(_Current, "postgresql")
def _current_postgresql(_element: _Current, _compiler: SQLCompiler, **_: Any) -> str:
    return "statement_timestamp()"


@compiles(_Current, "sqlite")
def _current_sqlite(_element: _Current, _compiler: SQLCompiler, **_: Any) -> str:
    return f"strftime('{_FORMAT}', 'now')"


@compiles(_After, "postgresql")
def _after_postgresql(element: _After, compiler: SQLCompiler, **options: Any) -> str:
    moment, seconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({moment} + {seconds} * interval '1 second')"


@compiles(_After, "sqlite")
def _after_sqlite(element: _After, compiler: SQLCompiler, **options: Any) -> str:
    moment, seconds = (compiler.process(clause, **options) for clause in element.clauses)
    return f"strftime('{_FORMAT}', {moment}, printf('%+.3f seconds', {seconds}))"
