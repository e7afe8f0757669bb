"""From a folder in git to raw objects: plain files, a kustomization or a chart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lockstep import errors
from lockstep.manifests import helm, kustomize, objects, plain
from lockstep.manifests.checkout import Checkout
from lockstep.topology import kinds
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What a folder in git says, before anything of a site is applied to it.

    ``folder`` is its path from the repository's root; ``method`` is ``plain``, ``kustomize`` or ``helm``;
    ``notes`` are sentences about what was left out. Nothing may change the objects.
    """

    objects: tuple[dict[str, Json], ...]
    folder: str
    method: str
    notes: tuple[str, ...] = ()


def render(checkout: Path, source: kinds.Source, *, application: str, namespace: str, site: str) -> Rendering:
    """Render an application's manifests as one site wants them.

    The overlay of the site, when the source names one, is rendered instead of ``source.path``.

    Args:
        checkout: The folder with the checked-out repository.
        source: Where the manifests are in it.
        application: The application's name: the release name of a chart that has no other.
        namespace: Where objects without a namespace go; only used to recognise duplicates, and by charts.
        site: The site's name.

    Raises:
        InputError: What is in git is wrong, refused or empty, with file, line and remedy.
        NotFoundError: A path is not there.
        MissingToolError: The renderer is not installed.
        TemporaryError: The renderer did not end in time.
    """
    tree = Checkout.at(checkout)
    overlay = source.overlays.get(site)
    said_by = "source.path" if overlay is None else f"source.overlays.{site}"
    folder = tree.folder(source.path if overlay is None else overlay, said_by=said_by)
    method = _method(folder, source)
    notes: list[str] = []
    if method == "kustomize":
        found = kustomize.render(tree, folder)
    elif method == "helm":
        found = helm.render(tree, folder, _release(source, application=application, namespace=namespace, site=site))
    else:
        overlays = frozenset((tree.root / path).resolve() for path in source.overlays.values())
        reader = plain.Reader(checkout=tree, overlays=overlays)
        found = reader.read(folder)
        notes = reader.notes
    if not found:
        # An empty rendering would delete all that the application has.
        raise errors.InputError(
            f"{tree.name(folder)} renders to no object at all.", remedy=f"Check {said_by}, or remove the application."
        )
    objects.refuse_duplicates(found, namespace=namespace)
    return Rendering(
        objects=tuple(one.manifest for one in found), folder=tree.name(folder), method=method, notes=tuple(notes)
    )


def _method(folder: Path, source: kinds.Source) -> str:
    if source.render != "auto":
        return source.render
    if any((folder / name).exists() for name in plain.KUSTOMIZATIONS):
        return "kustomize"
    return "helm" if (folder / plain.CHART).exists() else "plain"


def _release(source: kinds.Source, *, application: str, namespace: str, site: str) -> helm.Release:
    per_site = source.helm.site_values.get(site)
    return helm.Release(
        name=source.helm.release or application,
        namespace=namespace,
        values=(*source.helm.values, *([per_site] if per_site else [])),
    )
