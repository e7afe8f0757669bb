"""A folder of YAML and JSON files, each document an object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import documents, errors
from lockstep.manifests import objects
from lockstep.manifests.checkout import Checkout

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names that Kustomize looks for."""
CHART = "Chart.yaml"
"""The name that Helm looks for."""
_ENDINGS = (".yaml", ".yml", ".json")
_OURS = "lockstep.dev/"
_MOST_FILES = 50_000
_MOST_BYTES = 256 * 2**20


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads one folder. ``notes`` says, once it has been read, what was left out and why."""

    checkout: Checkout
    overlays: frozenset[Path]
    notes: list[str] = field(default_factory=list)
    _bytes: int = 0

    def read(self, folder: Path) -> list[objects.Found]:
        """Every object of a folder and the folders below it, by path, in order.

        Raises:
            DocumentError: A file or a document cannot be read.
            InputError: A file leads out of the repository, or there is too much.
        """
        found: list[objects.Found] = []
        for count, file in enumerate(self._files(folder), start=1):
            if count > _MOST_FILES:
                raise errors.InputError(
                    f"{self.checkout.name(folder)} has more than {_MOST_FILES} manifests.",
                    remedy="Name a smaller folder in source.path.",
                )
            found += self._objects(file)
        return found

    def _files(self, folder: Path) -> Iterator[Path]:
        with os.scandir(folder) as entries:
            ordered = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda one: one.name)
        for entry in ordered:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if not self._left_out(path):
                    yield from self._files(path)
            elif entry.is_symlink() and path.is_dir():
                self.notes.append(f"{self.checkout.name(path)} is a link to a folder: left out.")
            elif entry.name.endswith(_ENDINGS):
                yield self.checkout.find(path, said_by="source.path") if entry.is_symlink() else path

    def _left_out(self, folder: Path) -> bool:
        """Whether a folder below ours belongs to somebody else; why is noted."""
        if folder in self.overlays:
            return True
        for name, what in (*((name, "kustomization") for name in KUSTOMIZATIONS), (CHART, "chart")):
            if (folder / name).exists():
                self.notes.append(f"{self.checkout.name(folder)} holds a {what} of its own: left out.")
                return True
        return False

    def _objects(self, file: Path) -> Iterator[objects.Found]:
        name = self.checkout.name(file)
        self._bytes += file.stat().st_size
        if self._bytes > _MOST_BYTES:
            raise errors.InputError(
                f"The manifests have more than {_MOST_BYTES // 2**20} MiB at {name}.",
                remedy="Name a smaller folder in source.path.",
            )
        ours = 0
        for one in objects.read(documents.read(_bytes(file, name), file=name)):
            if one.manifest["apiVersion"].startswith(_OURS):
                ours += 1
            else:
                yield one
        if ours:
            self.notes.append(f"{name} holds Lockstep's own configuration: left out.")


def _bytes(file: Path, name: str) -> bytes:
    if not file.is_file():
        raise errors.DocumentError("this is not a regular file.", file=name, remedy="Remove it or rename it.")
    try:
        return file.read_bytes()
    except OSError as error:
        raise errors.DocumentError(f"the file cannot be read: {error.strerror}.", file=name) from error
