"""Keeps images equal at sites: compare, bring what is lacking, say how everything stands.

An image that is equal costs one question at its source and one at each site. What a site lacks is read from
the source once, whatever the number of sites, and the tag is written last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from lockstep import errors, values
from lockstep.sites import ends
from lockstep.values import Json
from sync import copy, quarantine, transfer
from sync.fan import Bounds
from sync.graph import Graph
from sync.states import State, state_of
from sync.stock import Shelf

ALL = "*"
"""Stands, as a reference, for a whole repository about which nothing could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One tag or digest at one site. ``size`` is what was sent (or, in a dry run, would be), in bytes.

    ``gone`` says that the tag was taken away, because the source no longer has it.
    """

    repository: str
    reference: str
    site: str
    state: State
    digest: str = ""
    detail: str = ""
    size: int = 0
    gone: bool = False

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "repository": self.repository,
            "reference": self.reference,
            "site": self.site,
            "state": self.state.value,
            "digest": self.digest,
            "detail": self.detail,
            "bytes": self.size,
            "gone": self.gone,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Who wants to know while images are mirrored; called from several threads."""

    progress: Callable[[int, int], None] = lambda _done, _total: None
    """Bytes handed to sites, and bytes that will be, as far as is known."""
    results: Callable[[Sequence[Result]], None] = lambda _results: None
    """How an image stands, as soon as it does."""
    graph: Callable[[Graph, Sequence[str]], None] = lambda _graph, _roots: None
    """What some images consist of, whenever it was read at the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to keep equal, and where.

    ``references`` are tags and digests with the digest that each has at the source, ``""`` where that is still
    to be asked. ``held`` says of sites that must not be written to why; they are not even asked. ``hold`` is asked
    again, by site, before an image becomes visible there: copying takes time, and a stance may change meanwhile.
    ``unsigned`` is asked, by digest, about every image that is to be brought, and says why it must not be.
    ``immutable`` says of which tags a site keeps what it has. ``deep`` takes nothing for granted and looks into what
    seems equal; ``referrers`` looks only for what was added to it, such as signatures. ``wanted`` is asked again and
    again while images are brought: the tags and digests that somebody waits for go first, named above or not.
    """

    repository: str
    source: ends.ImageStore
    sites: Mapping[str, ends.ImageStore]
    references: Mapping[str, str]
    held: Mapping[str, str] = field(default_factory=dict)
    hold: Callable[[str], str] = lambda _site: ""
    unsigned: Callable[[str], str] = lambda _digest: ""
    immutable: Callable[[str], bool] = lambda _reference: False
    wanted: Callable[[], Collection[str]] = tuple
    deep: bool = False
    referrers: bool = False
    dry_run: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    listening: Listening = field(default_factory=Listening)


def mirror(order: Order) -> list[Result]:
    """Bring every reference to every site; one result for each of both, sorted.

    What goes wrong at one site is that site's result and holds up no other.

    Raises:
        LockstepError: The source could not be asked at all.
    """
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_at_source, order)
        standings = _at_sites(order, list(order.references))
        named = asked.result()
    results = [
        _result(order, reference, site, State.HELD, detail=why)
        for site, why in order.held.items()
        for reference in order.references
    ]
    results += [
        _result(order, reference, site, State.FAILED, detail=f"{order.source.address} has no whole {reference}.")
        for reference in order.references
        if not named[reference]
        for site in order.sites
    ]
    pending: dict[tuple[str, str], str] = {}
    for site, standing in standings.items():
        results += _sorted_out(order, site, standing, named, pending)
    if order.referrers and not order.deep:
        results = _with_new_referrers(order, results, pending)
    known = {site: said for site, said in standings.items() if isinstance(said, dict)}
    results += _bring(order, pending, known)
    return sorted(results, key=lambda one: (one.repository, one.reference, one.site))


