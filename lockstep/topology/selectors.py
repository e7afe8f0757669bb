"""Fields of Kubernetes objects as rules name them: ``ConfigMap/pay /data/app.yaml#/cors/origin``.

A selector is ``Kind[.group][/name]`` and, after a space, a JSON Pointer (RFC 6901) in which ``*`` stands for any
one key or position. ``#/`` goes on inside the text that the pointer has reached, read as YAML or JSON. Without a
pointer the whole object is meant. A selector covers the field that it names and everything below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from lockstep.topology.forms import FieldError, Form
from lockstep.topology.objects import ObjectPattern

Tokens: TypeAlias = tuple[str, ...]
"""The reference tokens of a JSON Pointer, unescaped."""

Token: TypeAlias = str | int | tuple[str, ...]
"""A token of a path: a key, a position, or what one entry may be called, of which any is meant."""

ANY = "*"
_ESCAPE = re.compile(r"~(?![01])")
_MOST_TOKENS = 100
FORM = Form(
    r"[^\s/]+(?:/\S+)?(?: +/.*)?",
    "does not name fields.",
    "Write Kind/name and a JSON Pointer, such as Ingress/shop /spec/rules/*/host.",
    1024,
)


def parse_pointer(text: str) -> Tokens:
    """The tokens of a JSON Pointer; none of ``""``, which names the whole value.

    Raises:
        FieldError: It is none (RFC 6901, section 3).
    """
    if not text:
        return ()
    if not text.startswith("/"):
        raise FieldError("has a pointer that does not begin with a slash.", "Write it as /spec/replicas.")
    if _ESCAPE.search(text):
        raise FieldError("has a ~ that stands for nothing.", "Write ~0 for a tilde and ~1 for a slash.")
    tokens = tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))
    if len(tokens) > _MOST_TOKENS:
        raise FieldError("goes deeper than anything that is read.", f"Name at most {_MOST_TOKENS} keys.")
    return tokens


def write_pointer(tokens: Sequence[str | int]) -> str:
    """The JSON Pointer of some keys and positions."""
    return "".join(f"/{str(token).replace('~', '~0').replace('/', '~1')}" for token in tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Some objects and, in them, a field with everything below it.

    ``pointer`` leads to the field, or to the text that holds it when ``embedded`` is not None; ``embedded`` then
    leads on inside that text.
    """

    objects: ObjectPattern
    pointer: Tokens
    embedded: Tokens | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a selector.

        Raises:
            FieldError: The text is none.
        """
        objects, _, pointer = text.partition(" ")
        pointer, inside, embedded = pointer.lstrip(" ").partition("#/")
        if inside and not pointer:
            raise FieldError("has #/ with no field before it.", "Write the field that holds the YAML or JSON first.")
        if pointer.endswith("#"):
            raise FieldError("ends in #.", "Go on with /, or leave the # out.")
        return cls(
            objects=ObjectPattern.parse(objects),
            pointer=parse_pointer(pointer),
            embedded=parse_pointer(f"/{embedded}") if inside else None,
        )

    def selects(self, *, group: str, kind: str, name: str) -> bool:
        """Whether an object is meant."""
        return self.objects.selects(group=group, kind=kind, name=name)

    def covers(self, path: Sequence[Token], embedded: Sequence[Token] | None = None) -> bool:
        """Whether a field is meant: ``path`` leads to it, and ``embedded`` on inside the text found there."""
        if self.embedded is None:
            return _begins(path, self.pointer)
        if embedded is None or len(path) != len(self.pointer):
            return False
        return _begins(path, self.pointer) and _begins(embedded, self.embedded)

    @property
    def narrowness(self) -> tuple[int, ...]:
        """Greater for the narrower of two selectors of one field: its object first, then its depth, then ``*``."""
        tokens = (*self.pointer, *(self.embedded or ()))
        name = self.objects.name
        return (
            2 if "*" not in name and "?" not in name else int(name != ANY),
            int(self.objects.kind != ANY) + int(self.objects.group is not None),
            len(tokens),
            -tokens.count(ANY),
        )

    def __str__(self) -> str:
        embedded = "" if self.embedded is None else f"#{write_pointer(self.embedded)}"
        field = f"{write_pointer(self.pointer)}{embedded}"
        return f"{self.objects} {field}" if field else str(self.objects)


def _begins(path: Sequence[Token], tokens: Tokens) -> bool:
    """Whether a path begins with these tokens, ``*`` standing for any."""
    return len(path) >= len(tokens) and all(
        token == ANY or token in (part if isinstance(part, tuple) else (str(part),))
        for token, part in zip(tokens, path, strict=False)
    )


def check(text: str) -> str:
    """The text itself, when it is a selector. Raises FieldError."""
    Selector.parse(text)
    return text


def check_field(text: str) -> str:
    """The text itself, when it is a selector with a pointer. Raises FieldError."""
    if not Selector.parse(text).pointer:
        raise FieldError(FORM.message, FORM.remedy)
    return text
