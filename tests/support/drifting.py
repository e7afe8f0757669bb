"""Reports with something of everything, made without a site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from drift.health import Unwell, Vitals
from drift.report import Compared, Entry, Report, RuleNote
from drift.rows import Row
from drift.running import Container, Running
from lockstep.values import Health, Json, ObjectKey, Verdict

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SITES = ("seoul", "sejong")


_VITALS = Vitals(
    health=Health.DEGRADED,
    judged=14,
    ailing=12,
    unwell=tuple(
        Unwell(
            key=ObjectKey(group="apps", kind="Deployment", namespace="pay", name=f"worker-{number}"),
            health=Health.DEGRADED,
            why=f"has 0 of 1 replicas available; Pod worker-{number}-x: cannot start worker: CrashLoopBackOff",
        )
        for number in range(12)
    ),
)


_TAGGED = Container(
    key=ObjectKey(group="apps", kind="Deployment", namespace="pay", name="proxy"),
    container="proxy",
    image="proxy:1",
    digests={"seoul": (f"sha256:{'a' * 64}",), "sejong": (f"sha256:{'b' * 64}",)},
    said="different",
)


def compared(
    verdict: Verdict = Verdict.PRIMARY_HOTFIX,
    *,
    application: str = "pay",
    pair: str = "seoul-sejong",
    problem: str = "",
    stale: bool = False,
) -> Compared:
    """A comparison that took two seconds and ended a minute ago."""
    return Compared(
        application=application,
        pair=pair,
        sites=SITES,
        verdict=Verdict.UNKNOWN if stale else verdict,
        was=verdict,
        stance="normal",
        revision="c" * 40,
        problem=problem,
        objects=12,
        explained=1,
        health={"seoul": "Degraded", "sejong": "NotApplicable"},
        coverage={
            "sites": {"seoul": {"objects": 12, "certificates": [_certificate(3), _certificate(300)]}},
            "health": {},
        },
        started_at=NOW - timedelta(seconds=62),
        ended_at=NOW - timedelta(seconds=60),
        stale=stale,
        vitals={"seoul": _VITALS},
        running=Running(containers=1, different=(_TAGGED,), listed=(_TAGGED,)),
    )


def _certificate(days: int) -> dict[str, Json]:
    """A certificate that ends in so many days."""
    ends = NOW + timedelta(days=days)
    return {"namespace": "pay", "name": f"tls-{days}", "key": "tls.crt", "expires": ends.isoformat()}


def entry(
    verdict: Verdict = Verdict.PRIMARY_HOTFIX,
    *,
    name: str = "api",
    path: str = "spec.replicas",
    values: dict[str, Json] | None = None,
    note: str = "",
    state: str = "open",
    by: str = "",
    pair: str = "seoul-sejong",
    application: str = "pay",
) -> Entry:
    """A difference of a Deployment, first seen an hour ago."""
    shown = {"gitPrimary": 3, "primary": 5, "gitStandby": 3, "standby": 3} if values is None else values
    return Entry(
        application=application,
        sites=SITES,
        row=Row(
            pair=pair,
            verdict=verdict,
            key=ObjectKey(group="apps", kind="Deployment", namespace="pay", name=name),
            site="seoul",
            path=f"/{path.replace('.', '/')}" if path else "",
            people_path=path,
            values=shown,
            note=note,
        ),
        finding=7,
        state=state,
        by=by,
        since=NOW - timedelta(hours=1),
        last_seen=NOW - timedelta(seconds=60),
    )


def report(*entries: Entry, verdict: Verdict = Verdict.PRIMARY_HOTFIX, problem: str = "") -> Report:
    """A report of one comparison; without entries, of one with something of everything."""
    found = entries or (
        entry(),
        entry(Verdict.MISSING_AT_STANDBY, name="job", path="", values={"primary": "(the object)"}),
        entry(Verdict.STANDBY_DRIFT, name="web", path="spec.paused", values={"standby": True}, note="nobody knows"),
    )
    explained = entry(
        Verdict.IN_SYNC,
        name="api",
        path="spec.template.spec.containers[api].image",
        values={"gitPrimary": "a/api", "primary": "a/api", "gitStandby": "b/api", "standby": "b/api"},
        note="imagePrefix of the sites",
    )
    return Report(
        made_at=NOW,
        compared=(compared(verdict, problem=problem),),
        differences=found,
        declared=(entry(Verdict.DECLARED, name="api", path="spec.strategy.type"),),
        explained=(explained,),
        rules=(RuleNote(application="pay", pair="seoul-sejong", rule="old", problem="expired", message="It expired."),),
    )
