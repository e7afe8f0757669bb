"""Asks servers what they would make of objects that our rules call different: no more, and not without end.

A dry run costs a server what a write costs it, its admission included. So nobody is asked twice about what did not
change, a comparison asks about so many objects at the most and for so long, and a site that does not answer is left
alone for a while. Where nobody is asked our rules alone speak; where a server fails to say, the object is Unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from drift import redact
from drift.answers import Answer, Answers, Question, Said
from drift.examine import Manifest
from drift.heard import Heard
from drift.ledger import Ledger
from drift.normalise import reading
from drift.redact import Sealer
from drift.survey import Ground
from lockstep import errors
from lockstep.sites import ends
from lockstep.values import ObjectKey

MOST = 500
"""How many objects one comparison asks about, at both sites together."""
_AT_ONCE = 8
# No question begins later than this after the first one, and each may take so long. Seconds.
_LONGEST_SECONDS = 20.0
_CALL_SECONDS = 10.0
_RBAC = "rbac.authorization.k8s.io"
_HIDDEN = "what it says is not shown, because it may quote the Secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who may be asked in one comparison.

    ``ends`` are the servers of the truth and of its follower, None where there is none to ask. ``unsealed`` hands on
    what git has of a Secret for a side, with its values: only a server ever sees them.
    """

    answers: Answers
    sealer: Sealer
    ends: tuple[ends.Foreseeing | None, ends.Foreseeing | None]
    unsealed: Callable[[int, ObjectKey], Manifest | None]

    def settle(self, ground: Ground, ledger: Ledger, *, only: Collection[ObjectKey] | None = None) -> None:
        """Ask about the objects of which a server could say something, and note what is to be said of them then.

        Args:
            ground: What they are compared on.
            ledger: What our rules say of them.
            only: The objects that may be asked about; all by default.
        """
        left = ledger.left if only is None else [(key, side) for key in sorted(only) for side in ledger.left_of(key)]
        asked = [one for key, side in left if (one := self._query(ground, key, side)) is not None]
        if not asked:
            return
        with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="asking") as pool:
            self._ask_rights(pool, asked)
            refused = [one for one in asked if self._may(one) is False]
            chosen = [one for one in asked if self._may(one) is not False][:MOST]
            deadline = time.monotonic() + _LONGEST_SECONDS
            heard = list(pool.map(lambda one: self._ask(one, deadline), chosen))
        for key in {one.question.key for one, was_heard in zip(chosen, heard, strict=True) if was_heard}:
            ledger.put(key, ground.examine(key))
        for one in refused:
            _mark(ledger, one)

    def _query(self, ground: Ground, key: ObjectKey, side: int) -> _Query | None:
        end = self.ends[side]
        wanted, live = ground.git[side].get(key), ground.readings[side].objects.get(key)
        if end is None or wanted is None or live is None:
            return None
        question = Question.of(ground.readings[side].site, key, wanted, live)
        return _Query(question=question, side=side, end=end, wanted=wanted) if question.version else None

    def _ask_rights(self, pool: ThreadPoolExecutor, asked: Sequence[_Query]) -> None:
        """Ask once for each kind and name space whether we may ask at all."""
        new = {(one.question.site, one.api_version, one.kind, one.namespace): one for one in asked}
        list(pool.map(self._ask_right, [one for one in new.values() if self._may(one) is None]))

    def _ask_right(self, one: _Query) -> None:
        try:
            may = one.end.may_foresee(one.question.key, api_version=one.api_version, seconds=_CALL_SECONDS)
        except errors.UnreachableError as error:
            self.answers.note_silence(one.question.site, error.message.rstrip("."))
            return
        except errors.LockstepError:
            # Nobody knows: the question itself will tell.
            return
        self.answers.note_right(one.question.site, one.question.key, one.api_version, may=may)

    def _may(self, one: _Query) -> bool | None:
        return self.answers.may(one.question.site, one.question.key, one.api_version)

    def _ask(self, one: _Query, deadline: float) -> bool:
        """Ask about one object, unless it is too late, and remember what was said. Whether anything was."""
        site = one.question.site
        if silence := self.answers.silence(site):
            self.answers.put(one.question, Answer(said=Said.FAILED, why=silence))
            return True
        if time.monotonic() >= deadline:
            return False
        try:
            answer = self._answer(one)
        except errors.UnreachableError as error:
            why = error.message.rstrip(".")
            self.answers.note_silence(site, why)
            answer = Answer(said=Said.FAILED, why=why)
        self.answers.put(one.question, answer)
        return True

    def _answer(self, one: _Query) -> Answer:
        """What the server says of one object. Raises UnreachableError."""
        is_secret = redact.is_secret(one.wanted)
        wanted = self.unsealed(one.side, one.question.key) if is_secret else one.wanted
        if wanted is None:
            return Answer(said=Said.FAILED, why="nobody can render it again")
        try:
            after = one.end.foresee(wanted, seconds=_CALL_SECONDS)
        except errors.UnreachableError:
            raise
        except errors.LockstepError as error:
            return Answer(said=_said(error, one.question.key), why=_HIDDEN if is_secret else error.message.rstrip("."))
        return Answer.made(self.sealer.seal(after))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """A question, with whom to ask and what git has."""

    question: Question
    side: int
    end: ends.Foreseeing
    wanted: Manifest

    @property
    def api_version(self) -> str:
        return reading.text(self.wanted, "apiVersion")

    @property
    def kind(self) -> str:
        return self.question.key.kind

    @property
    def namespace(self) -> str:
        return self.question.key.namespace


def _said(error: errors.LockstepError, key: ObjectKey) -> Said:
    """What an error means for what may be said of an object.

    That something cannot be changed any more proves that it is different. Roles that give more than we have are refused
    to us and to nobody else (``rbac.authorization.k8s.io``, "escalate"), so that proves nothing: it was not permitted.
    """
    if isinstance(error, errors.FixedError):
        return Said.ASKED
    if isinstance(error, errors.NotServedError | errors.NotFoundError):
        return Said.NOT_SERVED
    if isinstance(error, errors.ForbiddenError) and error.right is None and key.group == _RBAC:
        return Said.NOT_PERMITTED
    return Said.FAILED


def _mark(ledger: Ledger, one: _Query) -> None:
    """Note that we may not ask about an object: what is to be said of it stays as it is."""
    found = [
        replace(difference, heard=_marked(difference.heard, one.side)) if difference.heard is not None else difference
        for difference in ledger.of(one.question.key)
    ]
    ledger.put(one.question.key, found)


def _marked(told: Heard, side: int) -> Heard:
    said = list(told.said)
    said[side] = Said.NOT_PERMITTED
    return replace(told, said=(said[0], said[1]))
