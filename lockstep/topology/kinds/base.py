"""What all kinds have in common: strict frozen models, references to secrets, names."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from lockstep.topology.forms import FieldError
from lockstep.topology.scalars import EnvironmentVariable, LocalPath, Name, SecretKey

API_VERSION = "lockstep.dev/v1alpha1"


class Model(BaseModel):
    """What all parts of the configuration have in common: strict, frozen, no unknown field."""

    EXACTLY_ONE: ClassVar[tuple[str, ...]] = ()
    """The fields of which exactly one is given (``None`` and ``False`` are not)."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        wanted = ", ".join(to_camel(name) for name in self.EXACTLY_ONE)
        given = [to_camel(name) for name in self.EXACTLY_ONE if getattr(self, name) not in (None, False)]
        if self.EXACTLY_ONE and not given:
            raise FieldError(f"needs one of {wanted}.", "Give one of them.")
        if len(given) > 1:
            raise FieldError(f"gives {' and '.join(given)}; they exclude each other.", "Keep one of them.")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add to the schema that exactly one of some fields is given."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.EXACTLY_ONE:
            schema["oneOf"] = [_given(to_camel(name)) for name in cls.EXACTLY_ONE]
        return schema


def _given(name: str) -> dict[str, Any]:
    """A schema of a mapping that gives a field: neither null nor false."""
    return {"required": [name], "properties": {name: {"not": {"enum": [None, False]}}}}


class KubernetesSecretRef(Model):
    """A key of a Secret in the cluster that Lockstep itself runs in."""

    name: Name
    """The Secret's name."""
    key: SecretKey
    """The key inside it."""
    namespace: Name | None = None
    """Its namespace; Lockstep's own by default."""


class SecretRef(Model):
    """Where a secret is read from, at the moment it is used. Never the secret itself."""

    EXACTLY_ONE = ("env", "file", "kubernetes_secret")

    env: EnvironmentVariable | None = None
    """The environment variable that holds it."""
    file: LocalPath | None = None
    """The file that holds it."""
    kubernetes_secret: KubernetesSecretRef | None = None
    """The Kubernetes Secret that holds it."""


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
