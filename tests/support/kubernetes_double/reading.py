"""Getting and listing: pages that stay consistent, revisions, selectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.kubernetes_double import continuing, list_options, selectors, statuses, versions
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.requests import Asked, Request
from tests.support.kubernetes_double.selectors import Test
from tests.support.kubernetes_double.storage import Store, TooOldError
from tests.support.kubernetes_double.types import Object

_LOST_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
_LOST_REVISION = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which objects are meant: a kind, a namespace or all, and what their labels and fields have to be."""

    resource: Resource
    prefix: str
    test: Test
    selective: bool


def chosen(request: Request, asked: Asked, resource: Resource) -> Chosen:
    """What a list, a watch or a deletion of many is about.

    Raises:
        RefusedError: A selector cannot be read.
    """
    labels = selectors.by_labels(request.query.get("labelSelector", ""))
    fields = selectors.by_fields(request.query.get("fieldSelector", ""), resource)
    return Chosen(
        resource=resource,
        prefix=f"{asked.namespace}/" if asked.namespace and resource.namespaced else "",
        test=lambda given: labels(given) and fields(given),
        selective=bool(request.query.get("labelSelector") or request.query.get("fieldSelector")),
    )


def listed(store: Store, request: Request, what: Chosen) -> Object:
    """The answer to a list.

    Raises:
        RefusedError: The selector, the revision or the continue token is none, or is too old.
    """
    list_options.check(request.query)
    limit = list_options.limit(request.query)
    page = _page(store, request, what)
    found = [(key, one) for key, one in page.objects if what.test(one)]
    kept = found[:limit] if limit else found
    metadata: Object = {"resourceVersion": str(page.revision)}
    if len(kept) < len(found):
        metadata["continue"] = continuing.token(page.revision, what.prefix, kept[-1][0])
        if not what.selective:
            metadata["remainingItemCount"] = len(found) - len(kept)
    return as_list((one for _, one in kept), what.resource, metadata)


def as_list(objects: Iterable[Object], resource: Resource, metadata: Object) -> Object:
    """Objects as a list of their kind; the items of a built-in list do not repeat their kind."""
    items = [versions.shown(one, resource) for one in objects]
    if resource.custom is None:
        items = [{key: one for key, one in item.items() if key not in {"kind", "apiVersion"}} for item in items]
    else:
        metadata = {"continue": "", **metadata}
    return {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata, "items": items}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    revision: int
    objects: Iterable[tuple[str, Object]]


def _page(store: Store, request: Request, what: Chosen) -> _Page:
    """What a page starts from: everything that is not on an earlier one, as of one revision."""
    bucket, prefix = what.resource.bucket, what.prefix
    token = request.query.get("continue", "")
    if not token:
        revision = _revision(store, request)
        try:
            return _Page(revision=revision, objects=_as_of(store, revision, what))
        except TooOldError:
            raise statuses.expired(_LOST_REVISION) from None
    revision, start = continuing.read(token, prefix)
    if revision < 0:
        return _Page(revision=store.revision, objects=list(store.listed(bucket, prefix=prefix, start=start)))
    try:
        objects = [(key, one) for key, one in _as_of(store, revision, what) if key >= start]
    except TooOldError:
        raise statuses.expired(_LOST_PAGE, continuation=continuing.token(-1, prefix, start.rstrip("\0"))) from None
    return _Page(revision=revision, objects=objects)


def _as_of(store: Store, revision: int, what: Chosen) -> list[tuple[str, Object]]:
    bucket = what.resource.bucket
    if revision == store.revision or not any(one.bucket == bucket for one in store.since(revision)):
        return list(store.listed(bucket, prefix=what.prefix))
    return store.listed_at(revision, bucket, prefix=what.prefix)


def _revision(store: Store, request: Request) -> int:
    """The revision to list at: the newest one, unless exactly another is asked for."""
    wanted = list_options.revision(request.query)
    if wanted > store.revision:
        raise list_options.too_large(wanted, store.revision)
    return wanted if request.query.get("resourceVersionMatch") == "Exact" else store.revision
