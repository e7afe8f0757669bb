"""Programs beside the steps: started before the first, ended after the last."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field

from lockstep import children, errors
from lockstep.values import Json
from pipelines import documents
from pipelines.admission import Refusal
from pipelines.local import machine, programs
from pipelines.local.programs import Bench, Runnable

# A sidecar without a probe counts as started once it has ended or has run for this long: on a cluster, the
# first step waits at least as long for its Pod to be seen as ready.
_SETTLE_SECONDS = 0.5
# Kubernetes, Probe: periodSeconds and failureThreshold by default.
_PERIOD_SECONDS, _THRESHOLD = 10.0, 3
_PROBE_SECONDS = 1.0


@dataclass(slots=True, kw_only=True)
class Sidecar:
    """A sidecar that was started. ``code`` once it has ended by itself."""

    runnable: Runnable
    stop: children.Stop = field(default_factory=children.Stop)
    ended: threading.Event = field(default_factory=threading.Event)
    code: int | None = None
    failure: str = ""


Log = Callable[[str], Callable[[bytes], None]]
"""Where the output of a container of this name goes."""


@contextlib.contextmanager
def beside(bench: Bench, sidecars: Sequence[documents.Sidecar], log: Log) -> Iterator[list[Sidecar]]:
    """Run sidecars for as long as the context is open.

    Raises:
        Refusal: One of them cannot be run here.
    """
    started = [Sidecar(runnable=_runnable(index, one)) for index, one in enumerate(sidecars)]
    commands = [programs.program(bench, one.runnable) for one in started]
    threads = [
        # The scope of the job's children is a context variable: a thread of its own has to be given it.
        threading.Thread(target=copy_context().run, args=(_run, bench, one, program, log(one.runnable.container)))
        for one, program in zip(started, commands, strict=True)
    ]
    try:
        for thread in threads:
            thread.start()
        for one, sidecar in zip(started, sidecars, strict=True):
            _wait_until_ready(bench, one, sidecar.readiness_probe)
        yield started
    finally:
        for one in started:
            one.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


def _runnable(index: int, sidecar: documents.Sidecar) -> Runnable:
    shared = {name: getattr(sidecar, name) for name in ("image", "command", "args", "env", "env_from", "script")}
    step = documents.Step.model_construct(
        **shared,
        working_dir=sidecar.working_dir,
        volume_mounts=sidecar.volume_mounts,
        workspaces=sidecar.workspaces,
    )
    return Runnable(name=sidecar.name or f"unnamed-{index}", step=step)


def _run(bench: Bench, sidecar: Sidecar, program: machine.Program, write: Callable[[bytes], None]) -> None:
    try:
        finished = children.run(machine.command(bench.machine, program), on_output=write, stop=sidecar.stop)
        if not sidecar.stop.asked:
            sidecar.code = finished.code
    except errors.LockstepError as error:
        sidecar.failure = str(error)
    finally:
        sidecar.ended.set()


def _wait_until_ready(bench: Bench, sidecar: Sidecar, probe: Json) -> None:
    if not probe:
        sidecar.ended.wait(_SETTLE_SECONDS)
        return
    period = float(probe.get("periodSeconds", _PERIOD_SECONDS))
    most = int(probe.get("failureThreshold", _THRESHOLD))
    sidecar.ended.wait(float(probe.get("initialDelaySeconds", 0)))
    # A failing probe means "not ready yet", not "broken": the step waits as it does on a cluster, with an end.
    for _ in range(most * 100):
        if sidecar.ended.is_set() or _ready(bench, sidecar, probe):
            return
        sidecar.ended.wait(min(period, _PROBE_SECONDS))


def _ready(bench: Bench, sidecar: Sidecar, probe: Json) -> bool:
    if "exec" in probe:
        step = sidecar.runnable.step.model_copy(
            update={"script": "", "command": tuple(probe["exec"]["command"]), "args": ()}
        )
        runnable = Runnable(name=sidecar.runnable.name, step=step)
        timeout = float(probe.get("timeoutSeconds", 1)) + _PROBE_SECONDS
        program = programs.program(bench, runnable, timeout_seconds=timeout)
        return children.run(machine.command(bench.machine, program)).code == 0
    for kind in ("tcpSocket", "httpGet"):
        port = probe.get(kind, {}).get("port")
        if isinstance(port, int):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=_PROBE_SECONDS):
                return True
            return False
    raise Refusal("TaskRunValidationFailed", f"{sidecar.runnable.container} has a readinessProbe of an unknown kind")
