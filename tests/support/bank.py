"""A bank with three sites, as the store and the configuration would show it in the middle of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from lockstep.engine.tables import jobs
from lockstep.store import tables
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from tests.support.topologies import topology

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
COMMIT = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
OLDER = "bffeb74224043ba2feb48d137756c8a9331c449a"
DIGEST = "sha256:" + "4c0d" * 16
SEOUL_IMAGE = f"registry.seoul.example/prod/pay/api@{DIGEST}"
LIMITS = {"data": {"daily": "5000000", "once": "1000000"}}
HEADERS = {"x-hub-signature-256": "(not kept)", "user-agent": "GitHub-Hookshot/044aadd"}
MOVES_NOTHING = "the event 'issues' moves no ref"
STAGES = (
    *("source-get-from-git", "source-validation-check", "source-build", "container-image-build"),
    *("image-push", "approve", "cluster-deploy"),
)


def ago(**length: float) -> datetime:
    """A moment before the bank's now: ``ago(minutes=3)``."""
    return NOW - timedelta(**length)


def configuration() -> Topology:
    """Two pairs, three applications, a forge and a registry."""

    def site(name: str, region: str) -> tuple[str, str, dict[str, Any]]:
        return "Site", name, {"cluster": {"directory": f"/sites/{name}"}, "values": {"region": region}}

    def application(name: str, **protection: str) -> tuple[str, str, dict[str, Any]]:
        spec = {
            "source": {"repository": f"bank/{name}", "path": "deploy"},
            "namespace": name,
            "images": [{"name": f"{name}/api"}],
            "pipeline": {"name": "deliver"},
            "protection": {pair.replace("_", "-"): {"tier": tier} for pair, tier in protection.items()},
        }
        return "Application", name, spec

    secret = {"secrets": [{"env": "HOOK"}]}
    return topology(
        site("seoul", "kr-1"),
        site("sejong", "kr-2"),
        site("daegu", "kr-3"),
        ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
        ("Pair", "seoul-daegu", {"primary": "seoul", "standby": "daegu"}),
        application("pay", seoul_sejong="hot", seoul_daegu="warm"),
        application("ledger", seoul_sejong="active"),
        application("notice", seoul_sejong="hot"),
        ("Webhook", "forge", {"provider": "github", **secret}),
        ("Webhook", "registry", {"provider": "distribution", **secret}),
    )


def fill(database: Database) -> None:
    """Write what a busy morning leaves behind."""
    with database.write() as connection:
        _stances(connection)
        _mirrors(connection)
        _runs(connection)
        _drift(connection)
        _deployments(connection)
        _deliveries(connection)
        _jobs(connection)


def _stances(connection: Connection) -> None:
    for pair, stance in (("seoul-sejong", "normal"), ("seoul-daegu", "drill")):
        values = {
            "pair": pair,
            "generation": 1,
            "stance": stance,
            "reason": "yearly drill",
            "by": "kim",
            "at": ago(hours=2),
        }
        connection.execute(tables.stances.insert().values(values))


