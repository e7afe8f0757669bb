"""Runs on both databases: created, advanced, answered, superseded, cancelled, run again; never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from lockstep import errors, work
from lockstep.engine.tables import jobs
from lockstep.store import deployments
from lockstep.store import tasks as stored_tasks
from lockstep.store.database import Database
from lockstep.store.tables import runs as runs_table
from pipelines import decisions, sweeping
from pipelines.tasks import Again, Context, Failed, Finished, Outcome, Waiting
from tests.support.houses import House
from tests.support.times import Clock

APPROVED = """
tasks:
- {name: build, taskRef: TOLD}
- {name: approve, runAfter: [build], taskRef: {apiVersion: lockstep.dev/v1alpha1, kind: Approval}, params: PARAMS}
- {name: deploy, runAfter: [approve], taskRef: TOLD}
finally:
- {name: tell, taskRef: TOLD}
"""


def approved(params: str = "[]") -> str:
    """A pipeline that builds, asks, deploys and tells."""
    return APPROVED.replace("PARAMS", params)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    """A service whose clock stands still."""
    return House(database, tmp_path)


def _queued(house: House) -> int:
    with house.database.read() as connection:
        return len(connection.execute(select(jobs.c.id).where(jobs.c.state.in_(["queued", "running"]))).all())


def test_a_run_is_walked_to_its_end_with_the_results_of_its_tasks(house: House) -> None:
    """Each task is called once, with what those before it handed on."""
    run = house.walk(
        """
results: [{name: out, value: $(tasks.b.results.r)}]
tasks:
- {name: a, taskRef: TOLD}
- {name: b, taskRef: TOLD, params: [{name: p, value: "$(tasks.a.results.list[*])"}]}
"""
    )
    house.told.says = {"a": [Finished(results={"list": ("x", "y")})], "b": [Finished(results={"r": "done"})]}
    house.work()
    assert house.told.names == ["a", "b"]
    assert house.told.asked[1].params == {"p": ("x", "y")}
    assert house.told.asked[1].results == {"a": {"list": ("x", "y")}}
    ended = house.run(run)
    assert (ended.state, ended.status, ended.reason) == ("ended", "True", "Succeeded")
    assert house.whole(run).results == [{"name": "out", "type": "string", "value": "done"}]


def test_a_run_that_cannot_start_ends_at_once(house: House) -> None:
    """Nothing is queued for it."""
    run = house.walk("params: [{name: need}]\ntasks: [{name: a, taskRef: TOLD}]")
    assert house.reason(run) == "ParameterMissing"
    assert _queued(house) == 0


def test_two_runs_of_one_name_are_refused(house: House) -> None:
    """A name finds one run."""
    house.walk("tasks: [{name: a, taskRef: TOLD}]")
    with pytest.raises(errors.ConflictError):
        house.walk("tasks: [{name: a, taskRef: TOLD}]")


def test_advancing_once_more_changes_nothing(house: House) -> None:
    """However often a run is looked at, each task starts once."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}, {name: b, runAfter: [a], taskRef: TOLD}]")
    before = _queued(house)
    for _ in range(3):
        with house.database.write() as connection:
            house.runs.advance(connection, run)
    assert _queued(house) == before
    house.work()
    assert house.told.names == ["a", "b"]


def test_a_run_that_waits_for_a_person_is_rows_and_nothing_else(house: House) -> None:
    """No job is queued or running; an answer lets it go on with who answered as results."""
    run = house.walk(approved("[{name: description, value: Deploy it?}]"), revision="c0ffee")
    house.told.says = {"build": [Finished(results={"image": f"r/x@sha256:{'a' * 64}", "note": "no digest"})]}
    house.work()
    assert _queued(house) == 0
    (question,) = house.approvals(run)
    assert (question.question, question.kind, question.state) == ("Deploy it?", "approval", "pending")
    assert question.bound["commit"] == "c0ffee"
    assert question.bound["digests"] == {"build.image": f"sha256:{'a' * 64}"}
    assert question.bound["plan"].startswith("sha256:")
    house.decide(run, "mina", comment="looks right")
    house.work()
    assert house.told.names == ["build", "deploy", "tell"]
    approve = house.tasks(run)["approve"]
    assert (approve.status, approve.reason, approve.message) == ("True", "Approved", "approved by mina")
    results = {one["name"]: one["value"] for one in approve.results}
    assert results["approved-by"] == "mina"
    assert results["comment"] == "looks right"
    assert house.reason(run) == "Succeeded"


