"""Which images a run itself pushed, as its built-in tasks have shown."""

from __future__ import annotations

from lockstep import values
from pipelines.tasks import Context


def digests_of(context: Context) -> dict[str, str]:
    """Digests by image name, of what was really pushed: a task's word alone is not taken for a digest."""
    found: dict[str, str] = {}
    for detail in context.details.values():
        pushed = detail.get("pushed") if isinstance(detail, dict) else None
        if isinstance(pushed, dict):
            found.update({name: digest for name, digest in pushed.items() if values.is_digest(str(digest))})
    return found
