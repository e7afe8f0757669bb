"""A Helm chart, rendered by the helm that is on the PATH."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from lockstep import errors
from lockstep.manifests import objects, program
from lockstep.manifests.checkout import Checkout


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a chart is rendered as; ``values`` are files inside the repository, later ones win."""

    name: str
    namespace: str
    values: tuple[str, ...]


def render(checkout: Checkout, folder: Path, release: Release) -> list[objects.Found]:
    """The objects of a chart, its CustomResourceDefinitions and hooks too; ``folder`` is inside the checkout.

    Raises:
        InputError: A link leads out of the repository, or Helm refuses the chart (a dependency is not vendored).
        NotFoundError: A values file is not there.
        MissingToolError: There is no helm on the PATH.
        TemporaryError: Helm did not end in time.
    """
    helm = shutil.which("helm")
    if helm is None:
        raise errors.MissingToolError(
            f"{checkout.name(folder)} is a Helm chart, and helm is not on the PATH.",
            remedy="Install helm 3.8 or later where Lockstep runs, or commit what the chart renders.",
        )
    # Helm follows links wherever they lead.
    checkout.refuse_links_out(folder)
    files = [checkout.find(checkout.root / name, said_by="source.helm") for name in release.values]
    argv = [helm, "template", release.name, str(folder), "--namespace", release.namespace, "--include-crds"]
    argv += [part for file in files for part in ("--values", str(file))]
    home = dict.fromkeys(("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"), "{home}")
    return program.run(program.Renderer(name="Helm", argv=argv, env=home), checkout, folder)
