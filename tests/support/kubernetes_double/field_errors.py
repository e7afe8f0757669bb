"""What is wrong with one field, in the words of the server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One wrong field: ``reason`` is what programs read."""

    field: str
    reason: str
    message: str

    @property
    def shown(self) -> str:
        """The field, and what is wrong with it."""
        return f"{self.field}: {self.message}"


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def required(field: str, why: str = "") -> FieldError:
    """It is not there."""
    return FieldError(field=field, reason="FieldValueRequired", message=f"Required value{': ' if why else ''}{why}")


def invalid(field: str, value: Any, why: str) -> FieldError:
    """It has a value that it may not have."""
    return FieldError(field=field, reason="FieldValueInvalid", message=f"Invalid value: {_shown(value)}: {why}")


def unsupported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """It is none of a few values."""
    listed = ", ".join(f'"{one}"' for one in sorted(supported))
    message = f"Unsupported value: {_shown(value)}: supported values: {listed}"
    return FieldError(field=field, reason="FieldValueNotSupported", message=message)


def duplicate(field: str, value: Any) -> FieldError:
    """Another has it already."""
    return FieldError(field=field, reason="FieldValueDuplicate", message=f"Duplicate value: {_shown(value)}")


def forbidden(field: str, why: str) -> FieldError:
    """It may not be set, or not changed."""
    return FieldError(field=field, reason="FieldValueForbidden", message=f"Forbidden: {why}")


def too_long(field: str, why: str) -> FieldError:
    """It is longer than it may be."""
    return FieldError(field=field, reason="FieldValueTooLong", message=f"Too long: {why}")


def not_found(field: str, value: Any) -> FieldError:
    """It refers to what is not there."""
    return FieldError(field=field, reason="FieldValueNotFound", message=f"Not found: {_shown(value)}")
