"""Where the folders of an attempt really are, and where its steps see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines import documents
from pipelines.local import scopes
from pipelines.orders import Order

WORKSPACE = "/workspace"
TEKTON = "/tekton"


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
