"""What a kustomization reads, found out before Kustomize runs: nothing from a network, no programs, no way out.

Kustomize takes nearly every path for a URL when it looks like one, even where a file of that name is there;
so each is refused by how it looks first, and then by where it leads. The fields are those of
``kustomize.config.k8s.io/v1beta1`` and ``v1alpha1`` (Kustomization, Component).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import documents, errors
from lockstep.manifests.checkout import Checkout
from lockstep.manifests.plain import KUSTOMIZATIONS
from lockstep.values import Json

# Kustomize's api/internal/git: schemes, git:: prefixes, gh:, user@host, github.com without a scheme, ?ref=.
_REMOTE = re.compile(
    r"(?i)[^\n]*://|[a-z0-9+.-]+::|gh:|(?:www\.)?(?:github|gitlab|bitbucket)\.(?:com|org)[/:]|[^/\n]*@[^/\n]*[:/]"
    r"|[^/\s]+:(?!\\)|[^\n]*\?(?:.*&)?(?:ref|version|timeout|submodules)="
)
_TREES = ("resources", "bases", "components")
_PLUGINS = ("generators", "transformers", "validators")
_FILES = ("crds", "configurations")
_HELM = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
_FUNCTIONS = ("config.kubernetes.io/function", "config.k8s.io/function")
_MOST_FOLDERS = 1_000


def refuse(checkout: Checkout, folder: Path) -> None:
    """Refuse a kustomization that would fetch, run something, or read outside the repository.

    Args:
        checkout: The repository.
        folder: The folder with the kustomization, inside the repository.

    Raises:
        InputError: Naming the file, the field and what to do.
        DocumentError: A kustomization cannot be read.
        NotFoundError: It names what is not there.
    """
    _Walk(checkout=checkout).folder(folder)


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Reads a kustomization and every local one that it stands on, each once."""

    checkout: Checkout
    _seen: set[Path] = field(default_factory=set)

    def folder(self, folder: Path) -> None:
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            if here in self._seen:
                continue
            self._seen.add(here)
            if len(self._seen) > _MOST_FOLDERS:
                raise errors.InputError(
                    f"This kustomization stands on more than {_MOST_FOLDERS} others.", remedy="Make it simpler."
                )
            for name in KUSTOMIZATIONS:
                if (here / name).is_symlink() or (here / name).exists():
                    waiting += self._kustomization(here / name)

    def _kustomization(self, path: Path) -> Iterator[Path]:
        """Check one file; the folders that it stands on."""
        name = self.checkout.name(path)
        real = self.checkout.find(path, said_by=name)
        for document in documents.read(_bytes(real, name), file=name):
            if not isinstance(document.value, dict):
                raise errors.DocumentError("this is not a kustomization.", file=name, line=document.line)
            yield from _Document(checkout=self.checkout, folder=real.parent, document=document).check()


