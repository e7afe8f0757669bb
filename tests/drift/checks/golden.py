"""Reads the folders beside this file: for each check, cases of facts and of what the check says of them.

A case is one YAML file. What it leaves out is empty, read, and in order. ``expected`` lists outcome, severity and,
where there is one, the object, in the order of a report. A key with ``unread`` in it could not be gathered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drift import inventory, preflight, redact
from drift.certificates import Certificate
from drift.checks import facts
from drift.checks.facts import Facts, Ground, Grounds, Unread, Whole
from drift.checks.results import Result
from drift.inventory import Reading
from drift.pulling import PullSecret
from drift.report import Compared, Entry
from drift.rows import Row
from drift.running import Running
from lockstep import documents
from lockstep.sites import ends
from lockstep.topology import direction
from lockstep.topology.kinds import Pair
from lockstep.values import Json, ObjectKey, Stance, Verdict
from tests.support import configured

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEALER = redact.Sealer(b"a key of this installation")
PAIR = Pair.model_validate(
    {
        "apiVersion": "lockstep.dev/v1alpha1",
        "kind": "Pair",
        "metadata": {"name": "seoul-sejong"},
        "spec": {"primary": "seoul", "standby": "sejong"},
    }
)


def cases() -> list[Path]:
    """Every case, by check."""
    return sorted(FOLDER.glob("*-*/*.yaml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file."""

    check: str
    about: str
    given: Mapping[str, Any]
    expected: list[str]

    @classmethod
    def read(cls, path: Path) -> Case:
        """The case in a file."""
        (document,) = documents.read(path.read_bytes(), file=str(path))
        given = dict(document.value)
        return cls(check=path.parent.name, about=given.pop("about"), expected=given.pop("expected"), given=given)

    def whole(self) -> Whole:
        """The facts."""
        return whole(self.given)

    def results(self) -> list[Result]:
        """What the check says of the facts."""
        return [one for one in preflight.evaluate(self.whole()) if one.check == self.check]


def line(result: Result) -> str:
    """A result as a case writes it."""
    return " ".join(part for part in (result.outcome.value, result.severity.value, result.said.object) if part)


def whole(given: Mapping[str, Any]) -> Whole:
    """Facts of a pair from what a case gives."""
    faced = direction.direction_of(PAIR, Stance(given.get("stance", "normal")))
    both = Grounds(
        truth=_ground(faced.truth, given.get("truthGround", {})),
        follower=_ground(faced.follower, given.get("followerGround", {})),
    )
    days = given.get("drilledDaysAgo", 1)
    return Whole(
        faced=faced,
        now=NOW,
        grounds=both,
        applications=(_facts(given, faced, both),),
        drilled_at=None if days is None else NOW - timedelta(days=days),
    )


def _facts(given: Mapping[str, Any], faced: direction.Direction, both: Grounds) -> Facts:
    spec = {"namespace": "shop", "source": {"repository": "shop"}, **given.get("application", {})}
    protection = configured.protection(tier=given.get("tier", "hot"), **given.get("protection", {}))
    return Facts(
        application=configured.application("shop", **spec),
        faced=faced,
        protection=protection,
        now=NOW,
        grounds=both,
        parity=_unread(given, "parity") or _parity(given, faced),
        desired=_unread(given, "git") or _desired(given.get("git", {})),
        live=(_reading(faced.truth, given.get("truth", {})), _reading(faced.follower, given.get("follower", {}))),
        images=_unread(given, "images") or _images(given.get("images", {})),
        mirrors=_unread(given, "mirrors") or _mirrors(given, faced),
        deployed=_deployed(given, faced),
        rehearsed=_unread(given, "rehearsed") or given.get("rehearsed", {"Deployment.apps shop/web": ""}),
    )


def _unread(given: Mapping[str, Any], name: str) -> Unread | None:
    part = given.get(name)
    if not isinstance(part, dict) or "unread" not in part:
        return None
    return Unread(why=part["unread"], denied=part.get("denied", False), impossible=part.get("impossible", False))


def _parity(given: Mapping[str, Any], faced: direction.Direction) -> facts.Parity:
    part = given.get("parity", {})
    found = tuple(_entry(one, faced) for one in part.get("differences", ()))
    verdict = Verdict(part["verdict"]) if "verdict" in part else Verdict.worst(one.row.verdict for one in found)
    compared = Compared(
        application="shop",
        pair=PAIR.name,
        sites=(faced.truth, faced.follower),
        verdict=verdict,
        was=verdict,
        stance=faced.stance.value,
        revision="a" * 40,
        problem=part.get("problem", ""),
        objects=3,
        explained=0,
        health={},
        coverage={},
        started_at=NOW,
        ended_at=NOW,
        running=Running.from_json(part.get("running", {})),
    )
    return facts.Parity(compared=compared, differences=found)


def _entry(one: Mapping[str, Any], faced: direction.Direction) -> Entry:
    sides = {"primary": one["primary"]} if "primary" in one else {}
    sides |= {"standby": one["dr"]} if "dr" in one else {}
    row = Row(
        pair=PAIR.name,
        verdict=Verdict(one["verdict"]),
        key=key(one["object"]),
        site=one.get("site", faced.follower),
        path=one.get("path", ""),
        people_path=one.get("path", "").strip("/").replace("/", "."),
        managed=one.get("managed", True),
        values=sides,
        note=one.get("note", ""),
    )
    return Entry(
        application="shop",
        sites=(faced.truth, faced.follower),
        row=row,
        state=one.get("state", "open"),
        by=one.get("by", ""),
        said=one.get("reason", ""),
        since=NOW - timedelta(hours=2),
    )