def _mirrors(connection: Connection) -> None:
    for name, changed in (("bank/pay", 12), ("bank/ledger", 300), ("bank/notice", 4000)):
        values = {
            "repository": name,
            "head": "refs/heads/main",
            "checked_at": ago(minutes=1),
            "changed_at": ago(minutes=changed),
        }
        connection.execute(tables.git_sources.insert().values(**values, refs={"refs/heads/main": COMMIT}))
    for name in ("bank/pay", "bank/ledger", "bank/notice"):
        for site in ("seoul", "sejong", "daegu"):
            held = (name, site) == ("bank/pay", "daegu")
            state = "held" if held else "unreachable" if (name, site) == ("bank/ledger", "daegu") else "equal"
            detail = [{"ref": "refs/heads/main", "why": "the pair seoul-daegu is in a drill"}] if held else []
            connection.execute(
                tables.git_mirrors.insert().values(
                    repository=name,
                    site=site,
                    state=state,
                    detail=detail,
                    head="refs/heads/main",
                    refs=14,
                    checked_at=ago(minutes=1),
                    equal_at=ago(hours=3),
                    behind_since=None if state == "equal" else ago(minutes=12),
                    lag_seconds=90.0,
                )
            )
    moving = {"began_at": ago(minutes=4), "told_at": ago(seconds=1)}
    copying = {"stage": "copying", "done": 3 * 2**28, "total": 2**30, "size": 3 * 2**28}
    writing = {"stage": "writing", "done": 4_200, "total": 12_000, "size": 80 * 2**20}
    connection.execute(
        tables.transfers.insert(),
        [
            {"kind": "images", "repository": "notice/api", "site": "", **copying, **moving},
            {"kind": "git", "repository": "bank/notice", "site": "daegu", **writing, **moving},
        ],
    )
    for name in ("pay/api", "ledger/api", "notice/api"):
        for site in ("sejong", "daegu"):
            for tag in ("1.4.1", "1.4.2"):
                failed = (name, site, tag) == ("pay/api", "daegu", "1.4.2")
                connection.execute(
                    tables.image_mirrors.insert().values(
                        repository=name,
                        reference=tag,
                        site=site,
                        digest=DIGEST,
                        bytes_sent=48_300_000,
                        state="failed" if failed else "equal",
                        checked_at=ago(minutes=2),
                        verified_at=ago(minutes=2),
                        pushed_at=ago(minutes=6),
                        equal_at=None if failed else ago(minutes=2),
                        detail="the registry did not answer within 30 s" if failed else "",
                    )
                )


def run(connection: Connection, name: str, **changes: Any) -> int:
    """One run of the seven stages; gives its id."""
    tasks = [{"name": stage, **({"runAfter": [before]} if before else {})} for before, stage in _followed(STAGES)]
    values: dict[str, Any] = {
        "name": name,
        "pipeline": "deliver",
        "application": "pay",
        "revision": COMMIT,
        "cause": {"by": "kim", "kind": "push", "ref": "refs/heads/main"},
        "snapshot": {"kind": "PipelineRun", "pipeline": {"tasks": tasks, "finally": [{"name": "notify"}]}},
        "state": "ended",
        "status": "True",
        "reason": "Succeeded",
        "created_at": ago(minutes=30),
        "started_at": ago(minutes=30),
        "ended_at": ago(minutes=24),
        **changes,
    }
    return int(connection.execute(tables.runs.insert().values(values).returning(tables.runs.c.id)).scalar_one())


def task(connection: Connection, number: int, name: str, **changes: Any) -> int:
    """One task of a run; gives its id."""
    values: dict[str, Any] = {
        "run": number,
        "pipeline_task": name,
        "name": f"{number}-{name}",
        "kind": "TaskRun",
        "section": "tasks",
        "state": "ended",
        "status": "True",
        "reason": "Succeeded",
        "attempt": 1,
        "created_at": ago(minutes=11),
        "started_at": ago(minutes=11),
        "ended_at": ago(minutes=10),
        **changes,
    }
    return int(connection.execute(tables.tasks.insert().values(values).returning(tables.tasks.c.id)).scalar_one())


def log(connection: Connection, number: int, step: str, lines: Sequence[str]) -> None:
    """Lines that a step of a task wrote."""
    for index, line in enumerate(lines):
        values = {
            "task": number,
            "attempt": 1,
            "step": step,
            "at": ago(minutes=10, seconds=-index),
            "text": f"{line}\n",
        }
        connection.execute(tables.logs.insert().values(values))


def _followed(stages: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(("", *stages), stages, strict=False))


