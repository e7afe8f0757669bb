"""A sender wakes the mirrors of what it tells of."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Registries that would wake git mirrors."""
    for entry, webhook in documents.each(kinds.Webhook):
        for position, name in enumerate(webhook.spec.mirrors):
            is_image = ("ImageMirror", name) in documents.entries
            if webhook.spec.provider == "distribution" and ("GitMirror", name) in documents.entries and not is_image:
                yield entry.problem(
                    ("spec", "mirrors", position),
                    f"{name} mirrors git, and distribution tells of images.",
                    "Name an ImageMirror.",
                )
