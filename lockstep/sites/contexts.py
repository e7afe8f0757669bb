"""API servers that a person names by a context of their own kubeconfig, as ``kubectl --context`` does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import documents, errors
from lockstep.sites import ends
from lockstep.topology import kinds, secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """The contexts of some kubeconfigs. ``environ`` is what their plugins are run with."""

    files: tuple[Path, ...]
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str], *, files: Sequence[Path] = ()) -> Contexts:
        """Those of the files, else those that kubectl takes: ``KUBECONFIG``, else ``~/.kube/config``."""
        listed = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
        home = [Path(environ["HOME"]) / ".kube" / "config"] if environ.get("HOME") else []
        return cls(files=tuple(files or listed or home), environ=environ)

    def named(self) -> dict[str, Path]:
        """Each context with its file; the first file that has a name counts, and one that is not there has none.

        Raises:
            InputError: A file is no kubeconfig.
            ForbiddenError: A file cannot be read.
        """
        found: dict[str, Path] = {}
        for file in self.files:
            for name in _contexts(file):
                found.setdefault(name, file)
        return found

    def read(self, name: str, selection: ends.Selection) -> ends.Inventory:
        """What is at the API server of a context.

        Raises:
            NotFoundError: There is no such context.
            LockstepError: It cannot be read at all.
        """
        known = self.named()
        if name not in known:
            where = ", ".join(str(file) for file in self.files) or "no kubeconfig"
            raise errors.NotFoundError(
                f"There is no file and no context {name!r} in {where}.",
                remedy=f"There are the contexts: {', '.join(known) or 'none'}.",
            )
        # The client brings a thousand classes: only who has such an end waits for them.
        from lockstep.sites import cluster

        file = known[name]
        end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file=str(file)), context=name)
        opened = cluster.open_cluster(end, reader=secrets.Reader(file.parent, dict(self.environ)), path=Path)
        try:
            return opened.read(selection)
        finally:
            opened.close()


def _contexts(file: Path) -> list[str]:
    try:
        (document,) = documents.read(file.read_bytes(), file=str(file))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise errors.ForbiddenError(f"{file}: {error.strerror}.", remedy="Make it readable.") from error
    except ValueError as error:
        raise errors.InputError(f"{file} is no kubeconfig.", remedy="Name another with --kubeconfig.") from error
    value = document.value
    listed = value.get("contexts") if isinstance(value, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [one["name"] for one in entries if isinstance(one, dict) and isinstance(one.get("name"), str)]
