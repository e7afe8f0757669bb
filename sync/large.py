"""Large files of git LFS: read from the source once, written to every site that lacks them, before its refs.

A site is asked which files it lacks; what it was seen to have is remembered for a day. What cannot be brought is
said at the site, file by file: a repository with refs that are equal and files that are missing is not equal.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lockstep import errors
from lockstep.sites import ends
from lockstep.sites.ends import LargeFile
from sync.movements import Counted, Heard
from sync.outcomes import Outcome, RefOutcome

NAME = "LFS"
"""What stands for a ref's name where large files are meant."""

# Files on their way at once, to or from one place.
_AT_ONCE = 4
# Files that are named one by one of those that could not be brought.
_MOST_NAMED = 20


@dataclass(kw_only=True)
class Supply:
    """The large files of one repository on their way from the source: each is read once, whoever asks first.

    ``source`` opens the source; ``tips`` are the ids that are mirrored; ``heard`` is told how far the reading is.
    """

    stock: ends.LargeStock
    source: Callable[[], ends.GitRemote]
    tips: Iterable[str]
    heard: Heard | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wanted: frozenset[LargeFile] | None = None
    _failed: dict[LargeFile, errors.LockstepError] = field(default_factory=dict)

    def wanted(self) -> frozenset[LargeFile]:
        """The files that the mirrored refs reach. Raises IntegrityError, RefusedError."""
        with self._lock:
            if self._wanted is None:
                self._wanted = self.stock.wanted(self.tips)
            return self._wanted

    def forget(self, site: str) -> None:
        """Ask a site about every file again, whatever it was seen to have."""
        self.stock.forget(site)

    def fetch(self, files: Sequence[LargeFile]) -> dict[LargeFile, errors.LockstepError]:
        """Have these on our shelf; those that could not be had, with why."""
        with self._lock:
            new = sorted(self.stock.shelf.lacks([file for file in files if file not in self._failed]))
            if new:
                origin = self.source().large_files()
                counted = Counted(new, self.heard)
                self._failed |= _each(new, lambda file: _copy(file, origin, self.stock.shelf, counted))
            return {file: self._failed[file] for file in files if file in self._failed}


def look(supply: Supply, remote: ends.GitRemote, site: str) -> list[RefOutcome]:
    """What would be sent to a site; nothing is written."""
    lacking = _lacking(supply, remote.large_files(), site)
    return [_told(lacking, Outcome.PLANNED)] if lacking else []


def bring(supply: Supply, remote: ends.GitRemote, site: str, *, heard: Heard | None = None) -> list[RefOutcome]:
    """Bring to a site what it lacks; what was done, and what could not be. ``heard`` is told how far it is."""
    place = remote.large_files()
    lacking = _lacking(supply, place, site)
    if not lacking:
        return []
    failed = supply.fetch(lacking)
    here = [file for file in lacking if file not in failed]
    counted = Counted(here, heard)
    failed |= _each(here, lambda file: _copy(file, supply.stock.shelf, place, counted))
    sent = [file for file in here if file not in failed]
    # What is said in the end is what the site says, not what the sending claimed.
    unseen = place.lacks(sent) if sent else set()
    failed |= {file: errors.IntegrityError(f"{place.address} took it and does not have it.") for file in unseen}
    done = [file for file in sent if file not in unseen]
    supply.stock.saw_at(site, place.address, supply.wanted() - failed.keys(), all_of_them=False)
    return [*([_told(done, Outcome.DONE)] if done else []), *_problems(failed)]


def problem(error: errors.LockstepError) -> RefOutcome:
    """All large files of a site could not be brought, for one reason."""
    outcome = Outcome.STALE if isinstance(error, errors.TemporaryError) else Outcome.REFUSED
    return RefOutcome(ref=NAME, action="lfs", outcome=outcome, reason=str(error))


def _lacking(supply: Supply, place: ends.LargeFiles, site: str) -> list[LargeFile]:
    wanted = supply.wanted()
    known = supply.stock.seen_at(site, place.address) if wanted else frozenset()
    unknown = sorted(wanted - known)
    if not unknown:
        return []
    lacking = place.lacks(unknown)
    supply.stock.saw_at(site, place.address, wanted - lacking, all_of_them=not known)
    return sorted(lacking)


def _copy(file: LargeFile, origin: ends.LargeFiles, place: ends.LargeFiles, counted: Counted) -> None:
    with origin.read(file) as chunks:
        place.write(file, counted.through(chunks))


def _each(files: Sequence[LargeFile], work: Callable[[LargeFile], None]) -> dict[LargeFile, errors.LockstepError]:
    """Do something for each file, a few at once; those for which it failed, with why."""

    def attempt(file: LargeFile) -> errors.LockstepError | None:
        try:
            work(file)
        except errors.LostWorkError:
            raise
        except errors.LockstepError as error:
            return error
        return None

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        # What belongs to this job belongs to it in every thread.
        started = [pool.submit(contextvars.copy_context().run, attempt, file) for file in files]
        ended = [future.result() for future in started]
    return {file: error for file, error in zip(files, ended, strict=True) if error}


def _told(files: Sequence[LargeFile], outcome: Outcome) -> RefOutcome:
    size = sum(file.size for file in files)
    return RefOutcome(ref=NAME, action="lfs", outcome=outcome, reason=f"{len(files)} large files, {size} bytes.")


def _problems(failed: dict[LargeFile, errors.LockstepError]) -> Iterator[RefOutcome]:
    for file, error in sorted(failed.items())[:_MOST_NAMED]:
        outcome = Outcome.STALE if isinstance(error, errors.TemporaryError) else Outcome.REFUSED
        yield RefOutcome(ref=f"{NAME} {file.oid[:12]}", action="lfs", outcome=outcome, reason=str(error))
    if len(failed) > _MOST_NAMED:
        more = f"and {len(failed) - _MOST_NAMED} more large files"
        yield RefOutcome(ref=NAME, action="lfs", outcome=Outcome.REFUSED, reason=more)
