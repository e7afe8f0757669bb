"""Asking a server what would become of the objects of a deploy, without doing it.

A server knows what nobody else does: its defaults, what belongs to whom, quotas, admission. It is asked about
every object before the first one is written, so that a deploy that cannot end well is not begun.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lockstep import errors
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey
from pipelines.deploy import trials
from pipelines.deploy.models import Live, Trial

# What a server answers when one of its admission webhooks cannot be asked without consequences.
_NO_DRY_RUN = "does not support dry run"


def tried(cluster: ends.Cluster, manifests: Sequence[dict[str, Json]], live: Live, *, at_once: int = 16) -> Live:
    """What there is, with what the server says would become of each object; an end that runs nothing says nothing.

    Args:
        cluster: The server.
        manifests: What it is to have.
        live: What it has.
        at_once: How many it is asked about at the same time.

    Raises:
        TemporaryError: It does not say.
    """
    if not cluster.runs:
        return live
    wanted = {ObjectKey.of(manifest): manifest for manifest in manifests}
    definitions = [key for key, manifest in wanted.items() if trials.defines(manifest)]
    found = _ask(cluster, {key: wanted[key] for key in definitions}, live, at_once)
    later = trials.untried(live, manifests, found)
    rest = {key: manifest for key, manifest in wanted.items() if key not in later and key not in found}
    found |= _ask(cluster, rest, live, at_once)
    return replace(live, trials=found)


def _ask(
    cluster: ends.Cluster, wanted: Mapping[ObjectKey, dict[str, Json]], live: Live, at_once: int
) -> dict[ObjectKey, Trial]:
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="trying") as pool:
        asked = {key: pool.submit(_one, cluster, manifest, live.objects.get(key)) for key, manifest in wanted.items()}
        answers = {key: one.result() for key, one in asked.items()}
    return {key: trial for key, trial in answers.items() if trial is not None}


def _one(cluster: ends.Cluster, manifest: dict[str, Json], there: dict[str, Json] | None) -> Trial | None:
    """What would become of one object; None when the server cannot be asked."""
    try:
        return _trial(cluster.apply(manifest, dry_run=True, before=there or {}))
    except errors.OwnedError as error:
        owned = error.owned
    except errors.TemporaryError:
        raise
    except errors.LockstepError as error:
        return None if _NO_DRY_RUN in error.message else Trial(after=None, problem=str(error))
    try:
        return _trial(cluster.apply(manifest, dry_run=True, before=there or {}, force=True), owned)
    except errors.TemporaryError:
        raise
    except errors.LockstepError as error:
        return Trial(after=None, owned=owned, problem=str(error))


def _trial(applied: ends.Applied, owned: Iterable[errors.Owned] = ()) -> Trial:
    return Trial(after=applied.object, owned=tuple(owned), warnings=applied.warnings)