def _runs(connection: Connection) -> None:
    run(connection, "pay-deliver-x7k2p", revision=OLDER, cause={"by": "lee", "kind": "push"})
    failed = run(
        connection,
        "ledger-deliver-9fh4z",
        application="ledger",
        status="False",
        reason="Failed",
        message="Tasks Completed: 3 (Failed: 1, Cancelled 0), Skipped: 4",
        created_at=ago(minutes=20),
        started_at=ago(minutes=20),
        ended_at=ago(minutes=18),
    )
    for stage in STAGES[:2]:
        task(connection, failed, stage)
    broken = task(
        connection, failed, STAGES[2], status="False", reason="Failed", message='step "compile" exited with 2'
    )
    _step(connection, broken, "compile", 2, "Error")
    log(connection, broken, "compile", ["npm ci", "added 214 packages in 3s", "src/ledger.ts(41,7): error TS2322"])
    waiting = run(
        connection,
        "pay-deliver-m3v8q",
        state="running",
        status="Unknown",
        reason="Running",
        ended_at=None,
        started_at=ago(minutes=11),
        created_at=ago(minutes=11),
        message="Tasks Completed: 5 (Failed: 0, Cancelled 0), Incomplete: 2, Skipped: 0",
    )
    for stage in STAGES[:5]:
        done = task(connection, waiting, stage)
        _step(connection, done, "run", 0, "Completed")
        log(connection, done, "run", [f"{stage}: started", "커밋을 확인했습니다 6113728f27", "done"])
    asked = task(
        connection,
        waiting,
        "approve",
        kind="CustomRun",
        detail={"sites": PLANNED},
        state="waiting",
        status="Unknown",
        reason="Pending",
        ended_at=None,
        started_at=ago(minutes=9),
    )
    connection.execute(
        tables.approvals.insert().values(
            run=waiting,
            task=asked,
            kind="approval",
            question="Deploy pay 1.4.2 to seoul and sejong?",
            needed=1,
            approvers=["dr-manager", "kim"],
            state="pending",
            asked_at=ago(minutes=9),
            bound=BOUND,
        )
    )


BOUND: Mapping[str, Any] = {
    "commit": COMMIT,
    "digests": {"pay/api": DIGEST},
    "plan": "sha256:" + "9e1f" * 16,
    "needs": ["seoul: the hot fix of Deployment pay/api /spec/template/spec/containers/0/env/3/value is overwritten"],
}
PLANNED = {
    "seoul": {
        "tier": "truth",
        "plan": {
            "steps": [
                {"action": "create", "object": "ConfigMap pay/limits", "fields": []},
                {
                    "action": "change",
                    "object": "Deployment.apps pay/api",
                    "fields": ["/spec/template/spec/containers/0/image"],
                },
                {"action": "delete", "object": "ConfigMap pay/old", "fields": []},
            ],
            "unchanged": 39,
            "approvals": [{"why": "hotfix", "what": "the hot fix of env TIMEOUT is overwritten"}],
            "kept": [{"object": "PersistentVolumeClaim pay/data", "why": "volume claims are deleted by name only"}],
            "notes": [],
            "refusals": [],
        },
        "missing": [],
        "held": "",
        "problem": "",
    },
    "sejong": {
        "tier": "hot",
        "plan": {
            "steps": [
                {
                    "action": "change",
                    "object": "Deployment.apps pay/api",
                    "fields": ["/spec/template/spec/containers/0/image"],
                }
            ],
            "unchanged": 41,
            "approvals": [],
        },
        "missing": ["pay/api@" + DIGEST],
    },
    "daegu": {
        "tier": "warm",
        "plan": None,
        "held": "the pair seoul-daegu is in the stance drill",
        "problem": "daegu did not answer",
    },
}


def _step(connection: Connection, number: int, name: str, code: int, reason: str) -> None:
    connection.execute(
        tables.steps.insert().values(
            task=number,
            attempt=1,
            position=0,
            name=name,
            image="docker.io/library/node:22",
            state="ended",
            exit_code=code,
            reason=reason,
            started_at=ago(minutes=11),
            ended_at=ago(minutes=10),
        )
    )


