"""Somebody's own manifests as the demo's application: any directory of manifests, or a kustomization."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# How far up, and how many files: a path that was mistyped must not copy a home directory.
_MOST_ABOVE = 6
_MOST_FILES = 5000
# What a kustomization may name outside its own folder, wherever it names it.
_ABOVE = re.compile(r"(?:\.\./)+[\w./-]*|\.\.$")


def name_of(app: Path) -> str:
    """A name for the application, from its directory's; ``base`` and the like take their parent's.

    Raises:
        ValueError: There is no such directory.
    """
    app = app.resolve()
    if not app.is_dir():
        raise ValueError(f"{app} is not a directory; name one that holds manifests or a kustomization")
    folder = app.parent if app.name in ("base", "deploy", "k8s", "kubernetes", "manifests") else app
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:40]
    return name or "app"


def adopt(app: Path, *, work: Path, config: Path, name: str) -> None:
    """Copy the manifests into the clone and write the application's document.

    A kustomization that reaches above its own folder is copied with what it reaches.
    """
    app = app.resolve()
    root = _root(app)
    shutil.copytree(root, work, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    path = app.relative_to(root).as_posix()
    document = {
        "apiVersion": "lockstep.dev/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name},
        "spec": {
            "source": {"repository": name, "path": path},
            "namespace": name,
            "unmirrored": "warn",
            "pipeline": {"name": "deliver"},
            "protection": {"seoul-sejong": {"tier": "hot", "floor": {"default": 1}}, "seoul-daegu": {"tier": "warm"}},
        },
    }
    (config / "application.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _root(app: Path) -> Path:
    """The nearest folder that holds everything that the kustomization names."""
    root, seen, todo = app, set[Path](), [app]
    while todo:
        folder = todo.pop()
        if folder in seen or not folder.is_dir():
            continue
        seen.add(folder)
        text = "\n".join(
            (folder / file).read_text(encoding="utf-8", errors="replace")
            for file in _KUSTOMIZATIONS
            if (folder / file).is_file()
        )
        for reached in _ABOVE.findall(text):
            target = (folder / reached).resolve()
            todo.append(target)
            while not target.is_relative_to(root):
                root = root.parent
    if len(app.relative_to(root).parts) > _MOST_ABOVE or sum(1 for _ in root.rglob("*")) > _MOST_FILES:
        raise ValueError(f"{app} reaches up to {root}, which is too much to copy; name a smaller kustomization")
    return root
