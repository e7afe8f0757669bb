"""Which function runs which job: one table. Nothing else in the house knows all rooms at once."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from console import language
from console.notices import sending, telling
from console.runtime import Runtime
from console.scanning import scanning_of
from drift import scan
from drift.doors import Watched
from lockstep import settings, work
from lockstep.engine import retention
from lockstep.sites import stances
from lockstep.topology import secrets
from pipelines import delivery, handlers
from pipelines.delivery.world import World
from pipelines.healing import healing
from pipelines.local import machine
from pipelines.local.runner import Runner
from pipelines.run import Runs
from pipelines.service import BUILTINS, Service
from pipelines.tasks import Registry
from sync import git, images
from webhooks import process

# Where some system users have their home, and every program finds what it needs.
_SYSTEM = ("bin", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr")


def handlers_of(runtime: Runtime, *, watched: Watched | None = None) -> Mapping[work.Kind, work.Handler]:
    """Every kind of work with the function that runs it; ``watched`` sees the sites that are being watched."""
    git_, images_ = mirroring_git(runtime), mirroring_images(runtime)
    deliveries = process.Context(database=runtime.database, topology=runtime.topology, clock=runtime.clock)
    pipelines, comparing = service_of(runtime), scanning_of(runtime, watched=watched)
    telling_ = telling_of(runtime)
    return {
        work.Kind.DELIVERY: partial(process.handle_delivery, deliveries),
        work.Kind.GIT_FETCH: partial(git.handle_fetch, git_),
        work.Kind.GIT_DISTRIBUTE: partial(git.handle_distribute, git_),
        work.Kind.IMAGE_MIRROR: partial(images.handle_mirror, images_),
        work.Kind.TRIGGER: partial(handlers.handle_trigger, pipelines),
        work.Kind.ADVANCE: partial(handlers.handle_advance, pipelines),
        work.Kind.TASK: partial(handlers.handle_task, pipelines),
        work.Kind.SCAN: partial(scan.handle_scan, comparing),
        work.Kind.HEAL: partial(healing.handle_heal, healing_of(runtime)),
        work.Kind.TELL: partial(telling.handle_tell, telling_),
        work.Kind.SEND: partial(sending.handle_send, sending_of(runtime)),
        work.Kind.SWEEP_NOTICES: partial(telling.handle_sweep, telling_),
        work.Kind.SWEEP_GIT: partial(git.handle_sweep, git_),
        work.Kind.SWEEP_IMAGES: partial(images.handle_sweep, images_),
        work.Kind.SWEEP_DRIFT: partial(scan.handle_sweep, comparing),
        work.Kind.SWEEP_RUNS: partial(handlers.handle_sweep, pipelines),
        work.Kind.SWEEP_STORE: partial(
            retention.handle_sweep,
            retention.Retention(database=runtime.database, queue=runtime.queue, keeping=runtime.settings.keeping),
        ),
        work.Kind.SWEEP_STANCES: partial(_reconcile, runtime),
    }


def mirroring_git(runtime: Runtime) -> git.Mirroring:
    """What mirroring git stands on."""
    return git.Mirroring(
        database=runtime.database,
        topology=runtime.topology,
        doors=runtime.doors,
        stances=runtime.stances,
        clock=runtime.clock,
    )


def mirroring_images(runtime: Runtime) -> images.Mirroring:
    """What mirroring images stands on."""
    return images.Mirroring(
        database=runtime.database,
        topology=runtime.topology,
        doors=runtime.doors,
        stances=runtime.stances,
        clock=runtime.clock,
    )


def healing_of(runtime: Runtime) -> healing.Healing:
    """What healing stands on."""
    return healing.Healing(
        database=runtime.database, topology=runtime.topology, runs=runs_of(runtime), clock=runtime.clock
    )


def telling_of(runtime: Runtime) -> telling.Telling:
    """What finding out what people are told stands on."""
    serving = runtime.settings.serving
    return telling.Telling(
        database=runtime.database,
        topology=runtime.topology,
        queue=runtime.queue,
        clock=runtime.clock,
        catalogues=language.load(),
        url=serving.url,
        stale=timedelta(seconds=serving.stale_seconds),
    )


def sending_of(runtime: Runtime) -> sending.Sending:
    """What sending messages stands on."""
    return sending.Sending(
        database=runtime.database, topology=runtime.topology, read=runtime.secrets.text, clock=runtime.clock
    )


def schedules_of(runtime: Runtime) -> Mapping[work.Kind, float]:
    """How often everything is looked at, whatever events say. Seconds."""
    sweeping = runtime.settings.sweeping
    return {
        work.Kind.SWEEP_STANCES: sweeping.stances_seconds,
        work.Kind.SWEEP_RUNS: sweeping.runs_seconds,
        work.Kind.SWEEP_GIT: sweeping.git_seconds,
        work.Kind.SWEEP_IMAGES: sweeping.images_seconds,
        work.Kind.SWEEP_STORE: sweeping.store_seconds,
        work.Kind.SWEEP_NOTICES: sweeping.notices_seconds,
        work.Kind.SWEEP_DRIFT: sweeping.drift_seconds,
    }


def world_of(runtime: Runtime) -> World:
    """What the built-in tasks stand on."""
    return World(
        database=runtime.database,
        topology=runtime.topology,
        doors=runtime.doors,
        renderings=runtime.renderings,
        stances=runtime.stances,
        queue=runtime.queue,
        places=runtime.settings.places,
        clock=runtime.clock,
    )


def runs_of(runtime: Runtime) -> Runs:
    """Creates runs and leads them on."""
    return Runs(queue=runtime.queue, clock=runtime.clock)


def service_of(runtime: Runtime) -> Service:
    """What pipelines stand on."""
    places = runtime.settings.places
    return Service(
        database=runtime.database,
        queue=runtime.queue,
        runs=runs_of(runtime),
        runner=Runner(
            machine=machine.look(hidden=_own(places)),
            hidden=lambda: secrets.files(runtime.topology()),
            clock=runtime.clock,
            result_bytes=runtime.settings.stepping.result_bytes,
        ),
        stepping=runtime.settings.stepping,
        workspaces=places.workspaces,
        topology=runtime.topology,
        builtins=Registry({**BUILTINS, **delivery.builtins(world_of(runtime))}),
    )


def _own(places: settings.Places) -> list[Path]:
    """What is Lockstep's alone. Steps are strangers: they see neither it nor the files that secrets are taken from."""
    found = [places.state, places.config]
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    if home.parts[1:2] not in ((), *((name,) for name in _SYSTEM)):
        found.append(home)
    scheme, _, file = places.database.partition(":///")
    if scheme.startswith("sqlite") and file:
        # SQLite, "Temporary Files Used By SQLite": what was written last may stand in the two beside it.
        found += [Path(f"{file}{ending}") for ending in ("", "-wal", "-shm")]
    return found


def _reconcile(runtime: Runtime, _claim: work.Claim) -> work.Outcome:
    """Bring the stances of all pairs together."""
    stances.reconcile(runtime.database, runtime.doors, runtime.topology(), runtime.clock)
    return work.Done()
