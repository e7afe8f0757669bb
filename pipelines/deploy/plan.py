"""What a deploy to one site would do, decided from what is wanted and what is there. Pure.

Applying a plan leaves an empty plan. Before anything of the application changes, its record at the site names
every kind and namespace that it has or will have, so that a deploy that ends half-way can still be cleaned up;
afterwards the record names what is left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lockstep import documents, errors
from lockstep.manifests import applyset, desired
from lockstep.topology import direction, kinds, selectors
from lockstep.values import Json, ObjectKey, Tier
from pipelines.deploy import compare, order, pruning, trials, warm
from pipelines.deploy.models import Action, Approval, Hotfix, Live, Plan, Refusal, Step, Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be deployed: a rendering finished for a site, whose it is, and the commit that it is of.

    ``hotfixes`` are the open ones at this site; ``heals`` are objects, as their keys are written, of which a standby
    loses what others have changed; ``full_size`` is for a place where nothing runs, ``ground`` for a
    warm site whose cluster could run it.
    """

    wanted: desired.Desired
    application: kinds.Application
    place: direction.Place
    revision: str
    hotfixes: tuple[Hotfix, ...] = ()
    heals: frozenset[str] = frozenset()
    full_size: bool = False
    ground: bool = False

    @property
    def objects(self) -> tuple[dict[str, Json], ...]:
        """What the site gets: everything at full size where nothing runs before it is needed."""
        if self.ground:
            return warm.ground(self.wanted.full)
        return self.wanted.full if self.full_size or self.place.tier is Tier.WARM else self.wanted.objects


def plan(request: Request, live: Live) -> Plan:
    """Decide what a deploy would do.

    Raises:
        InputError: The wave of an object is not a whole number.
    """
    objects = {ObjectKey.of(manifest): manifest for manifest in request.objects}
    set_ = request.wanted.applyset
    deletion = request.application.spec.deletion
    cut = pruning.prune(live, objects.keys(), set_id=set_.id, deletion=deletion, spared_by=_spared_by(request))
    steps = [step for stage in order.stages(objects.values()) for step in _applied(stage, request, live)]
    stages = [*_staged(steps, objects), *_deletes(cut.deletes, live)]
    after = [*objects, *(kept.key for kept in cut.kept)]
    record = _Record(set_=set_, live=live, revision=request.revision, images=request.wanted.meant)
    return Plan(
        application=request.application.name,
        site=request.place.site,
        revision=request.revision,
        record=set_.parent_key,
        stages=tuple(record.around(stages, after=after, gone=cut.deletes)),
        unchanged=len(objects) - len(steps),
        kept=cut.kept,
        approvals=(*cut.approvals, *_unread(steps, live), *_overwritten(request.hotfixes, stages, live)),
        refusals=tuple(_refusals(request, objects, live)),
        held=bool(request.place.held_by),
        notes=request.wanted.notes,
        digest=_digest(request, objects, [kept.key for kept in cut.kept]),
    )


def narrowed(whole: Plan, only: Collection[str]) -> Plan:
    """A plan that does nothing but write some of its objects: nothing is deleted, and the record stays as it is.

    What stands in the way of another object stands in the way of none of these.

    Args:
        whole: The plan of a deploy.
        only: The objects, as their keys are written.
    """

    def concerns(key: ObjectKey | None) -> bool:
        return key is None or str(key) in only

    stages = [
        tuple(step for step in stage if str(step.key) in only and step.action is not Action.DELETE)
        for stage in whole.stages
    ]
    return replace(
        whole,
        stages=tuple(stage for stage in stages if stage),
        approvals=tuple(one for one in whole.approvals if one.why is not Why.DELETES and concerns(one.key)),
        refusals=tuple(one for one in whole.refusals if concerns(one.key)),
    )


def digest_of(plans: Sequence[Plan]) -> str:
    """One digest for the plans of several sites, in whatever order they are given."""
    return _sha256(sorted([one.site, one.digest] for one in plans))


def _applied(stage: Sequence[dict[str, Json]], request: Request, live: Live) -> Iterator[Step]:
    """The objects of a stage that are not yet as they should be."""
    for manifest in stage:
        key = ObjectKey.of(manifest)
        there = live.objects.get(key)
        step = Step(action=Action.CREATE, key=key, api_version=manifest["apiVersion"], manifest=manifest, before=there)
        places = trials.places(live, key, manifest) if there is not None else []
        if places:
            fields = tuple(selectors.write_pointer(place) for place in places)
            yield replace(
                step,
                action=Action.CHANGE,
                fields=fields,
                force=trials.takes_over(key, request.application, hotfixes=request.hotfixes, heals=request.heals),
            )
        elif there is None:
            yield step


def _staged(steps: Sequence[Step], objects: Mapping[ObjectKey, dict[str, Json]]) -> list[list[Step]]:
    grouped: dict[order.Stage, list[Step]] = {}
    for step in steps:
        grouped.setdefault(order.stage(objects[step.key]), []).append(step)
    return list(grouped.values())


