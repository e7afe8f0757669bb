"""What a person may do, on a page or in a terminal: decide, cancel, rerun, deploy. One transaction each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.context import Answer
from console.runtime import Runtime
from console.wiring import healing_of, runs_of
from lockstep import errors
from lockstep.store import approvals, runs
from lockstep.store.views import drift
from lockstep.topology import kinds
from lockstep.values import Json
from pipelines import decisions, documents, triggers, voting
from pipelines.healing import healing, running
from pipelines.run import Request


class Actions:
    """Acts for people; every refusal says what to do."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._runs = runs_of(runtime)

    def decide(self, answer: Answer) -> None:
        """Approve or reject. Raises ConflictError, ForbiddenError or NotFoundError when it is refused."""
        decision = voting.APPROVE if answer.approve else voting.REJECT
        given = decisions.Answer(by=answer.by, decision=decision, comment=answer.comment)
        with self._runtime.database.write() as connection:
            decisions.decide(connection, self._runs, answer.approval, given)

    def decide_run(self, run: str, *, by: str, approve: bool, comment: str) -> str:
        """Answer the open question of a run; what it asked.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It asks nothing, or was superseded.
            ForbiddenError: Not this person.
        """
        with self._runtime.database.read() as connection:
            found = runs.named(connection, run)
            open_ = [one for one in approvals.of_run(connection, found.id) if one.state == "pending"]
        if not open_:
            why = f"it was superseded by {found.superseded_by}" if found.superseded_by else f"it is {found.reason}"
            raise errors.ConflictError(f"{run} asks nothing: {why}.", remedy="Look at lockstep pipeline runs.")
        self.decide(Answer(approval=open_[0].id, by=by, approve=approve, comment=comment))
        return open_[0].question

    def cancel(self, run: str, *, by: str) -> None:
        """Stop a run; its finally tasks still run. Raises NotFoundError, ConflictError."""
        with self._runtime.database.write() as connection:
            found = runs.named(connection, run)
            runs.change(connection, found.id, cause={**found.cause, "cancelledBy": by})
            self._runs.cancel(connection, found.id, how="CancelledRunFinally")

    def rerun(self, run: str, *, by: str) -> str:
        """Start a run again from its snapshot; the name of the new one. Raises NotFoundError."""
        with self._runtime.database.write() as connection:
            found = runs.named(connection, run)
            new = self._runs.rerun(connection, found.id, cause={"kind": "rerun", "by": by})
            return runs.get(connection, new).name

    def start(self, application: str, *, by: str, revision: str = "", params: Mapping[str, str] | None = None) -> str:
        """Start an application's pipeline; the name of the run.

        Raises:
            NotFoundError: There is no such application, pipeline or commit.
        """
        topology = self._runtime.topology()
        found = topology.application(application)
        commit = self.commit(found, revision)
        moved = triggers.Moved(ref=f"refs/heads/{found.spec.source.branch}", old=None, new=commit)
        given = {name: documents.value_of(value) for name, value in (params or {}).items()}
        wanted = triggers.request(
            found, triggers.library_of(topology), moved, params=given, cause={"kind": "manual", "by": by}
        )
        return self._create(wanted)

    def redeploy(self, application: str, site: str, *, by: str) -> str:
        """Deploy to a site what git says; the name of the run that does it."""
        return self.deploy(application, by=by, sites=(site,))

    def deploy(self, application: str, *, by: str, sites: Sequence[str] = (), revision: str = "") -> str:
        """Deploy an application, to some sites or to all; the name of the run that does it.

        Raises:
            NotFoundError: There is no such application or commit.
        """
        found = self._runtime.topology().application(application)
        commit = self.commit(found, revision)
        cause: dict[str, Json] = {"kind": "deploy", "by": by, "sites": list(sites)}
        return self._create(running.request(found, revision=commit, sites=sites, cause=cause))

    def heal(self, finding: int, *, by: str) -> str:
        """Deploy to a standby again because of a finding; the name of the run.

        Raises:
            NotFoundError: There is no such finding.
            LockstepError: A deploy heals nothing there, or may not be done now.
        """
        with self._runtime.database.read() as connection:
            found = drift.one(connection, finding)
        return healing.ask(healing_of(self._runtime), found, by=by)

    def _create(self, request: Request) -> str:
        with self._runtime.database.write() as connection:
            return runs.get(connection, self._runs.create(connection, request)).name

    def commit(self, application: kinds.Application, revision: str) -> str:
        """The whole id of a commit that somebody named; the branch's when nobody did."""
        topology = self._runtime.topology()
        if not revision:
            return self._runtime.renderings.head(topology, application).revision
        commit = self._runtime.doors.git_cache(application.spec.source.repository).resolve(revision)
        if commit is None:
            self._runtime.renderings.require(topology, application, revision)
            return revision
        return commit
