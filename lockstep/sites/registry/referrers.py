"""What refers to a manifest: by the registry's own list, or by the tag that clients keep where it has none.

Distribution specification 1.1, "Listing Referrers" and "Referrers Tag Schema". The tag holds an index that
clients read, change and write: two at once could lose an entry, so each subject is changed by one thread at a
time here, and what was written is read again.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from lockstep import errors
from lockstep.sites import oci
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.sites.registry import listing, manifests, tokens
from lockstep.sites.registry.conversation import Conversation, Question
from lockstep.values import Json

_TRIES = 3
# How long a registry is believed to have no list of its own.
_BELIEF_SECONDS = 300.0
_MOST_LOCKS = 1000
# How registries say that they know no such question: 404 by the specification, others as they like. What may be
# answered otherwise to somebody else (401, 403, 407) or later (408, 429, 5xx) is not among them.
_WITHOUT = frozenset(range(300, 500)) - {401, 403, 407, 408, 429} | {501}


def fallback_tag(digest: str) -> str:
    """The tag under which clients list what refers to a manifest."""
    algorithm, _, encoded = digest.partition(":")
    return re.sub(r"[^a-zA-Z0-9._-]", "-", f"{algorithm[:32]}-{encoded[:64]}")


@dataclass(slots=True, kw_only=True)
class Referrers:
    """What refers to what, at one registry. Safe to share between threads.

    ``tags`` gives the tags of a repository when they were listed a moment ago, so that an absent fallback tag
    costs no question; None when nobody knows.
    """

    said: Conversation
    tags: Callable[[str], frozenset[str] | None]
    now: Callable[[], float] = time.monotonic
    _without: dict[str, float] = field(default_factory=dict)
    _locks: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, repository: str, digest: str) -> list[Descriptor]:
        """The manifests whose subject is this one, each once.

        Raises:
            IntegrityError: The list cannot be understood.
        """
        found = None if self._has_no_list(repository) else self._listed(repository, digest)
        if found is None:
            self._without[repository] = self.now()
            found = self._tagged(repository, digest)
        return list({one.digest: one for one in found}.values())

    def attach(self, repository: str, written: Manifest, contents: oci.Contents) -> None:
        """Add a manifest to the fallback list of its subject, where the registry keeps none itself.

        Raises:
            ConflictError: Somebody else changes the list all the time.
        """
        subject = contents.subject
        assert subject is not None  # noqa: S101 - only what has a subject is attached to it
        tag = fallback_tag(subject.digest)
        with self._held(repository, tag):
            for _ in range(_TRIES):
                entries = self._entries(repository, tag)
                if any(isinstance(entry, dict) and entry.get("digest") == written.digest for entry in entries):
                    return
                index = _index([*entries, _entry(written, contents)])
                manifests.write(self.said, repository, index, tag=tag)
        raise errors.ConflictError(
            f"The list {repository}:{tag} at {self.said.guard.home} does not keep what is added to it.",
            remedy="Somebody else writes to it; find out who.",
        )

    def _has_no_list(self, repository: str) -> bool:
        since = self._without.get(repository)
        return since is not None and self.now() - since < _BELIEF_SECONDS

    def _listed(self, repository: str, digest: str) -> list[Descriptor] | None:
        """What the registry's own list says; None when it has none."""
        question = Question(
            method="GET",
            place=f"/v2/{repository}/referrers/{digest}",
            scopes=(tokens.pull(repository),),
            headers={"Accept": oci.OCI_INDEX},
            stays=True,  # GitHub's registry, which has no such list, sends us to a page of GitHub
        )
        found: list[Descriptor] = []
        what = f"listing what refers to {repository}@{digest} at {self.said.guard.home}"
        pages = listing.pages(self.said, question, what=what, absent=_WITHOUT)
        try:
            first = next(pages)
        except listing.StrangeError:
            return None  # a page for people, where a registry does not know the question
        if first is None or not _is_index(first):
            return None
        for page in itertools.chain([first], pages):
            assert page is not None  # noqa: S101 - a list that is there does not turn out to be absent
            found += _descriptors(page.body)
        return found

    def _tagged(self, repository: str, digest: str) -> list[Descriptor]:
        tag = fallback_tag(digest)
        known = self.tags(repository)
        if known is not None and tag not in known:
            return []
        return _descriptors({"manifests": self._entries(repository, tag)})

    def _entries(self, repository: str, tag: str) -> list[Json]:
        """The entries of a fallback list; none when there is no list.

        Raises:
            IntegrityError: The tag names something else.
        """
        found = manifests.by_tag(self.said, repository, tag)
        if found is None:
            return []
        if found.media_type != oci.OCI_INDEX:
            raise errors.IntegrityError(
                f"{repository}:{tag} at {self.said.guard.home} is no list of what refers to an image.",
                remedy="Delete that tag, or push the list again.",
            )
        oci.contents(found)  # refuses what is no index
        entries: list[Json] = orjson.loads(found.raw)["manifests"]
        return entries

    def _held(self, repository: str, tag: str) -> threading.Lock:
        with self._lock:
            if len(self._locks) >= _MOST_LOCKS:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
            return self._locks.setdefault((repository, tag), threading.Lock())


def _is_index(page: listing.Page) -> bool:
    """Whether a page is the index that the specification wants; some call it JSON only."""
    return page.media_type == oci.OCI_INDEX or ("manifests" in page.body and page.body.get("schemaVersion") == 2)


def _descriptors(body: dict[str, Json]) -> list[Descriptor]:
    listed = body.get("manifests", ...)
    if listed is None:  # Go writes an empty list so
        return []
    if not isinstance(listed, list):
        raise errors.IntegrityError(
            "A list of what refers to an image has no manifests.", remedy="Push what refers to it again."
        )
    return [oci.descriptor(entry) for entry in listed]


def _entry(written: Manifest, contents: oci.Contents) -> dict[str, Json]:
    """How a list names a manifest: its kind and all its annotations ("Pushing Manifests with Subject")."""
    named = Descriptor(
        media_type=written.media_type,
        digest=written.digest,
        size=len(written.raw),
        annotations=contents.annotations,
        artifact_type=contents.artifact_type,
    )
    return oci.as_json(named)


def _index(entries: list[Json]) -> Manifest:
    raw = orjson.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries})
    return Manifest(media_type=oci.OCI_INDEX, digest=oci.digest_of(raw, like="sha256:"), raw=raw)