def test_one_reject_rejects_and_finally_runs(house: House) -> None:
    """What was to follow is skipped; what has to be told is told."""
    run = house.walk(approved("[{name: numberOfApprovalsRequired, value: '2'}]"))
    house.work()
    house.decide(run, "mina")
    house.decide(run, "jun", "reject", comment="not today")
    house.work()
    assert house.told.names == ["build", "tell"]
    assert house.tasks(run)["approve"].message == "rejected by jun: not today"
    ended = house.run(run)
    assert ended.reason == "Failed"
    assert house.whole(run).skipped == [{"name": "deploy", "reason": "PipelineRun was stopping"}]


def test_different_people_are_counted_and_each_may_think_again(house: House) -> None:
    """The same person twice is one person; only the own answer changes, and only while the question is open."""
    run = house.walk(approved("[{name: numberOfApprovalsRequired, value: '2'}]"))
    house.work()
    assert house.decide(run, "mina").state == "pending"
    assert house.decide(run, "mina", comment="still").state == "pending"
    assert house.decide(run, "jun").state == "approved"
    with pytest.raises(errors.ConflictError, match="approved already"):
        house.decide(run, "mina", "reject")


@pytest.mark.parametrize("approvers", ["[mina, 'group:release']", '\'["mina", "group:release"]\''])
def test_only_those_who_are_listed_may_answer(house: House, approvers: str) -> None:
    """By name, or by a group that somebody vouches for; the list may be an array or its JSON."""
    run = house.walk(approved(f"[{{name: approvers, value: {approvers}}}]"))
    house.work()
    with pytest.raises(errors.ForbiddenError, match=r"mina, group:release"):
        house.decide(run, "mallory", groups=("other",))
    with pytest.raises(errors.ForbiddenError):
        house.decide(run, "group:release")
    assert house.decide(run, "jun", groups=("release",)).state == "approved"


def test_one_person_in_two_spellings_is_one_person(house: House) -> None:
    """Neither case nor blanks make a second pair of eyes."""
    run = house.walk(approved("[{name: numberOfApprovalsRequired, value: '2'}]"))
    house.work()
    house.decide(run, "Mina Kim")
    assert house.decide(run, " mina  KIM ").state == "pending"
    assert house.decide(run, "jun").state == "approved"


REFUSE = "[{name: selfApproval, value: refuse}]"


def test_who_started_a_run_or_wrote_its_commit_may_not_approve_it_where_that_is_refused(house: House) -> None:
    """Rejecting is open to them: nobody has to ask somebody else to stop what is one's own."""
    run = house.walk(approved(REFUSE), cause={"kind": "manual", "by": "mina"})
    house.told.says = {"build": [Finished(results={"author": "Jun Park"})]}
    house.work()
    for owner in ("mina", "MINA ", "jun park"):
        with pytest.raises(errors.ForbiddenError, match="may not approve") as caught:
            house.decide(run, owner)
        assert caught.value.remedy == "Ask somebody else."
    assert house.decide(run, "mina", "reject").state == "rejected"


def test_anybody_may_approve_where_nothing_else_is_said(house: House) -> None:
    """One person alone can use Lockstep too."""
    run = house.walk(approved(), cause={"kind": "manual", "by": "mina"})
    house.work()
    assert house.decide(run, "mina").state == "approved"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("[{name: selfApproval, value: perhaps}]", "selfApproval has to be allow or refuse."),
        (
            "[{name: selfApproval, value: refuse}, {name: approvers, value: [mina]}]",
            "1 approvals are wanted, and only 0 people may give one.",
        ),
    ],
)
def test_a_question_that_nobody_may_answer_fails_its_task(house: House, params: str, message: str) -> None:
    """Waiting for it would be waiting for ever."""
    run = house.walk(approved(params), cause={"by": "mina"})
    house.work()
    approve = house.tasks(run)["approve"]
    assert (approve.reason, approve.message) == ("ParamInvalid", message)


