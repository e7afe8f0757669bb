"""The numbers for Prometheus, read from the store when they are asked for: every process says the same.

A registry of our own is made for each answer, so that nothing is kept in memory and nothing of the library's
defaults is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

import lockstep
from console import evidence
from console.context import Context
from console.evidence import Protected
from drift import preflight
from lockstep import clock
from lockstep.engine.listing import Tally
from lockstep.engine.tables import State
from lockstep.store import approvals, deliveries, hooks, mirrors, notices, preflights, runs, stances
from lockstep.store.views import drift
from lockstep.store.views import mirrors as image_views
from lockstep.topology.model import Topology
from lockstep.values import Severity, Verdict
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
            known = _known(self._context, connection)
            yield from _scans(known, self._context.clock.now())
            yield _findings(drift.counts(connection), known)
            flapping = ((list(place), count) for place, count in drift.flapping(connection).items())
            yield _gauge("findings_flapping", "Differences that come and go.", ["application", "pair"], flapping)
            yield from _reading(known)
            yield from _notices(connection, self._context.clock.now())
            yield from _mirrors(self._context, connection)
            yield from _preflights(preflights.newest(connection), self._context.clock.now())


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
    ages = (([one.kind], clock.age_seconds(one.oldest, now=now)) for one in counts if one.state is State.QUEUED)
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


def _known(context: Context, connection: Connection) -> list[Protected]:
    topology = context.topology()
    return evidence.protected(
        topology,
        stances.in_force(connection, topology.pairs),
        drift.scans_of(connection),
        now=context.clock.now(),
        stale=timedelta(seconds=context.serving.stale_seconds),
    )


def _names(one: Protected) -> list[str]:
    return [one.application.name, one.pair.name]


def _scans(known: Sequence[Protected], now: datetime) -> Iterator[Metric]:
    labels = ["application", "pair"]
    scanned = [(one, one.scan) for one in known if one.scan]
    yield _gauge(
        "drift_verdict",
        "1 for the verdict that fresh evidence proves; Unknown without any.",
        [*labels, "verdict"],
        (([*_names(one), one.proved], 1) for one in known),
    )
    in_step = ((_names(one), float(one.in_step)) for one in known)
    yield _gauge("in_step", "1 when fresh evidence proves that the standby has what it needs.", labels, in_step)
    ages = ((_names(one), clock.age_seconds(scan.ended_at, now=now)) for one, scan in scanned)
    yield _gauge("evidence_age_seconds", "How long ago the newest comparison ended.", labels, ages)
    stale = ((_names(one), float(one.stale or one.scan is None)) for one in known)
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
        # What was in step when it was last seen may be anything now: the time counts until it is proved again.
        (_names(one), 0.0 if one.in_step else clock.age_seconds(scan.in_step_at, now=now))
        for one, scan in scanned
        if scan.in_step_at
    )
    yield _gauge("out_of_parity_seconds", "For how long nobody has proved that the sites are in step.", labels, apart)
    rpos = ((_names(one), one.objectives[1].total_seconds()) for one in known)
    yield _gauge("rpo_seconds", "How much may be lost: the owner's objective, or the preset of the tier.", labels, rpos)


def _findings(counts: Mapping[drift.Counted, int], known: Sequence[Protected]) -> Metric:
    """Findings by verdict. What stale evidence says of them is not told: they are Unknown like everything else."""
    proved = {(one.application.name, one.pair.name) for one in known if one.scan and not one.stale}
    summed: Counter[tuple[str, ...]] = Counter()
    for one, count in counts.items():
        fresh = (one.application, one.pair) in proved
        verdict = one.verdict if fresh else Verdict.UNKNOWN.value
        summed[one.application, one.pair, verdict, Severity.of(one.severity).value] += count
    labels = ["application", "pair", "verdict", "severity"]
    return _gauge("findings", "Differences that are not resolved.", labels, summed.items())


def _reading(known: Sequence[Protected]) -> Iterator[Metric]:
    """What was read: a site that fresh evidence could not read, or that has none, is not readable."""
    fresh = [one for one in known if one.scan and not one.stale]
    objects = ((_names(one), float(one.scan.objects)) for one in fresh if one.scan)
    yield _gauge("objects_compared", "Objects of the newest fresh comparison.", ["application", "pair"], objects)
    gaps = (
        ([*_names(one), read.site], float(len(read.gaps)))
        for one in fresh
        for read in one.coverage.sites
        if read.site in (one.faced.truth, one.faced.follower)
    )
    labels = ["application", "pair", "site"]
    yield _gauge("coverage_gaps", "What should have been read of a site and was not.", labels, gaps)
    read = {site: True for one in known for site in (one.pair.spec.primary, one.pair.spec.standby)}
    for one in known:
        seen = {found.site for found in one.coverage.sites if not found.unread} if one in fresh else set()
        for site in (one.pair.spec.primary, one.pair.spec.standby):
            read[site] = read[site] and site in seen
    rows = (([site], float(is_read)) for site, is_read in read.items())
    yield _gauge(
        "site_readable", "1 when every comparison of a site is fresh and read it; 0 is Unknown.", ["site"], rows
    )


def _notices(connection: Connection, now: datetime) -> Iterator[Metric]:
    labels = ["notification", "channel"]
    channels = notices.all_channels(connection)
    told = CounterMetricFamily(
        "lockstep_notifications", "Attempts to send messages, by what became of them.", labels=[*labels, "result"]
    )
    for one in channels:
        for result, count in (("sent", one.sent), ("failed", one.failed), ("given_up", one.given_up)):
            told.add_metric([one.notification, one.channel, result], count)
    yield told
    failing = (
        ([one.notification, one.channel], clock.age_seconds(one.failing_since, now=now) if one.failing_since else 0.0)
        for one in channels
    )
    yield _gauge("notification_failing_seconds", "For how long a channel takes no messages.", labels, failing)
    waiting = Counter((notification, channel) for _, notification, channel in notices.waiting(connection))
    yield _gauge("notifications_waiting", "Messages that are not sent yet.", labels, waiting.items())


def _preflights(newest: Mapping[str, preflights.Kept], now: datetime) -> Iterator[Metric]:
    """The last verdict of each pair; Unknown once its evidence is too old to stand on."""
    verdicts = (
        ([pair, kept.verdict if now - kept.at <= preflight.TTL else Verdict.UNKNOWN.value], 1)
        for pair, kept in newest.items()
    )
    yield _gauge(
        "preflight_verdict",
        "1 for the verdict of the newest preflight; Unknown once its evidence is too old.",
        ["pair", "verdict"],
        verdicts,
    )
    ages = (([pair], clock.age_seconds(kept.at, now=now)) for pair, kept in newest.items())
    yield _gauge("preflight_age_seconds", "How long ago the newest preflight was made.", ["pair"], ages)


def _mirrors(context: Context, connection: Connection) -> Iterator[Metric]:
    now, topology = context.clock.now(), context.topology()
    found = mirrors.standings(connection)
    labels = ["repository", "site"]
    lags = (([one.repository, one.site], far.total_seconds()) for one in found if (far := one.lag(now)) is not None)
    yield _gauge("git_mirror_lag_seconds", "How far a site's repository is behind its source.", labels, lags)
    checked = (([one.repository, one.site], clock.age_seconds(one.checked_at, now=now)) for one in found)
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
    yield from _images(image_views.images(connection), topology, now)


def _images(found: Sequence[image_views.Images], topology: Topology, now: datetime) -> Iterator[Metric]:
    labels = ["repository", "site"]
    unequal = (([one.repository, one.site], one.references - one.equal) for one in found)
    yield _gauge("images_not_equal", "Tags and digests that a site has not, or has otherwise.", labels, unequal)
    checked = (([one.repository, one.site], clock.age_seconds(one.checked_at, now=now)) for one in found)
    yield _gauge("images_checked_age_seconds", "How long ago a site's images were all looked at.", labels, checked)
    lags = (([one.repository, one.site], far.total_seconds()) for one in found if (far := one.lag(now)) is not None)
    yield _gauge("images_lag_seconds", "For how long the oldest push is not at a site.", labels, lags)
    last = (
        ([one.repository, one.site], took.total_seconds()) for one in found if (took := one.lag_of_newest) is not None
    )
    yield _gauge("images_last_lag_seconds", "From the newest push until it was verified at a site.", labels, last)
    rpos = (
        ([one.repository, one.site], rpo.total_seconds())
        for one in found
        if (rpo := lag.rpo_of_image(topology, one.repository, one.site)) is not None
    )
    yield _gauge("images_rpo_seconds", "How far a site's images may be behind: the pair's RPO.", labels, rpos)
