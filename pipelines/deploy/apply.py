"""Doing what a plan says: stage after stage, the objects of a stage at the same time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from lockstep import crash, errors
from lockstep.manifests import edit, scope
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey
from pipelines.deploy import trials
from pipelines.deploy.models import Action, Approval, Plan, Step

# Until a server serves what has just been defined: seconds, within which it is asked again.
_DEFINING_SECONDS = 30.0
_DEFINING_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one object; ``error`` is "" when it was done."""

    key: ObjectKey
    action: Action
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a plan: every object that was tried, and those whose turn never came.

    ``archive_error`` says why the full size could not be kept; ``""`` when it was, or nobody keeps it. ``unfit``
    are workloads of a warm site that could not start there, and why.
    """

    site: str
    results: tuple[Result, ...]
    left: tuple[ObjectKey, ...]
    archive_error: str = ""
    unfit: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything was done."""
        return not (self.left or self.failed or self.archive_error or self.unfit)

    @property
    def failed(self) -> tuple[Result, ...]:
        """What could not be done, and why."""
        return tuple(result for result in self.results if result.error)


Progress = Callable[[Result], None]
"""Told of each object as it is done, by one thread at a time; what it raises ends the deploy."""


def apply(
    plan: Plan,
    cluster: ends.Cluster,
    *,
    approved: Collection[Approval] = (),
    progress: Progress | None = None,
    at_once: int = 16,
) -> Report:
    """Do what a plan says; stop after the first stage in which something fails.

    Doing it again, from a new plan, goes on where it ended.

    Args:
        plan: What to do.
        cluster: Where.
        approved: The reasons to wait that a person has approved for this plan's digest.
        progress: Told of each object.
        at_once: How many objects are written at the same time.

    Raises:
        HeldError: A stance holds the site, or a reason to wait is not approved.
        InputError: The plan is refused.
        UnsupportedError: Nothing can be written there.
    """
    require(plan, approved)
    if not cluster.writable and not plan.empty:
        raise errors.UnsupportedError(
            f"Nothing can be written to {cluster.address}.", remedy="Name a cluster or a directory for the site."
        )
    doing = _Doing(cluster=cluster, record=plan.record, defined=_defined(plan))
    results: list[Result] = []
    stages = list(plan.stages)
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix=f"deploy-{plan.site}") as pool:
        while stages and not any(result.error for result in results):
            # Closed at once when a listener raises: what has not begun is then not begun.
            with contextlib.closing(_stage(pool, doing, stages.pop(0))) as done:
                for result in done:
                    results.append(result)
                    if progress is not None:
                        progress(result)
    left = tuple(step.key for stage in stages for step in stage)
    return Report(site=plan.site, results=tuple(results), left=left)


def require(plan: Plan, approved: Collection[Approval]) -> None:
    """Refuse a plan that must not be done, or not yet.

    Raises:
        HeldError: A stance holds the site, or a reason to wait is not approved.
        InputError: The plan is refused.
    """
    if plan.refusals:
        error = errors.HeldError if plan.held else errors.InputError
        raise error(f"{plan.application} is not deployed to {plan.site}: {' '.join(plan.refused)}")
    waiting = [str(reason) for reason in plan.approvals if reason not in approved]
    if waiting and not plan.empty:
        raise errors.HeldError(
            f"The deploy of {plan.application} to {plan.site} waits: {'; '.join(waiting)}.",
            remedy="Approve it, or commit to git what must stay.",
        )


def _stage(pool: ThreadPoolExecutor, doing: _Doing, stage: tuple[Step, ...]) -> Generator[Result]:
    waiting = [pool.submit(doing.do, step) for step in stage]
    try:
        for one in as_completed(waiting):
            yield one.result()
    finally:
        for one in waiting:
            one.cancel()


@dataclass(slots=True, kw_only=True)
class _Doing:
    """Writes one object; after the application's first one is a place where a test may kill us."""

    cluster: ends.Cluster
    record: ObjectKey
    defined: frozenset[scope.GroupKind]
    pause: Callable[[float], None] = time.sleep
    _first: threading.Lock = field(default_factory=threading.Lock)

    def do(self, step: Step) -> Result:
        try:
            if step.manifest is None:
                self.cluster.delete(step.key, api_version=step.api_version, uid=_uid(step))
            else:
                self._apply(step, step.manifest)
        except errors.LockstepError as error:
            return Result(key=step.key, action=step.action, error=str(error))
        if step.key != self.record and self._first.acquire(blocking=False):
            crash.reach(crash.Point.IN_DEPLOY)
        return Result(key=step.key, action=step.action)

    def _apply(self, step: Step, manifest: dict[str, Json]) -> None:
        """Apply it; what has just been defined takes a server a moment to know."""
        until = time.monotonic() + (_DEFINING_SECONDS if (step.key.group, step.key.kind) in self.defined else 0)
        while True:
            try:
                self.cluster.apply(manifest, force=step.force, before=step.before or {})
            except (errors.NotServedError, errors.InvalidError):
                if time.monotonic() >= until:
                    raise
                self.pause(_DEFINING_PAUSE)
            else:
                return


def _uid(step: Step) -> str:
    """The one object that the plan is about; nothing where objects have no identity."""
    return str(edit.at(step.before, ("metadata", "uid")) or "")


def _defined(plan: Plan) -> frozenset[scope.GroupKind]:
    """The kinds that the plan defines, or defines anew."""
    steps = [step for stage in plan.stages for step in stage]
    found = [trials.defines(step.manifest) for step in steps if step.manifest is not None]
    return frozenset(kind for kind in found if kind is not None)
