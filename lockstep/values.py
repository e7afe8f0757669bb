"""The words of the house, as types: digests, references, object keys, verdicts, tiers, stances.

Everything here is frozen and compares by value. An order that matters (which verdict is worse) is kept in
one place: the order in which an ``Enum`` lists its members, worst first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self, TypeAlias

from lockstep import errors

Json: TypeAlias = Any
"""A value as JSON has them: None, bool, int, float, str, list or dict with string keys."""

# OCI image specification 1.1, "Digests": algorithm and encoded part; the two registered algorithms.
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")
# OCI distribution specification 1.1, "Pulling manifests": <name> and <reference>.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# Tags under which signatures and the like of an image are kept where a registry has no referrers: the fallback
# of the distribution specification ("Referrers Tag Schema") and cosign's, which adds .sig, .att or .sbom.
_COMPANION = re.compile(r"(sha256|sha512)-([a-f0-9]{64,128})(\.[a-z]+)?")
# distribution/reference, "Grammar": host names, IPv4 and bracketed IPv6 addresses, with a port or without.
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
# A git object id: SHA-1 or SHA-256 repositories.
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_digest(text: str) -> bool:
    """Whether the text is a digest whose algorithm is registered (OCI image specification, "Digests")."""
    return _DIGEST.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether the text is a repository name (OCI distribution specification, "Pulling manifests")."""
    return len(text) <= 255 and _REPOSITORY.fullmatch(text) is not None


def is_registry(text: str) -> bool:
    """Whether the text is a registry as image references name it: a host, with a port or without."""
    return len(text) <= 255 and _REGISTRY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether the text is a tag (OCI distribution specification, "Pulling manifests")."""
    return _TAG.fullmatch(text) is not None


def companion_of(tag: str) -> str:
    """The digest of the image that a companion tag belongs to; empty for any other tag."""
    found = _COMPANION.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else ""


def is_oid(text: str) -> bool:
    """Whether the text is a full git object id, SHA-1 or SHA-256."""
    return _OID.fullmatch(text) is not None


def is_null_oid(text: str) -> bool:
    """Whether the text is git's id for "nothing here": 40 or 64 zeros."""
    return len(text) in (40, 64) and not text.strip("0")


def sha256(data: bytes) -> str:
    """The digest of some bytes, as ``sha256:<64 hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ImageReference:
    """A container image as a Pod names it.

    ``registry`` is empty when the text names none (``nginx``); ``repository`` is as written
    (``library/nginx`` is not added); ``tag`` and ``digest`` are empty when absent.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an image reference (the grammar of distribution/reference).

        Raises:
            InputError: The text is not an image reference.
        """
        rest, at, digest = text.partition("@")
        registry, slash, path = rest.partition("/")
        # distribution/reference, splitDockerDomain: what makes the first part a host rather than a path.
        host = "." in registry or ":" in registry or registry == "localhost" or registry != registry.lower()
        if not (slash and host):
            registry, path = "", rest
        repository, colon, tag = path.partition(":")
        sound = (
            (not registry or is_registry(registry))
            and is_repository(repository)
            and (not colon or is_tag(tag))
            and (not at or is_digest(digest))
        )
        if not sound:
            raise errors.InputError(
                f"{text!r} is not an image reference.", remedy="Write [host/]name[:tag][@sha256:<64 hex>]."
            )
        return cls(registry=registry, repository=repository, tag=tag, digest=digest)

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    def __str__(self) -> str:
        return f"{self.name}{':' + self.tag if self.tag else ''}{'@' + self.digest if self.digest else ''}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ObjectKey:
    """Which object: ``namespace`` is empty for cluster-scoped kinds; ``group`` is empty for the core group.

    The version is no part of it: one object is served in several versions.
    """

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    @classmethod
    def of(cls, manifest: dict[str, Json]) -> Self:
        """The key of a manifest. ``apiVersion``, ``kind`` and ``metadata.name`` must be there."""
        group, slash, _ = manifest["apiVersion"].partition("/")
        metadata = manifest["metadata"]
        return cls(
            group=group if slash else "",
            kind=manifest["kind"],
            namespace=metadata.get("namespace") or "",
            name=metadata["name"],
        )


class Verdict(Enum):
    """What a comparison says of a field, an object, an application or a pair. Worst first."""

    UNKNOWN = "Unknown"
    MISSING_AT_STANDBY = "MissingAtStandby"
    PRIMARY_HOTFIX = "PrimaryHotfix"
    STANDBY_DRIFT = "StandbyDrift"
    DIVERGED = "Diverged"
    EDITED_AT_BOTH = "EditedAtBoth"
    MISSING_AT_PRIMARY = "MissingAtPrimary"
    NOT_DEPLOYED = "NotDeployed"
    PRIMARY_BEHIND = "PrimaryBehind"
    STANDBY_BEHIND = "StandbyBehind"
    UNDEPLOYED = "Undeployed"
    DECLARED = "Declared"
    # An archive that Lockstep wrote itself and that equals the rendering: as good as in step, never the same.
    DISPERSED = "Dispersed"
    IN_SYNC = "InSync"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Verdict).index(self)

    @property
    def is_in_step(self) -> bool:
        """Whether the standby would start what the primary runs, as git says it."""
        return self in (Verdict.DECLARED, Verdict.DISPERSED, Verdict.IN_SYNC)

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The worst of some; ``IN_SYNC`` of none."""
        return min(verdicts, key=lambda verdict: verdict.rank, default=cls.IN_SYNC)


class Severity(Enum):
    """How much something matters to a fail-over, in steps. Worst first; each with the least weight that it has."""

    BLOCKER = "blocker"  # a fail-over would fail, or nobody can say that it would not
    MAJOR = "major"  # it would start, and differ where somebody notices
    MINOR = "minor"

    @property
    def least(self) -> float:
        """The least weight of this step; weights go from 0 (nobody would notice) to 1 (it stops a fail-over)."""
        return {Severity.BLOCKER: 0.8, Severity.MAJOR: 0.5, Severity.MINOR: 0.0}[self]

    @classmethod
    def of(cls, weight: float) -> Severity:
        """The step that a weight belongs to."""
        return next((step for step in cls if weight >= step.least), cls.MINOR)


class Health(Enum):
    """Whether what is there works; a second axis beside the verdict. Worst first."""

    UNKNOWN = "Unknown"
    DEGRADED = "Degraded"
    MISSING = "Missing"
    PROGRESSING = "Progressing"
    SUSPENDED = "Suspended"
    HEALTHY = "Healthy"
    # A directory of manifests runs nothing: there is no health to speak of.
    NOT_APPLICABLE = "NotApplicable"


class Tier(Enum):
    """How ready an application is at a standby site."""

    WARM = "warm"
    HOT = "hot"
    ACTIVE = "active"


class Stance(Enum):
    """Which side of a pair is the truth, and what is going on."""

    NORMAL = "normal"
    DRILL = "drill"
    SWITCHED = "switched"
    RETURNING = "returning"
    # Neither the store nor a site could say: nothing is written towards either side until a person does.
    UNKNOWN = "unknown"
