"""What the documents are made of: params, results, workspaces, conditions. Frozen; unknown fields are refused.

A field whose type is ``Json`` and whose docstring says "cluster" is kept as it is written and acts only when a
cluster runs the document; it means nothing to the local executor.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from lockstep.values import Json
from pipelines.documents import durations
from pipelines.documents.values import ParamValue, Type, type_of

# Tekton, pkg/apis/pipeline/v1: param names; object params may not have dots.
_PARAM = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*")
_OBJECT_PARAM = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]*")
# Tekton, resultref.go: result names.
_RESULT = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
# RFC 1123: a label, and a subdomain.
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


REPLACED = "replaced"
"""The validation context of a document whose variables were replaced: it was validated as it was written."""


class Part(BaseModel):
    """What all parts of a document have in common."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", alias_generator=to_camel)


def _duration(value: object) -> object:
    return durations.parse(value) if isinstance(value, str) else value


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta():
        raise ValueError("is less than nothing")
    return value


def _result_name(text: str) -> str:
    if len(text) > 253 or not _RESULT.fullmatch(text):
        raise ValueError("is not the name of a result; use letters, digits, '-', '_' and '.'")
    return text


def _param_name(text: str) -> str:
    if not _PARAM.fullmatch(text):
        raise ValueError("is not the name of a param; begin with a letter or '_', then letters, digits, '-', '_', '.'")
    return text


def _object_name(text: str) -> str:
    if not _SUBDOMAIN.fullmatch(text):
        raise ValueError("is not a name; use lower-case letters, digits, '-' and '.'")
    return text


Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_not_negative)]
"""A length of time as Go writes it."""
ResultName = Annotated[str, AfterValidator(_result_name)]
ParamName = Annotated[str, AfterValidator(_param_name)]
ObjectName = Annotated[str, AfterValidator(_object_name)]


class Param(Part):
    """A value that is given."""

    name: ParamName
    value: ParamValue = ""


class Property(Part):
    """A key of an object param or result."""

    type: Literal["string"] = "string"


class ParamSpec(Part):
    """A value that is wanted."""

    name: ParamName
    type: Type | None = None
    description: str = ""
    properties: dict[str, Property] | None = None
    default: ParamValue | None = None
    enum: tuple[str, ...] = ()

    @property
    def kind(self) -> Type:
        """Its type, said or inferred: from ``properties``, then from the default, else text."""
        if self.type is not None:
            return self.type
        if self.properties is not None:
            return "object"
        return type_of(self.default) if self.default is not None else "string"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.default is not None and type_of(self.default) != self.kind:
            raise ValueError(f"is of type {self.kind}, and its default of type {type_of(self.default)}")
        if self.kind == "object" and not _OBJECT_PARAM.fullmatch(self.name):
            raise ValueError("is an object, so its name may not have dots")
        if self.enum and self.kind != "string":
            raise ValueError("has an enum, which only text can have")
        if self.enum and isinstance(self.default, str) and self.default and self.default not in self.enum:
            raise ValueError("has a default that is not in its enum")
        return self


class Result(Part):
    """A value that a task, a step or a pipeline hands on."""

    name: ResultName
    type: Type | None = None
    description: str = ""
    properties: dict[str, Property] | None = None
    value: ParamValue | None = None

    @property
    def kind(self) -> Type:
        """Its type, said or inferred."""
        return self.type or ("object" if self.properties is not None else "string")


class When(Part):
    """A condition: ``input`` is (not) one of ``values``, or a CEL expression."""

    input: str = ""
    operator: Literal["in", "notin"] | None = None
    values: tuple[str, ...] = ()
    cel: str = ""

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context == REPLACED:
            return self  # an empty array may have taken the place of the only value
        if self.cel and (self.operator or self.input or self.values):
            raise ValueError("has cel beside input, operator or values; keep one form")
        if not self.cel and self.operator is None:
            raise ValueError("needs an operator, in or notin")
        if not self.cel and not self.values:
            raise ValueError("needs values, at least one")
        return self

    @property
    def holds(self) -> bool:
        """Whether the condition is met, once its variables are replaced; exact comparison, white space counts."""
        return (self.input in self.values) == (self.operator == "in")


class WorkspaceDeclaration(Part):
    """A folder that a task wants."""

    name: ObjectName
    description: str = ""
    mount_path: str = ""
    read_only: bool = False
    optional: bool = False

    @property
    def path(self) -> str:
        """Where its steps see it."""
        return self.mount_path or f"/workspace/{self.name}"


class PipelineWorkspace(Part):
    """A folder that a pipeline wants."""

    name: ObjectName
    description: str = ""
    optional: bool = False


class WorkspaceUse(Part):
    """A step or sidecar that a workspace is for."""

    name: str
    mount_path: str = ""


class TaskWorkspace(Part):
    """Which folder of the pipeline a task gets."""

    name: str
    workspace: str = ""
    sub_path: str = ""


class WorkspaceBinding(Part):
    """The folder that a run gives. Exactly one source."""

    name: str
    sub_path: str = ""
    empty_dir: dict[str, Json] | None = None
    volume_claim_template: dict[str, Json] | None = None
    persistent_volume_claim: dict[str, Json] | None = None
    config_map: dict[str, Json] | None = None
    secret: dict[str, Json] | None = None
    projected: dict[str, Json] | None = None
    csi: dict[str, Json] | None = None

    @property
    def source(self) -> str:
        """Which source it has, by the name of its field."""
        fields = ("empty_dir", "volume_claim_template", "persistent_volume_claim", "config_map", "secret")
        for field in (*fields, "projected", "csi"):
            if getattr(self, field) is not None:
                return field
        raise AssertionError("validated")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = ("empty_dir", "volume_claim_template", "persistent_volume_claim", "config_map", "secret")
        given = [to_camel(name) for name in (*sources, "projected", "csi") if getattr(self, name) is not None]
        if len(given) != 1:
            found = f", not {' and '.join(given)}" if given else ""
            raise ValueError(f"needs exactly one source, such as emptyDir{found}")
        return self


class Reference(Part):
    """A document that is named: by name, or through a resolver."""

    name: str = ""
    kind: str = ""
    api_version: str = ""
    resolver: str = ""
    params: tuple[Param, ...] = ()

    @property
    def custom(self) -> bool:
        """Whether it names a kind that is not Tekton's own."""
        return bool(self.api_version) and not self.api_version.startswith("tekton.dev/")


class Metadata(Part):
    """The name and the notes of a document; what a cluster adds is read past."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
