"""What a registry asks for when it does not know us: the ``WWW-Authenticate`` header (RFC 9110, 11.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of HTTP's grammar
_PIECE = re.compile(
    rf"\s*,*\s*(?:(?P<name>{_TOKEN})\s*=\s*(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<plain>[^\s,\"=][^\s,\"]*))"
    rf"|(?P<scheme>{_TOKEN})(?:\s+(?!{_TOKEN}\s*=\s*[^\s,=])(?P<blob>[A-Za-z0-9._~+/-]+=*)(?=\s*(?:,|$)))?)"
)
_LONGEST = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One scheme, in lower case, and its parameters by name, in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(headers: Iterable[str]) -> list[Challenge]:
    """The challenges of some headers, in order; what cannot be understood ends a header, and a long one is none."""
    found: list[tuple[str, dict[str, str]]] = []
    for header in headers:
        at = 0
        while len(header) <= _LONGEST and at < len(header) and (piece := _PIECE.match(header, at)):
            at = piece.end()
            if piece["scheme"]:
                found.append((piece["scheme"].lower(), {}))
            elif found:
                value = piece["plain"] if piece["quoted"] is None else re.sub(r"\\(.)", r"\1", piece["quoted"])
                found[-1][1].setdefault(piece["name"].lower(), value)
    return [Challenge(scheme=scheme, parameters=parameters) for scheme, parameters in found]
