"""The documentation says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep.manifests import applyset, program
from lockstep.sites import archive_note
from pipelines.deploy import order, pruning

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    "said",
    [
        *order.WAVES,
        *sorted(name for name, _ in pruning._KEEP),
        *sorted(kind for _, kind in pruning._PRECIOUS),
        applyset.PART_OF,
        applyset.ApplySet(application="<application>", namespace="").parent_key.name,
        archive_note.NAME,
    ],
)
def test_what_a_deploy_obeys_is_documented(said: str) -> None:
    """Every annotation, label and name that people meet at a site."""
    assert said in (DOCS / "deploying.md").read_text()


def test_the_bounds_of_rendering_are_documented() -> None:
    """Time, memory and output."""
    text = " ".join((DOCS / "rendering.md").read_text().split())
    bounds = f"for at most {program._SECONDS:.0f} s, with at most {program._MOST_MEMORY // 2**30} GiB of memory and"
    assert f"{bounds} {program._MOST_OUTPUT // 2**20} MiB of output" in text
