"""The sections of a report that list what was gathered. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from drift.checks.facts import Facts, Ground, Images, Parity, Stock, Unread, Whole
from drift.checks.results import moment
from drift.inventory import Reading
from drift.rows import shortened
from lockstep import clock
from lockstep.topology import kinds
from lockstep.topology.amounts import format_duration
from lockstep.values import Json

# So many of each are listed; their number is always whole.
_MOST = 500
_SOON_DAYS = 30


def objectives(facts: Facts) -> Json:
    """What an application must reach, whether that is the tier's preset, and what would be lost now."""
    protection = facts.protection
    rto, rpo = protection.objectives
    mirrors = () if isinstance(facts.mirrors, Unread) else facts.mirrors
    behind = next((one.behind for one in mirrors if one.site == facts.faced.follower), None)
    return {
        "app": facts.name,
        "tier": facts.tier.value,
        "rto": format_duration(rto),
        "rtoPreset": protection.rto is None,
        "rpo": format_duration(rpo),
        "rpoPreset": protection.rpo is None,
        "basis": protection.basis or "",
        "behindSeconds": int(behind.total_seconds()) if behind is not None else None,
    }


def coverage(whole: Whole) -> list[Json]:
    """What was read of each site, when, how, and what could not be."""
    grounds = (whole.grounds.truth, whole.grounds.follower)
    found = [_ground(whole, ground) for ground in grounds]
    for facts in whole.applications:
        found += [_reading(whole, reading, facts.name) for reading in facts.live]
    return found


def _reading(whole: Whole, reading: Reading, what: str) -> Json:
    return {
        "site": reading.site,
        "of": what,
        "address": reading.address,
        "method": reading.method,
        "readAt": moment(reading.read_at),
        "ageSeconds": int(clock.age_seconds(reading.read_at, now=whole.now)) if reading.read_at else None,
        "objects": len(reading.objects),
        "gaps": [{"what": gap.what, "why": gap.why, "denied": gap.denied} for gap in reading.gaps[:_MOST]],
    }


def _ground(whole: Whole, ground: Ground) -> Json:
    if isinstance(ground.read, Unread):
        gaps = [] if ground.read.impossible else [{"what": "", "why": ground.read.why, "denied": ground.read.denied}]
        nothing = {"address": "", "method": "", "readAt": None, "ageSeconds": None, "objects": 0}
        return {"site": ground.site, "of": "", **nothing, "gaps": gaps}
    return _reading(whole, ground.read, "")


def versions(facts: Facts) -> Json:
    """Which commit and run is deployed where, and which images belong to it."""
    images = () if isinstance(facts.images, Unread) else facts.images.named
    named = sorted({(one.name or one.written, one.digest) for one in images if one.where == "git"})
    return {
        "app": facts.name,
        "git": "" if isinstance(facts.desired, Unread) else facts.desired.revision,
        "sites": [
            {"site": one.site, "revision": one.revision, "run": one.run, "state": one.state, "at": moment(one.at)}
            for one in facts.deployed
        ],
        "images": [{"name": name, "digest": digest} for name, digest in named[:_MOST]],
    }


def expected(whole: Whole, rules: Mapping[str, kinds.ExpectedDifference]) -> list[Json]:
    """Every rule that explained something, with who answers for it and how much it explained; and what needs none."""
    counted: Counter[tuple[str, str]] = Counter()
    for facts in whole.applications:
        if isinstance(facts.parity, Parity):
            for entry in facts.parity.explained:
                rule = entry.row.rules[0] if entry.row.rules else ""
                counted[rule, "" if rule else entry.row.note] += 1
    return [_rule(rule, note, count, rules.get(rule)) for (rule, note), count in sorted(counted.items())]


