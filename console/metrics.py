"""The numbers for Prometheus, read from the store when they are asked for: every process says the same.

A registry of our own is made for each answer, so that nothing is kept in memory and nothing of the library's
defaults is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

import lockstep
from console import evidence
from console.context import Context
from lockstep.engine.listing import Tally
from lockstep.engine.tables import State
from lockstep.store import approvals, deliveries, hooks, mirrors, runs, stances
from lockstep.store.views import drift
from lockstep.store.views import mirrors as image_views
from sync import lag


def registry(context: Context) -> CollectorRegistry:
    """A registry that reads everything when it is collected."""
    made = CollectorRegistry(auto_describe=False)
    made.register(_Numbers(context))
    return made


class _Numbers(Collector):
    """Reads the store once, in one transaction."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def describe(self) -> list[Metric]:
        """Nothing: registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every number."""
        yield _gauge("build_info", "1, with the version of the program.", ["version"], [([lockstep.__version__], 1)])
        yield from _jobs(self._context.queue.counts(), self._context.clock.now())
        problems = len(self._context.problems())
        yield GaugeMetricFamily("lockstep_configuration_problems", "Problems of the files on disk.", value=problems)
        with self._context.database.read() as connection:
            yield _deliveries(deliveries.counts(connection))
            yield from _hooks(hooks.everything(connection))
            yield from _runs(connection)
            yield from _scans(self._context, connection)
            yield _findings(drift.counts(connection))
            yield from _mirrors(self._context, connection)


def _gauge(name: str, help_text: str, labels: Sequence[str], rows: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"lockstep_{name}", help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _deliveries(counts: Mapping[deliveries.State, int]) -> Metric:
    rows = (([state.value], count) for state, count in counts.items())
    return _gauge("deliveries", "Deliveries that are kept, by state.", ["state"], rows)


def _hooks(counts: Mapping[str, hooks.Count]) -> Iterator[Metric]:
    posts = CounterMetricFamily(
        "lockstep_hook_posts", "Posts to hooks, by what became of them.", labels=["hook", "result"]
    )
    for hook, count in counts.items():
        posts.add_metric([hook, "accepted"], count.accepted)
        posts.add_metric([hook, "refused"], count.refused)
    yield posts
    last = (([hook], one.last_accepted_at.timestamp()) for hook, one in counts.items() if one.last_accepted_at)
    yield _gauge("hook_last_accepted_timestamp_seconds", "When a hook was last posted to and believed.", ["hook"], last)


def _jobs(counts: Sequence[Tally], now: datetime) -> Iterator[Metric]:
    rows = (([one.kind, one.state.value], one.count) for one in counts)
    yield _gauge(
        "jobs", "Jobs, by kind and state; those that are queued are the queue's depth.", ["kind", "state"], rows
    )
    ages = (([one.kind], (now - one.oldest).total_seconds()) for one in counts if one.state is State.QUEUED)
    yield _gauge("job_queued_age_seconds", "How long ago the oldest queued job was asked for.", ["kind"], ages)


def _runs(connection: Connection) -> Iterator[Metric]:
    counts = (([state, reason], count) for (state, reason), count in runs.counts(connection).items())
    yield _gauge("runs", "Pipeline runs that are kept, by state and reason.", ["state", "reason"], counts)
    took = (
        ([run.application], (run.ended_at - run.started_at).total_seconds())
        for run in runs.newest_ended(connection)
        if run.started_at and run.ended_at
    )
    yield _gauge("run_last_duration_seconds", "How long the newest ended run took.", ["application"], took)
    pending = approvals.count_pending(connection)
    yield GaugeMetricFamily("lockstep_approvals_pending", "Questions that wait for a person.", value=pending)


def _scans(context: Context, connection: Connection) -> Iterator[Metric]:
    now, topology = context.clock.now(), context.topology()
    known = evidence.protected(
        topology,
        stances.in_force(connection, topology.pairs),
        drift.scans_of(connection),
        now=now,
        stale=timedelta(seconds=context.serving.stale_seconds),
    )
    labels = ["application", "pair"]
    scanned = [([one.application.name, one.pair.name], one.scan) for one in known if one.scan]
    yield _gauge(
        "drift_verdict",
        "1 for the verdict that fresh evidence proves; Unknown without any.",
        [*labels, "verdict"],
        (([one.application.name, one.pair.name, one.proved], 1) for one in known),
    )
    in_step = (([one.application.name, one.pair.name], float(one.in_step)) for one in known)
    yield _gauge("in_step", "1 when fresh evidence proves that the standby has what it needs.", labels, in_step)
    ages = ((names, (now - scan.ended_at).total_seconds()) for names, scan in scanned)
    yield _gauge("evidence_age_seconds", "How long ago the newest comparison ended.", labels, ages)
    stale = (([one.application.name, one.pair.name], float(one.stale or one.scan is None)) for one in known)
    yield _gauge("evidence_stale", "1 when there is no comparison, or it is too old to stand on.", labels, stale)
    yield _gauge(
        "health",
        "1 for how what runs is at a site, by fresh evidence; Unknown without any.",
        [*labels, "site", "health"],
        (
            ([one.application.name, one.pair.name, site, health.value], 1)
            for one in known
            for site, health in one.healths.items()
        ),
    )
    apart = (
        (names, 0.0 if scan.in_step_at == scan.ended_at else (now - scan.in_step_at).total_seconds())
        for names, scan in scanned
        if scan.in_step_at
    )
    yield _gauge("out_of_parity_seconds", "For how long the sites have not been in step.", labels, apart)


def _findings(counts: Mapping[tuple[str, str, str], int]) -> Metric:
    rows = ((key, count) for key, count in counts.items())
    return _gauge("findings", "Differences that are not resolved.", ["application", "pair", "verdict"], rows)


def _mirrors(context: Context, connection: Connection) -> Iterator[Metric]:
    now, topology = context.clock.now(), context.topology()
    found = mirrors.standings(connection)
    labels = ["repository", "site"]
    lags = (
        ([one.repository, one.site], far.total_seconds())
        for one in found
        if (far := evidence.lag(one, now)) is not None
    )
    yield _gauge("git_mirror_lag_seconds", "How far a site's repository is behind its source.", labels, lags)
    checked = (([one.repository, one.site], (now - one.checked_at).total_seconds()) for one in found)
    yield _gauge("git_mirror_checked_age_seconds", "How long ago a site's repository was looked at.", labels, checked)
    last = (
        ([one.repository, one.site], one.lag_of_newest.total_seconds())
        for one in found
        if one.lag_of_newest is not None
    )
    yield _gauge("git_mirror_last_lag_seconds", "From the newest push until it was verified at a site.", labels, last)
    rpos = (
        ([one.repository, one.site], rpo.total_seconds())
        for one in found
        if (rpo := lag.rpo_of(topology, one.repository, one.site)) is not None
    )
    yield _gauge("git_mirror_rpo_seconds", "How far a site's repository may be behind: the pair's RPO.", labels, rpos)
    images = (([one.repository, one.site], one.references - one.equal) for one in image_views.images(connection))
    yield _gauge("images_not_equal", "Tags and digests that a site has not, or has otherwise.", labels, images)
