"""The folders of a task on this machine: where they really are, and where its steps see them.

Each run has a folder of its own, with what its tasks share (``volumes``) and what each attempt of a task has for
itself (``tasks``). A step's user owns what it may write and nothing above it, so that it cannot put something
else in the place of a folder that the service reads.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import children
from lockstep.values import Json
from pipelines import documents
from pipelines.admission import Refusal
from pipelines.local import scopes, shells, sources
from pipelines.orders import Folder, Order

WORKSPACE = "/workspace"
TEKTON = "/tekton"
_OWN = ("results", "home", "artifacts")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_READ_ONLY = ("steps", "run", "scripts", "creds", "bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The real folders of one attempt of a task.

    ``found``: they were there, so steps that have ended need not run again.
    """

    task: Path
    workspaces: Mapping[str, Path] = field(default_factory=dict)
    volumes: Mapping[str, Path] = field(default_factory=dict)
    found: bool = False

    def volume(self, name: str) -> Path | None:
        """A volume of the task, or the one behind a workspace; None where nothing is said of it."""
        behind = {scopes.volume_of(workspace): path for workspace, path in self.workspaces.items()}
        return self.volumes.get(name, behind.get(name))

    @property
    def tekton(self) -> Path:
        """What stands at ``/tekton``."""
        return self.task / "tekton"

    @property
    def workspace(self) -> Path:
        """What stands at ``/workspace``: shared by the steps of this attempt."""
        return self.task / "workspace"

    @property
    def temporary(self) -> Path:
        """What stands at ``/tmp``."""
        return self.task / "tmp"

    @property
    def files(self) -> list[tuple[Path, str]]:
        """Files that stand in for the machine's own."""
        return [(self.task / name, f"/etc/{name}") for name in ("passwd", "group") if (self.task / name).exists()]

    @property
    def root(self) -> Path:
        """An empty folder for the step's own file system to stand on."""
        return self.task / "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes folders for one run.

    Args:
        run: The run's own folder.
        identity: The user of its steps; None when they run as the service does.
        walked: Steps reach their folders through the service's own, for want of a file system of theirs.
        keys: ConfigMaps and Secrets that are at hand: (kind, name) to the bytes of each key.
    """

    run: Path
    identity: children.Identity | None = None
    walked: bool = False
    keys: Mapping[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict, repr=False)

    def make(self, key: str, order: Order) -> Layout:
        """The folders of one attempt; those that are there already stay as they are.

        Args:
            key: Names the attempt within the run.
            order: What it runs.

        Raises:
            Refusal: Something that it wants cannot be had here.
        """
        spec = documents.part(documents.TaskSpec, order.spec)
        task = self.run / "tasks" / key
        found = (task / "whole").exists()
        if not found:
            self._prepare(task, spec)
        volumes = {volume["name"]: self._volume(task, volume) for volume in order.spec.get("volumes", ())}
        workspaces = self.workspaces(key, order)
        if not found:
            (task / "whole").touch()
        return Layout(task=task, workspaces=workspaces, volumes=volumes, found=found)

    def workspaces(self, key: str, order: Order) -> dict[str, Path]:
        """The folders of the workspaces of one attempt, by name.

        Raises:
            Refusal: One of them cannot be had here.
        """
        task = self.run / "tasks" / key
        for path in (self.run, self.run / "tasks", self.run / "volumes", task):
            self._closed(path)
        if self.identity and self.walked:
            self._open_the_way()
        return {folder.name: self._workspace(task, folder) for folder in order.folders}

    def _prepare(self, task: Path, spec: documents.TaskSpec) -> None:
        if task.exists():
            shutil.rmtree(task)
        for path in (self.run, self.run / "tasks", self.run / "volumes", task, task / "root"):
            self._closed(path)
        (task / "tekton").mkdir(mode=0o755)
        for name in ("workspace", "tmp", *(f"tekton/{name}" for name in _OWN)):
            self._own(task / name)
        for name in _READ_ONLY:
            (task / "tekton" / name).mkdir(mode=0o755)
        for name in shells.stand_ins():
            (task / "tekton" / "bin" / name).symlink_to(str(shells.BASH))
        if self.identity:
            self._write_names(task, self.identity)
        for index, step in enumerate(spec.steps):
            name = step.name or f"unnamed-{index}"
            folder = task / "tekton" / "steps" / str(index)
            folder.mkdir(mode=0o755)
            self._own(folder / "results")
            self._own(folder / "artifacts")
            (task / "tekton" / "steps" / f"step-{plain(name)}").symlink_to(str(index))
            (task / "tekton" / "run" / str(index)).mkdir(mode=0o755)

    @staticmethod
    def _write_names(task: Path, identity: children.Identity) -> None:
        """The machine's users and groups with the step's own among them: git and ssh ask who they are."""
        entries = {
            "passwd": f"step:x:{identity.uid}:{identity.gid}:step:{TEKTON}/home:/bin/sh",
            "group": f"step:x:{identity.gid}:",
        }
        for name, entry in entries.items():
            path = task / name
            path.write_text(f"{entry}\n{Path('/etc', name).read_text()}")
            path.chmod(0o644)

    def _open_the_way(self) -> None:
        """Let the step's user pass through the state directory by name; what else is in it is closed instead."""
        state = self.run.parent.parent
        for sibling in state.iterdir():
            if sibling != self.run.parent and not sibling.is_symlink():
                sibling.chmod(sibling.stat().st_mode & 0o700)
        for path in (state, self.run.parent):
            path.chmod(path.stat().st_mode & 0o7777 | 0o001)

    def _closed(self, path: Path) -> None:
        """A folder of the service: others may pass through it by name, and neither list nor change it."""
        path.mkdir(mode=0o711, parents=True, exist_ok=True)
        path.chmod(0o711 if self.identity else 0o700)

    def _own(self, path: Path) -> None:
        """A folder of the step's user, and of nobody else."""
        path.mkdir(mode=0o700, exist_ok=True)
        if self.identity:
            os.chown(path, self.identity.uid, self.identity.gid)

    def _workspace(self, task: Path, folder: Folder) -> Path:
        if folder.volume:
            base = self.run / "volumes" / plain(folder.volume)
        else:
            base = task / f"empty-{plain(folder.name)}"
        if folder.source in ("config_map", "secret", "projected"):
            return self._filled(base, sources.of_binding(folder.name, folder.binding, self.keys))
        if folder.source == "csi":
            what = f'workspace "{folder.name}" is bound to a CSI volume, which is not to be had here'
            raise Refusal("TaskRunValidationFailed", f"{what}: bind it to emptyDir or a volumeClaimTemplate")
        self._own(base)
        return below(base, folder.sub_path, self.identity)

    def _volume(self, task: Path, volume: Json) -> Path:
        base = task / f"volume-{plain(volume['name'])}"
        if "persistentVolumeClaim" in volume:
            base = self.run / "volumes" / plain(f"claim-{volume['persistentVolumeClaim'].get('claimName', '')}")
        elif any(kind in volume for kind in ("configMap", "secret", "projected")):
            return self._filled(base, sources.of_binding(volume["name"], volume, self.keys))
        elif "emptyDir" not in volume:
            what = f'volume "{volume["name"]}" is of a kind that is not to be had here'
            raise Refusal("TaskRunValidationFailed", f"{what}: use emptyDir, configMap, secret or a claim")
        self._own(base)
        return base

    def _filled(self, base: Path, files: Mapping[str, bytes]) -> Path:
        """A folder with files, written anew: they may have changed since the last attempt.

        It is given to the step's user last, when nothing more is written into it.
        """
        if base.exists():
            shutil.rmtree(base)
        base.mkdir(mode=0o700)
        for name, content in files.items():
            path = base / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o400)
        if self.identity:
            for path in (*base.rglob("*"), base):
                os.chown(path, self.identity.uid, self.identity.gid, follow_symlinks=False)
        return base


