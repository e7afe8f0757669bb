"""What a text of the configuration must look like, and what is said to the person who wrote another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class FieldError(ValueError):
    """A value is not what its field wants.

    Pydantic takes it for a failed check, as any ``ValueError`` that a model raises.

    Args:
        message: What is wrong with it, without its subject and without the value: ``is not a duration.``
        remedy: What to write instead: ``Write whole numbers with w, d, h, m or s, such as 10m.``
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Form:
    """A regular expression that a whole text matches; it is checked here and published in the JSON Schema.

    The pattern keeps to what Python and ECMA-262 have in common.
    """

    pattern: str
    message: str
    remedy: str
    longest: int = 253

    def check(self, text: str) -> str:
        """The text itself. Raises FieldError."""
        if len(text) > self.longest:
            raise FieldError(f"is longer than {self.longest} characters.", "Shorten it.")
        if not re.fullmatch(self.pattern, text):
            raise FieldError(self.message, self.remedy)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$", "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class EachOnce:
    """A list in which nothing stands twice."""

    def check(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        """The list itself. Raises FieldError."""
        twice = next((item for position, item in enumerate(items) if item in items[:position]), None)
        if twice is not None:
            raise FieldError(f"lists {twice} twice.", "Keep one of them.")
        return items

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "uniqueItems": True}
