"""The jobs of pipelines, by name: what ``console.wiring`` binds to their kinds."""

from __future__ import annotations

from sqlalchemy import Connection

from lockstep import errors, work
from pipelines.service import Service
from pipelines.sweeping import handle_sweep
from pipelines.triggers import handle_trigger
from pipelines.working import handle_task

__all__ = ["handle_advance", "handle_sweep", "handle_task", "handle_trigger"]


def handle_advance(service: Service, claim: work.Claim) -> work.Outcome:
    """See what a run may do next; nothing of a run that was removed."""

    def effect(connection: Connection) -> None:
        try:
            service.runs.advance(connection, int(claim.payload["run"]))
        except errors.NotFoundError:
            return

    return work.Done(effects=(effect,))