@pytest.mark.parametrize(("by", "decision"), [("", "approve"), (" ", "approve"), ("mina", "perhaps")])
def test_an_answer_that_is_none_is_refused(house: House, by: str, decision: str) -> None:
    """It needs a name and a decision."""
    run = house.walk(approved())
    house.work()
    with pytest.raises(errors.InputError):
        house.decide(run, by, decision)


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5", "", "³", "99999"])
def test_a_number_of_approvals_that_cannot_be_fails_the_task(house: House, number: str) -> None:
    """It is said at once, not when somebody should have answered."""
    run = house.walk(approved(f"[{{name: numberOfApprovalsRequired, value: '{number}'}}]"))
    house.work()
    assert house.tasks(run)["approve"].reason == "ParamInvalid"


def test_more_approvals_than_people_fail_the_task(house: House) -> None:
    """Such a question could never be settled."""
    run = house.walk(approved("[{name: approvers, value: [mina]}, {name: numberOfApprovalsRequired, value: '2'}]"))
    house.work()
    assert house.tasks(run)["approve"].reason == "ParamInvalid"


def test_openshifts_approval_task_is_understood(house: House) -> None:
    """A pipeline that waits with it on OpenShift waits here too."""
    run = house.walk(
        approved().replace(
            "lockstep.dev/v1alpha1, kind: Approval", "openshift-pipelines.org/v1alpha1, kind: ApprovalTask"
        )
    )
    house.work()
    house.decide(run, "mina")
    house.work()
    assert house.reason(run) == "Succeeded"


def test_a_kind_that_nobody_runs_fails_its_task(house: House) -> None:
    """The message names the kinds that are run."""
    run = house.walk("tasks: [{name: a, taskRef: {apiVersion: example.com/v1, kind: Magic}}]")
    house.work()
    assert "Nobody here runs tasks of the kind Magic" in house.tasks(run)["a"].message
    assert house.reason(run) == "Failed"


def test_a_newer_push_takes_the_place_of_a_run_that_waits(house: House) -> None:
    """The older one is cancelled by name, its question cannot be answered any more, and its finally is not run."""
    old = house.walk(approved(), name="old", application="pay")
    house.work()
    new = house.walk(approved(), name="new", application="pay")
    assert house.run(old).message == 'PipelineRun "old" was cancelled: new has taken its place'
    assert house.run(old).reason == "Cancelled"
    assert house.approvals(old)[0].state == "superseded"
    with pytest.raises(errors.ConflictError, match="superseded"):
        house.decide(old, "mina")
    house.work()
    house.decide(new, "mina")
    house.work()
    assert house.reason(new) == "Succeeded"
    assert house.told.names == ["build", "build", "deploy", "tell"]


def test_a_newer_push_waits_behind_a_run_that_is_at_work_and_only_the_newest_is_kept(house: House) -> None:
    """What has not started gives way to what is newer."""
    busy = house.walk(approved(), name="busy", application="pay")
    second = house.walk(approved(), name="second", application="pay")
    third = house.walk(approved(), name="third", application="pay")
    assert [house.run(run).state for run in (busy, second, third)] == ["running", "ended", "pending"]
    assert house.run(third).reason == "PipelineRunPending"
    assert house.run(second).superseded_by == "third"
    house.work()
    assert house.reason(busy) == "Cancelled", "it came to its question, and a newer one was there"
    assert house.run(third).state == "running"


def test_another_application_is_not_in_the_way(house: House) -> None:
    """Each has its own turn."""
    house.walk(approved(), name="one", application="pay")
    other = house.walk(approved(), name="two", application="shop")
    assert house.run(other).state == "running"


