"""REP-01: replicas at the follower are those of the tier: none, the declared floor, or as at the truth."""

from __future__ import annotations

from collections.abc import Iterator

from drift import implied
from drift.checks import answers, parity
from drift.checks.facts import Desired, Facts, Objects, Unread
from drift.checks.results import Outcome, Said
from drift.normalise import reading
from lockstep.values import Json, ObjectKey, Tier

ID = "REP-01"
_SCALED = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet")})


def run(facts: Facts) -> Iterator[Said]:
    """Every workload whose replicas are not what its tier wants."""
    if isinstance(facts.desired, Unread):
        yield answers.unread(facts.desired)
        return
    if facts.tier is Tier.WARM:
        yield from _warm(facts, facts.desired)
        return
    gap = parity.gap_of((*facts.live[0].gaps, *facts.live[1].gaps), "apps", "Deployment")
    wrong = [answers.unread(gap)] if gap else []
    wrong += _running(facts, facts.desired)
    yield from answers.listed(wrong)
    if not wrong:
        yield answers.passed("replicas are those of the tier")


def _running(facts: Facts, desired: Desired) -> Iterator[Said]:
    """Between the floor and the truth's count for a hot follower, as many as the truth for an active one."""
    truth, follower = facts.live[0].objects, facts.live[1].objects
    scaled = (implied.scaled(truth), implied.scaled(follower))
    for key, manifest in _workloads(desired.follower):
        there = follower.get(key)
        if there is None:
            continue  # that it is missing is said elsewhere
        has, least = _replicas(there), _replicas(manifest)
        wanted = _replicas(truth[key]) if key in truth else _replicas(desired.truth.get(key, manifest))
        if key in scaled[1] or key in scaled[0]:
            low, high = scaled[1].get(key, scaled[0].get(key, (least, wanted)))
            fits = low <= has <= high
        else:
            fits = has >= wanted if facts.tier is Tier.ACTIVE else has >= min(least, wanted)
        if not fits:
            message = f"{has} replicas where the tier {facts.tier.value} wants {_wanted(facts, least, wanted)}"
            fix = "Deploy the application to DR again, or find out who scaled it."
            yield Said(outcome=Outcome.FAIL, message=message, object=str(key), primary=wanted, dr=has, fix=fix)


def _wanted(facts: Facts, least: int, wanted: int) -> int:
    return wanted if facts.tier is Tier.ACTIVE else min(least, wanted)


def _warm(facts: Facts, desired: Desired) -> Iterator[Said]:
    """Nothing of a warm application runs in the follower's cluster."""
    ground = facts.grounds.follower
    gap = ground.gap("", "Pod")
    if gap is not None and not gap.impossible:
        yield answers.unread(gap)
        return
    namespaces = {key.namespace for key, _ in _workloads(desired.full)}
    running = [key for key, pod in ground.of("", "Pod") if key.namespace in namespaces and _is_alive(pod)]
    for key in running[: answers.MOST]:
        yield Said(outcome=Outcome.FAIL, message="it runs at a warm site", object=str(key), dr="runs", fix="Stop it.")
    if not running:
        yield answers.passed("nothing runs at the warm site", dr=0)


def _is_alive(pod: dict[str, Json]) -> bool:
    return reading.text(pod, "status", "phase") not in ("Succeeded", "Failed")


def _workloads(objects: Objects) -> Iterator[tuple[ObjectKey, dict[str, Json]]]:
    yield from ((key, one) for key, one in sorted(objects.items()) if (key.group, key.kind) in _SCALED)


def _replicas(manifest: dict[str, Json]) -> int:
    """The replicas that a workload asks for; one where it says nothing (API reference, ``spec.replicas``)."""
    found = reading.at(manifest, "spec", "replicas")
    return found if isinstance(found, int) and not isinstance(found, bool) else 1