@dataclass(slots=True, kw_only=True)
class _Document:
    """One kustomization, or one configuration of a plugin in it."""

    checkout: Checkout
    folder: Path
    document: documents.Document

    def check(self) -> Iterator[Path]:
        """Refuse what must not be; the folders that this kustomization stands on."""
        body: dict[str, Json] = self.document.value
        for wanted in _HELM:
            for name, value in _named(body, wanted):
                if value:
                    raise self._error((name,), "this would run Helm.", "Use render: helm, or commit what it renders.")
        for path, text in _references(body):
            self._local(path, text)
        for path, text in _listed(body, _TREES):
            target = self._local(path, text)
            if target.is_dir():
                yield target
        for path, text in _listed(body, _PLUGINS):
            yield from self._plugin(path, text)

    def _plugin(self, path: documents.Path, text: str) -> Iterator[Path]:
        """A generator, transformer or validator: written in place, in a file, or in a folder with a kustomization."""
        if _inline(text):
            self._configurations(text.encode(), self.document.file, self.document.place(path)[0])
            return
        target = self._local(path, text)
        if target.is_dir():
            yield target
        else:
            name = self.checkout.name(target)
            self._configurations(_bytes(target, name), name, 0)

    def _configurations(self, data: bytes, file: str, line: int) -> None:
        for found in documents.read(data, file=file):
            if isinstance(found.value, dict):
                inner = _Document(checkout=self.checkout, folder=self.folder, document=found)
                inner.refuse_program(line=line)

    def refuse_program(self, *, line: int) -> None:
        """Refuse a plugin that is not built into Kustomize, and one that is but fetches."""
        body: dict[str, Json] = self.document.value
        function = any(path[-1] in _FUNCTIONS for path, _ in _strings(body, ()))
        builtin = body.get("apiVersion") == "builtin" and "helm" not in str(body.get("kind")).lower()
        if function or not builtin:
            raise errors.DocumentError(
                f"the plugin {body.get('kind')} would run a program.",
                file=self.document.file,
                line=line or self.document.line,
                remedy="Only Kustomize's built-in plugins (apiVersion: builtin) are run.",
            )
        for path, text in _strings(body, ()):
            if "://" in text and path[-1:] != ("patch",):
                raise self._error(path, f"{text!r} would be fetched.", "Commit it to the repository.")

    def _local(self, path: documents.Path, text: str) -> Path:
        """A path that is named, as it really is; refused unless it is there and inside."""
        where = f"{self.document.file}:{self.document.place(path)[0]} {_field(path)}"
        if _REMOTE.match(text) and ("://" in text or "::" in text or not self._is_file(text)):
            raise self._error(path, f"{text!r} would be fetched from a network.", "Commit a copy and name its path.")
        if text.startswith("/"):
            raise self._error(path, f"{text!r} is an absolute path.", "Name a path inside the repository.")
        return self.checkout.find(self.folder / text, said_by=where)

    def _is_file(self, text: str) -> bool:
        """A file that is there is read as a file, whatever its name looks like."""
        try:
            return (self.folder / text).is_file()
        except OSError:
            return False

    def _error(self, path: documents.Path, message: str, remedy: str) -> errors.DocumentError:
        line, column = self.document.place(path)
        return errors.DocumentError(
            f"{_field(path)}: {message}", file=self.document.file, line=line, column=column, remedy=remedy
        )


def _named(body: dict[str, Json], name: str) -> Iterator[tuple[str, Json]]:
    """A field under every spelling that Kustomize takes for it: Go's JSON does not mind upper and lower case."""
    for key, value in body.items():
        if key.lower() == name.lower():
            yield key, value


def _texts(body: dict[str, Json], name: str) -> Iterator[tuple[documents.Path, str]]:
    """The texts of a list field, or of a single text; of other shapes Kustomize itself says what is wrong."""
    for key, value in _named(body, name):
        if isinstance(value, str):
            yield (key,), value
        for index, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, str):
                yield (key, index), item


def _items(body: dict[str, Json], name: str) -> Iterator[tuple[documents.Path, dict[str, Json]]]:
    """The mappings of a list field, or a single mapping."""
    for key, value in _named(body, name):
        if isinstance(value, dict):
            yield (key,), value
        for index, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, dict):
                yield (key, index), item


def _listed(body: dict[str, Json], names: tuple[str, ...]) -> Iterator[tuple[documents.Path, str]]:
    """The texts of several list fields."""
    for name in names:
        yield from _texts(body, name)


def _references(body: dict[str, Json]) -> Iterator[tuple[documents.Path, str]]:
    """Files that are read as they are: named in lists, and inside the items of other fields."""
    yield from _listed(body, _FILES)
    yield from ((path, text) for path, text in _texts(body, "patchesStrategicMerge") if not _inline(text))
    for name in ("openapi", "patches", "patchesJson6902", "replacements"):
        for path, item in _items(body, name):
            for below, text in _texts(item, "path"):
                yield (*path, *below), text
    for name in ("configMapGenerator", "secretGenerator"):
        for path, item in _items(body, name):
            for listed in ("env", "envs"):
                for below, text in _texts(item, listed):
                    yield (*path, *below), text
            for below, text in _texts(item, "files"):
                # files: [key=]path
                yield (*path, *below), text.partition("=")[2] or text


def _strings(value: Json, path: documents.Path) -> Iterator[tuple[documents.Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))


def _inline(text: str) -> bool:
    """Whether an entry is a document written in place rather than a path."""
    return "\n" in text or text.lstrip().startswith("{")


def _field(path: documents.Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise errors.DocumentError(f"the file cannot be read: {error.strerror}.", file=name) from error
