"""Which objects hide in a gap of an inventory."""

from __future__ import annotations

import pytest

from lockstep.sites import ends
from lockstep.values import ObjectKey

SECRET = ObjectKey(group="", kind="Secret", namespace="pay", name="db")


def test_a_gap_that_does_not_narrow_itself_hides_everything() -> None:
    """What could not be described could be anything."""
    assert ends.Gap(what="a page", why="cut off").hides(SECRET)


@pytest.mark.parametrize(
    ("gap", "hides"),
    [
        (ends.Gap(what="Secrets", why="forbidden", group="", kind="Secret"), True),
        (ends.Gap(what="Secrets in pay", why="forbidden", kind="Secret", namespace="pay"), True),
        (ends.Gap(what="Secrets in shop", why="forbidden", kind="Secret", namespace="shop"), False),
        (ends.Gap(what="Roles", why="forbidden", group="rbac.authorization.k8s.io"), False),
        (ends.Gap(what="cluster-scoped", why="forbidden", namespace=""), False),
        (ends.Gap(what="one file", why="not YAML", kind="Secret", namespace="pay", name="db"), True),
    ],
)
def test_a_gap_hides_what_fits_all_that_it_names(gap: ends.Gap, *, hides: bool) -> None:
    """Each part that is named has to fit."""
    assert gap.hides(SECRET) is hides
