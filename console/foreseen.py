"""What is told of dry runs: which method spoke of an object, and what became of the questions to a server. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from console import shapes, writing
from console.language import Catalogue, mark
from drift import heard
from drift.answers import Said
from lockstep.values import Json

METHOD = mark("Method")
"""What a column with it is called."""
METHODS: Mapping[str, str] = {
    heard.RULES: mark("by our rules"),
    heard.BOTH: mark("by our rules and a dry run of the server"),
}
"""Which method spoke of an object, as keys of the catalogue."""

_COUNTED: Mapping[Said, str] = {
    Said.ASKED: mark("%(num)s answered"),
    Said.FAILED: mark("%(num)s failed"),
    Said.NOT_PERMITTED: mark("%(num)s not permitted"),
    Said.NOT_SERVED: mark("%(num)s not served"),
    Said.LEFT: mark("%(num)s left to our rules"),
}
_ALL = mark("Dry runs of the server: %(counts)s")
_NEVER = mark("never asked for")


def method(spoke: str, catalogue: Catalogue) -> str:
    """Which method spoke of an object, in the reader's language."""
    return catalogue.text(METHODS.get(spoke, METHODS[heard.RULES]))


def sentence(coverage: Mapping[str, Json], catalogue: Catalogue) -> str:
    """What became of the questions to one site; nothing where none was to be asked.

    Args:
        coverage: What a comparison wrote down of the site.
        catalogue: The reader's language.
    """
    told = shapes.mapping(coverage.get("dryRun"))
    counted = {said: shapes.number(told.get(said.value)) or 0 for said in Said}
    if not any(counted.values()):
        return ""
    parts = [
        catalogue.text(_COUNTED[said]) % {"num": writing.number(count, catalogue.locale)}
        for said, count in counted.items()
        if count
    ]
    if told.get("when") == "never":
        parts = [catalogue.text(_NEVER), *parts]
    return catalogue.text(_ALL) % {"counts": ", ".join(parts)}
