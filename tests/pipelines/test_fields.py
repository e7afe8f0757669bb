"""The table of fields that take variables: each row is walked, and nothing else is touched."""

from __future__ import annotations

import pytest

from lockstep.values import Json
from pipelines import fields
from pipelines.substitution import Scope

SCOPE = Scope(texts={"params.x": "new"}, arrays={"params.l": ("one", "two")})
UNDER = {
    "Task": "spec",
    "TaskRun": "spec",
    "Pipeline": "spec",
    "PipelineRun": "spec",
}


def _made(path: list[str], leaf: Json) -> Json:
    """The smallest document that has a field at this path."""
    if not path:
        return leaf
    head, *rest = path
    if head == "*":
        return {"any": {"thing": leaf}}
    if head.endswith("[]"):
        return {head.removesuffix("[]"): [_made(rest, leaf)]}
    return {head: _made(rest, leaf)}


def _at(body: Json, path: list[str]) -> Json:
    for part in path:
        if part == "*":
            return body["any"]["thing"]
        body = body[part.removesuffix("[]")]
        if part.endswith("[]"):
            body = body[0]
    return body


@pytest.mark.parametrize("row", fields.FIELDS, ids=lambda row: f"{row.kind}:{row.path}")
def test_each_row_of_the_table_is_replaced(row: fields.Field) -> None:
    """The field of the row takes its variable; its neighbour, of a name that no row has, does not."""
    path = row.path.removeprefix("spec.").split(".")
    leaf: Json = ["$(params.x)", "$(params.l[*])"] if row.how == "list" else "$(params.x)"
    body = {**_made(path, leaf), "neighbour": "$(params.x)"}
    out = fields.replaced(body, row.kind, "spec", SCOPE)
    assert _at(out, path) == (["new", "one", "two"] if row.how == "list" else "new")
    assert out["neighbour"] == "$(params.x)"
    assert _at(body, path) == leaf, "the document itself is not changed"


def test_the_table_has_every_row_of_the_specification() -> None:
    """The counts of documented rows are those of docs/variables.md, by kind."""
    documented = [row.kind for row in fields.FIELDS if not row.code]
    assert {kind: documented.count(kind) for kind in sorted(set(documented))} == {
        "Pipeline": 20,
        "PipelineRun": 34,
        "Task": 43,
        "TaskRun": 16,
    }
    assert len({(row.kind, row.path) for row in fields.FIELDS}) == len(fields.FIELDS)


def test_the_value_of_a_param_may_become_an_array() -> None:
    """``params[].value`` takes a whole array; a number stays what Tekton makes of it."""
    body = {"params": [{"name": "a", "value": "$(params.l[*])"}, {"name": "b", "value": 5}]}
    out = fields.replaced(body, "Pipeline", "spec.tasks[]", SCOPE)
    assert out["params"] == [{"name": "a", "value": ["one", "two"]}, {"name": "b", "value": "5"}]


@pytest.mark.parametrize("body", [None, 5, "text", [], {"steps": None}, {"steps": [5]}, {"steps": {"args": "x"}}])
def test_a_document_of_another_shape_is_left_alone(body: Json) -> None:
    """The walk takes what it finds and breaks over nothing."""
    assert fields.replaced(body, "Task", "spec", SCOPE) == body
