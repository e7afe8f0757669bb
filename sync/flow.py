"""Images on their way to sites: while some are sent, those after them are looked at.

Nothing waits for a phase of all images to end. One is sent as soon as it is known what each site lacks of it, and
finished at each site as soon as its blobs are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from lockstep import errors
from sync import copy
from sync.buffers import LaggingError, is_small
from sync.fan import LOOK_SECONDS, Fan, Lane
from sync.finish import End, settle
from sync.loads import Load, Outcome, Portion
from sync.planning import Planned, Planning
from sync.tally import Tally


class Flow:
    """Takes portions, from one thread; at the end of ``with`` every image has an outcome at each of its sites.

    Args:
        load: From where to where, and how much at once.
        deep: Take nothing at a site for granted.
    """

    def __init__(self, load: Load, *, deep: bool) -> None:
        bounds = load.bounds
        self._load = load
        self._deep = deep
        self._lanes = {site: Lane(site, shelf, bounds) for site, shelf in load.sites.items()}
        self._fan = Fan(load.source, self._lanes.values(), sent=load.watch.sent)
        self._large = ThreadPoolExecutor(bounds.streams, thread_name_prefix="images-read")
        self._small = ThreadPoolExecutor(bounds.small, thread_name_prefix="small-images-read")
        self._finishing = {
            site: ThreadPoolExecutor(bounds.small, thread_name_prefix=f"images-finish-{site}") for site in self._lanes
        }
        self._tally = Tally()
        self._planning = Planning(load, deep=deep)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._tally.wait_for()
        else:  # nobody waits for the rest, and what was counted in may never have been begun
            self._give_up(error)
        for pool in (self._large, self._small, *self._finishing.values()):
            pool.shutdown()
        for lane in self._lanes.values():
            lane.close()

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of every image at each of its sites, so far."""
        return self._tally.outcomes

    def shut(self, sites: Mapping[str, errors.LockstepError]) -> None:
        """Bring nothing to these sites, for these reasons."""
        for site, error in sites.items():
            self._lanes[site].give_up(error)

    def bring(self, portion: Portion) -> None:
        """See what sites lack of some images, and have it sent.

        This waits while too many images are on their way, or one of these, under another tag.
        """
        self._wait_before(portion)
        self._count += len(portion.wanted)
        if self._count > self._load.bounds.remembered:
            self._tally.wait_for()
            self._planning, self._count = Planning(self._load, deep=self._deep), 0
        aside = self._aside
        planned = self._planning.plan(portion, [site for site in self._lanes if site not in aside])
        self.shut(planned.silent)  # the rest would wait as long to learn the same
        self._send(list(planned.units.values()))
        self._finish(portion, planned)

    def _wait_before(self, portion: Portion) -> None:
        """Let images arrive, so that with these there are not too many. Whom the others wait for is put aside."""
        most, wanting = max(0, self._load.bounds.under_way - len(portion.wanted)), portion.sites
        aside = self._aside
        while not self._tally.wait_for(most, portion.roots, without=aside, seconds=LOOK_SECONDS):
            aside = self._aside
            busy = self._tally.sites() - aside
            for site in busy:
                self._lanes[site].holds_up(bool(wanting - busy - aside))

    @property
    def _aside(self) -> set[str]:
        return {site for site, lane in self._lanes.items() if lane.given_up is not None}

    def _send(self, units: Sequence[copy.Unit]) -> None:
        steps = [step for unit in units for step in unit.blobs]
        self._load.watch.planned(sum(step.blob.size * len(step.sites) for step in steps))
        for site, lane in self._lanes.items():
            lane.expect([step.blob.digest for step in steps if site in step.sites])
        for step in steps:
            pool = self._small if is_small(step.blob) else self._large
            pool.submit(self._fan.carry, step.blob, step.sites).add_done_callback(self._carried)

    def _carried(self, carrying: Future[None]) -> None:
        error = carrying.exception()
        if error is not None:  # a mistake of ours: nobody shall wait for that blob
            self._tally.mistaken(error)
            self._give_up(error)

    def _finish(self, portion: Portion, planned: Planned) -> None:
        """Have the images finished at each site, a few at once, as their blobs land."""
        for want in portion.wanted:
            self._tally.begin(want.root, want.at)
            for site in want.at:
                unit = planned.unit(want.root, site)
                end = End(
                    lane=self._lanes[site],
                    root=want.root,
                    tags=want.at[site],
                    graph=portion.graph,
                    unit=unit,
                    # Each waits for earlier ones only: what is waited for is under way.
                    after=self._tally.under_way(site, unit.after) if unit is not None else (),
                    seen=site in planned.seen,
                    hold=self._load.watch.hold,
                )
                self._finishing[site].submit(self._settle, end)

    def _settle(self, end: End) -> None:
        outcome = Outcome(site=end.lane.site, root=end.root, tags=end.tags)
        try:
            outcome = settle(end)
            if not isinstance(outcome.error, LaggingError):  # that site is served by itself, and then it is told
                self._load.watch.settled(outcome)
        except BaseException as error:  # noqa: BLE001 - a mistake of ours must not keep anybody waiting
            self._tally.mistaken(error)
        self._tally.end(outcome)

    def _give_up(self, error: BaseException) -> None:
        for lane in self._lanes.values():
            lane.give_up(error)
