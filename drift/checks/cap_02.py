"""CAP-02: the quotas and limits of the follower's name spaces admit the application at full size."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from drift.checks import answers, capacity, nodes, templates
from drift.checks.facts import Facts, Ground, Unread
from drift.checks.results import Outcome, Said, Severity
from drift.normalise import quantity, reading
from lockstep.values import Json

ID = "CAP-02"
_FIX = "Raise it at DR, or make the application smaller."
# Resources that a quota may name without "requests." (documentation of Kubernetes, "Resource Quotas").
_PLAIN = ("cpu", "memory", "ephemeral-storage", "pods")


def run(facts: Facts) -> Iterator[Said]:
    """Each quota that is too small, and each container that a limit range forbids."""
    ground = facts.grounds.follower
    gap = nodes.nothing_runs(ground) or ground.gap("", "ResourceQuota") or ground.gap("", "LimitRange")
    if gap is not None:
        yield answers.unread(gap)
        return
    if isinstance(facts.desired, Unread):
        yield answers.unread(facts.desired)
        return
    own = capacity.full_size(facts)
    found = [*_quotas(ground, own), *_ranges(ground, own)]
    yield from answers.listed(found)
    if not found:
        yield answers.passed("the quotas admit the full size")


def _quotas(ground: Ground, own: list[templates.Workload]) -> Iterator[Said]:
    for key, quota in ground.of("", "ResourceQuota"):
        mine = [one for one in own if one.key.namespace == key.namespace]
        if not mine:
            continue
        if reading.at(quota, "spec", "scopes") or reading.at(quota, "spec", "scopeSelector"):
            message = "the quota counts some Pods only, and nobody looked which"
            yield Said(outcome=Outcome.WARN, severity=Severity.MAJOR, message=message, object=str(key))
            continue
        need = _counted(capacity.needed(mine, ground), _limits(mine))
        have = [*capacity.own_running(ground, own, key.namespace)]
        mine_now = _counted(
            templates.total(templates.requests(spec) for spec in have),
            templates.total(templates.limits(spec) for spec in have),
        )
        for name, hard in _numbers(reading.mapping(quota, "spec", "hard")).items():
            if name not in need:
                continue
            used = _numbers(reading.mapping(quota, "status", "used")).get(name, Decimal(0))
            others = max(used - mine_now.get(name, Decimal(0)), Decimal(0))
            if need[name] + others > hard:
                texts = templates.shown({"need": need[name], "left": hard - others})
                message = f"{texts['need']} of {name} are needed, and the quota leaves {texts['left']}"
                shown: dict[str, Json] = {"primary": texts["need"], "dr": texts["left"]}
                yield Said(outcome=Outcome.FAIL, message=message, object=str(key), path=name, fix=_FIX, **shown)


def _limits(own: list[templates.Workload]) -> dict[str, Decimal]:
    return templates.total(templates.times(templates.limits(one.spec), one.replicas) for one in own)


def _counted(asked: templates.Amounts, most: templates.Amounts) -> dict[str, Decimal]:
    """Amounts under every name that a quota may count them by."""
    plain = {name: amount for name, amount in asked.items() if name in _PLAIN}
    requested = {f"requests.{name}": amount for name, amount in asked.items() if name != "pods"}
    return {**plain, **requested, **{f"limits.{name}": amount for name, amount in most.items()}}


def _ranges(ground: Ground, own: list[templates.Workload]) -> Iterator[Said]:
    """Containers above a range's most, or below its least."""
    for key, limit_range in ground.of("", "LimitRange"):
        for rule in reading.entries(limit_range, "spec", "limits"):
            if rule.get("type") != "Container":
                continue
            for one in own:
                if one.key.namespace == key.namespace:
                    yield from _forbidden(str(key), rule, one)


def _forbidden(key: str, rule: dict[str, Json], one: templates.Workload) -> Iterator[Said]:
    most, least = _numbers(reading.mapping(rule, "max")), _numbers(reading.mapping(rule, "min"))
    for container in templates.containers(one.spec):
        limits = _numbers(reading.mapping(container, "resources", "limits"))
        requests = _numbers(reading.mapping(container, "resources", "requests"))
        over = [name for name, amount in most.items() if limits.get(name, requests.get(name, Decimal(0))) > amount]
        under = [name for name, amount in least.items() if name in requests and requests[name] < amount]
        if over or under:
            message = f"{key} forbids what the container asks of {', '.join(sorted({*over, *under}))}"
            path = reading.text(container, "name")
            yield Said(outcome=Outcome.FAIL, message=message, object=str(one.key), path=path, fix=_FIX)


def _numbers(values: dict[str, Json]) -> dict[str, Decimal]:
    found = {name: quantity.number(value) for name, value in values.items()}
    return {name: amount for name, amount in found.items() if amount is not None}
