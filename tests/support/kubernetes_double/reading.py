"""Getting and listing: pages that stay consistent, revisions, selectors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
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
    chosen = ((key, one) for key, one in page.objects if what.test(one))
    kept = list(itertools.islice(chosen, limit or None))
    metadata: Object = {"resourceVersion": str(page.revision)}
    if limit and next(chosen, None) is not None:
        metadata["continue"] = continuing.token(page.revision, what.prefix, kept[-1][0])
        if not what.selective:
            metadata["remainingItemCount"] = page.behind(kept[-1][0])
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
    """Everything that is not on an earlier page, as of one revision, and how much of it is behind a key."""

    revision: int
    objects: Iterable[tuple[str, Object]]
    behind: Callable[[str], int]


def _page(store: Store, request: Request, what: Chosen) -> _Page:
    token = request.query.get("continue", "")
    if not token:
        try:
            return _as_of(store, _revision(store, request), what, start="")
        except TooOldError:
            raise statuses.expired(_LOST_REVISION) from None
    revision, start = continuing.read(token, what.prefix)
    try:
        return _as_of(store, store.revision if revision < 0 else revision, what, start=start)
    except TooOldError:
        again = continuing.token(-1, what.prefix, start.rstrip("\0"))
        raise statuses.expired(_LOST_PAGE, continuation=again) from None


def _as_of(store: Store, revision: int, what: Chosen, *, start: str) -> _Page:
    bucket, prefix = what.resource.bucket, what.prefix
    if not store.has_changed(bucket, revision):
        there = store.listed(bucket, prefix=prefix, start=start)
        return _Page(revision=revision, objects=there, behind=lambda key: store.count(bucket, prefix=prefix, start=key))
    then = [(key, one) for key, one in store.listed_at(revision, bucket, prefix=prefix) if key >= start]
    return _Page(revision=revision, objects=then, behind=lambda key: sum(1 for one, _ in then if one > key))


def _revision(store: Store, request: Request) -> int:
    """The revision to list at: the newest one, unless exactly another is asked for."""
    wanted = list_options.revision(request.query)
    if wanted > store.revision:
        raise list_options.too_large(wanted, store.revision)
    return wanted if request.query.get("resourceVersionMatch") == "Exact" else store.revision
