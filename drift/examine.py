"""One object on four sides: where it is, what differs in it, and what is to be said of that.

Pure: it receives manifests, it hands on differences with verdicts. What could not be read never reaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from drift import align, compare, exclusions, heard, judging, redact, verdict
from drift.align import Step
from drift.causes import Cause
from drift.expected import Opinion, Rule
from drift.heard import Beside, Foresight, Heard, Named
from drift.judging import Context, Judged, Judgement
from drift.memory import Memory
from drift.normalise import NO_SCHEMAS, Normal, Schemas, as_written, complete, conformed, encode, filled, slim
from drift.sides import ABSENT, Sides, Value
from drift.walk import Field
from drift.zeros import Said as Written
from lockstep.values import Json, ObjectKey, Verdict

Manifest: TypeAlias = dict[str, Json]
Older: TypeAlias = Callable[[ObjectKey], tuple[Sequence[Manifest], Sequence[Manifest]]]
"""The object in older renderings for the truth and for the follower; asked for only when something differs."""

THERE = "(the object)"
"""Shown in the place of an object of which only is said where it is."""
_NOWHERE: Sides[Value] = Sides(ABSENT, ABSENT, ABSENT, ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is to be said of an object.

    ``pointer`` and ``path`` are empty when the whole object is meant. ``values`` are fit to be shown. ``InSync``
    means that it was explained: by the rules in ``opinions``, or by what ``note`` says. ``cause`` is who set it,
    where somebody looked. ``declared`` is the fingerprint of the values of what overlays declare. ``heard`` is what
    servers were asked about the object, ``unsure`` the site whose server did not say, so that this is Unknown.
    """

    key: ObjectKey
    verdict: Verdict
    managed: bool
    pointer: str = ""
    path: str = ""
    values: Sides[Value] = _NOWHERE
    note: str = ""
    opinions: tuple[Opinion, ...] = ()
    steps: tuple[Step, ...] = ()
    cause: Cause = field(default_factory=dict)
    declared: str = ""
    heard: Heard | None = None
    unsure: str = ""

    @property
    def method(self) -> str:
        """Which method spoke of the object."""
        return heard.RULES if self.heard is None else self.heard.method


