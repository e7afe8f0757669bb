"""The folders of a task on this machine, made.

Each run has a folder of its own, with what its tasks share (``volumes``) and what each attempt of a task has for
itself (``tasks``). A step's user owns what it may write and nothing above it, so that it cannot put something
else in the place of a folder that the service reads.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import children
from lockstep.values import Json
from pipelines import documents
from pipelines.admission import Refusal
from pipelines.local import layout, shells, sources, trees
from pipelines.orders import Folder, Order

_OWN = ("results", "home", "artifacts")
_READ_ONLY = ("steps", "run", "scripts", "creds", "bin")


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

    def make(self, key: str, order: Order) -> layout.Layout:
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
        return layout.Layout(task=task, workspaces=workspaces, volumes=volumes, found=found)

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
            (task / "tekton" / "steps" / f"step-{trees.plain(name)}").symlink_to(str(index))
            (task / "tekton" / "run" / str(index)).mkdir(mode=0o755)

    @staticmethod
    def _write_names(task: Path, identity: children.Identity) -> None:
        """The machine's users and groups with the step's own among them: git and ssh ask who they are."""
        entries = {
            "passwd": f"step:x:{identity.uid}:{identity.gid}:step:{layout.TEKTON}/home:/bin/sh",
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
            base = self.run / "volumes" / trees.plain(folder.volume)
        else:
            base = task / f"empty-{trees.plain(folder.name)}"
        if folder.source in ("config_map", "secret", "projected"):
            return self._filled(base, sources.of_binding(folder.name, folder.binding, self.keys))
        if folder.source == "csi":
            what = f'workspace "{folder.name}" is bound to a CSI volume, which is not to be had here'
            raise Refusal("TaskRunValidationFailed", f"{what}: bind it to emptyDir or a volumeClaimTemplate")
        self._own(base)
        return trees.below(base, folder.sub_path, self.identity)

    def _volume(self, task: Path, volume: Json) -> Path:
        base = task / f"volume-{trees.plain(volume['name'])}"
        if "persistentVolumeClaim" in volume:
            base = self.run / "volumes" / trees.plain(f"claim-{volume['persistentVolumeClaim'].get('claimName', '')}")
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
