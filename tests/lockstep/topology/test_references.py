"""Names that refer to other documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from lockstep.topology import draft, fields, files, kinds, load, scalars
from lockstep.topology.references import REFERENCES, Each, Key, Pattern
from tests.lockstep.topology.test_fuzz import TEXT

# Names of things that are not documents of the configuration.
NOT_OURS = {
    ("Application", ("spec", "namespace")),
    ("Application", ("spec", "source", "helm", "release")),
}


def names_in(model: type[kinds.Model], at: Pattern = ()) -> Iterator[Pattern]:
    """The paths of a model that hold a Name, as references write them."""
    for name, hint in get_type_hints(model, include_extras=True).items():
        info = model.model_fields.get(name)
        if info is not None and info.alias not in ("metadata", "kind"):
            yield from names_of(hint, (*at, info.alias or name))


def names_of(hint: Any, at: Pattern) -> Iterator[Pattern]:
    """The paths of a type that hold a Name."""
    hint = fields.without_none(hint)
    if hint == scalars.Name:
        yield at
        return
    plain = fields.plain(hint)
    if get_origin(plain) is tuple:
        yield from names_of(get_args(plain)[0], (*at, Each))
    elif get_origin(plain) is dict:
        yield from names_of(get_args(plain)[0], (*at, Key))
    elif isinstance(plain, type) and issubclass(plain, kinds.Model) and not issubclass(plain, kinds.SecretRef):
        yield from names_in(plain, at)


def test_every_name_of_a_document_is_looked_up() -> None:
    """No field can name another document without being checked: those that name something else are listed."""
    written = {(kind, path) for kind, model in kinds.KINDS.items() for path in names_in(model)}
    assert written - NOT_OURS == {(reference.kind, reference.path) for reference in REFERENCES}


def test_a_path_is_spelled_as_people_write_it() -> None:
    """Positions in brackets, and quotes around what is no plain word."""
    assert draft.spelled(("spec", "sites", 1)) == "spec.sites[1]"
    assert draft.spelled(("spec", "floor", "StatefulSet/ledger")) == 'spec.floor["StatefulSet/ledger"]'
    assert draft.spelled(("a\nb",)) == '["a\\nb"]'
    assert len(draft.spelled(("x" * 10**6, "y" * 10**6))) < 10**7
    assert draft.spelled(()) == ""


def test_a_thousand_sites_are_checked_by_look_ups() -> None:
    """A large configuration costs what its size is, not its square: it ends long before a test would be stopped."""
    parts = [TEXT]
    for number in range(1000):
        name = f"office-{number}"
        parts.append(
            "apiVersion: lockstep.dev/v1alpha1\nkind: Site\n"
            f"metadata: {{name: {name}}}\n"
            f"spec: {{git: {{directory: ../{name}/git}}, cluster: {{directory: ../{name}/cluster}}}}\n"
        )
        parts.append(
            "apiVersion: lockstep.dev/v1alpha1\nkind: Pair\n"
            f"metadata: {{name: {name}-sejong}}\nspec: {{primary: {name}, standby: sejong}}\n"
        )
        parts.append(
            "apiVersion: lockstep.dev/v1alpha1\nkind: Application\n"
            f"metadata: {{name: {name}}}\n"
            f"spec: {{source: {{repository: bank/{name}}}, namespace: {name},"
            f" protection: {{{name}-sejong: {{tier: hot}}}}}}\n"
        )
    file = files.File(name="all.yaml", data="---\n".join(parts).encode())
    topology = load.check(files.Files(directory=Path("/etc/lockstep"), files=(file,), problems=(), digest=""))
    assert len(topology.applications) == 1001
