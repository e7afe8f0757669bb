"""Paths inside a checked-out repository, which are a stranger's: nothing is read outside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lockstep import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A checked-out repository; ``root`` is its folder, without symbolic links in it."""

    root: Path

    @classmethod
    def at(cls, folder: Path) -> Checkout:
        """The checkout in a folder.

        Raises:
            NotFoundError: There is no such folder.
        """
        try:
            return cls(root=folder.resolve(strict=True))
        except OSError as error:
            raise errors.NotFoundError(
                f"The checkout {folder.name} is not there: {error.strerror}.", remedy="Check the revision out again."
            ) from error

    def find(self, path: Path, *, said_by: str) -> Path:
        """A path as it really is, once it is known to be inside.

        Args:
            path: The path to look at, below the root or not.
            said_by: Who names it, for the error: a field of the configuration, or a file and its field.

        Raises:
            NotFoundError: It is not there.
            InputError: It leads out of the repository.
        """
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
            raise errors.NotFoundError(
                f"{said_by}: there is no {self.name(path)} in the repository.", remedy="Correct the path, or add it."
            ) from error
        if not real.is_relative_to(self.root):
            raise errors.InputError(
                f"{said_by}: {self.name(path)} leads out of the repository.",
                remedy="Copy what is needed into the repository.",
            )
        return real

    def folder(self, path: str, *, said_by: str) -> Path:
        """A folder inside, by its path from the root.

        Raises:
            NotFoundError: There is no such folder.
            InputError: It leads out of the repository.
        """
        found = self.find(self.root / PurePosixPath(path), said_by=said_by)
        if not found.is_dir():
            raise errors.NotFoundError(
                f"{said_by}: {self.name(found)} is not a folder.", remedy="Name the folder with the manifests."
            )
        return found

    def refuse_links_out(self, folder: Path) -> None:
        """Refuse a folder inside which any symbolic link leads out of the repository, or nowhere.

        Raises:
            InputError, NotFoundError: Naming the link.
        """
        for here, folders, files in os.walk(folder):
            for name in (*folders, *files):
                path = Path(here, name)
                if path.is_symlink():
                    self.find(path, said_by="symbolic link")

    def name(self, path: Path) -> str:
        """A path as people say it: from the repository's root; ``.`` for the root itself."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.name

    def clean(self, text: str) -> str:
        """A program's message with the paths of this machine taken out."""
        return text.replace(f"{self.root}/", "").replace(str(self.root), ".")
