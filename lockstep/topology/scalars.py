"""The small types of the configuration: durations, rates, shares, names, URLs.

Each is written as people write it and kept as a plain value; a wrong one is refused with the form that is
wanted.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lockstep import errors, values
from lockstep.topology import objects, selectors, templates, urls, versions
from lockstep.topology.forms import EachOnce, FieldError, Form

_DURATION_PATTERN = r"(?:([0-9]{1,10})w)?(?:([0-9]{1,10})d)?(?:([0-9]{1,10})h)?(?:([0-9]{1,10})m)?(?:([0-9]{1,10})s)?"
_MOST_SECONDS = 36525 * 86400
_DURATION = re.compile(_DURATION_PATTERN)
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([KMG]?)bit")
_RATE_UNIT = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_SIZE = re.compile(r"([0-9]{1,12})(|B|KiB|MiB|GiB)")
_SIZE_UNIT = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SHARE = re.compile(r"[0-9]{1,9}%?")
# RFC 1123 label, as Kubernetes requires of most names.
NAME_PATTERN = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
# A path of a repository on a forge: no part begins with a dot or a dash, so none is an option or "..".
_GIT_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_GIT_GLOB = re.compile(r"[A-Za-z0-9_*?\[\]][A-Za-z0-9._*?\[\]!-]*(?:/[A-Za-z0-9_*?\[\]][A-Za-z0-9._*?\[\]!-]*)*")
# A second colon would name a program that git runs: ext::sh -c ...
# Control characters and spaces.
_BLANK = re.compile(r"[\x00-\x20\x7f]")


# --- numbers and times ----------------------------------------------------------------------------


def parse_duration(text: object) -> timedelta:
    """Read a duration such as ``10m``, ``1h30m``, ``7d``; a ``timedelta`` passes through.

    Raises:
        FieldError: It is none.
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match or not text:
        raise FieldError("is not a duration.", "Write whole numbers with w, d, h, m or s, such as 10m, 1h30m or 7d.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    whole = (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
    if whole > _MOST_SECONDS:
        raise FieldError("is longer than a century.", "Write a shorter one.")
    return timedelta(seconds=whole)


def format_duration(value: timedelta) -> str:
    """Write a duration the way ``parse_duration`` reads it, largest units first; ``0s`` for nothing."""
    left = int(value.total_seconds())
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _interval(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise FieldError("is no time at all.", "Write at least 1s.")
    return value


def _rate(text: object) -> str:
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if not isinstance(text, str) or not match or float(match[1]) <= 0:
        raise FieldError("is not a rate.", "Write it in bits for each second, such as 20Mbit or 1Gbit.")
    return text


def bits_per_second(rate: str) -> float:
    """A validated rate such as ``20Mbit`` in bits for each second."""
    match = _RATE.fullmatch(rate)
    assert match is not None, rate  # noqa: S101 - a Rate was validated when the configuration was read
    return float(match[1]) * _RATE_UNIT[match[2]]


def _size(value: object) -> int:
    """Bytes of a size; a number is taken as bytes."""
    match = _SIZE.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    number = int(match[1]) * _SIZE_UNIT[match[2]] if match else 0
    if not number:
        raise FieldError("is not a size.", "Write it as 512KiB, 25MiB or 1GiB.")
    return number


def _bound(value: object) -> str:
    """A number or a percentage of any size, as text."""
    text = "" if isinstance(value, bool) else str(value)
    if not _SHARE.fullmatch(text):
        raise FieldError("is neither a number nor a percentage.", "Write a whole number such as 2, or 50%.")
    return text


def _share(value: object) -> str:
    text = _bound(value)
    if text.endswith("%") and int(text[:-1]) > 100:
        raise FieldError("is more than the whole.", "Write at most 100%.")
    return text


def share_of(share: str, whole: int) -> int:
    """A share of a whole, rounded up: ``share_of("50%", 3) == 2``; a number is itself."""
    if share.endswith("%"):
        return -(-whole * int(share[:-1]) // 100)
    return int(share)


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

Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^(?!$){_DURATION_PATTERN}$"}),
]
"""A length of time: ``10m``, ``1h30m``, ``7d``."""
Interval = Annotated[Duration, AfterValidator(_interval)]
"""A length of time between two looks, at least a second: ``5m``."""
Rate = Annotated[str, BeforeValidator(_rate), WithJsonSchema({"type": "string", "pattern": f"^{_RATE.pattern}$"})]
"""Bits for each second: ``20Mbit``."""
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_SIZE.pattern}$", "minimum": 1}),
]
"""Bytes: ``25MiB``."""
Share = Annotated[
    str,
    BeforeValidator(_share),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^([0-9]{1,9}|[0-9]{1,2}%|100%)$", "minimum": 0}),
]
"""A whole number or a percentage of at most 100%: ``2``, ``50%``."""
Bound = Annotated[
    str,
    BeforeValidator(_bound),
    WithJsonSchema({"type": ["string", "integer"], "pattern": f"^{_SHARE.pattern}$", "minimum": 0}),
]
"""A whole number or a percentage: ``2``, ``150%``."""
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
