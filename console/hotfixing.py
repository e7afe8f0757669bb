"""A finding as a patch for git: what stands at the truth now, and the repository as it is now."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from console.runtime import Runtime
from lockstep import errors
from lockstep.sites import checkout
from lockstep.store.views import drift
from lockstep.topology import direction, kinds
from lockstep.values import ObjectKey, Stance, Verdict
from pipelines.healing import patching


def patch(process: Runtime, finding: drift.Finding, *, author: Callable[[], str]) -> str:
    """The hot fix of a finding as a mail for ``git am``, or as a patch of a kustomization where no file has it.

    ``author`` says whose patch it is, once there is one.

    Raises:
        UnsupportedError: It is no hot fix, or none that can be written down.
        LockstepError: The truth or the repository cannot be read.
    """
    if finding.verdict != Verdict.PRIMARY_HOTFIX.value or not finding.managed or finding.state == "resolved":
        raise errors.UnsupportedError(
            f"This is no open hot fix of an object in git: it is {finding.verdict}.",
            remedy="What is wrong at a standby: lockstep findings heal. What may differ: lockstep findings explain.",
        )
    topology = process.topology()
    application, pair = topology.application(finding.application), topology.pair(finding.pair)
    truth = direction.direction_of(pair, process.stances().get(pair.name, Stance.UNKNOWN)).truth
    revision = process.renderings.head(topology, application).revision
    process.renderings.require(topology, application, revision)
    with tempfile.TemporaryDirectory(dir=_scratch(process)) as folder:
        tree = Path(folder) / "tree"
        checkout.extract(process.doors.git_cache(application.spec.source.repository), revision, tree)
        return _written(process, application, finding, tree=tree, truth=truth, said=(author, revision))


def _written(
    process: Runtime,
    application: kinds.Application,
    finding: drift.Finding,
    *,
    tree: Path,
    truth: str,
    said: tuple[Callable[[], str], str],
) -> str:
    author, revision = said
    key = ObjectKey(group=finding.group, kind=finding.kind, namespace=finding.namespace, name=finding.name)
    git = patching.rendered(tree, application, site=truth, key=key)
    if git is None:
        raise errors.UnsupportedError(f"{key} is not in git any more.", remedy="Compare again: lockstep drift.")
    live = process.doors.cluster(truth).get(key, api_version=git["apiVersion"])
    if live is None:
        raise errors.UnsupportedError(f"{key} is not at {truth} any more.", remedy="Compare again: lockstep drift.")
    hotfix = patching.Hotfix(key=key, pointer=finding.path, live=live, people_path=finding.people_path)
    wanted = patching.change_of(hotfix, git)
    try:
        changed = patching.change_files(tree, application, site=truth, hotfix=hotfix)
    except errors.UnsupportedError:
        return patching.merge_patch(git, wanted)
    subject = f"Take over the hot fix of {key} at {truth}: {finding.people_path or finding.path}"
    return patching.mail([changed], subject=subject, author=author(), revision=revision, at=process.clock.now())


def _scratch(process: Runtime) -> Path:
    folder = process.settings.places.state / "renderings"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