def below(base: Path, sub_path: str, identity: children.Identity | None) -> Path:
    """A folder inside a volume, whose owner may put links there at any moment: no step of the way follows one.

    Raises:
        Refusal: Something else stands in the way.
    """
    parts = [part for part in posixpath.normpath(f"/{sub_path}").split("/") if part]
    directory = os.open(base, _DIRECTORY)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=directory)
            inner = os.open(part, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
            if identity:
                os.fchown(directory, identity.uid, identity.gid)
    except OSError:
        raise Refusal("TaskRunValidationFailed", f'the subPath "{sub_path}" is not a folder') from None
    finally:
        os.close(directory)
    return base.joinpath(*parts)


def remove(folder: Path) -> None:
    """Take a folder away with all that is in it, also where a step took away the permission to."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for path, names, _ in os.walk(folder):
            for name in names:
                with contextlib.suppress(OSError):
                    inner = Path(path) / name
                    if not inner.is_symlink():
                        inner.chmod(0o700)
        # What resists twice is met again at the next pass.
        shutil.rmtree(folder, ignore_errors=True)


def hand_over(folder: Path, identity: children.Identity) -> None:
    """Give what the service put into a workspace to the user of the steps; no link is followed."""
    for _, names, files, directory in os.fwalk(folder, follow_symlinks=False):
        for name in (*names, *files):
            with contextlib.suppress(FileNotFoundError):  # a step that runs beside may take it away
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                # A second name of a file may be one that a step made, of a file that is not ours to give.
                if found.st_uid == os.geteuid() and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
                    os.chown(name, identity.uid, identity.gid, dir_fd=directory, follow_symlinks=False)


def seen(order: Order, spec: documents.TaskSpec) -> scopes.Paths:
    """Where steps see their folders when they have a file system of their own: where Tekton puts them."""
    declared = {workspace.name: workspace.path for workspace in spec.workspaces}
    return scopes.Paths(
        results=f"{TEKTON}/results",
        steps=f"{TEKTON}/steps",
        credentials=f"{TEKTON}/creds",
        artifacts=f"{TEKTON}/artifacts",
        home=f"{TEKTON}/home",
        scripts=f"{TEKTON}/scripts",
        programs=f"{TEKTON}/bin",
        workspaces={folder.name: declared.get(folder.name, f"{WORKSPACE}/{folder.name}") for folder in order.folders},
    )


def real(layout: Layout) -> scopes.Paths:
    """Where steps see their folders when this machine gives them no file system of their own: where they are."""
    tekton = str(layout.tekton)
    return scopes.Paths(
        results=f"{tekton}/results",
        steps=f"{tekton}/steps",
        credentials=f"{tekton}/creds",
        artifacts=f"{tekton}/artifacts",
        home=f"{tekton}/home",
        scripts=f"{tekton}/scripts",
        programs=f"{tekton}/bin",
        workspaces={name: str(path) for name, path in layout.workspaces.items()},
    )


def plain(name: str) -> str:
    """A name as the name of one file: it comes from a document and may be anything."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[:100].strip(".") or "_"