def key(text: str) -> ObjectKey:
    """``Deployment.apps shop/web`` as a key; ``* */*`` for what is not known."""
    kind, _, place = text.partition(" ")
    kind, _, group = kind.partition(".")
    namespace, slash, name = place.rpartition("/")
    return ObjectKey(group=group, kind=kind, namespace=namespace if slash else "", name=name)


def _desired(part: Mapping[str, Any]) -> facts.Desired:
    objects = _keyed(part.get("objects", ()))
    full = _keyed(part["full"]) if "full" in part else objects
    return facts.Desired(
        revision=part.get("revision", "a" * 40),
        truth=_keyed(part["truth"]) if "truth" in part else full,
        follower=objects,
        full=full,
        problems=tuple(part.get("problems", ())),
    )


def _keyed(manifests: Any) -> dict[ObjectKey, dict[str, Json]]:
    return inventory.by_key(manifests, sealer=SEALER)[0]


def _reading(site: str, part: Mapping[str, Any]) -> Reading:
    certificates = tuple(
        Certificate(
            namespace="shop",
            name=one["name"],
            key="tls.crt",
            expires=NOW + timedelta(days=one["days"]),
            hosts=tuple(one.get("hosts", ())),
        )
        for one in part.get("certificates", ())
    )
    pulling = tuple(
        PullSecret(namespace="shop", name=one["name"], hosts=tuple(one["hosts"])) for one in part.get("pullSecrets", ())
    )
    gaps = tuple(ends.Gap(**one) for one in part.get("gaps", ()))
    read_at = NOW - timedelta(minutes=part.get("minutesAgo", 0))
    objects = _keyed(part.get("objects", ()))
    return Reading(
        site=site,
        objects=objects,
        gaps=gaps,
        read_at=read_at,
        method="list",
        certificates=certificates,
        pull_secrets=pulling,
    )


def _ground(site: str, part: Mapping[str, Any]) -> Ground:
    served = frozenset(tuple(one.split(" ")) for one in part.get("served", ()))
    unknown = part.get("unknownGroups", {})
    return Ground(
        site=site,
        runs=part.get("runs", True),
        read=_unread(part, "read") or _reading(site, part),
        served=_unread(part, "serves") or ends.Kinds(served=served, unknown=unknown),
        version=_unread(part, "versions") or part.get("version", "1.34"),
        labels=part.get("labels", {}),
    )


def _images(part: Mapping[str, Any]) -> facts.Images:
    named = tuple(
        facts.Image(
            object=one.get("object", "Deployment.apps shop/web"),
            container=one.get("container", "web"),
            where=one.get("where", "git"),
            written=one["written"],
            name=one.get("name", ""),
            repository=one.get("repository", ""),
            digest=one.get("digest", ""),
            registry=one.get("registry", "own"),
            other_site=one.get("site", ""),
        )
        for one in part.get("named", ())
    )
    return facts.Images(
        named=named,
        stock={(one["repository"], one["digest"]): _stock(one) for one in part.get("stock", ())},
        tags=_unread(part, "tags") or tuple(_tagged(one) for one in part.get("tags", ())),
        host="registry.sejong.example",
        opened={
            ("shop", name): _unread(part["opened"], name) or answer for name, answer in part.get("opened", {}).items()
        },
    )


def _tagged(one: Mapping[str, Any]) -> facts.Tagged:
    return facts.Tagged(
        name=one.get("name", "shop/web"),
        reference=one.get("reference", "1.0"),
        site=one.get("site", "sejong"),
        state=one.get("state", "equal"),
        detail=one.get("detail", ""),
        behind=timedelta(minutes=one["behindMinutes"]) if "behindMinutes" in one else None,
        newest=timedelta(minutes=one["newestMinutes"]) if "newestMinutes" in one else None,
    )


def _stock(one: Mapping[str, Any]) -> facts.Stock | Unread:
    if "unread" in one:
        return Unread(why=one["unread"], denied=one.get("denied", False))
    platforms = one.get("platforms")
    return facts.Stock(
        manifests=one.get("manifests", 1),
        blobs=one.get("blobs", 3),
        missing=tuple(one.get("missing", ())),
        present=one.get("present", True),
        platforms=frozenset(platforms) if platforms is not None else None,
    )


def _mirrors(given: Mapping[str, Any], faced: direction.Direction) -> tuple[facts.Mirror, ...]:
    given_ = given.get("mirrors", [{"site": faced.truth}, {"site": faced.follower}])
    return tuple(
        facts.Mirror(
            site=one["site"],
            state=one.get("state", "equal"),
            reasons=tuple(one.get("reasons", ())),
            head="refs/heads/main",
            refs=3,
            behind=timedelta(minutes=minutes) if (minutes := one.get("behindMinutes", 0)) is not None else None,
            newest=timedelta(minutes=one["newestMinutes"]) if "newestMinutes" in one else None,
        )
        for one in given_
    )


def _deployed(given: Mapping[str, Any], faced: direction.Direction) -> tuple[facts.Deployed, ...]:
    given_ = given.get("deployed", [{"site": faced.truth}, {"site": faced.follower}])
    return tuple(
        facts.Deployed(
            site=one["site"],
            revision=one.get("revision", "a" * 40),
            run=one.get("run", "shop-1"),
            state=one.get("state", "done"),
            message="",
            at=NOW - timedelta(days=2),
        )
        for one in given_
    )
