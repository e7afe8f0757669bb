"""Two ends compared with each other, without git: ``lockstep diff LEFT RIGHT``.

The left one is taken for the primary. What only it has is a hot fix that the other lacks, what only the other
has is drift, and what both have differently has diverged.
"""

from __future__ import annotations

from drift import exclusions, health, implied, inventory, redact, survey
from drift.examine import Examiner
from drift.expected import Rules
from drift.health import Vitals
from drift.implied import SiteFacts
from drift.inventory import Reading
from drift.judging import Context
from drift.normalise import collect
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey


def diff(
    left: ends.Inventory,
    right: ends.Inventory,
    rules: Rules,
    *,
    sealer: redact.Sealer,
    facts: tuple[SiteFacts, SiteFacts] = (SiteFacts(name="left"), SiteFacts(name="right")),
) -> survey.Survey:
    """Compare two inventories whole.

    Args:
        left: What is at the primary, or at the end that is named first.
        right: What is at the other.
        rules: The differences that are expected.
        sealer: Replaces the values of Secrets, on both sides under one key.
        facts: The names of the two ends, and what is known of them as sites.
    """
    truth = inventory.index(left, site=facts[0].name, sealer=sealer)
    follower = inventory.index(right, site=facts[1].name, sealer=sealer)
    everything = [*truth.objects.values(), *follower.objects.values()]
    context = Context(
        truth=facts[0],
        follower=facts[1],
        rules=rules,
        scaled=(implied.scaled(truth.objects), implied.scaled(follower.objects)),
    )
    return survey.survey(
        truth,
        follower,
        examiner=Examiner(context=context, schemas=collect(everything)),
        scope=survey.Scope(whole=True),
    )


def vitals(found: ends.Inventory, *, runs: bool) -> Vitals:
    """How everything that runs at an end is; ``runs`` says whether anything does: files say what should be."""
    if not runs:
        return health.FROM_FILES
    # Nothing of a Secret says how it is, so none has to be sealed.
    keyed = ((inventory.key_of(one), one) for one in found.objects if not redact.is_secret(one))
    objects = {key: one for key, one in keyed if key is not None}
    reading = Reading(site="", objects=objects, gaps=found.gaps, method=found.method)
    return health.of_site(reading, (), belongs=_belongs, standby=False)


def _belongs(key: ObjectKey, manifest: dict[str, Json]) -> bool:
    return not exclusions.is_own_namespace(key.namespace) and not exclusions.reason(manifest, key)