def _sorted_out(
    order: Order,
    site: str,
    standing: dict[str, str] | errors.LockstepError,
    named: Mapping[str, str],
    pending: dict[tuple[str, str], str],
) -> list[Result]:
    """What is known already of one site; what has to be brought goes to ``pending``."""
    known = {reference: digest for reference, digest in named.items() if digest}
    if isinstance(standing, errors.LockstepError):
        return [_failed(order, reference, site, digest, standing) for reference, digest in known.items()]
    results = []
    for reference, digest in known.items():
        there = standing[reference]
        if there == digest and not order.deep:
            results.append(_result(order, reference, site, State.EQUAL, digest=digest))
        elif there and there != digest and order.immutable(reference):
            why = f"The tag is immutable: it names {there} there, and {digest} at the source."
            results.append(_result(order, reference, site, State.HELD, digest=there, detail=why))
        else:
            pending[site, reference] = digest
    return results


def _with_new_referrers(order: Order, results: Sequence[Result], pending: dict[tuple[str, str], str]) -> list[Result]:
    """The results without those of equal images about which the source has more; these go to ``pending``."""
    equal = [result for result in results if result.state is State.EQUAL]
    roots = sorted({result.digest for result in equal})
    with ThreadPoolExecutor(order.bounds.looks) as pool:
        about = dict(zip(roots, pool.map(lambda root: _about(order.source, order, root), roots), strict=True))
        there = pool.map(lambda result: _about(order.sites[result.site], order, result.digest), equal)
        lacking = {
            (result.site, result.reference): result
            for result, has in zip(equal, there, strict=True)
            if not about[result.digest] <= has
        }
    pending.update({key: result.digest for key, result in lacking.items()})
    return [result for result in results if (result.site, result.reference) not in lacking]


def _about(store: ends.ImageStore, order: Order, root: str) -> set[str]:
    """What refers to an image, by digest; something that no site has when nobody can say."""
    try:
        return {one.digest for one in store.referrers(order.repository, root)}
    except errors.LockstepError:
        return {"unknown"} if store is order.source else set()


def _at_source(order: Order) -> dict[str, str]:
    """What each reference names at the source; empty when the source has no such thing."""
    asked = [reference for reference, digest in order.references.items() if not digest]
    found = Shelf(store=order.source, repository=order.repository).digests(asked, looks=order.bounds.looks)
    return {reference: digest or found[reference] for reference, digest in order.references.items()}


def _at_sites(order: Order, references: Sequence[str]) -> dict[str, dict[str, str] | errors.LockstepError]:
    """What each reference names at each site; or why a site cannot say."""
    shelves = {site: Shelf(store=store, repository=order.repository) for site, store in order.sites.items()}
    with ThreadPoolExecutor(max(1, len(shelves))) as pool:
        looks = {
            site: pool.submit(shelf.digests, references, looks=order.bounds.looks) for site, shelf in shelves.items()
        }
    said: dict[str, dict[str, str] | errors.LockstepError] = {}
    for site, look in looks.items():
        error = look.exception()
        said[site] = error if isinstance(error, errors.LockstepError) else look.result()
    return said


def _bring(
    order: Order, pending: Mapping[tuple[str, str], str], known: Mapping[str, Mapping[str, str]]
) -> list[Result]:
    """Bring what is not equal, in batches, so that what is held in memory stays small."""
    # What is kept about an image under a tag of its own (a signature, say) comes before the image is tagged.
    about = {root for (_, reference), root in pending.items() if values.companion_of(reference)}
    counter = _Counter(order.listening.progress)
    left, met = set(pending.values()), set(order.references) | set(order.references.values())
    # Over a slow line a batch takes long, and nobody overtakes it.
    size = order.bounds.streams if order.bounds.lines else order.bounds.batch
    results: list[Result] = []
    while left:
        wanted = set(order.wanted())
        results += _newcomers(order, wanted - met)
        met |= wanted
        first = _first(pending, wanted)
        batch = sorted(left, key=lambda root: (root not in first, root not in about, root))[:size]
        left -= set(batch)
        chosen = {key: root for key, root in pending.items() if root in batch}
        results += _bring_batch(order, chosen, batch, known, counter)
    return results


