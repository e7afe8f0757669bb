"""The small types of the configuration: names, paths, patterns, URLs. Amounts are in ``amounts``.

Each is written as people write it and kept as a plain value; a wrong one is refused with the form that is
wanted.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from lockstep import errors, values
from lockstep.topology import objects, selectors, templates, urls, versions
from lockstep.topology.forms import EachOnce, FieldError, Form

# RFC 1123 label, as Kubernetes requires of most names.
NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
# A path of a repository on a forge: no part begins with a dot or a dash, so none is an option or "..".
_GIT_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_GIT_GLOB = re.compile(r"[A-Za-z0-9_*?\[\]][A-Za-z0-9._*?\[\]!-]*(?:/[A-Za-z0-9_*?\[\]][A-Za-z0-9._*?\[\]!-]*)*")
# A second colon would name a program that git runs: ext::sh -c ...
# Control characters and spaces.
_BLANK = re.compile(r"[\x00-\x20\x7f]")


# --- git ------------------------------------------------------------------------------------------


def _git_repository(text: str) -> str:
    if not _GIT_REPOSITORY.fullmatch(text) or text.endswith((".git", ".lock")) or ".." in text:
        raise FieldError("is not the path of a repository.", "Write it as the forge shows it, such as bank/pay.")
    return text


def _git_glob(text: str) -> str:
    if not _GIT_GLOB.fullmatch(text) or ".." in text:
        raise FieldError("is neither the path of a repository nor a pattern.", "Write bank/pay, or bank/*.")
    return text


def _branch(text: str) -> str:
    """A branch by the rules of git-check-ref-format(1)."""
    parts = text.split("/")
    bad_part = any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts)
    if bad_part or _BLANK.search(text) or re.search(r"\.\.|@\{|[~^:?*\[\\]", text) or text.startswith("-"):
        raise FieldError("is not the name of a branch.", "Write it as git shows it, such as main or release/1.2.")
    return text


# --- places and images ----------------------------------------------------------------------------


def _local_path(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise FieldError("is not a path.", "Write a path; a relative one starts at the configuration's directory.")
    if text.startswith("~") and not text.startswith("~/"):
        raise FieldError("begins with another user's home.", "Write the whole path.")
    return text


def _relative_path(text: str) -> str:
    if text.startswith(("/", "-")) or ".." in text.split("/") or re.search(r"[\x00-\x1f\\]", text) or not text.strip():
        raise FieldError("is not a path inside the repository.", "Write a relative path without .., such as deploy.")
    return text


def _image_prefix(text: str) -> str:
    if text.endswith("/") or "//" in text or not re.fullmatch(r"[A-Za-z0-9._/-]+(:[0-9]+)?[a-z0-9._/-]*", text):
        raise FieldError("is not what image references begin with.", "Write host[:port][/path] without a last slash.")
    return text


def _image_repository(text: str) -> str:
    if not values.is_repository(text) or values.ImageReference.parse(text).registry:
        raise FieldError(
            "is not the name of an image at a site.", "Write it without host and tag, in lower case, such as pay/api."
        )
    return text


def _image_name(text: str) -> str:
    try:
        reference = values.ImageReference.parse(text)
    except errors.InputError:
        raise FieldError("is not an image.", "Write [host/]name, such as docker.io/vendor/hsm.") from None
    if reference.tag or reference.digest:
        raise FieldError("names a tag or a digest.", "Write only host and name: the tags are those that are used.")
    return text


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise FieldError("is not a network.", "Write an address or a network, such as 10.1.0.0/16.") from None
    return text


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise FieldError(
            f"is not a regular expression: {error}.", "Mend it; put \\ before a sign of its own."
        ) from None
    return text


def _version_range(text: str) -> str:
    try:
        versions.Range.parse(text)
    except ValueError as error:
        raise FieldError(f"is not a range of versions: {error}.", "Write such as >=1.2 <2, ^1.4 or 1.x.") from None
    return text


def _param_value(value: object) -> object:
    """A param of a Tekton pipeline: text, a list of text or a table of text."""
    entries = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str) for entry in entries):
        raise FieldError("is neither text nor a list or table of text.", "Put numbers, true and false in quotes.")
    return value


# Before any regular expression: none of them sees a text without end.
_BOUNDED = Field(max_length=4096)

Text = Annotated[str, Form(r"[\s\S]*\S[\s\S]*", "is empty.", "Write something.", 4096)]
"""Text that says something."""
Name = Annotated[
    str,
    Form(
        NAME_PATTERN,
        "is not a name.",
        "Write lower-case letters, digits and dashes, with a letter or digit at both ends, 63 characters at most.",
    ),
]
"""An RFC 1123 label: lower-case letters, digits and dashes."""
Names = Annotated[tuple[Name, ...], EachOnce()]
"""Names, each once."""
ObjectName = Annotated[
    str,
    Form(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "is not the name of an object.",
        "Write it as kubectl shows it, in lower case.",
    ),
]
"""The name of a Kubernetes object."""
ValueName = Annotated[
    str,
    Form(
        r"[A-Za-z_][A-Za-z0-9_-]*", "is not a name.", "Write letters, digits, dashes and underscores, a letter first."
    ),
]
"""The name of a site value."""
EnvironmentVariable = Annotated[
    str,
    Form(r"[A-Za-z_][A-Za-z0-9_]*", "is not the name of an environment variable.", "Write its name, without a dollar."),
]
"""The name of an environment variable."""
SecretKey = Annotated[
    str, Form(r"[-._a-zA-Z0-9]+", "is not a key of a Secret.", "Write letters, digits, dashes, dots and underscores.")
]
"""A key inside a Kubernetes Secret."""
GitRepository = Annotated[str, Field(max_length=200), AfterValidator(_git_repository)]
"""The path of a repository on its forge: ``bank/pay``."""
GitGlob = Annotated[str, Field(max_length=200), AfterValidator(_git_glob)]
"""The path of a repository, or a pattern: ``bank/*``."""
GitUrl = Annotated[str, _BOUNDED, AfterValidator(urls.git_url)]
"""A URL that git understands, without a secret in it; ``{repository}`` stands for the repository's path."""
Branch = Annotated[str, Field(max_length=200), AfterValidator(_branch)]
"""A branch: ``main``."""
RefGlob = Annotated[
    str, Form(r"[^-\s~^:\\][^\s~^:\\]*", "is neither a name nor a pattern.", "Write main, or release/*.")
]
"""A branch or a tag, or a pattern: ``release/*``."""
HttpUrl = Annotated[str, _BOUNDED, AfterValidator(urls.http_url)]
"""An http or https URL without a secret in it."""
LocalPath = Annotated[str, _BOUNDED, AfterValidator(_local_path)]
"""A path on this machine; relative ones start at the configuration directory."""
RelativePath = Annotated[str, _BOUNDED, AfterValidator(_relative_path)]
"""A path inside a repository."""
ImagePrefix = Annotated[str, _BOUNDED, AfterValidator(_image_prefix)]
"""What stands before an image's name at a site: ``registry.sejong.example/prod``."""
ImageRepository = Annotated[str, _BOUNDED, AfterValidator(_image_repository)]
"""An image's name at every site, below its prefix: ``pay/api``."""
ImageName = Annotated[str, _BOUNDED, AfterValidator(_image_name)]
"""An image with its registry and without a tag: ``docker.io/vendor/hsm``."""
ImageGlob = Annotated[
    str,
    Form(r"[a-z0-9*?\[][a-z0-9._*?!\[\]/-]*", "is neither an image nor a pattern.", "Write pay/api, or pay/*."),
]
"""An image's name at every site, or a pattern: ``pay/*``."""
TagGlob = Annotated[
    str,
    Form(r"[a-zA-Z0-9_*?\[][a-zA-Z0-9._*?!\[\]-]*", "is neither a tag nor a pattern.", "Write 1.2.3, or 1.*.", 128),
]
"""A tag, or a pattern: ``1.*``."""
HostPort = Annotated[
    str,
    Form(
        r"(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:]*)(:[0-9]{1,5})?",
        "is not a host.",
        "Write it in lower case, such as minio.sejong.example, or with a port, minio.sejong.example:9000.",
    ),
]
"""A host, with a port or without: ``minio.sejong.example:9000``."""
VersionRange = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_version_range)]
"""Versions: ``>=1.2 <2``, ``^1.4``, ``1.x``."""
Platform = Annotated[
    str,
    Form(
        r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9_.]+)?",
        "is not a platform.",
        "Write os/architecture[/variant], such as linux/amd64.",
    ),
]
"""A platform: ``linux/arm64``."""
Network = Annotated[str, _BOUNDED, AfterValidator(_network)]
"""An address or a network: ``10.1.0.0/16``."""
HeaderName = Annotated[
    str,
    Form(r"[A-Za-z][A-Za-z0-9-]*", "is not the name of a header.", "Write letters, digits and dashes.", 100),
]
"""The name of an HTTP header; without underscores, which web servers drop."""
ParamName = Annotated[
    str,
    Form(r"[A-Za-z_][A-Za-z0-9_.-]*", "is not the name of a param.", "Write it as the Pipeline declares it."),
]
"""The name of a param of a Tekton pipeline."""
ParamValue = Annotated[str | list[str] | dict[str, str], BeforeValidator(_param_value)]
"""A param: text, a list of text, or a table of text."""
Objects = Annotated[str, objects.FORM, AfterValidator(objects.check_pattern)]
"""Some Kubernetes objects: ``Secret/*``."""
OneObject = Annotated[str, objects.FORM, AfterValidator(objects.check_named)]
"""One Kubernetes object: ``PersistentVolumeClaim/data``."""
ObjectSelector = Annotated[str, selectors.FORM, AfterValidator(selectors.check)]
"""Some objects, or fields in them: ``Ingress/shop /spec/rules/*/host``."""
FieldSelector = Annotated[str, selectors.FORM, AfterValidator(selectors.check_field)]
"""Fields of some objects: ``HsmProxy /spec/image``."""
Template = Annotated[str, Field(max_length=4096), AfterValidator(templates.check)]
"""Text in which ``{name}`` stands for a site value: ``https://{host}/``."""
Regex = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_regex)]
"""A regular expression, as Python's ``re`` reads it."""
FloorKey = Annotated[str, _BOUNDED, AfterValidator(objects.check_floor)]
"""What a floor is for: ``default``, ``Deployment``, ``StatefulSet/ledger``, ``Kind.group/name``."""
