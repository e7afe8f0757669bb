"""What a request brings: which page of a list, which filters, in which language. Everything is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from flask import request

Row = TypeVar("Row")
_LONGEST = 300
# Ids are eight bytes; a larger number is nobody's.
_LARGEST_ID = 2**63 - 1


def text(name: str) -> str:
    """A filter of the query; empty when it is not there."""
    return request.args.get(name, "")[:_LONGEST].replace("\0", "")


def field(name: str) -> str:
    """A field of a form, without blanks around it; empty when it is not there."""
    return request.form.get(name, "").strip().replace("\0", "")


def number(name: str) -> int | None:
    """An id of the query; None when it is not there, or is none."""
    given = text(name)
    return bounded(int(given)) if given.isascii() and given.isdigit() else None


def bounded(number: int) -> int:
    """A number of an address, as an id that a database can be asked for."""
    return min(number, _LARGEST_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """One page of a list, and the address of the next; empty when it is the last."""

    rows: Sequence[Row]
    older: str
    first: bool


def page(rows: Sequence[Row], last_id: int | None, size: int) -> Page[Row]:
    """Make a page of ``size`` rows of a list that was asked for one more than that.

    Args:
        rows: What was found.
        last_id: The id of the last row that is shown; None when there is none.
        size: How many are shown.
    """
    older = ""
    if len(rows) > size:
        older = f"{quote(request.path)}?{urlencode({**request.args.to_dict(), 'before': str(last_id)})}"
    return Page(rows=rows[:size], older=older, first=number("before") is None)


def local(address: str) -> str:
    """An address of ours to go to next; the front page for anything else, so that nobody is sent elsewhere."""
    parts = urlsplit(address.replace("\\", "/"))
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return address if inside and address.isprintable() else "/"
