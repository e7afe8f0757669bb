"""Lists, read raw, page after page.

Pages are asked for with ``limit`` and without a ``resourceVersion``: then a list is of one moment that is not older
than the question. A server from 1.31 on answers from its watch cache all the same; ``resourceVersion=0`` would let
any server answer from its cache, but with a state of any age, and with everything at once whatever the limit says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lockstep import errors
from lockstep.sites.cluster import api as calling
from lockstep.sites.cluster import moments, paging
from lockstep.sites.cluster.api import Api
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.cluster.paging import Asking
from lockstep.sites.cluster.refusals import ExpiredError
from lockstep.values import Json

_MOST_WALKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A whole list: its objects, whole, and the moment that it is of."""

    objects: list[dict[str, Json]]
    resource_version: str


Keep = Callable[[list[dict[str, Json]]], Iterable[dict[str, Json]]]
"""What is kept of the objects of a page."""


def walk(
    api: Api,
    resource: Resource,
    namespace: str,
    *,
    until: float,
    query: Mapping[str, str] | None = None,
    keep: Keep | None = None,
) -> Listed:
    """Every object of a kind in a namespace, or in the whole cluster (``""``).

    A page that is too large is asked for again with fewer objects, and a walk whose moment is gone begins again.

    Args:
        api: The server.
        resource: The kind.
        namespace: The namespace.
        until: When it must be over, as ``time.monotonic`` tells it.
        query: More to ask for, such as ``labelSelector``.
        keep: What to keep of the objects of a page before the next one is taken up; all of them by default.

    Raises:
        LockstepError: It cannot be read whole.
    """
    for turn in range(_MOST_WALKS):
        asking = Asking(api=api, resource=resource, namespace=namespace, until=until, query=query or {})
        try:
            with paging.pages(asking) as pages:
                return _walked(pages, asking, keep or (lambda objects: objects))
        except ExpiredError:
            if turn == _MOST_WALKS - 1:
                raise
    raise AssertionError("the last turn returns or raises")  # pragma: no cover


def count(api: Api, resource: Resource, namespace: str, *, until: float) -> int:
    """How many objects of a kind there are in a namespace: one of them is read, and all where the server wants that.

    Raises:
        LockstepError: It cannot be listed.
    """
    asking = Asking(api=api, resource=resource, namespace=namespace, until=until, query={})
    page = calling.parsed(paging.asked(asking, limit=1), api.server)
    _version(page, asking, before="")
    found = len(whole(page["items"] or [], resource))
    metadata = page["metadata"]
    remaining = metadata.get("remainingItemCount")
    if not metadata.get("continue"):
        return found
    if isinstance(remaining, int):
        return found + remaining
    counted: list[int] = []

    def keep(objects: list[dict[str, Json]]) -> Iterable[dict[str, Json]]:
        counted.append(len(objects))
        return ()

    walk(api, resource, namespace, until=until, keep=keep)
    return sum(counted)


def _walked(pages: Iterator[dict[str, Json]], asking: Asking, keep: Keep) -> Listed:
    kept: list[dict[str, Json]] = []
    seen: set[tuple[str, str]] = set()
    version, count = "", 0
    for page in pages:
        version = _version(page, asking, before=version) or version
        found = whole(page["items"] or [], asking.resource)
        count += len(found)
        seen.update((one["metadata"].get("namespace") or "", one["metadata"]["name"]) for one in found)
        if len(seen) != count:
            raise errors.FaultError(
                f"{asking.api.server} lists one of its {asking.resource.plural} twice.",
                remedy="Look whether a proxy stands before it: a page that comes twice came for another one.",
            )
        if count > asking.api.limits.most_objects:
            raise errors.UnsupportedError(
                f"{asking.api.server} has more than {asking.api.limits.most_objects} {asking.resource.plural}.",
                remedy="Read fewer namespaces at once.",
            )
        kept += keep(found)
        # Nothing of this page stays in memory while the next one is unfolded.
        page.clear()
        del found
    return Listed(objects=kept, resource_version=version)


def _version(page: Mapping[str, Json], asking: Asking, *, before: str) -> str:
    """The moment of a page, which has to be one of a list, and not earlier than that of the page before."""
    metadata = page.get("metadata")
    # A list without items is written as null by some servers.
    if not isinstance(metadata, dict) or not isinstance(page.get("items", ""), list | None):
        raise errors.UnreachableError(
            f"What answers at {asking.api.server} is no Kubernetes API (a list without items).",
            remedy="Look whether a proxy or a login page stands before it.",
        )
    version = str(metadata.get("resourceVersion") or "")
    if moments.is_before(version, before):
        raise errors.FaultError(
            f"{asking.api.server} goes back in the middle of a list of {asking.resource.plural}.",
            remedy="Look whether one of its API servers lags behind the others.",
        )
    return version


def whole(items: list[Json], resource: Resource) -> list[dict[str, Json]]:
    """The objects of a list, which leaves out what they are, without who set which field.

    ``metadata.managedFields`` is half of most objects and no part of what is compared; ``get`` has it.

    Raises:
        FaultError: Something is no object, or has no name. What cannot be told apart cannot be left out either.
    """
    api_version, kind = resource.api_version, resource.kind
    for item in items:
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if (
            not isinstance(metadata, dict)
            or not isinstance(metadata.get("name"), str)
            or not isinstance(metadata.get("namespace"), str | None)
        ):
            raise errors.FaultError(
                f"Among the {resource.plural} is something that is no object with a name.",
                remedy="Look into what serves them.",
            )
        metadata.pop("managedFields", None)
        item["apiVersion"] = api_version
        item["kind"] = kind
    return items