def test_where_every_run_has_its_turn_the_oldest_goes_first(house: House) -> None:
    """Nothing is replaced, also while somebody is asked."""
    names = ["first", "second", "third"]
    made = [house.walk(approved(), name=name, application="pay", queues=True) for name in names]
    house.work()
    assert [house.run(run).state for run in made] == ["running", "pending", "pending"]
    for run in made:
        house.decide(run, "mina")
        house.work()
    assert [house.reason(run) for run in made] == ["Succeeded"] * 3


def test_a_question_of_a_guard_lets_its_task_go_on(house: House) -> None:
    """A built-in may ask in the middle of its work; it is called again with the answer."""
    run = house.walk("tasks: [{name: deploy, taskRef: TOLD}]")
    house.told.says = {"deploy": [Waiting(question="Delete it?", bound={"plan": "p"}, kind="guard"), Finished()]}
    house.work()
    house.decide(run, "mina")
    house.work()
    (answer,) = house.told.asked[-1].answers
    assert (answer.kind, answer.state, answer.bound) == ("guard", "approved", {"plan": "p"})
    assert house.reason(run) == "Succeeded"


@pytest.mark.parametrize(
    ("how", "names"),
    [("Cancelled", ["build"]), ("CancelledRunFinally", ["build", "tell"]), ("StoppedRunFinally", ["build"])],
)
def test_a_run_that_waits_can_be_cancelled(house: House, how: str, names: list[str]) -> None:
    """Cancelling closes the question; a gentle stop waits for it."""
    run = house.walk(approved())
    house.work()
    with house.database.write() as connection:
        house.runs.cancel(connection, run, how=how)
    house.work()
    assert house.told.names == names
    stopped = how == "StoppedRunFinally"
    assert house.approvals(run)[0].state == ("pending" if stopped else "cancelled")
    assert house.reason(run) == ("StoppedRunningFinally" if stopped else "Cancelled")


def test_a_pending_run_can_be_cancelled_and_an_ended_one_cannot(house: House) -> None:
    """Nothing is left to cancel of what has ended."""
    house.walk(approved(), name="busy", application="pay")
    pending = house.walk(approved(), name="pending", application="pay")
    with house.database.write() as connection:
        house.runs.cancel(connection, pending)
    assert house.reason(pending) == "Cancelled"
    with pytest.raises(errors.ConflictError), house.database.write() as connection:
        house.runs.cancel(connection, pending)
    with pytest.raises(errors.InputError), house.database.write() as connection:
        house.runs.cancel(connection, pending, how="Exploded")


def test_a_run_that_was_asked_not_to_start_waits_until_it_is_released(house: House) -> None:
    """``spec.status: PipelineRunPending``."""
    text = (
        "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: held}\nspec:\n  status: PipelineRunPending\n"
        "  pipelineSpec: {tasks: [{name: a, taskRef: {apiVersion: lockstep.dev/v1alpha1, kind: Told}}]}\n"
    )
    run = house.create(text)
    house.work()
    assert house.reason(run) == "PipelineRunPending"
    with house.database.write() as connection:
        house.runs.release(connection, run)
    house.work()
    assert house.reason(run) == "Succeeded"


def test_a_run_can_be_run_again_from_its_own_documents(house: House) -> None:
    """What changed since does not matter; the new run names the old one."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]", revision="c0ffee")
    house.work()
    with house.database.write() as connection:
        again = house.runs.rerun(connection, run, cause={"by": "mina"})
    house.work()
    new = house.run(again)
    assert (new.reason, new.revision) == ("Succeeded", "c0ffee")
    assert new.cause["rerunOf"] == "walk"
    assert new.name != "walk"


def test_a_failed_attempt_is_archived_and_tried_again(house: House) -> None:
    """Its results are gone, and the last attempt speaks."""
    run = house.walk("tasks: [{name: a, retries: 2, taskRef: TOLD}]")
    house.told.says = {
        "a": [Failed(reason="Broken", message="no", results={"r": "old"}), Finished(results={"r": "new"})]
    }
    house.work()
    task = house.tasks(run)["a"]
    assert (task.status, task.attempt) == ("True", 1)
    assert [(one["reason"], one["attempt"]) for one in task.retries] == [("Broken", 0)]
    assert [one["value"] for one in task.results] == ["new"]
    assert house.reason(run) == "Succeeded"


def test_a_task_that_says_not_yet_is_called_again_later(house: House) -> None:
    """It counts neither as a failure nor as an attempt."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]")
    house.told.says = {"a": [Again(seconds=0.0, why="the image is not there yet")] * 8}
    house.work()
    assert len(house.told.asked) == 9
    assert house.reason(run) == "Succeeded"


