"""From what moved in a repository to runs: each push once, the newest last, and nothing that nobody pushed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from lockstep import documents as yaml
from lockstep import errors, work
from lockstep.store import mirrors, runs, triggers
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import TektonDocument, Topology
from lockstep.values import Json
from pipelines import triggers as deciding
from tests.support import configured, tekton
from tests.support.houses import TOLD, House
from tests.support.times import Clock

MAIN, OTHER, TAG = "refs/heads/main", "refs/heads/feature", "refs/tags/v1"
PIPELINE = f"""
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {{name: deliver}}
spec:
  params: [{{name: size}}, {{name: revision}}]
  workspaces: [{{name: source}}, {{name: cache, optional: true}}]
  tasks:
  - {{name: build, taskRef: {TOLD}}}
  - {{name: ask, runAfter: [build], taskRef: {{apiVersion: lockstep.dev/v1alpha1, kind: Approval}}}}
  - {{name: deploy, runAfter: [ask], taskRef: {TOLD}}}
"""


def oid(letter: str) -> str:
    """A commit that a test can read."""
    return letter * 40


def application(name: str = "pay", **pipeline: Json) -> kinds.Application:
    """An application with a pipeline."""
    return configured.application(name, pipeline={"name": "deliver", "params": {"size": "large"}, **pipeline})


def topology(*applications: kinds.Application) -> Topology:
    """A configuration of these applications and the pipeline."""
    (document,) = yaml.read(PIPELINE.encode(), file="pipeline.yaml")
    tables: dict[str, Mapping[str, object]] = {
        name: {}
        for name in Topology.__dataclass_fields__
        if name not in ("directory", "digest", "applications", "tekton")
    }
    return Topology(
        directory=Path("/configuration"),
        digest="d",
        applications={one.name: one for one in applications},
        tekton={("Pipeline", "deliver"): TektonDocument(kind="Pipeline", name="deliver", source=document)},
        **tables,  # type: ignore[arg-type]  # the fields are named by the class itself
    )


class Forge:
    """What the source says, and what somebody says was pushed."""

    def __init__(self, database: Database, folder: Path, *applications: kinds.Application) -> None:
        self.configuration = topology(*(applications or (application(),)))
        self.house = House(database, folder, topology=lambda: self.configuration)
        self.clock = self.house.clock

    def has(self, refs: Mapping[str, str]) -> None:
        """The source has these refs."""
        now = self.clock.now()
        seen = mirrors.Source(repository="bank/pay", head=MAIN, refs=refs, checked_at=now, changed_at=now)
        with self.house.database.write() as connection:
            mirrors.saw(connection, seen)

    def looked(self) -> Callable[[], None]:
        """Somebody looks at the repository; what is called then writes down what follows."""
        payload = {"repository": "bank/pay"}
        claim = work.Claim(id=1, kind=work.Kind.TRIGGER, payload=payload, fence="f", attempt=1, crashes=0)
        outcome = deciding.handle_trigger(self.house.service, claim)

        def end() -> None:
            with self.house.database.write() as connection:
                for effect in outcome.effects:
                    effect(connection)

        return end

    def says(self, refs: Mapping[str, str], *, pushed: tuple[str, ...] = ()) -> None:
        """The source has these refs; these were said to be pushed; everything that follows is done."""
        self.has(refs)
        with self.house.database.write() as connection:
            triggers.push(connection, "bank/pay", pushed, at=self.clock.now())
            self.house.queue.enqueue(connection, work.trigger("bank/pay", event=bool(pushed)))
        self.house.work()

    @property
    def runs(self) -> list[runs.Run]:
        """All runs, the oldest first."""
        with self.house.database.read() as connection:
            return runs.page(connection, runs.Filter())[::-1]

    @property
    def commits(self) -> list[str]:
        """The first letters of their commits."""
        return [run.revision[:1] for run in self.runs]


@pytest.fixture
def forge(database: Database, tmp_path: Path) -> Forge:
    """A forge with one application."""
    return Forge(database, tmp_path)


def test_what_is_seen_for_the_first_time_is_only_remembered(forge: Forge) -> None:
    """An instance that starts with an empty database deploys nothing; the next move counts."""
    forge.says({MAIN: oid("a")})
    assert forge.runs == []
    forge.says({MAIN: oid("b")})
    assert forge.commits == ["b"]


def test_a_first_push_that_somebody_told_of_starts_a_run(forge: Forge) -> None:
    """Also when the sweep saw the ref before the message came; once, however often it is told."""
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    assert forge.commits == ["a"]
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    assert forge.commits == ["a"]


def test_a_message_that_comes_after_the_sweep_still_starts_the_run(forge: Forge) -> None:
    """What was only remembered is owed a run once somebody says that it was pushed."""
    forge.says({MAIN: oid("a")})
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    assert forge.commits == ["a"]


def test_a_run_is_given_what_lockstep_read_itself(forge: Forge) -> None:
    """The application's own params, and commit, ref, repository and application; folders for its tasks."""
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    (run,) = forge.runs
    with forge.house.database.read() as connection:
        spec = runs.snapshot(connection, run.id)["run"]["spec"]
    assert {one["name"]: one["value"] for one in spec["params"]} == {
        "size": "large",
        "revision": oid("a"),
        "repository": "bank/pay",
        "ref": MAIN,
        "application": "pay",
    }
    assert spec["workspaces"] == [{"name": "source", "volumeClaimTemplate": {}}]
    assert run.cause == {"kind": "push", "ref": MAIN, "before": "", "queues": False, "held": False}
    assert run.name.startswith("pay-")