def _rule(rule: str, note: str, count: int, document: kinds.ExpectedDifference | None) -> Json:
    spec = document.spec if document else None
    return {
        "rule": rule,
        "reason": spec.reason if spec else note,
        "owner": spec.owner if spec else "",
        "expires": spec.expires.isoformat() if spec else None,
        "acceptedBy": (spec.accepted_by or "") if spec else "",
        "identity": "not verified" if spec else "",
        "implied": spec is None,
        "suppressed": count,
    }


def declared(facts: Facts) -> Iterator[Json]:
    """What an overlay in git makes differ, with what a person said of it."""
    if not isinstance(facts.parity, Parity):
        return
    for entry in facts.parity.declared[:_MOST]:
        yield {
            "app": facts.name,
            "object": str(entry.row.key),
            "path": entry.row.people_path or entry.row.path,
            "primary": shortened(entry.row.values.get("primary")),
            "dr": shortened(entry.row.values.get("standby")),
            "state": entry.state,
            "by": entry.by,
            "reason": entry.said,
            "until": moment(entry.until),
            "identity": "not verified" if entry.by else "",
        }


def certificates(whole: Whole) -> list[Json]:
    """The certificates at both sites that end within thirty days, the most urgent first."""
    found = {
        (one.expires, reading.site, one.namespace, one.name, one.key)
        for facts in whole.applications
        for reading in facts.live
        for one in reading.certificates
        if (one.expires - whole.now).days < _SOON_DAYS
    }
    return [
        {"site": site, "secret": f"{namespace}/{name}", "key": key, "expires": moment(expires)}
        for expires, site, namespace, name, key in sorted(found)
    ]


def blank() -> Json:
    """A line to be signed."""
    return {"name": "", "at": "", "comment": "", "signature": ""}


def annex(whole: Whole) -> Json:
    """The evidence as it was gathered, without manifests and without any secret."""
    return {
        "sites": [_evidence(ground) for ground in (whole.grounds.truth, whole.grounds.follower)],
        "applications": [
            {
                "app": facts.name,
                "mirrors": _mirrors(facts),
                "images": _images(facts.images),
                "deployed": [{"site": one.site, "state": one.state, "message": one.message} for one in facts.deployed],
                "rules": [] if isinstance(facts.parity, Unread) else list(facts.parity.rules),
                "rehearsed": _why(facts.rehearsed) if isinstance(facts.rehearsed, Unread) else dict(facts.rehearsed),
            }
            for facts in whole.applications
        ],
        "drilledAt": moment(whole.drilled_at),
    }


def _evidence(ground: Ground) -> Json:
    read = {} if isinstance(ground.read, Unread) else ground.read.objects
    return {
        "site": ground.site,
        "runs": ground.runs,
        "version": _why(ground.version) if isinstance(ground.version, Unread) else ground.version,
        "kindsServed": _why(ground.served) if isinstance(ground.served, Unread) else len(ground.served.served),
        "objects": dict(sorted(Counter(key.kind for key in read).items())),
        "labels": dict(ground.labels),
    }


def _mirrors(facts: Facts) -> Json:
    if isinstance(facts.mirrors, Unread):
        return _why(facts.mirrors)
    return [
        {"site": one.site, "state": one.state, "head": one.head, "refs": one.refs, "at": moment(one.at)}
        for one in facts.mirrors
    ]


def _images(images: Images | Unread) -> Json:
    if isinstance(images, Unread):
        return _why(images)
    return [
        {"image": f"{repository}@{digest}", **_stock(stock)}
        for (repository, digest), stock in sorted(images.stock.items())
    ][:_MOST]


def _stock(stock: Stock | Unread) -> dict[str, Json]:
    if isinstance(stock, Unread):
        return {"unread": stock.why}
    return {
        "present": stock.present,
        "manifests": stock.manifests,
        "blobs": stock.blobs,
        "missing": list(stock.missing[:_MOST]),
        "platforms": sorted(stock.platforms) if stock.platforms is not None else None,
    }


def _why(problem: Unread) -> Json:
    return {"unread": problem.why, "denied": problem.denied}