@pytest.mark.parametrize("how", ["cancelled", "too long"])
def test_a_run_that_ends_before_its_time_leaves_no_site_rolling(
    house: House, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks any more whether what it wrote runs, and it does not say for ever that it is being looked at."""
    run = house.walk("tasks: [{name: deploy, taskRef: TOLD}]")
    rolled = {"seoul": deployments.DONE, "sejong": deployments.ROLLING, "daegu": deployments.RECOVERING}

    def deploy(_context: Context) -> Outcome:
        with house.database.write() as connection:
            for site, state in rolled.items():
                deployments.record(connection, _deployment(site, state, house))
            if how == "cancelled":
                house.runs.cancel(connection, run)
        if how == "too long":
            house.clock.pass_seconds(7200)
            house.sweep()
        return Again(seconds=0.0, why="it does not run yet")

    monkeypatch.setattr(house.told, "run", deploy)
    house.work()
    assert house.run(run).ended
    with house.database.read() as connection:
        found = {row.site: row.state for row in deployments.newest(connection, "pay")}
    assert found == {"seoul": "done", "sejong": "stopped", "daegu": "stopped"}


def _deployment(site: str, state: str, house: House) -> deployments.Deployment:
    return deployments.Deployment(
        application="pay",
        site=site,
        run="walk",
        revision="1" * 40,
        images={},
        state=state,
        message="",
        objects=1,
        changed=1,
        deleted=0,
        started_at=house.clock.now(),
        ended_at=house.clock.now(),
    )


def test_a_task_that_keeps_failing_for_a_moment_fails_in_the_end(house: House) -> None:
    """It is tried as often as its job may be, and then its run goes on without it."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]\nfinally: [{name: tell, taskRef: TOLD}]")
    house.told.says = {"a": [errors.UnreachableError("The site does not answer.")] * 50}
    for _ in range(20):
        house.worker.run_until(lambda: house.run(run).ended, timeout_seconds=20)
    assert "It was tried 5 times." in house.tasks(run)["a"].message
    assert house.reason(run) == "Failed"


def test_an_answer_that_is_an_error_fails_its_task_at_once(house: House) -> None:
    """What will not be otherwise is not tried again."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]")
    house.told.says = {"a": [errors.ForbiddenError("We may not.", remedy="Ask for the right.")]}
    house.work()
    assert house.tasks(run)["a"].message == "We may not. Ask for the right."
    assert house.told.names == ["a"]


def test_a_task_whose_job_was_given_up_does_not_hold_its_run_for_ever(house: House) -> None:
    """The sweep sees it, and says why."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]")
    (claim,) = house.queue.claim()
    with house.database.write() as connection:
        stored_tasks.change(connection, claim.payload["task"], state="running")
    house.queue.fail(claim, errors.InputError("It can never be done."))
    house.sweep()
    assert house.tasks(run)["a"].message == "It was given up: It can never be done."
    assert house.reason(run) == "Failed"