_WELL = {"health": "Healthy", "why": "", "judged": 9, "ailing": 0, "unwell": []}
_CRASHING = {
    "group": "apps",
    "kind": "Deployment",
    "namespace": "pay",
    "name": "api",
    "health": "Degraded",
    "why": "has 0 of 2 replicas available; Pod api-6d4f-x2v9k: cannot start api: CrashLoopBackOff",
}
_TAGGED = {
    "group": "apps",
    "kind": "Deployment",
    "namespace": "pay",
    "name": "proxy",
    "container": "proxy",
    "image": "proxy:1",
    "digests": {"seoul": [f"sha256:{'a' * 64}"]},
    "said": "different",
}
RUNNING = {"containers": 1, "notComparable": 0, "different": [_TAGGED], "listed": [_TAGGED]}
VITALS = {
    "Healthy": {"seoul": _WELL, "sejong": _WELL},
    "Degraded": {
        "seoul": _WELL,
        "sejong": {"health": "Degraded", "why": "", "judged": 9, "ailing": 1, "unwell": [_CRASHING]},
    },
    "NotApplicable": {
        "seoul": _WELL,
        "daegu": {
            "health": "NotApplicable",
            "why": "it is not known from files",
            "judged": 0,
            "ailing": 0,
            "unwell": [],
        },
    },
}
"""What scans say of the health at both sites, by that of the standby."""
STANDBYS = {"seoul-sejong": "sejong", "seoul-daegu": "daegu"}


def _drift(connection: Connection) -> None:
    for application, pair, verdict, minutes, problem, health in (
        ("pay", "seoul-sejong", "PrimaryHotfix", 2, "", "Degraded"),
        ("pay", "seoul-daegu", "Dispersed", 2, "", "NotApplicable"),
        ("ledger", "seoul-sejong", "InSync", 3, "", ""),
        ("notice", "seoul-sejong", "InSync", 190, "sejong did not answer since 06:20", "Healthy"),
    ):
        scan(
            connection,
            application,
            pair,
            verdict=verdict,
            problem=problem,
            coverage={
                "health": {"seoul": "Healthy", STANDBYS[pair]: health},
                "vitals": VITALS.get(health, {}),
                "running": RUNNING,
            }
            if health
            else {},
            started_at=ago(minutes=minutes, seconds=2),
            ended_at=ago(minutes=minutes),
        )
    finding(
        connection,
        "a",
        verdict="PrimaryHotfix",
        site="seoul",
        path="/spec/template/spec/containers/0/env/3/value",
        people_path="container api: env TIMEOUT",
        values={"gitPrimary": "30s", "primary": "90s", "gitStandby": "30s", "standby": "30s"},
    )
    finding(
        connection,
        "b",
        verdict="StandbyDrift",
        site="sejong",
        path="/spec/template/spec/containers/0/image",
        people_path="container api: image",
        values={
            "gitPrimary": SEOUL_IMAGE,
            "primary": SEOUL_IMAGE,
            "gitStandby": f"registry.sejong.example/prod/pay/api@{DIGEST}",
            "standby": "registry.sejong.example/prod/pay/api:latest",
        },
    )
    finding(
        connection,
        "c",
        verdict="MissingAtStandby",
        kind="ConfigMap",
        name="limits",
        site="sejong",
        path="",
        values={"gitPrimary": LIMITS, "primary": LIMITS},
    )


def scan(connection: Connection, application: str, pair: str, **changes: Any) -> None:
    """The newest comparison of an application over a pair."""
    values: dict[str, Any] = {
        "application": application,
        "pair": pair,
        "verdict": "InSync",
        "revision": COMMIT,
        "stance": "normal",
        "objects": 42,
        "problem": "",
        "coverage": {},
        "counts": {"explained": 2},
        "started_at": ago(minutes=2, seconds=2),
        "ended_at": ago(minutes=2),
        "in_step_at": ago(hours=5),
        **changes,
    }
    connection.execute(tables.scans.insert().values(values))


