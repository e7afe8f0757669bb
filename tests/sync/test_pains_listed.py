"""The list of pains in the documentation is true: each has a test, and the test names it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LIST = TESTS.parent / "docs" / "pains.md"
_ROW = re.compile(r"\| (?P<names>[^|]*#[^|]*) \| [^|]+ \| `(?P<file>[^`:]+)::(?P<test>\w+)` \|")


def _rows() -> list[tuple[str, str, str]]:
    if not LIST.exists():  # an installed copy has no documentation
        return []
    return [(found["test"], found["file"], found["names"]) for found in _ROW.finditer(LIST.read_text())]


@pytest.mark.parametrize(("test", "file", "names"), _rows(), ids=[test for test, _, _ in _rows()])
def test_a_pain_has_a_test_that_names_it(test: str, file: str, names: str) -> None:
    """In its own description, in full, so that a search for the issue finds the test."""
    module = ast.parse((TESTS / file).read_text())
    described = {one.name: ast.get_docstring(one) or "" for one in module.body if isinstance(one, ast.FunctionDef)}
    assert test in described, f"{file} has no {test}"
    assert [name for name in names.split(", ") if not re.search(rf"{re.escape(name)}(?!\d)", described[test])] == []


def test_every_row_of_the_list_is_understood() -> None:
    """A row that is written otherwise would be checked by nobody."""
    rows = [line for line in LIST.read_text().splitlines() if line.startswith("|") and "::" in line]
    assert len(rows) == len(_rows()) > 20
