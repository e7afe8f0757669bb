"""A drill rehearses what its pair protects."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Applications of drills that the pair does not protect."""
    for entry, drill in documents.each(kinds.Drill):
        for position, name in enumerate(drill.spec.applications):
            application = documents.find(kinds.Application, name)
            if application is not None and drill.spec.pair not in application.spec.protection:
                yield entry.problem(
                    ("spec", "applications", position),
                    f"{name} is not protected by {drill.spec.pair}.",
                    "Take it out, or add the pair to the protection of the Application.",
                )
