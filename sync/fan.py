"""One reading, many writings: a blob is read from its source once and written to every site that lacks it.

Each site has a lane: threads of its own and a bounded room for bytes that wait for it. While the room of a
slow site is full the reading waits. That holds up nobody as long as bytes wait for the others too; when some
other site has nothing to do meanwhile, patience ends, and the slow site is put aside, to be served by itself
when the others are done.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from dataclasses import dataclass, field

from lockstep import errors
from lockstep.sites import ends, line
from sync.buffers import Inbox, LaggingError, Room, is_small
from sync.silence import Silence
from sync.stock import Shelf

LOOK_SECONDS = 0.05
"""How long somebody waits for a site before a look at the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is done and held at once."""

    streams: int = 4
    """Large blobs that are read at once."""
    small: int = 12
    """Small blobs that are read at once, and images that are finished at once at one site: over a long line these wait
    for answers, not for bytes."""
    buffer_bytes: int = 16 * 2**20
    """Bytes that may wait for one site; more than one chunk (1 MiB)."""
    patience_seconds: float = 5.0
    """How long one site may hold up the others: at once, and beyond a quarter of the time."""
    looks: int = 16
    """Questions to one end at once."""
    batch: int = 64
    """Images that are on their way at once; their manifests are held in memory."""
    few: int = 8
    """Images that are planned together."""
    remembered: int = 4096
    """Images after which all that are on their way are waited for, and what was planned is forgotten."""
    lines: Mapping[str, line.Pace] = field(default_factory=dict)
    """The line to a site, which others may use too; as fast as the site takes bytes without."""

    @property
    def under_way(self) -> int:
        """Images that are on their way at once: over a slow line few, because nobody overtakes what is under way."""
        return self.streams if self.lines else self.batch

    @property
    def portion(self) -> int:
        """Images that are planned together: not all that may be under way, so the line has no pause between them."""
        return min(self.few, (self.under_way + 1) // 2)


class Lane:
    """What goes to one site. Safe to share between threads."""

    def __init__(self, site: str, shelf: Shelf, bounds: Bounds) -> None:
        self.site = site
        self.shelf = shelf
        self.given_up: BaseException | None = None
        self._silence = Silence()
        self._patience = self._most_patience = bounds.patience_seconds
        self._charged_at = time.monotonic()
        self._room = Room(bounds.buffer_bytes)
        self._pace = bounds.lines.get(site)
        self._landed: dict[str, Future[None]] = {}
        # As many as there are readers of each kind: a blob that is being read never waits for one that is not.
        self._large = ThreadPoolExecutor(bounds.streams, thread_name_prefix=f"images-{site}")
        self._small = ThreadPoolExecutor(bounds.small, thread_name_prefix=f"small-images-{site}")

    def expect(self, digests: Collection[str]) -> None:
        """Announce what will come, before anybody waits for it."""
        self._landed.update({digest: Future() for digest in digests})
        if self.given_up is not None:
            self.give_up(self.given_up)

    def wait_for(self, digests: Collection[str]) -> None:
        """Return when all of these that were announced have landed.

        Raises:
            LockstepError: Why one of them did not.
        """
        for digest in digests:
            landing = self._landed.get(digest)
            if landing is not None:
                landing.result()

    def require(self) -> None:
        """Raise why this site was given up, if it was."""
        if self.given_up is not None:
            raise self.given_up

    def takes_over(self, blob: ends.Descriptor) -> bool:
        """Whether the site has the blob in another repository and takes it from there: then it is not sent."""
        try:
            taken = self.given_up is None and self.shelf.store.mount_blob(self.shelf.repository, blob)
        except errors.LockstepError as error:
            self.fail(blob.digest, error)
            self.heard(error)
            return True
        if taken:
            self._land_at_once(blob.digest)
        return taken

    def open(self, blob: ends.Descriptor) -> Inbox:
        """Begin to receive a blob."""
        inbox = Inbox(self._room)
        if self.given_up is not None:
            inbox.close()
        else:
            pool = self._small if is_small(blob) else self._large
            writing = pool.submit(self._land, blob, inbox)
            writing.add_done_callback(lambda done: self._done(blob.digest, inbox, done))
        return inbox

    @property
    def idle(self) -> bool:
        """Whether this site wants more, and nothing waits for it."""
        wants = self.given_up is None and not all(landing.done() for landing in list(self._landed.values()))
        return wants and self._room.is_empty

    def offer(self, inbox: Inbox, chunk: bytes, *, others: Sequence[Lane]) -> None:
        """Hand over bytes. While the room is full this waits: for ever when nobody else is held up by it."""
        while not self._room.take(len(chunk), inbox, wait_seconds=LOOK_SECONDS if others else None):
            if inbox.closed:
                return
            if self.holds_up(any(other.idle for other in others)):
                inbox.close()
                return
        inbox.put(chunk)

    def holds_up(self, others_idle: bool) -> bool:
        """After a look at what waits for this site: whether patience has ended, and it is put aside."""
        now = time.monotonic()
        passed, self._charged_at = now - self._charged_at, now
        self._patience = min(self._most_patience, self._patience + passed / 4)
        if others_idle:
            self._patience -= LOOK_SECONDS
        if self._patience <= 0:
            self.give_up(
                LaggingError(f"{self.site} was too slow for the others.", remedy="It is served by itself now.")
            )
        return self._patience <= 0

    def give_up(self, error: BaseException) -> None:
        """Nothing more goes to this site; whoever waits for it is told why."""
        self.given_up = self.given_up or error
        for digest in list(self._landed):
            self.fail(digest, error)

    def heard(self, error: BaseException | None) -> None:
        """Take in how the site answered, and give up on one that does not."""
        if self._silence.after(error) and error is not None:
            self.give_up(error)

    def fail(self, digest: str, error: BaseException) -> None:
        """A blob will not come; what has landed stays so, and what was given up too."""
        landing = self._landed.get(digest)
        if landing is not None:
            with contextlib.suppress(InvalidStateError):
                landing.set_exception(error)

    def close(self) -> None:
        """Let the threads go. Those that a site keeps waiting end when it answers."""
        for pool in (self._large, self._small):
            pool.shutdown(wait=self.given_up is None, cancel_futures=True)

    def _land(self, blob: ends.Descriptor, inbox: Inbox) -> None:
        try:
            # What every source gives is verified; what is read once for many sites is hashed once.
            self.shelf.store.write_blob(self.shelf.repository, blob, ends.Verified(self._paced(inbox)))
        finally:
            inbox.close()

    def _paced(self, inbox: Inbox) -> Iterator[bytes]:
        for chunk in inbox:
            if self._pace is not None:
                self._pace.wait(len(chunk))
            yield chunk

    def _land_at_once(self, digest: str) -> None:
        landing = self._landed.get(digest)
        if landing is not None:
            with contextlib.suppress(InvalidStateError):
                landing.set_result(None)
                del self._landed[digest]  # what is not expected is there

    def _done(self, digest: str, inbox: Inbox, writing: Future[None]) -> None:
        if writing.cancelled():
            return
        error = writing.exception()
        if error is None:
            self._land_at_once(digest)
        else:
            self.fail(digest, error)
        if not inbox.broken:  # that is the source's fault, and no site's
            self.heard(error)


class Fan:
    """Reads blobs from one repository and hands each to the lanes that want it."""

    def __init__(self, source: Shelf, lanes: Collection[Lane], *, sent: Callable[[int], None]) -> None:
        self._source = source
        self._lanes = {lane.site: lane for lane in lanes}
        self._sent = sent
        self._silence = Silence()

    def carry(self, blob: ends.Descriptor, sites: Sequence[str]) -> None:
        """Read one blob, once, and hand it to these sites. What goes wrong is said to the lanes."""
        lanes = [lane for site in sites if (lane := self._lanes[site]).given_up is None and not lane.takes_over(blob)]
        inboxes = [(lane, lane.open(blob)) for lane in lanes]
        stopped: BaseException = errors.IntegrityError(f"The reading of {blob.digest} stopped.")
        try:
            if inboxes:
                self._pour(blob, inboxes)
        except errors.LockstepError as error:
            stopped = error
        finally:
            for lane, inbox in inboxes:
                # One that ended reads no further; of one that the site closed the site tells how it ended.
                if inbox.abort(stopped):
                    lane.fail(blob.digest, stopped)
        if self._silence.after(stopped):
            for lane in self._lanes.values():
                lane.give_up(stopped)

    def _pour(self, blob: ends.Descriptor, inboxes: Sequence[tuple[Lane, Inbox]]) -> None:
        with self._bytes_of(blob) as chunks:
            for chunk in chunks:
                live = [(lane, inbox) for lane, inbox in inboxes if not inbox.closed and lane.given_up is None]
                if not live:
                    return
                for lane, inbox in live:
                    lane.offer(inbox, chunk, others=[other for other in self._lanes.values() if other is not lane])
                self._sent(len(chunk) * len(live))
        for lane, inbox in inboxes:
            if not inbox.closed and lane.given_up is None:
                inbox.end()

    @contextlib.contextmanager
    def _bytes_of(self, blob: ends.Descriptor) -> Iterator[Iterator[bytes]]:
        if blob.data is not None:
            yield iter([blob.data])
            return
        with self._source.store.read_blob(self._source.repository, blob) as chunks:
            yield chunks