def test_a_push_that_comes_while_a_run_waits_takes_its_place(forge: Forge) -> None:
    """The older one is ended and says why; its question cannot be answered any more."""
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    forge.says({MAIN: oid("b")})
    old, new = forge.runs
    assert (old.reason, old.superseded_by) == ("Cancelled", new.name)
    with pytest.raises(errors.ConflictError, match="superseded"):
        forge.house.decide(old.id, "mina")
    forge.house.decide(new.id, "mina")
    forge.house.work()
    assert [run.reason for run in forge.runs] == ["Cancelled", "Succeeded"]


def test_pushes_during_a_run_leave_only_the_newest_behind_it(forge: Forge) -> None:
    """What is at work goes on; what nobody needs any more never starts."""
    forge.says({MAIN: oid("a")})
    for letter in "bcd":
        forge.has({MAIN: oid(letter)})
        forge.looked()()
    assert [run.state for run in forge.runs] == ["running", "ended", "pending"]
    assert forge.commits == ["b", "c", "d"]


def test_where_every_push_has_its_turn_none_is_replaced(database: Database, tmp_path: Path) -> None:
    """They go one after another, the oldest first."""
    forge = Forge(database, tmp_path, application(concurrency="queue"))
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    forge.says({MAIN: oid("b")})
    assert [run.state for run in forge.runs] == ["running", "pending"]
    forge.house.decide(forge.runs[0].id, "mina")
    forge.house.work()
    assert [run.state for run in forge.runs] == ["ended", "running"]


def test_a_ref_that_is_gone_starts_nothing_and_one_that_comes_back_does(forge: Forge) -> None:
    """The branch is what it was before it went: nothing new. Somewhere else it is a move."""
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    forge.says({})
    forge.says({MAIN: oid("a")})
    assert forge.commits == ["a"]
    forge.says({})
    forge.says({MAIN: oid("c")})
    assert forge.commits == ["a", "c"]


def test_a_branch_that_goes_back_to_an_older_commit_is_a_move(forge: Forge) -> None:
    """A forced push backwards is how people take something back."""
    for letter in "aba":
        forge.says({MAIN: oid(letter)}, pushed=(MAIN,))
    assert forge.commits == ["a", "b", "a"]


def test_what_was_said_to_be_pushed_and_never_showed_is_forgotten(forge: Forge) -> None:
    """A branch that is made a week later under that name is seen for the first time."""
    forge.says({MAIN: oid("a")}, pushed=(OTHER,))
    assert isinstance(forge.clock, Clock)
    forge.clock.pass_seconds(timedelta(days=2).total_seconds())
    forge.says({MAIN: oid("a")})
    with forge.house.database.read() as connection:
        assert triggers.pushes(connection, "bank/pay") == set()


def test_two_applications_of_a_repository_each_have_their_run(database: Database, tmp_path: Path) -> None:
    """One push, a run for each, and neither waits for the other."""
    forge = Forge(database, tmp_path, application("pay"), application("ledger"))
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    assert sorted(run.application for run in forge.runs) == ["ledger", "pay"]
    assert {run.state for run in forge.runs} == {"running"}


def test_many_who_look_at_once_start_one_run(forge: Forge) -> None:
    """A message, the sweep and a second service see the same move."""
    forge.says({MAIN: oid("a")})
    forge.has({MAIN: oid("b")})
    ends = [forge.looked() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda end: end(), ends))
    assert forge.commits == ["b"]


def test_a_repository_that_was_never_read_starts_nothing(forge: Forge) -> None:
    """A trigger for it is not an error: the source may be away."""
    forge.looked()()
    assert forge.runs == []


def test_a_pipeline_that_is_not_there_is_an_error_that_says_so(database: Database, tmp_path: Path) -> None:
    """The job fails where people see it, and what moved is not forgotten."""
    missing = configured.application("pay", pipeline={"name": "nowhere"})
    library = tekton.library(PIPELINE)
    with pytest.raises(errors.NotFoundError, match=r"pipeline of pay \(nowhere\) is not there"):
        deciding.request(missing, library, deciding.Moved(ref=MAIN, old=None, new=oid("a")))
    forge = Forge(database, tmp_path, missing)
    forge.says({MAIN: oid("a")}, pushed=(MAIN,))
    with forge.house.database.read() as connection:
        assert triggers.pushes(connection, "bank/pay") == {MAIN}


@pytest.mark.parametrize(
    ("on_push", "ref", "starts"),
    [
        ({}, MAIN, True),
        ({}, OTHER, False),
        ({}, TAG, False),
        ({"branches": ["main", "release/*"]}, "refs/heads/release/1", True),
        ({"branches": ["feature"]}, MAIN, False),
        ({"tags": ["v*"]}, TAG, True),
        ({"tags": ["v*"]}, "refs/tags/w1", False),
        ({"branches": ["*"]}, "refs/notes/main", False),
        ({"branches": ["Main"]}, MAIN, False),
    ],
)
def test_only_refs_that_are_named_start_a_run(on_push: dict[str, Json], ref: str, *, starts: bool) -> None:
    """Branches and tags by pattern, as they are spelt; the application's own branch when nothing is said."""
    assert deciding.starts(application(onPush=on_push), ref) is starts


def test_an_application_without_a_pipeline_starts_nothing() -> None:
    """It may be deployed by hand."""
    assert not deciding.starts(configured.application(), MAIN)