def test_a_task_that_kept_killing_its_worker_before_it_began_is_not_waited_for(house: House) -> None:
    """However many other jobs are in trouble, and although nothing of it was ever begun."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]")
    (claim,) = house.queue.claim()
    house.queue.fail(claim, errors.InputError("No worker survives it."))
    with house.database.write() as connection:
        house.queue.enqueue(connection, *(work.advance(number) for number in range(1000, 1150)))
    for other in house.queue.claim(most=150):
        house.queue.fail(other, errors.InputError("Something else."))
    sweeping.end_overdue(house.service)
    assert house.tasks(run)["a"].message == "It was given up: No worker survives it."


def test_a_task_that_waits_for_a_person_is_not_given_up(house: House) -> None:
    """It has no job, and wants none until somebody answers."""
    run = house.walk(approved())
    house.work()
    house.sweep()
    assert house.tasks(run)["approve"].state == "waiting"


def test_the_time_in_which_a_person_thinks_does_not_count(house: House) -> None:
    """A run of an hour may wait for days; the hour goes on when it goes on."""
    assert isinstance(house.clock, Clock)
    run = house.walk(approved())
    house.work()
    house.clock.pass_seconds(3 * 86400)
    house.sweep()
    assert house.reason(run) == "Running"
    house.decide(run, "mina")
    house.clock.pass_seconds(3500)
    house.work()
    assert house.reason(run) == "Succeeded"


def test_a_run_that_takes_too_long_is_ended_by_the_sweep(house: House) -> None:
    """What has not begun is ended at once, and the run says which limit it was."""
    assert isinstance(house.clock, Clock)
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]")
    house.clock.pass_seconds(3601)
    sweeping.end_overdue(house.service)
    assert house.tasks(run)["a"].reason == "CustomRunCancelled"
    assert house.run(run).message == 'PipelineRun "walk" failed to finish within "1h0m0s"'


@pytest.mark.parametrize(
    "limit", ["timeout: 24h, params: []", "params: [{name: timeout, value: 24h}]"], ids=["of the task", "as a param"]
)
def test_a_question_with_a_limit_of_its_own_is_closed_when_it_has_passed(house: House, limit: str) -> None:
    """Nobody answering is a no."""
    assert isinstance(house.clock, Clock)
    run = house.walk(approved().replace("params: []", limit))
    house.work()
    house.clock.pass_seconds(86000)
    house.sweep()
    assert house.approvals(run)[0].state == "pending"
    house.clock.pass_seconds(500)
    house.sweep()
    assert house.tasks(run)["approve"].message == "nobody decided within 24h0m0s"
    assert house.approvals(run)[0].state == "cancelled"
    assert house.reason(run) == "Failed"


def test_many_people_who_answer_at_once_settle_a_question_once(house: House) -> None:
    """Its task goes on once, whoever came last."""
    run = house.walk(approved("[{name: numberOfApprovalsRequired, value: '3'}]"), application="pay")
    house.work()
    (question,) = house.approvals(run)

    def answer(name: str) -> str:
        try:
            with house.database.write() as connection:
                said = decisions.Answer(by=name, decision="approve")
                return decisions.decide(connection, house.runs, question.id, said).state
        except errors.ConflictError:
            return "late"

    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(answer, [f"person-{number}" for number in range(8)]))
    assert sorted(states).count("approved") == 1
    assert states.count("pending") == 2
    house.work()
    assert house.told.names.count("deploy") == 1


def test_many_pushes_at_once_leave_one_run_at_work_and_the_newest_behind_it(house: House) -> None:
    """However they race, no two runs of an application work at the same time."""
    body = "tasks: [{name: a, taskRef: TOLD}]"
    first = house.walk(body, name="first", application="pay")
    with ThreadPoolExecutor(6) as pool:
        made = list(
            pool.map(
                lambda number: house.walk(
                    "tasks: [{name: a, taskRef: TOLD}]", name=f"push-{number}", application="pay"
                ),
                range(6),
            )
        )
    with house.database.read() as connection:
        states = {row.id: row.state for row in connection.execute(select(runs_table.c.id, runs_table.c.state))}
    assert states[first] == "running"
    assert [states[run] for run in sorted(made)] == ["ended"] * 5 + ["pending"]
    house.work()
    assert house.reason(max(made)) == "Succeeded"


def test_a_job_of_a_run_that_was_removed_does_nothing(house: House) -> None:
    """Its rows are gone, and that is the end of it."""
    run = house.walk("tasks: [{name: a, taskRef: TOLD}]")
    with house.database.write() as connection:
        connection.execute(runs_table.delete().where(runs_table.c.id == run))
        house.queue.enqueue(connection, work.advance(run))
    house.work()
    assert house.told.names == []
