"""What a status says, read without trusting its shape: anybody with the right may have written it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockstep.manifests import edit
from lockstep.values import Health, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How something is, and why, in a few words; ``why`` is "" where there is nothing to say."""

    health: Health
    why: str = ""


HEALTHY = Assessment(health=Health.HEALTHY)


def progressing(why: str) -> Assessment:
    """It is on its way, or waits."""
    return Assessment(health=Health.PROGRESSING, why=why)


def degraded(why: str) -> Assessment:
    """It does not work."""
    return Assessment(health=Health.DEGRADED, why=why)


def suspended(why: str) -> Assessment:
    """Somebody stopped it on purpose."""
    return Assessment(health=Health.SUSPENDED, why=why)


def number(live: Mapping[str, Json], *place: str, default: int = 0) -> int:
    """A whole number at a place."""
    value = edit.at(live, place)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def text(live: Mapping[str, Json], *place: str) -> str:
    """A text at a place; empty when none is there."""
    value = edit.at(live, place)
    return value if isinstance(value, str) else ""


def mappings(live: Mapping[str, Json], *place: str) -> list[dict[str, Json]]:
    """The mappings of a list at a place."""
    value = edit.at(live, place)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def condition(live: Mapping[str, Json], name: str) -> dict[str, Json]:
    """A condition of its status; empty when it has none of this type."""
    return next((one for one in mappings(live, "status", "conditions") if one.get("type") == name), {})


def told(condition: Mapping[str, Json]) -> str:
    """What a condition says of why it is so."""
    return str(condition.get("message") or condition.get("reason") or "says nothing about why")


def stale(live: Mapping[str, Json]) -> bool:
    """Whether its controller has not yet seen what it is now."""
    return number(live, "status", "observedGeneration") < number(live, "metadata", "generation")
