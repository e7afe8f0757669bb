"""Drills and webhooks ask for what can be."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Drills of applications that the pair does not protect, registries that wake git mirrors."""
    for entry, drill in documents.each(kinds.Drill):
        for position, name in enumerate(drill.spec.applications):
            application = documents.find(kinds.Application, name)
            if application is not None and drill.spec.pair not in application.spec.protection:
                yield entry.problem(
                    ("spec", "applications", position),
                    f"{name} is not protected by {drill.spec.pair}.",
                    "Take it out, or add the pair to the protection of the Application.",
                )
    for entry, webhook in documents.each(kinds.Webhook):
        for position, name in enumerate(webhook.spec.mirrors):
            is_image = ("ImageMirror", name) in documents.entries
            if webhook.spec.provider == "distribution" and ("GitMirror", name) in documents.entries and not is_image:
                yield entry.problem(
                    ("spec", "mirrors", position),
                    f"{name} mirrors git, and distribution tells of images.",
                    "Name an ImageMirror.",
                )
