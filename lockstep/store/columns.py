"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import DateTime, Dialect, LargeBinary, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator

from lockstep import errors
from lockstep.values import Json


class UnstorableError(errors.InputError, DontWrapMixin):
    """A value that cannot be kept as it is, on either database."""


class Name(TypeDecorator[str]):
    """Text by which something is found again: kept exactly, or refused.

    PostgreSQL has no NUL in text and no database of ours has half a surrogate pair; SQLite would take a NUL,
    so it is refused here, that both may mean the same.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - same everywhere
        """The text itself.

        Raises:
            InputError: It has a NUL or half a surrogate pair.
        """
        if value is not None and not _is_storable(value):
            raise UnstorableError(
                f"The name {value[:80]!r} has a character that a database cannot keep.",
                remedy="Remove NUL characters and broken Unicode from it.",
            )
        return value


class Prose(TypeDecorator[str]):
    """Text for people: logs, messages, reasons. What cannot be kept is shown as a replacement character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - same everywhere
        """The text, with every NUL and half surrogate pair replaced."""
        if value is None or _is_storable(value):
            return value
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Moment(TypeDecorator[datetime]):
    """An aware moment in UTC: ``timestamptz`` on PostgreSQL, ISO text of fixed width on SQLite (it sorts)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; SQLite keeps no zone, so it gets plain UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class JsonText(TypeDecorator[Json]):
    """A JSON value as text, keys sorted, so that equal values are equal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Json, dialect: Dialect) -> str | None:  # noqa: ARG002 - same everywhere
        """To text. A NUL is escaped as JSON has it, so both databases keep it.

        Raises:
            InputError: The value is not JSON: another type, broken Unicode, an integer beyond 64 bits.
        """
        if value is None:
            return None
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        except orjson.JSONEncodeError as error:
            raise UnstorableError(
                f"A value cannot be kept as JSON: {error}.", remedy="Hand over plain JSON values in valid Unicode."
            ) from error

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Json:  # noqa: ARG002
        """From text."""
        return None if value is None else orjson.loads(value)


Bytes = LargeBinary
