"""What all kinds have in common: strict frozen models, references to secrets, names."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from lockstep.topology.scalars import LocalPath, Name

API_VERSION = "lockstep.dev/v1alpha1"


class Model(BaseModel):
    """What all parts of the configuration have in common: strict, frozen, no unknown field."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        use_attribute_docstrings=True,
    )


def exactly_one(model: BaseModel, names: tuple[str, ...]) -> None:
    """Refuse a model that fills none, or more than one, of these fields.

    Raises:
        ValueError: Saying which were wanted and which were found.
    """
    given = [name for name in names if getattr(model, name) not in (None, False)]
    if len(given) != 1:
        wanted = ", ".join(to_camel(name) for name in names)
        found = f"; found {' and '.join(to_camel(name) for name in given)}" if given else ""
        raise ValueError(f"needs exactly one of {wanted}{found}")


class KubernetesSecretRef(Model):
    """A key of a Secret in the cluster that Lockstep itself runs in."""

    name: Name
    """The Secret's name."""
    key: str = Field(min_length=1)
    """The key inside it."""
    namespace: Name | None = None
    """Its namespace; Lockstep's own by default."""


class SecretRef(Model):
    """Where a secret is read from, at the moment it is used. Never the secret itself."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds it."""
    file: LocalPath | None = None
    """The file that holds it."""
    kubernetes_secret: KubernetesSecretRef | None = None
    """The Kubernetes Secret that holds it."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        exactly_one(self, ("env", "file", "kubernetes_secret"))
        return self


class Metadata(Model):
    """The name of a document, and labels to group it by."""

    name: Name
    """Unique among documents of its kind."""
    labels: dict[str, str] = {}
    """Free labels, such as region or building (failure domains are compared by them)."""
    annotations: dict[str, str] = {}
    """Free notes; Lockstep reads none of them."""


class Document(Model):
    """What every document of the configuration has."""

    api_version: Literal["lockstep.dev/v1alpha1"]
    """Always ``lockstep.dev/v1alpha1``."""
    metadata: Metadata
    """Its name and labels."""

    @property
    def name(self) -> str:
        """The document's name."""
        return self.metadata.name