def _no_older(_key: ObjectKey) -> tuple[Sequence[Manifest], Sequence[Manifest]]:
    return (), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Examines the objects of an application over a pair.

    ``memory`` remembers what was found to be equal, so that nothing is completed and compared twice. ``sealer`` makes
    the fingerprints by which people accept what overlays declare; without one nothing can be accepted. ``foresight``
    knows what servers answered; None where none is ever asked.
    """

    context: Context
    schemas: Schemas = NO_SCHEMAS
    older: Older = _no_older
    memory: Memory = field(default_factory=Memory)
    sealer: redact.Sealer | None = None
    foresight: Foresight | None = None

    def examine(self, key: ObjectKey, sides: Sides[Manifest | None]) -> list[Difference]:
        """What is to be said of an object; nothing when it is the same everywhere that it should be.

        Args:
            key: The object.
            sides: Its manifest on each side, None where it is not. Secrets are sealed.
        """
        git = [side for side in (sides.git_primary, sides.git_standby) if side is not None]
        if any(redact.is_encrypted(side) for side in git):
            note = "it is still encrypted in git: decrypt it while rendering, or list it under outOfGit"
            return [Difference(key=key, verdict=Verdict.UNKNOWN, managed=True, note=note)]
        return [*self._presence(key, sides, managed=bool(git)), *self._contents(key, sides, git)]

    def _presence(self, key: ObjectKey, sides: Sides[Manifest | None], *, managed: bool) -> list[Difference]:
        there = sides.map(lambda side: side is not None)
        if not managed and (there.primary == there.standby or exclusions.is_everywhere(key)):
            return []
        said = verdict.of_presence(there, was_declared=not managed and any(self.older(key)))
        if said is Verdict.IN_SYNC:
            return []
        judged = judging.judge_presence(key, there, said, self.context)
        values: Sides[Value] = there.map(lambda here: THERE if here else ABSENT)
        return [self._sealed(_difference(key, judged, managed=managed, values=values), values)]

    def _contents(self, key: ObjectKey, sides: Sides[Manifest | None], git: list[Manifest]) -> list[Difference]:
        if git:
            # At a site where git does not want it, its being there is all there is to say.
            sides = Sides(
                sides.git_primary,
                sides.primary if sides.git_primary is not None else None,
                sides.git_standby,
                sides.standby if sides.git_standby is not None else None,
            )
        slims = _slims(sides, git)
        asserting = self.context.rules.asserting(key)
        if not asserting and self.memory.are_equal(slims, schemas=self.schemas.digest):
            return []
        whole = {form: filled(form, schemas=self.schemas) for form in set(slims) if form is not None}
        if not asserting and len({one.encoded for one in whole.values()}) < 2:
            self.memory.remember(slims, schemas=self.schemas.digest)
            return []
        known = {form: conformed(one) for form, one in whole.items()}
        forms = [None if form is None else known[form] for form in slims]
        found = []
        if len({form.encoded for form in known.values()}) < 2:
            self.memory.remember(slims, schemas=self.schemas.digest)
        else:
            written = [None if form is None else (whole[form], known[form]) for form in (slims[0], slims[2])]
            found = self._differences(key, forms, sides, git, written)
        return [*found, *self._assertions(key, forms, asserting, managed=bool(git))]

    def _differences(
        self,
        key: ObjectKey,
        forms: list[Normal | None],
        sides: Sides[Manifest | None],
        git: list[Manifest],
        written: list[Written | None],
    ) -> list[Difference]:
        found = compare.fields(forms, texts=_has_texts(key))
        beside = Beside(written=written)
        if git and any(_is_off_git(one) for one in found):
            beside = self._beside(key, sides, git, written)
        if beside.forms:
            found = compare.fields(forms, context=beside.forms, texts=_has_texts(key))
        versions = {form.api_version for form in forms if form is not None}
        if len(versions) > 1:
            return _across_versions(key, found, versions, managed=bool(git))
        said = self._said(key, forms, found, beside)
        told = heard.nothing(self._sites)
        if beside.named and self.foresight is not None:
            told = heard.hear(key, sides, said, self._sites, self.foresight)
            after = [answer.after if answer is not None else None for answer in told.answers]
            if any(after):
                beside = replace(beside, after=[self._completed(one, git) for one in after])
                found = compare.fields(forms, context=beside.forms, texts=_has_texts(key))
                said = self._said(key, forms, found, beside)
        final = [(one, *told.judge(key, one, judgement, self.context)) for one, judgement in said]
        told = replace(told, answers=(None, None))
        return [
            self._sealed(
                replace(
                    _difference(key, judgement, managed=bool(git), field_=one.judged.field, values=one.judged.sides),
                    heard=told,
                    unsure=unsure,
                ),
                one.judged.sides,
            )
            for one, judgement, unsure in final
            if judgement.verdict is not Verdict.IN_SYNC or judgement.note
        ]

    def _sealed(self, found: Difference, values: Sides[Value]) -> Difference:
        """What overlays declare with a fingerprint of its values: who accepts it accepts these, also where hidden."""
        if found.verdict is not Verdict.DECLARED or self.sealer is None:
            return found
        told = b"\0".join(b"-" if value is ABSENT else b"+" + encode(value) for value in values.all())
        return replace(found, declared=self.sealer.fingerprint(str(found.key), found.path, told))

    def _beside(
        self, key: ObjectKey, sides: Sides[Manifest | None], git: list[Manifest], written: list[Written | None]
    ) -> Beside:
        """What else is looked at of an object that is not everywhere as git has it."""
        truth, follower = ([self._completed(one, git) for one in half] for half in self.older(key))
        if self.foresight is None:
            return Beside(older=(truth, follower), written=written)
        wanted = (sides.git_primary, sides.git_standby)
        named = [None if one is None else as_written(slim(one, declared=git), schemas=self.schemas) for one in wanted]
        return Beside(older=(truth, follower), written=written, named=named)

    def _completed(self, manifest: Manifest | None, git: list[Manifest]) -> Normal | None:
        return None if manifest is None else complete(slim(manifest, declared=git), schemas=self.schemas)

    def _said(
        self, key: ObjectKey, forms: list[Normal | None], found: list[Field], beside: Beside
    ) -> list[tuple[Named, Judgement]]:
        """What our rules say of fields."""
        there = [form is not None for form in forms]
        named = [beside.field(_judged(one, there, len(beside.older[0]), len(beside.older[1]))) for one in found]
        return [(one, judging.judge(key, one.judged, self.context)) for one in named]

    @property
    def _sites(self) -> tuple[str, str]:
        return self.context.truth.name, self.context.follower.name

    def _assertions(
        self, key: ObjectKey, forms: list[Normal | None], asserting: Sequence[Rule], *, managed: bool
    ) -> list[Difference]:
        """What rules say of fields that are equal at both sites: they must differ, or be each site's own."""
        _, primary, _, standby = forms
        if primary is None or standby is None:
            return []
        found = []
        for rule in asserting:
            for named in compare.lookup([primary, standby], rule.selector, texts=_has_texts(key)):
                left, right = named.values
                if left is not ABSENT and align.same(left, right):
                    judged = judging.judge_assertion(rule, key, (left, right), self.context)
                    values: Sides[Value] = Sides(ABSENT, left, ABSENT, right)
                    found.append(_difference(key, judged, managed=managed, field_=named, values=values))
        return found


