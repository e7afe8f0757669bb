"""SEC-03: certificates at the follower are valid for longer than a fail-over lasts, and for the names that it serves.

Warn 30 days before the end, fail 7 days before. Names are those that an Ingress, a Gateway or a Route serves by TLS,
held against the certificate that it names; what the controller has by itself is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from drift import certificates
from drift.certificates import Certificate
from drift.checks import answers, parity, serving
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said
from drift.checks.serving import Served
from lockstep.values import ObjectKey

ID = "SEC-03"
FAIL = timedelta(days=7)
_RENEW = "Renew it at DR."


def run(facts: Facts) -> Iterator[Said]:
    """Every certificate of the follower that ends too soon, and every name that is served without one for it."""
    follower, beside = facts.live[1], facts.beside
    gaps = (*follower.gaps, *(beside.gaps if beside else ()))
    gap = parity.gap_of(gaps, "", "Secret")
    if gap is not None:
        yield answers.unread(gap)
        return
    known = (*follower.certificates, *(beside.certificates if beside else ()))
    wanted = {} if isinstance(facts.desired, Unread) else facts.desired.full
    named = list(serving.served({**wanted, **follower.objects}))
    there = {*follower.objects, *(beside.objects if beside else ()), *wanted}
    found = [*_ending(facts, known), *(said for one in named for said in _named(one, known, there, facts.now))]
    yield from answers.listed(found)
    if not found:
        yield answers.passed("no certificate ends soon, and each is for what it serves", dr=len(known))


def _ending(facts: Facts, known: tuple[Certificate, ...]) -> Iterator[Said]:
    for one in known:
        if one.expires - facts.now < certificates.SOON:
            yield _ends(one.expires, facts.now, f"Secret {one.namespace}/{one.name}", one.key)


def _ends(expires: datetime, now: datetime, name: str, path: str) -> Said:
    return Said(
        outcome=Outcome.FAIL if expires - now < FAIL else Outcome.WARN,
        message=f"the certificate ends on {expires:%Y-%m-%d}",
        object=name,
        path=path,
        dr=expires.isoformat(timespec="seconds"),
        fix=_RENEW,
    )


def _named(one: Served, known: tuple[Certificate, ...], there: set[ObjectKey], now: datetime) -> Iterator[Said]:
    """What is wrong with the certificate of a host; its end is told of the Secret, unless it stands in the object."""
    if one.text:
        read = certificates.of_text(one.text)
        if read is not None and read[0] - now < certificates.SOON:
            yield _ends(read[0], now, str(one.key), one.host)
        names = [read[1]] if read is not None else []
        where = "its own certificate"
    else:
        names = [each.hosts for each in known if (each.namespace, each.name) == (one.namespace, one.secret)]
        where = f"Secret {one.namespace}/{one.secret}"
        key = ObjectKey(group="", kind="Secret", namespace=one.namespace, name=one.secret)
        if not names and key in there:
            yield answers.unread(Unread(why=f"nobody can read the certificate of {one.host} in {where}"))
            return
    if not any(certificates.covers(each, one.host) for each in names):
        yield Said(
            outcome=Outcome.FAIL,
            message=f"{where} is not there for {one.host}" if not names else f"{where} is not for {one.host}",
            object=str(one.key),
            path=one.host,
            dr=sorted({name for each in names for name in each})[: answers.MOST],
            fix="Bring DR a certificate for this name.",
        )
