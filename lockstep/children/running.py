"""Runs one command to its end."""

from __future__ import annotations

from collections.abc import Callable

from lockstep import errors
from lockstep.children.collecting import Collector
from lockstep.children.command import Command, Finished
from lockstep.children.scope import Scope, Stop, current
from lockstep.children.starting import Popen, Spawn, fleeting, leashed


def run(
    command: Command,
    *,
    on_output: Callable[[bytes], None] | None = None,
    on_stdout: Callable[[bytes], None] | None = None,
    on_stderr: Callable[[bytes], bytes] | None = None,
    spawn: Spawn | None = None,
    stop: Stop | None = None,
) -> Finished:
    """Run a command to its end.

    Args:
        command: What to run, and within which bounds.
        on_output: Receives stdout and stderr together as they come, instead of collecting them.
        on_stdout: Receives stdout alone as it comes; stderr is collected.
        on_stderr: Receives stderr alone as it comes, and hands back what of it is collected. What any of the three
            raises ends the command and is raised here.
        spawn: Starts the leash, with the command behind it.
        stop: Ends the command from another thread.

    Raises:
        MissingToolError: There is no such program or directory.
        InputError: The environment cannot be.
        LostWorkError: It was killed because the lease ended or its worker stops; how it ended says nothing.
    """
    owner = current() or Scope()
    begin = fleeting if command.fleeting else leashed
    with begin(command, owner, spawn or Popen(merged=on_output is not None)) as (process, end):
        stop = stop or Stop()
        stop.arm(end)
        try:
            collector = Collector(process, end, on_output or on_stdout, command.most_bytes, on_stderr=on_stderr)
            finished = collector.finish(command.timeout_seconds)
        finally:
            stop.arm(None)
            end()
            process.wait()
    if owner.lost:
        raise errors.LostWorkError(f"{command.argv[0]} was ended: its work is not ours any longer.")
    return finished
