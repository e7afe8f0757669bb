"""What commands cost: seconds, CPU and memory of their processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds, seconds of CPU (of the processes and of their own children), and MiB at their largest."""

    seconds: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0

    def __add__(self, after: Cost) -> Cost:
        """One after the other."""
        return Cost(
            seconds=self.seconds + after.seconds, cpu=self.cpu + after.cpu, memory=max(self.memory, after.memory)
        )


def together(*commands: Sequence[str]) -> tuple[Cost, str]:
    """Run commands at the same time; what they cost together, and what they printed.

    Raises:
        AssertionError: One of them failed.
    """
    began = time.monotonic()
    cpu = 0.0
    with tempfile.TemporaryFile() as out:
        started = [subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL) for command in commands]
        running = {process.pid: process for process in started}
        peaks: dict[int, float] = {}
        while running:
            for pid, process in list(running.items()):
                peaks[pid] = max(peaks.get(pid, 0.0), _peak(pid))
                ended, status, usage = os.wait4(pid, os.WNOHANG)
                if ended:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    cpu += usage.ru_utime + usage.ru_stime
                    del running[pid]
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - began
        assert not any(process.returncode for process in started), commands
        out.seek(0)
        return Cost(seconds=seconds, cpu=cpu, memory=sum(peaks.values())), out.read().decode()


def used(process: int) -> float:
    """The seconds of CPU that a process has used so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> float:
    """The largest resident set of a process so far, in MiB; what ``wait4`` says begins with its parent's."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
