"""What a server said would become of the objects of a deploy, and what follows from that. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from lockstep.manifests import edit, scope
from lockstep.topology import kinds
from lockstep.topology.objects import ObjectPattern
from lockstep.values import Json, ObjectKey
from pipelines.deploy import compare
from pipelines.deploy.models import Hotfix, Live, Refusal, Trial

# What changes by itself with every write, and what a controller says: no part of what a deploy would change.
_BY_ITSELF = ("managedFields", "resourceVersion", "generation")


def places(live: Live, key: ObjectKey, wanted: Json) -> list[edit.Place]:
    """The places of an object that a deploy would change: as its server says, else as far as the manifest tells."""
    there, trial = live.objects.get(key), live.trials.get(key)
    if there is None or trial is None or trial.after is None:
        return compare.changed(there, wanted, exact=live.exact)
    return compare.changed(settled(there), settled(trial.after), exact=True)


def settled(manifest: Mapping[str, Json]) -> dict[str, Json]:
    """An object without its status and what changes with every write."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in _BY_ITSELF}
    return {**{name: value for name, value in manifest.items() if name != "status"}, "metadata": metadata}


def takes_over(
    key: ObjectKey, application: kinds.Application, *, hotfixes: Sequence[Hotfix], heals: Collection[str] = ()
) -> bool:
    """Whether fields of others are taken over: the configuration says so, a person approves, or it is being healed.

    A plan that would overwrite a hot fix waits for a person, so whoever does it has been told to. ``heals`` are
    objects, as their keys are written, that somebody changed at a standby and that are to be as git says again.
    """
    named = any(
        ObjectPattern.parse(text).selects(group=key.group, kind=key.kind, name=key.name)
        for text in application.spec.take_over
    )
    return named or str(key) in heals or any(hotfix.key == key for hotfix in hotfixes)


def refusals(
    live: Live, application: kinds.Application, *, hotfixes: Sequence[Hotfix], heals: Collection[str] = ()
) -> Iterator[Refusal]:
    """Why the server would not do it."""
    for key, trial in sorted(live.trials.items()):
        if trial.problem:
            yield Refusal(key=key, why=trial.problem)
        elif trial.owned and not takes_over(key, application, hotfixes=hotfixes, heals=heals):
            whose = ", ".join(f"{one.field} belongs to {one.manager}" for one in trial.owned)
            remedy = f"Take it out of git, or name {key.kind}/{key.name} in the application's takeOver."
            yield Refusal(key=key, why=f"{whose}. {remedy}")


def untried(live: Live, manifests: Iterable[Mapping[str, Json]], found: Mapping[ObjectKey, Trial]) -> set[ObjectKey]:
    """Objects of which a server can say nothing yet: their namespace or definition is made by the same deploy.

    Args:
        live: What there is.
        manifests: What is wanted.
        found: What the server has said so far.
    """
    wanted = {ObjectKey.of(dict(manifest)): manifest for manifest in manifests}
    coming = {key.name for key in wanted if (key.group, key.kind) == ("", "Namespace") and key not in live.objects}
    defined = {
        defines(manifest)
        for key, manifest in wanted.items()
        if defines(manifest) is not None and (key not in live.objects or _changes(live, key, found))
    }
    return {key for key in wanted if key.namespace in coming or (key.group, key.kind) in defined}


def _changes(live: Live, key: ObjectKey, found: Mapping[ObjectKey, Trial]) -> bool:
    trial = found.get(key)
    return trial is None or trial.after is None or settled(live.objects[key]) != settled(trial.after)


def defines(manifest: Mapping[str, Json]) -> scope.GroupKind | None:
    """The kind that a definition of custom resources defines, by group; None for everything else."""
    if scope.group_kind(manifest) != ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return None
    return str(edit.at(manifest, ("spec", "group"))), str(edit.at(manifest, ("spec", "names", "kind")))