def _first(pending: Mapping[tuple[str, str], str], wanted: Collection[str]) -> set[str]:
    """The images that somebody waits for, and what is kept about them under tags of its own."""
    named = {root for (_, reference), root in pending.items() if reference in wanted or root in wanted}
    return named | {root for (_, reference), root in pending.items() if values.companion_of(reference) in named}


def _newcomers(order: Order, references: Collection[str]) -> list[Result]:
    """Bring what somebody waits for since this order was made."""
    if not references:
        return []
    quiet = replace(order.listening, progress=Listening().progress)
    return mirror(replace(order, references=dict.fromkeys(references, ""), wanted=tuple, listening=quiet))


def _bring_batch(
    order: Order,
    pending: Mapping[tuple[str, str], str],
    roots: Sequence[str],
    known: Mapping[str, Mapping[str, str]],
    counter: _Counter,
) -> list[Result]:
    source = Shelf(store=order.source, repository=order.repository)
    held = quarantine.held(order.unsigned, pending, looks=order.bounds.looks)
    results = [_failed(order, named, site, pending[site, named], error) for (site, named), error in held.items()]
    pending = {key: root for key, root in pending.items() if key not in held}
    allowed = set(pending.values())
    roots = [root for root in roots if root in allowed]
    graph, refused = transfer.graphs(source, roots, order.bounds)
    order.listening.graph(graph, [root for root in roots if root not in refused])
    waiting: dict[tuple[str, str], list[str]] = {}
    for (site, reference), root in pending.items():
        if root in refused:
            results.append(_failed(order, reference, site, root, refused[root]))
        else:
            waiting.setdefault((site, root), []).append(reference)

    def of(outcome: transfer.Outcome) -> list[Result]:
        return [_settled(order, reference, outcome) for reference in waiting.get((outcome.site, outcome.root), ())]

    load = transfer.Load(
        source=source,
        sites={
            site: Shelf(store=order.sites[site], repository=order.repository)
            for site in sorted({site for site, _ in waiting})
        },
        graph=graph,
        wanted=_wants(waiting, roots),
        known=known,
        bounds=order.bounds,
        watch=transfer.Watch(
            planned=counter.plan,
            sent=counter.send,
            settled=lambda outcome: order.listening.results(of(outcome)),
            hold=order.hold,
        ),
    )
    outcomes = transfer.foresee(load, deep=order.deep) if order.dry_run else transfer.bring(load, deep=order.deep)
    return results + [result for outcome in outcomes for result in of(outcome)]


def _wants(waiting: Mapping[tuple[str, str], Iterable[str]], roots: Sequence[str]) -> list[copy.Want]:
    """What is wanted under which tags, in the order of the images."""
    tags: dict[str, set[str]] = {}
    for (_, root), references in waiting.items():
        tags.setdefault(root, set()).update(one for one in references if not values.is_digest(one))
    return [copy.Want(root=root, tags=tuple(sorted(tags[root]))) for root in roots if root in tags]


def _settled(order: Order, reference: str, outcome: transfer.Outcome) -> Result:
    if outcome.error is not None:
        return _failed(order, reference, outcome.site, outcome.root, outcome.error)
    state = State.BEHIND if order.dry_run and outcome.changes else State.EQUAL
    return replace(_result(order, reference, outcome.site, state, digest=outcome.root), size=outcome.size)


def _failed(order: Order, reference: str, site: str, digest: str, error: errors.LockstepError) -> Result:
    return _result(order, reference, site, state_of(error), digest=digest, detail=str(error))


def _result(order: Order, reference: str, site: str, state: State, *, digest: str = "", detail: str = "") -> Result:
    return Result(
        repository=order.repository, reference=reference, site=site, state=state, digest=digest, detail=detail
    )


class _Counter:
    """Adds up bytes for a progress bar."""

    def __init__(self, progress: Callable[[int, int], None]) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._done = self._total = 0

    def plan(self, size: int) -> None:
        """So many bytes more will be sent."""
        self._add(0, size)

    def send(self, size: int) -> None:
        """So many bytes more were sent."""
        self._add(size, 0)

    def _add(self, done: int, total: int) -> None:
        with self._lock:
            self._done += done
            self._total += total
            self._progress(self._done, self._total)
