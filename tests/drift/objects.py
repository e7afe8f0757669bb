"""Manifests at random: of the built-in kinds by their shapes, with wrong types, and anything at all."""

from __future__ import annotations

from hypothesis import strategies as st

from drift.normalise.kinds import SHAPES
from drift.normalise.shapes import Form, Shape
from lockstep.values import Json

NAMES = st.sampled_from(["a", "b", "web", "a/b~c", "한글", "__private__", "", "data", "name", "kubernetes.io/x"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "a", "1", "100m", "1Gi", "25%", "TCP", "x" * 300, "a: 1\nb: 2\n", '{"a": 1}', "$(A)"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
_BY_FORM = {
    Form.QUANTITY: st.sampled_from(["1", "1000m", "1Gi", "1024Mi", 2, 0.5, "none"]),
    Form.RESOURCE: st.sampled_from(["1", "1000m", "1Gi", "1024Mi", 2, 0.5, "none"]),
    Form.NUMBER_OR_NAME: st.sampled_from([80, "80", "http", "25%"]),
}


def of_shape(shape: Shape, above: frozenset[int] = frozenset()) -> st.SearchStrategy[Json]:
    """Values of a shape, now and then of another; below itself a shape is left to chance."""
    if id(shape) in above:
        return ANYTHING
    if shape.items is not None:
        right: st.SearchStrategy[Json] = st.lists(_keyed(shape.items, shape.keys, above), max_size=3)
    elif shape.fields:
        inside = above | {id(shape)}
        right = st.fixed_dictionaries(
            {},
            optional={name: of_shape(inner, inside) for name, inner in shape.fields.items()},
        )
    else:
        right = _BY_FORM.get(shape.form, SCALARS | ANYTHING)
    return right if shape.items is None and not shape.fields else st.one_of(right, right, right, ANYTHING)


def _keyed(shape: Shape, keys: tuple[str, ...], above: frozenset[int]) -> st.SearchStrategy[Json]:
    names = {key: st.sampled_from(["a", "b", "c", 80, None]) for key in keys if "." not in key}
    return st.builds(
        lambda entry, own: {**entry, **own} if isinstance(entry, dict) else entry,
        of_shape(shape, above),
        st.fixed_dictionaries(names),
    )


_KINDS = {kind: of_shape(shape) for kind, shape in SHAPES.items()} | {
    ("example.com", "Rate"): st.dictionaries(NAMES, ANYTHING)
}


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Json]:
    """An object with a name, of a built-in kind or another, mostly well formed."""
    group, kind = draw(st.sampled_from(sorted(_KINDS)))
    body = draw(_KINDS[(group, kind)])
    metadata = draw(of_shape(SHAPES[("", "ConfigMap")].fields["metadata"]))
    own = {"name": "x", "namespace": "shop"}
    return {
        **(body if isinstance(body, dict) else {}),
        "apiVersion": f"{group}/v1" if group else "v1",
        "kind": kind,
        "metadata": {**metadata, **own} if isinstance(metadata, dict) else own,
    }