def finding(connection: Connection, fingerprint: str, **changes: Any) -> None:
    """One open finding."""
    values: dict[str, Any] = {
        "fingerprint": fingerprint,
        "application": "pay",
        "pair": "seoul-sejong",
        "verdict": "StandbyDrift",
        "group": "apps",
        "kind": "Deployment",
        "namespace": "pay",
        "name": "api",
        "site": "sejong",
        "path": "/spec/replicas",
        "severity": 5.0,
        "state": "open",
        "first_seen": ago(hours=7),
        "last_seen": ago(minutes=2),
        **changes,
    }
    connection.execute(tables.findings.insert().values(values))


def _deployments(connection: Connection) -> None:
    for site, revision, minutes in (("seoul", OLDER, 1400), ("sejong", OLDER, 1395)):
        connection.execute(
            tables.deployments.insert().values(
                application="pay",
                site=site,
                revision=revision,
                images={"pay/api": DIGEST},
                run="pay-deliver-x7k2p",
                state="done",
                objects=42,
                changed=3,
                started_at=ago(minutes=minutes + 1),
                ended_at=ago(minutes=minutes),
            )
        )


def _deliveries(connection: Connection) -> None:
    pushed = {
        "type": "GitPush",
        "repository": "bank/pay",
        "ref": "refs/heads/main",
        "kind": "branch",
        "action": "update",
        "before": OLDER,
        "after": COMMIT,
        "forced": False,
        "reason": "",
        "wakes": [{"kind": "git.fetch", "repository": "bank/pay"}],
    }
    body = b'{"ref": "refs/heads/main", "repository": {"full_name": "bank/pay"}, "pusher": {"name": "\xea\xb9\x80"}}'
    for number, (state, event, reason, events) in enumerate(
        (
            ("done", "push", "", [pushed]),
            (
                "ignored",
                "issues",
                "the event 'issues' moves no ref",
                [{"type": "Nothing", "reason": "the event 'issues' moves no ref", "wakes": []}],
            ),
            ("failed", "push", "The body is not JSON: unexpected end of data", []),
            ("received", "push", "", []),
        )
    ):
        connection.execute(
            tables.deliveries.insert().values(
                hook="forge",
                provider="github",
                delivery=f"72d3162e-cc78-11e3-81ab-{number:012}",
                event=event,
                body=body,
                headers={"x-github-event": event, **HEADERS},
                received_at=ago(minutes=12 - number),
                state=state,
                reason=reason,
                events=events,
                done_at=None if state == "received" else ago(minutes=12 - number),
                duplicates=1 if number == 0 else 0,
            )
        )
    connection.execute(
        tables.hooks.insert().values(
            hook="forge",
            accepted=218,
            refused=3,
            last_accepted_at=ago(minutes=9),
            last_refused_at=ago(hours=3),
            last_refusal="its signature is not ours",
        )
    )


def _jobs(connection: Connection) -> None:
    for number, (kind, state, message) in enumerate(
        (
            ("git.fetch", "done", ""),
            ("git.fetch", "queued", ""),
            ("drift.scan", "failed", "UnreachableError: sejong did not answer within 10 s. Check the line."),
            ("drift.scan", "done", ""),
        ),
        start=1,
    ):
        values = {"kind": kind, "state": state, "message": message, "payload": {"application": "notice"}}
        moments = {"run_at": ago(hours=2), "latest_at": ago(hours=2), "created_at": ago(hours=2)}
        ended = None if state == "queued" else ago(hours=1)
        more = {"id": number, "attempts": 5, "coalesce_key": f"{kind}:{number}", "ended_at": ended}
        connection.execute(jobs.insert().values(**values, **moments, **more))
