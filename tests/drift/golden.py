"""Reads and runs the folders under ``tests/drift/rules``: what git says, what two sites have, what is found.

``git.yaml`` is what git renders for both sites, ``git-standby.yaml`` for the standby where that differs;
``primary.yaml`` and ``standby.yaml`` are what lives there. A file that is not there holds nothing. In
``expected.yaml``, ``found`` lists verdict, object and JSON Pointer; ``outOfGit``, ``tier`` and ``rules`` are as in
the configuration.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path

from drift import implied, inventory, redact, survey
from drift.examine import Difference, Examiner
from drift.expected import Rules
from drift.implied import SiteFacts
from drift.judging import Context
from drift.normalise import collect
from lockstep import documents
from lockstep.manifests import applyset, scope
from lockstep.sites import ends
from lockstep.topology import kinds
from lockstep.topology.objects import ObjectPattern
from lockstep.values import Json

FOLDER = Path(__file__).parent / "rules"
NAMESPACE = "shop"
SEALER = redact.Sealer(b"a key of this installation")
TODAY = date(2026, 11, 22)
FACTS = (
    SiteFacts(name="seoul", values={"host": "shop.seoul.example"}, image_prefix="registry.seoul.example"),
    SiteFacts(name="sejong", values={"host": "shop.sejong.example"}, image_prefix="registry.sejong.example/dr"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One folder."""

    about: str
    git: tuple[list[dict[str, Json]], list[dict[str, Json]]]
    primary: list[dict[str, Json]]
    standby: list[dict[str, Json]]
    found: list[dict[str, str]]
    out_of_git: tuple[str, ...] = ()
    protection: kinds.Protection | None = None
    rules: tuple[kinds.ExpectedDifference, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Case:
        """The case in a folder."""
        (expected,) = _values(folder / "expected.yaml")
        git = _values(folder / "git.yaml")
        tier = expected.get("tier")
        return cls(
            about=expected["about"],
            git=(git, _values(folder / "git-standby.yaml") or git),
            primary=_values(folder / "primary.yaml"),
            standby=_values(folder / "standby.yaml"),
            found=expected["found"],
            out_of_git=tuple(expected.get("outOfGit", ())),
            protection=kinds.Protection.model_validate({"tier": tier}, strict=False) if tier else None,
            rules=tuple(rule(**one) for one in expected.get("rules", ())),
        )

    def survey(self, *, swapped: bool = False) -> survey.Survey:
        """Compare what is in the folder; ``swapped`` as if the standby were the truth."""
        git = [inventory.by_key(scope.place(one, namespace=NAMESPACE), sealer=SEALER)[0] for one in self.git]
        sites = [
            _reading(site.name, objects) for site, objects in zip(FACTS, (self.primary, self.standby), strict=True)
        ]
        facts = list(FACTS)
        if swapped:
            git, sites, facts = git[::-1], sites[::-1], facts[::-1]
        objects = [[*one.values()] for one in (*git, sites[0].objects, sites[1].objects)]
        context = Context(
            truth=facts[0],
            follower=facts[1],
            switched=swapped,
            rules=Rules(self.rules, today=TODAY),
            protection=self.protection,
            scaled=(implied.scaled(sites[0].objects), implied.scaled(sites[1].objects)),
        )
        return survey.survey(
            sites[0],
            sites[1],
            git=(git[0], git[1]),
            examiner=Examiner(context=context, schemas=collect(one for side in objects for one in side)),
            scope=survey.Scope(
                out_of_git=tuple(ObjectPattern.parse(text) for text in self.out_of_git),
                own_set=applyset.ApplySet(application="shop", namespace=NAMESPACE).id,
            ),
        )


def rule(name: str, **spec: Json) -> kinds.ExpectedDifference:
    """A rule of this name; reason, owner and expiry are made up when they are not given."""
    whole = {"reason": "it is meant", "owner": "platform", "expires": date(2027, 1, 1), **spec}
    return kinds.ExpectedDifference.model_validate(
        {
            "apiVersion": "lockstep.dev/v1alpha1",
            "kind": "ExpectedDifference",
            "metadata": {"name": name},
            "spec": {key: _tuples(value) for key, value in whole.items()},
        }
    )


def row(difference: Difference) -> dict[str, str]:
    """A difference as ``expected.yaml`` writes it."""
    return {"verdict": difference.verdict.value, "object": str(difference.key), "at": difference.pointer}


def _tuples(value: Json) -> Json:
    return tuple(value) if isinstance(value, list) else value


def _values(file: Path) -> list[dict[str, Json]]:
    if not file.exists():
        return []
    return [document.value for document in documents.read(file.read_bytes(), file=file.name)]


def _reading(site: str, manifests: list[dict[str, Json]]) -> inventory.Reading:
    found = ends.Inventory(objects=tuple(manifests), read_at=datetime(2026, 11, 22, tzinfo=UTC), method="folder")
    return inventory.index(found, site=site, sealer=SEALER)