def _slims(sides: Sides[Manifest | None], git: list[Manifest]) -> list[bytes | None]:
    """The slim forms. Git mostly says the same for both sites, as one and the same manifest: then it is made once."""
    git_p, primary, git_d, standby = sides.all()
    if git_p is not git_d:
        return [None if side is None else slim(side, declared=git) for side in sides.all()]
    wanted, first, second = (
        None if side is None else slim(side, declared=git[:1]) for side in (git_p, primary, standby)
    )
    return [wanted, first, wanted, second]


def _has_texts(key: ObjectKey) -> bool:
    return (key.group, key.kind) == ("", "ConfigMap")


def _is_off_git(found: Field) -> bool:
    """Whether what lives somewhere is not what git says for there; only then may a site be behind."""
    git_p, primary, git_d, standby = found.values[:4]
    return not (align.same(git_p, primary) and align.same(git_d, standby))


def _judged(found: Field, there: Sequence[bool], truth: int, follower: int) -> Judged:
    """A field with the values by which it is judged: a live object that is not there is not also different."""
    git_p, primary, git_d, standby = found.values[:4]
    sides = Sides(git_p, primary if there[1] else git_p, git_d, standby if there[3] else git_d)
    middle = 4 + truth
    return Judged(field=found, sides=sides, older=(found.values[4:middle], found.values[middle : middle + follower]))


def _across_versions(key: ObjectKey, found: Sequence[Field], versions: set[str], *, managed: bool) -> list[Difference]:
    """Two versions that we cannot bring to one: equal contents are equal, different ones are anybody's guess."""
    if all(one.pointer == "/apiVersion" for one in found):
        return []
    note = f"served as {' and as '.join(sorted(versions))}, which we cannot compare with each other"
    judged = Judgement(verdict=Verdict.UNKNOWN, note=note)
    one = next(one for one in found if one.pointer == "/apiVersion")
    return [_difference(key, judged, managed=managed, field_=one, values=Sides(*one.values[:4]))]


def _difference(
    key: ObjectKey, judged: Judgement, *, managed: bool, values: Sides[Value], field_: Field | None = None
) -> Difference:
    """With values that are fit to be shown."""
    mask = redact.Mask()
    # The name of a variable's value is the variable's.
    names = [step.name for step in field_.steps if step.name != "value"] if field_ is not None else []
    name = names[-1] if names else ""
    return Difference(
        key=key,
        verdict=judged.verdict,
        managed=managed,
        pointer=field_.pointer if field_ is not None else "",
        path=field_.path if field_ is not None else "",
        values=values.map(lambda value: value if value is ABSENT else mask.hide(name, value)),
        note=judged.note,
        opinions=judged.opinions,
        steps=field_.steps if field_ is not None else (),
    )
