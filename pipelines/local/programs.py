"""From a prepared step to the program that runs it: its script, its environment, its folders."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import children
from pipelines import documents
from pipelines.admission import Refusal
from pipelines.local import expansion, images, scopes, shells, sources, trees
from pipelines.local import layout as layouts
from pipelines.local.machine import PATH, Machine, Program, View

# Tekton, pkg/pod/script.go: what stands before a script that names no interpreter.
_PREAMBLE = "#!/bin/sh\nset -e\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where the steps of one attempt of a task are run: machine, folders, user, and what they may ask for."""

    machine: Machine
    layout: layouts.Layout
    paths: scopes.Paths
    identity: children.Identity | None
    keys: sources.Keys = field(default_factory=dict, repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    """What ``fieldRef`` may ask for."""
    declared: Mapping[str, documents.WorkspaceDeclaration] = field(default_factory=dict)
    isolated: frozenset[str] = frozenset()
    """Workspaces that only the steps see which name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A step or a sidecar, as the same thing: a container without the container."""

    name: str
    step: documents.Step
    position: int = -1
    """Of a step; -1 for a sidecar."""

    @property
    def container(self) -> str:
        """The name that a Pod would give it."""
        return f"step-{self.name}" if self.position >= 0 else f"sidecar-{self.name}"


def program(bench: Bench, runnable: Runnable, *, timeout_seconds: float | None = None) -> Program:
    """The program of a step.

    Raises:
        Refusal: It cannot be run here: it asks for something that is not to be had.
    """
    step = runnable.step
    if step.stdout_config or step.stderr_config:
        raise Refusal("TaskRunValidationFailed", f"{runnable.container}: stdoutConfig and stderrConfig do nothing here")
    env = expansion.environment(sources.environment(step, bench.keys, bench.facts), _base(bench))
    return Program(
        argv=_argv(bench, runnable, env),
        env=env,
        cwd=_cwd(bench, step.working_dir),
        mounts=tuple(_mounts(bench, runnable)),
        files=(*shells.mounts(step.image), *bench.layout.files),
        root=bench.layout.root,
        identity=bench.identity,
        timeout_seconds=timeout_seconds,
    )


def _base(bench: Bench) -> dict[str, str]:
    """What every step has; nothing of the service's own environment."""
    temporary = "/tmp" if _enclosed(bench) else str(bench.layout.temporary)  # noqa: S108 - the step's own
    return {"PATH": f"{bench.paths.programs}:{PATH}", "HOME": bench.paths.home, "LANG": "C.UTF-8", "TMPDIR": temporary}


def _enclosed(bench: Bench) -> bool:
    return bench.machine.view is not View.NOTHING


def _argv(bench: Bench, runnable: Runnable, env: Mapping[str, str]) -> list[str]:
    step = runnable.step
    args = [expansion.expand(arg, env) for arg in step.args]
    if step.script:
        return [_script(bench, runnable), *args]
    if step.command:
        return [*(expansion.expand(word, env) for word in step.command), *args]
    known = images.command(step.image, args)
    if known is None:
        what = f'{runnable.container} has neither script nor command, and what the image "{step.image}" runs by itself'
        raise Refusal("TaskRunValidationFailed", f"{what} is not known without a container runtime: write a command")
    return known


def _script(bench: Bench, runnable: Runnable) -> str:
    """Write the script where the step can read and run it, and not change it."""
    name = f"script-{runnable.position}" if runnable.position >= 0 else f"sidecar-script-{trees.plain(runnable.name)}"
    text = runnable.step.script
    path = bench.layout.tekton / "scripts" / name
    path.write_text(text if text.strip().startswith("#!") else f"{_PREAMBLE}{text}")
    path.chmod(0o755)
    return f"{bench.paths.scripts}/{name}"


def _cwd(bench: Bench, wanted: str) -> str:
    """The working directory; what is shared by the steps of the task where none is asked for."""
    path = posixpath.join(layouts.WORKSPACE, wanted)
    if _enclosed(bench):
        return path
    if path == layouts.WORKSPACE or path.startswith(f"{layouts.WORKSPACE}/"):
        return str(bench.layout.workspace) + path.removeprefix(layouts.WORKSPACE)
    return path


def _mounts(bench: Bench, runnable: Runnable) -> Iterator[tuple[Path, str, bool]]:
    layout = bench.layout
    yield layout.temporary, "/tmp", False  # noqa: S108 - the step's own
    yield layout.tekton, layouts.TEKTON, True
    for name in ("results", "home", "artifacts"):
        yield layout.tekton / name, f"{layouts.TEKTON}/{name}", False
    if runnable.position >= 0:
        yield layout.workspace, layouts.WORKSPACE, False
        for name in ("results", "artifacts"):
            own = f"steps/{runnable.position}/{name}"
            yield layout.tekton / own, f"{layouts.TEKTON}/{own}", False
    yield from _workspaces(bench, runnable)
    for mount in runnable.step.volume_mounts:
        volume = layout.volume(mount.name)
        if volume is None:
            raise Refusal(
                "TaskRunValidationFailed",
                f'{runnable.container} mounts the volume "{mount.name}", of which nothing is said',
            )
        folder = trees.below(volume, mount.sub_path, bench.identity)
        yield folder, mount.mount_path, mount.read_only


def _workspaces(bench: Bench, runnable: Runnable) -> Iterator[tuple[Path, str, bool]]:
    """Those that the step may see: all, but for one that only others name."""
    named = {use.name: use.mount_path for use in runnable.step.workspaces}
    for name, path in bench.layout.workspaces.items():
        if name in bench.isolated and name not in named:
            continue
        read_only = name in bench.declared and bench.declared[name].read_only
        yield path, named.get(name) or bench.paths.workspaces[name], read_only
