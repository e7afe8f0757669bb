"""API-04: the admission webhooks of the follower have somebody to ask: else nothing at all is admitted there."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers, nodes
from drift.checks.facts import Ground, Whole
from drift.checks.results import Outcome, Said, Severity
from drift.normalise import reading
from lockstep.values import Json, ObjectKey

ID = "API-04"
_GROUP = "admissionregistration.k8s.io"
_KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_SERVICE = "kubernetes.io/service-name"


def run(whole: Whole) -> Iterator[Said]:
    """Every webhook of the follower without endpoints, and every configuration that only the truth has."""
    ground = whole.grounds.follower
    wanted = [*((_GROUP, kind) for kind in _KINDS), ("discovery.k8s.io", "EndpointSlice")]
    gaps = (nodes.nothing_runs(ground), *(ground.gap(*kind) for kind in wanted))
    gap = next((one for one in gaps if one is not None), None)
    if gap is not None:
        yield answers.unread(gap)
        return
    answering = _answering(ground)
    hooks = [(key, hook) for key, found in _configurations(ground) for hook in reading.entries(found, "webhooks")]
    found = [said for key, hook in hooks if (said := _said(key, hook, answering)) is not None]
    found += _only_at_truth(whole)
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every admission webhook has endpoints", dr=len(hooks))


def _configurations(ground: Ground) -> Iterator[tuple[ObjectKey, dict[str, Json]]]:
    for kind in _KINDS:
        yield from ground.of(_GROUP, kind)


def _said(key: ObjectKey, hook: dict[str, Json], answering: set[tuple[str, str]]) -> Said | None:
    service = reading.mapping(hook, "clientConfig", "service")
    place = (reading.text(service, "namespace"), reading.text(service, "name"))
    if not service or place in answering:
        return None
    # "Fail" is the default since admissionregistration.k8s.io/v1.
    fails = hook.get("failurePolicy", "Fail") == "Fail"
    return Said(
        outcome=Outcome.FAIL if fails else Outcome.WARN,
        severity=None if fails else Severity.MAJOR,
        message=f"the webhook {reading.text(hook, 'name')} has no endpoint at {'/'.join(place)}",
        object=str(key),
        fix="Start what answers it before anything is deployed, or take the webhook out.",
    )


def _answering(ground: Ground) -> set[tuple[str, str]]:
    """The Services with an endpoint that is ready; one that does not say counts as ready (API reference)."""
    return {
        (key.namespace, reading.text(found, "metadata", "labels", _SERVICE))
        for key, found in ground.of("discovery.k8s.io", "EndpointSlice")
        if any(
            reading.at(endpoint, "conditions", "ready") is not False for endpoint in reading.entries(found, "endpoints")
        )
    }


def _only_at_truth(whole: Whole) -> Iterator[Said]:
    truth, follower = ({key for key, _ in _configurations(ground)} for ground in _both(whole))
    for key in sorted(truth - follower):
        yield Said(
            outcome=Outcome.WARN,
            severity=Severity.MAJOR,
            message="only the primary has this webhook",
            object=str(key),
            fix="Install it at DR too, if what is admitted is to be the same.",
        )


def _both(whole: Whole) -> tuple[Ground, Ground]:
    return whole.grounds.truth, whole.grounds.follower
