"""Lists, read raw, page after page.

Pages are asked for with ``limit`` and without a ``resourceVersion``: then a list is of one moment that is not older
than the question. A server from 1.31 on answers from its watch cache all the same; ``resourceVersion=0`` would let
any server answer from its cache, but with a state of any age, and with everything at once whatever the limit says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lockstep import errors
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.cluster.refusals import ExpiredError
from lockstep.sites.cluster.transport import TooLargeError
from lockstep.values import Json

_MOST_WALKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A whole list: its objects, whole, and the moment that it is of."""

    objects: list[dict[str, Json]]
    resource_version: str


def walk(
    api: Api, resource: Resource, namespace: str, *, until: float, query: Mapping[str, str] | None = None
) -> Listed:
    """Every object of a kind in a namespace, or in the whole cluster (``""``).

    A page that is too large is asked for again with fewer objects, and a walk whose moment is gone begins again.

    Args:
        api: The server.
        resource: The kind.
        namespace: The namespace.
        until: When it must be over, as ``time.monotonic`` tells it.
        query: More to ask for, such as ``labelSelector``.

    Raises:
        LockstepError: It cannot be read whole.
    """
    for turn in range(_MOST_WALKS):
        try:
            return _walk(_Pages(api=api, resource=resource, namespace=namespace, until=until, query=query or {}))
        except ExpiredError:
            if turn == _MOST_WALKS - 1:
                raise
    raise AssertionError("the last turn returns or raises")  # pragma: no cover


@dataclass(slots=True, kw_only=True)
class _Pages:
    """Asks for one page after the other."""

    api: Api
    resource: Resource
    namespace: str
    until: float
    query: Mapping[str, str]
    limit: int = 0

    def __iter__(self) -> Iterator[dict[str, Json]]:
        self.limit = self.api.limits.page
        token = ""
        while True:
            page = self._page(token)
            yield page
            metadata = page.get("metadata")
            following = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
            if not following:
                return
            if following == token:
                raise errors.FaultError(
                    f"{self.api.server} leads a list of {self.resource.plural} in a circle.",
                    remedy="Look whether a proxy stands before it.",
                )
            token = following

    def _page(self, token: str) -> dict[str, Json]:
        while True:
            query = {**self.query, "limit": str(self.limit), **({"continue": token} if token else {})}
            call = Call(
                method="GET",
                segments=self.resource.all_of(self.namespace),
                right=self.resource.right("list", self.namespace),
                query=query,
            )
            try:
                return self.api.json(call, until=self.until)
            except TooLargeError:
                if self.limit == 1:
                    raise
                self.limit = max(1, self.limit // 8)


def _walk(pages: _Pages) -> Listed:
    objects: list[dict[str, Json]] = []
    version = ""
    for page in pages:
        metadata, items = page.get("metadata"), page.get("items")
        # A list without items is written as null by some servers.
        if not isinstance(metadata, dict) or not isinstance(items, list | None):
            raise errors.UnreachableError(
                f"What answers at {pages.api.server} is no Kubernetes API (a list without items).",
                remedy="Look whether a proxy or a login page stands before it.",
            )
        version = str(metadata.get("resourceVersion") or version)
        objects += whole(items or [], pages.resource)
        if len(objects) > pages.api.limits.most_objects:
            raise errors.UnsupportedError(
                f"{pages.api.server} has more than {pages.api.limits.most_objects} {pages.resource.plural}.",
                remedy="Read fewer namespaces at once.",
            )
    return Listed(objects=objects, resource_version=version)


def whole(items: list[Json], resource: Resource) -> Iterator[dict[str, Json]]:
    """The objects of a list, which leaves out what they are, without who set which field.

    ``metadata.managedFields`` is half of most objects and no part of what is compared; ``get`` has it.
    """
    api_version, kind = resource.api_version, resource.kind
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("metadata"), dict):
            item["metadata"].pop("managedFields", None)
            item["apiVersion"] = api_version
            item["kind"] = kind
            yield item
