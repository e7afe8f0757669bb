"""An end that a person names at the command line, without a configuration: a directory, a backup, a dump.

A directory is a site's when its folders are laid out like one (``object_files``), else any folder of manifests.
"""

from __future__ import annotations

from pathlib import Path

from lockstep import clock, errors
from lockstep.manifests import plain
from lockstep.manifests.checkout import Checkout
from lockstep.sites import backup, directory, ends, object_files


def read(path: Path, *, now: clock.Clock) -> ends.Inventory:
    """Everything that is there.

    Args:
        path: A directory of manifests, a Velero backup (``.tar.gz``), or a dump (a ``List``, as JSON or YAML).
        now: Tells when.

    Raises:
        NotFoundError: There is nothing at this path.
        InputError: It is none of these, or a manifest cannot be read.
        UnreachableError, ForbiddenError: It cannot be read at all.
    """
    if not path.exists():
        raise errors.NotFoundError(f"There is no {path}.", remedy="Name a directory, a backup or a dump.")
    if not path.is_dir():
        return backup.BackupCluster(path).read(ends.EVERYTHING)
    if _is_site(path):
        return directory.DirectoryCluster(root=path, clock=now).read(ends.EVERYTHING)
    for name in (*plain.KUSTOMIZATIONS, plain.CHART):
        if (path / name).exists():
            raise errors.InputError(
                f"{path} holds {name}: it has to be rendered first.",
                remedy="Name what kubectl kustomize or helm template makes of it.",
            )
    reader = plain.Reader(checkout=Checkout.at(path), overlays=frozenset())
    found = reader.read(path.resolve())
    return ends.Inventory(
        objects=tuple(one.manifest for one in found),
        read_at=now.now(),
        method="manifests",
        gaps=tuple(ends.Gap(what="manifests", why=note) for note in reader.notes),
    )


def _is_site(path: Path) -> bool:
    """Whether some folder in a folder is a kind's; an empty directory is an empty site."""
    folders = [one for one in path.iterdir() if one.is_dir() and not one.name.startswith(".")]
    below = [inner for folder in folders for inner in folder.iterdir() if inner.is_dir()]
    return not any(path.iterdir()) or any(object_files.of_kind_folder(one.name) for one in below)
