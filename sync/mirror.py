"""Keeps images equal at sites: compare, bring what is lacking, say how everything stands.

An image that is equal costs one question at its source and one at each site. What a site lacks is read from
the source once, whatever the number of sites, and the tag is written last.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from lockstep import values
from sync import copy, quarantine, standing, transfer
from sync.orders import ALL, Listening, Order, Result
from sync.standing import Standing
from sync.states import State
from sync.stock import Shelf

__all__ = ["ALL", "Listening", "Order", "Result", "mirror"]


def mirror(order: Order) -> list[Result]:
    """Bring every reference to every site; one result for each of both, sorted.

    What goes wrong at one site is that site's result and holds up no other.

    Raises:
        LockstepError: The source could not be asked at all.
    """
    found = standing.look(order)
    results = [*found.results, *(_Bringing(order, found).results() if found.pending else ())]
    return sorted(results, key=lambda one: (one.repository, one.reference, one.site))


class _Bringing:
    """Brings what is not equal, portion by portion: what somebody waits for meanwhile overtakes what is not begun."""

    def __init__(self, order: Order, found: Standing) -> None:
        self._order = order
        self._source = Shelf(store=order.source, repository=order.repository)
        self._counter = _Counter(order.listening.progress)
        self._known: dict[str, dict[str, str]] = {}
        self._places: dict[str, list[tuple[str, str]]] = {}
        self._waiting: dict[tuple[str, str], list[str]] = {}
        self._settled: list[Result] = []
        self._met = {*order.references, *order.references.values()}
        self._wanted: set[str] = set()
        self._first: list[str] = []
        self._left: deque[str] = deque()
        self._take(found)

    def results(self) -> list[Result]:
        """Bring it all; how everything stands that was to be brought."""
        order = self._order
        load = transfer.Load(
            source=self._source,
            sites={site: Shelf(store=store, repository=order.repository) for site, store in order.sites.items()},
            bounds=order.bounds,
            watch=transfer.Watch(
                planned=self._counter.plan,
                sent=self._counter.send,
                settled=lambda outcome: order.listening.results(self._of(outcome)),
                hold=order.hold,
            ),
        )
        carry_out = transfer.foresee if order.dry_run else transfer.bring
        outcomes = list(carry_out(load, self._portions(), deep=order.deep))
        # A digest may have come twice, each time with other tags: the last word counts.
        found = {(result.site, result.reference): result for outcome in outcomes for result in self._of(outcome)}
        return [*self._settled, *found.values()]

    def _portions(self) -> Iterator[transfer.Portion]:
        while self._places:
            first = self._overtaking()
            size = self._order.bounds.portion
            roots = first[:size]
            while len(roots) < size and self._left:
                root = self._left.popleft()
                roots += [root] if root in self._places and root not in roots else []
            portion = self._portion(roots)
            if portion.wanted:
                yield portion

    def _overtaking(self) -> list[str]:
        """The images that somebody waits for and that are not begun, named in the order or not."""
        new = set(self._order.wanted()) - self._wanted
        if new:
            self._wanted |= new
            unmet = new - self._met
            self._met |= unmet
            if unmet:
                found = standing.look(replace(self._order, references=dict.fromkeys(unmet, "")))
                self._settled += found.results
                self._take(found)
            self._first = self._of_those(self._wanted)
        return [root for root in self._first if root in self._places]

    def _of_those(self, wanted: Collection[str]) -> list[str]:
        """The images that some tags and digests name, and before them what is kept about them under tags of its own."""
        pending = [(reference, root) for root, places in self._places.items() for _, reference in places]
        named = {root for reference, root in pending if reference in wanted or root in wanted}
        about = {root for reference, root in pending if values.companion_of(reference) in named}
        return sorted(named | about, key=lambda root: (root not in about, root))

    def _take(self, found: Standing) -> None:
        """These are to be brought, before others that were found earlier."""
        for (site, reference), root in found.pending.items():
            self._places.setdefault(root, []).append((site, reference))
        # What is kept about an image under a tag of its own (a signature, say) comes before the image is tagged.
        about = {root for (_, reference), root in found.pending.items() if values.companion_of(reference)}
        ordered = sorted(set(found.pending.values()), key=lambda root: (root not in about, root))
        self._left.extendleft(reversed(ordered))
        for site, tags in found.known.items():
            self._known.setdefault(site, {}).update(tags)
        self._met |= set(found.pending.values())

    def _portion(self, roots: Sequence[str]) -> transfer.Portion:
        """What some images consist of, without those that must not or cannot be brought; these have results."""
        order = self._order
        pending = {place: root for root in roots for place in self._places.pop(root)}
        held = quarantine.held(order.unsigned, pending, looks=order.bounds.looks)
        allowed = {root for place, root in pending.items() if place not in held}
        graph, refused = transfer.graphs(self._source, [root for root in roots if root in allowed], order.bounds)
        order.listening.graph(graph, [root for root in roots if root in allowed and root not in refused])
        wants: dict[str, dict[str, list[str]]] = {}
        for (site, reference), root in pending.items():
            error = held.get((site, reference)) or refused.get(root)
            if error is not None:
                self._settled.append(order.failed(reference, site, root, error))
                continue
            self._waiting.setdefault((site, root), []).append(reference)
            tags = wants.setdefault(root, {}).setdefault(site, [])
            tags += [] if values.is_digest(reference) else [reference]
        wanted = [
            copy.Want(root=root, at={site: tuple(sorted(tags)) for site, tags in at.items()})
            for root, at in wants.items()
        ]
        return transfer.Portion(graph=graph, wanted=wanted, known=self._known)

    def _of(self, outcome: transfer.Outcome) -> list[Result]:
        """How each reference to an image stands at a site."""
        order, found = self._order, []
        for reference in self._waiting.get((outcome.site, outcome.root), ()):
            if values.is_tag(reference) and reference not in outcome.tags:
                continue  # it was asked for meanwhile
            if (error := outcome.why_not(reference)) is not None:
                found.append(order.failed(reference, outcome.site, outcome.root, error))
            else:
                state = State.BEHIND if order.dry_run and outcome.changes else State.EQUAL
                said = self._moved(outcome, reference)
                result = order.result(reference, outcome.site, state, digest=outcome.root, detail=said)
                found.append(replace(result, size=outcome.size))
        return found

    def _moved(self, outcome: transfer.Outcome, reference: str) -> str:
        """What a tag named at a site before, which somebody may have put there on purpose, or what it lacked."""
        before = self._known.get(outcome.site, {}).get(reference, "")
        if before == outcome.root and outcome.changes:
            return "A part of it is missing there." if self._order.dry_run else "A part of it was missing there."
        if before in ("", outcome.root):
            return ""
        return f"It names {before} there." if self._order.dry_run else f"It named {before} there before."


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
