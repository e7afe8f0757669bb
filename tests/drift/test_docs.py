"""What ``docs/drift.md`` says is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep.topology.kinds import ExpectedDifference
from lockstep.values import Verdict
from tests.support import drifting

TEXT = (Path(__file__).parents[2] / "docs" / "drift.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_explained(verdict: Verdict) -> None:
    """Whoever sees it can look it up."""
    assert f"`{verdict.value}`" in TEXT


@pytest.mark.parametrize("name", ExpectedDifference.model_fields["spec"].annotation.EXACTLY_ONE)  # type: ignore[union-attr]  # it is the model of a spec
def test_every_kind_of_rule_is_explained(name: str) -> None:
    """With when it holds."""
    first, *others = name.split("_")
    assert f"| `{first}{''.join(part.title() for part in others)}:" in TEXT


def test_every_field_of_a_report_is_named() -> None:
    """A program that reads one finds its words."""
    report = drifting.report().to_json()
    for name in {*report, *report["differences"][0]} - {"madeAt", "managed", "rules", "severity", "finding"}:
        if name not in ("said", "by", "until", "lastSeen", "seenNow"):
            assert f"`{name}`" in TEXT, name
