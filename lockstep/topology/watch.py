"""The configuration in force, while the files under it change."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from lockstep import errors
from lockstep.clock import Clock
from lockstep.topology import files, load
from lockstep.topology.model import Topology

# File systems keep times as coarse as two seconds: a file younger than that may change again unseen.
_SETTLED = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One moment of the configuration: what is in force, since when, and what is wrong with the files by now.

    ``problems`` is empty when the files are what is in force.
    """

    topology: Topology
    loaded_at: datetime
    problems: tuple[errors.Problem, ...] = ()


class Current:
    """Holds the last good configuration and follows its directory. Safe to share between threads.

    A directory that is a link is followed when the link is swapped, as git-sync and Kubernetes do.

    Args:
        directory: The configuration's directory.
        clock: Tells the time.

    Raises:
        ConfigurationError: There is no good configuration to begin with.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        stamp, read = files.stamp(directory), files.read(directory)
        self._state = State(topology=load.check(read), loaded_at=clock.now())
        self._last = (read.digest, read.problems)
        self._stamp = self._trusted(stamp)

    @property
    def state(self) -> State:
        """What is in force and what is wrong, of one moment."""
        return self._state

    @property
    def topology(self) -> Topology:
        """The last configuration that was good."""
        return self._state.topology

    @property
    def problems(self) -> tuple[errors.Problem, ...]:
        """What is wrong with the files as they are now; empty when they are what is in force."""
        return self._state.problems

    @property
    def loaded_at(self) -> datetime:
        """When the configuration in force was read."""
        return self._state.loaded_at

    def refresh(self) -> bool:
        """Look at the files again; whether another configuration is in force now.

        It costs a ``stat`` of each file while nothing changes. A bad edit leaves the last good configuration in
        force and shows in ``problems``; so does a directory that is gone.
        """
        with self._lock:
            stamp = files.stamp(self._directory)
            if stamp == self._stamp:
                return False
            read = files.read(self._directory)
            if files.stamp(self._directory) != stamp:
                return False  # somebody is writing: half of an edit is no configuration
            self._stamp = self._trusted(stamp)
            if (read.digest, read.problems) == self._last:
                return False
            self._last = (read.digest, read.problems)
            before = self._state
            self._state = self._after(read)
            return self._state.topology is not before.topology

    def _after(self, read: files.Files) -> State:
        if read.digest == self._state.topology.digest and not read.problems:
            return replace(self._state, problems=())  # a bad edit was taken back
        try:
            topology = load.check(read)
        except errors.ConfigurationError as error:
            return replace(self._state, problems=error.problems)
        return State(topology=topology, loaded_at=self._clock.now())

    def _trusted(self, stamp: files.Stamp) -> files.Stamp | None:
        """The stamp, if every file was at rest when it was taken; otherwise the next look reads them again."""
        at_rest = (self._clock.now() - _SETTLED).timestamp() * 10**9
        return stamp if stamp.youngest_ns < at_rest else None
