"""What a sender has to know about itself; the seam that each module of this package fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from webhooks.events import Event
from webhooks.signatures import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post as it came in: header names in lower case, the body byte for byte."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, without the blanks around it; empty when it is missing."""
        return self.headers.get(name, "").strip(" \t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which post it is: the sender's own id (empty when it has none), and what it calls the event."""

    delivery: str
    event: str


class Provider(Protocol):
    """One kind of sender. Pure: it is given a post and says what it is."""

    @property
    def content_types(self) -> frozenset[str]:
        """The media types that this sender posts, in lower case, without parameters."""
        ...

    @property
    def pings(self) -> frozenset[str]:
        """Names of events that only ask whether anybody is there."""
        ...

    @property
    def credentials(self) -> frozenset[str]:
        """Headers, in lower case, that prove who sent it: they are never kept."""
        ...

    def verify(self, post: Post, secrets: Sequence[bytes]) -> Judgement:
        """Whether the post is from somebody who has one of the secrets that are in force."""
        ...

    def identity(self, post: Post) -> Identity:
        """Which post it is. Called for believed posts only; it never raises."""
        ...

    def parse(self, event: str, body: bytes) -> list[Event]:
        """What the post means; at least one event.

        Raises:
            InputError: The body is not what this sender writes.
        """
        ...