def _deletes(keys: Sequence[ObjectKey], live: Live) -> list[list[Step]]:
    """Deletes in the opposite order of what was applied, after everything else."""
    grouped: dict[order.Stage, list[Step]] = {}
    for key in keys:
        manifest = live.objects[key]
        try:
            stage = order.stage(manifest)
        except errors.InputError:
            # Somebody has written nonsense into it by hand: it goes all the same.
            stage = order.stage({**manifest, "metadata": {}})
        step = Step(action=Action.DELETE, key=key, api_version=manifest["apiVersion"], manifest=None, before=manifest)
        grouped.setdefault(stage, []).append(step)
    return [grouped[stage] for stage in sorted(grouped, reverse=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """The record of the application at the site: the parent object of its set."""

    set_: applyset.ApplySet
    live: Live
    revision: str
    images: Mapping[str, str]

    def around(
        self, stages: Sequence[Sequence[Step]], *, after: Sequence[ObjectKey], gone: Sequence[ObjectKey]
    ) -> Iterator[tuple[Step, ...]]:
        """The stages with the record's own steps: before anything of the application, and after all of it."""
        there = self.live.objects.get(self.set_.parent_key)
        last = self.set_.parent(after, revision=self.revision, images=self.images)
        if stages:
            first = self.set_.parent(
                [*after, *gone],
                revision=applyset.revision_of(there or {}),
                deploying=self.revision,
                images=applyset.images_of(there or {}),
            )
            # The record lives in a namespace that may have to be made first.
            namespaces = 1 if any(step.key.kind == "Namespace" for step in stages[0]) and stages[0][0].manifest else 0
            yield from (tuple(stage) for stage in stages[:namespaces])
            yield from self._step(there, first)
            yield from (tuple(stage) for stage in stages[namespaces:])
            there = first
        yield from self._step(there, last)

    def _step(self, there: dict[str, Json] | None, wanted: dict[str, Json]) -> Iterator[tuple[Step, ...]]:
        key = self.set_.parent_key
        if there is None:
            yield (Step(action=Action.CREATE, key=key, api_version="v1", manifest=wanted),)
            return
        places = compare.changed(there, wanted, exact=self.live.exact)
        if places:
            fields = tuple(selectors.write_pointer(place) for place in places)
            step = Step(
                action=Action.CHANGE,
                key=key,
                api_version="v1",
                manifest=wanted,
                fields=fields,
                before=there,
                force=True,
            )
            yield (step,)


def _unread(steps: Sequence[Step], live: Live) -> Iterator[Approval]:
    """What is there and could not be read may be anything: nobody overwrites it without a person."""
    for step in steps:
        for gap in live.gaps:
            if gap.kind == step.key.kind and gap.hides(step.key) and step.action is Action.CREATE:
                yield Approval(why=Why.UNREADABLE, what=f"{step.key} ({gap.what}: {gap.why})", key=step.key)
                break


def _overwritten(hotfixes: Sequence[Hotfix], stages: Sequence[Sequence[Step]], live: Live) -> Iterator[Approval]:
    steps = {step.key: step for stage in stages for step in stage}
    for hotfix in sorted(set(hotfixes)):
        step = steps.get(hotfix.key)
        if step is None:
            continue
        there, wanted = live.objects.get(step.key), step.manifest
        places = trials.places(live, step.key, wanted)
        if step.action is Action.DELETE or compare.overwrites(places, hotfix.pointer, live=there, wanted=wanted):
            yield Approval(why=Why.HOTFIX, what=f"{hotfix.key} {hotfix.pointer}".rstrip(), key=hotfix.key)


def _spared_by(request: Request) -> str:
    return ", ".join(f"the pair {one.pair} is in the stance {one.stance.value}" for one in request.place.spared_by)


def _refusals(request: Request, objects: Mapping[ObjectKey, dict[str, Json]], live: Live) -> Iterator[Refusal]:
    for held in request.place.held_by:
        yield Refusal(why=f"{request.place.site} is held: the pair {held.pair} is in the stance {held.stance.value}.")
    for problem in request.wanted.problems:
        yield Refusal(key=problem.key, why=problem.why)
    yield from trials.refusals(live, request.application, hotfixes=request.hotfixes, heals=request.heals)
    set_ = request.wanted.applyset
    parent = live.objects.get(set_.parent_key)
    tool = applyset.managed_by_another(parent) if parent is not None else ""
    if tool:
        yield Refusal(why=f"{set_.parent_key} is managed by {tool}. Remove it, or give the application another name.")
    owners = _owners(live)
    for key in objects:
        owner = applyset.member_of(live.objects.get(key, {}))
        if owner not in ("", set_.id):
            who = owners.get(owner, f"another set, {owner}")
            yield Refusal(key=key, why=f"it belongs to {who}. Keep it in one of the two.")


def _owners(live: Live) -> dict[str, str]:
    """Whose sets there are, by their ids."""
    return {
        manifest["metadata"]["labels"][applyset.ID]: f"the application {manifest['data']['application']}"
        for manifest in live.objects.values()
        if applyset.is_parent(manifest) and isinstance((manifest.get("data") or {}).get("application"), str)
    }


def _digest(request: Request, objects: Mapping[ObjectKey, dict[str, Json]], kept: Sequence[ObjectKey]) -> str:
    contents = [[str(key), _sha256(manifest)] for key, manifest in sorted(objects.items())]
    return _sha256([request.application.name, request.place.site, contents, [str(key) for key in kept]])


def _sha256(value: Json) -> str:
    return f"sha256:{hashlib.sha256(documents.canonical(value)).hexdigest()}"
