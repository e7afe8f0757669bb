"""What a comparison could not see of a site, as it is stored with it: which gaps hide an object. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from lockstep.sites import ends
from lockstep.values import Json, ObjectKey

_PARTS = ("group", "kind", "namespace", "name")


def to_json(gap: ends.Gap) -> dict[str, Json]:
    """A gap as a comparison's coverage has it."""
    return {"what": gap.what, "why": gap.why, **{part: getattr(gap, part) for part in _PARTS}}


def hides(read: Mapping[str, Json], key: ObjectKey) -> bool:
    """Whether an object may be in a gap of what was read of a site: an entry of ``sites`` of a coverage.

    A gap that does not narrow itself hides everything.
    """
    gaps = read.get("gaps")
    return any(_gap(one).hides(key) for one in gaps if isinstance(one, dict)) if isinstance(gaps, list) else False


def _gap(said: Mapping[str, Json]) -> ends.Gap:
    group, kind, namespace, name = (str(said.get(part, "*")) for part in _PARTS)
    return ends.Gap(what="", why="", group=group, kind=kind, namespace=namespace, name=name)
