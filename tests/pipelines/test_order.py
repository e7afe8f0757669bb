"""Which task starts when, what is skipped and why, and how a run ends: the rules, one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import documents, graph
from pipelines.graph import Skip
from tests.support import tekton
from tests.support.tekton import Walk, pipeline_run, plan_of

STEPS = "steps: [{name: s, image: i, script: 'true'}]"


def walk(body: str, *, spec: str = "") -> Walk:
    """A walk of the pipeline of these lines; every STEPS stands for a task that does nothing."""
    return Walk(plan_of(pipeline_run(body.replace("STEPS", STEPS), spec=spec)))


def test_independent_tasks_start_together_and_the_others_after_their_parents() -> None:
    """``runAfter`` and results make the order; nothing else does."""
    run = walk(
        """
tasks:
- {name: late, runAfter: [a], taskSpec: {STEPS}}
- {name: a, taskSpec: {results: [{name: r}], STEPS}}
- {name: b, taskSpec: {STEPS}}
- {name: reads, params: [{name: p, value: $(tasks.a.results.r)}], taskSpec: {params: [{name: p}], STEPS}}
"""
    )
    assert {start.node.name for start in run.step().start} == {"a", "b"}
    assert not run.step().start
    run.end("walk-a", results={"r": "1"})
    assert {start.node.name: dict(start.params) for start in run.step().start} == {"late": {}, "reads": {"p": "1"}}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"runAfter": ["b", "a", "b"]}, ("a", "b")),
        ({"params": [{"name": "x", "value": "$(tasks.fetch.results.commit)"}]}, ("fetch",)),
        ({"when": [{"input": "$(tasks.check.results.ok[0])"}], "runAfter": ["a"]}, ("a", "check")),
        ({"params": [{"name": "x", "value": "$(tasks.shards.matrix.r.length)"}]}, ("shards",)),
        ({"taskSpec": {"steps": [{"image": "i", "script": "echo $(tasks.fetch.results.commit)"}]}}, ("fetch",)),
        ({"params": [{"name": "x", "value": "$(tasks.status) $(tasks.a.status)"}]}, ()),
        ({}, ()),
    ],
    ids=str,
)
def test_a_task_waits_for_what_it_names_and_what_it_reads(body: dict[str, Any], wanted: tuple[str, ...]) -> None:
    """``runAfter``, and every task whose results stand in it."""
    assert graph.parents(body) == wanted


def test_a_task_skipped_by_when_lets_what_only_follows_it_run() -> None:
    """Ordering goes on; reading its result does not."""
    run = walk(
        """
tasks:
- name: a
  when: [{input: x, operator: in, values: [z]}]
  taskSpec: {results: [{name: r}], STEPS}
- {name: follows, runAfter: [a], taskSpec: {STEPS}}
- {name: reads, params: [{name: p, value: $(tasks.a.results.r)}], taskSpec: {params: [{name: p}], STEPS}}
- {name: after-reads, runAfter: [reads], taskSpec: {STEPS}}
"""
    )
    decision = run.step()
    assert [start.node.name for start in decision.start] == ["follows"]
    assert {one.name: one.reason for one in decision.skipped} == {
        "a": Skip.WHEN,
        "reads": Skip.RESULTS,
        "after-reads": Skip.PARENT,
    }


@pytest.mark.parametrize(
    ("when", "runs"),
    [
        ("{input: a, operator: in, values: [a, b]}", True),
        ("{input: 'a ', operator: in, values: [a]}", False),
        ("{input: a, operator: notin, values: [b]}", True),
        ("{input: $(params.p), operator: in, values: [here]}", True),
        ("{input: b, operator: in, values: ['$(params.l[*])']}", True),
        ("{input: '', operator: in, values: ['$(params.none[*])']}", False),
        ("{input: '$(params.l[*])', operator: in, values: ['[\"a\",\"b\"]']}", True),
    ],
)
def test_conditions_compare_exactly_after_replacement(when: str, *, runs: bool) -> None:
    """White space counts, arrays expand, and an empty array holds nothing."""
    run = walk(
        f"""
params:
- {{name: p, default: here}}
- {{name: l, type: array, default: [a, b]}}
- {{name: none, type: array, default: []}}
tasks:
- {{name: t, when: [{when}], taskSpec: {{STEPS}}}}
"""
    )
    assert bool(run.step().start) is runs


def test_after_a_failure_nothing_new_starts_and_finally_runs() -> None:
    """What runs may end; the rest is skipped because the run is stopping."""
    run = walk(
        """
tasks:
- {name: a, taskSpec: {STEPS}}
- {name: b, taskSpec: {STEPS}}
- {name: c, runAfter: [b], taskSpec: {STEPS}}
finally:
- {name: f, params: [{name: p, value: $(tasks.a.status) $(tasks.c.status) $(tasks.status)}], taskSpec: {STEPS}}
"""
    )
    run.step()
    run.end("walk-a", "False")
    decision = run.step()
    assert not decision.start
    assert decision.condition.reason == "Running"
    run.end("walk-b")
    decision = run.step()
    assert [dict(start.params) for start in decision.start] == [{"p": "Failed None Failed"}]
    assert decision.finally_begins
    assert [(one.name, one.reason) for one in decision.skipped] == [("c", Skip.STOPPING)]
    run.end("walk-f")
    assert run.step(finally_elapsed=timedelta()).condition.message == (
        "Tasks Completed: 3 (Failed: 1, Cancelled 0), Skipped: 1"
    )


def test_a_failing_finally_fails_the_run() -> None:
    """Even when all tasks succeeded."""
    run = walk("tasks: [{name: a, taskSpec: {STEPS}}]\nfinally: [{name: f, taskSpec: {STEPS}}]")
    run.step()
    run.end("walk-a")
    run.step()
    run.end("walk-f", "False")
    assert run.step(finally_elapsed=timedelta()).condition.reason == "Failed"


def test_an_ignored_failure_counts_in_the_aggregate_status() -> None:
    """The run goes on and succeeds, and ``tasks.status`` says Failed all the same."""
    run = walk(
        """
tasks:
- {name: a, onError: $(params.how), taskSpec: {STEPS}}
- {name: b, runAfter: [a], taskSpec: {STEPS}}
finally:
- {name: f, params: [{name: p, value: $(tasks.status) $(tasks.a.reason)}], taskSpec: {STEPS}}
params: [{name: how, default: continue}]
"""
    )
    run.step()
    run.end("walk-a", "False", "FailureIgnored")
    run.step()
    run.end("walk-b")
    (start,) = run.step().start
    assert start.params["p"] == "Failed FailureIgnored"
    run.end("walk-f")
    assert run.step(finally_elapsed=timedelta()).condition.status == "True"


def test_a_missing_result_of_an_ignored_failure_skips_only_who_may_be_skipped() -> None:
    """A reader with onError: continue is skipped; any other reader fails the run."""
    body = """
tasks:
- {name: a, onError: continue, taskSpec: {results: [{name: r}], STEPS}}
- name: reads
  onError: HOW
  params: [{name: p, value: $(tasks.a.results.r)}]
  taskSpec: {params: [{name: p}], STEPS}
"""
    lenient, strict = walk(body.replace("HOW", "continue")), walk(body.replace("HOW", "stopAndFail"))
    for run in (lenient, strict):
        run.step()
        run.end("walk-a", "False", "FailureIgnored")
    assert [one.reason for one in lenient.step().skipped] == [Skip.RESULTS]
    assert strict.step().condition.reason == "PipelineValidationFailed"


def test_an_element_beyond_the_end_of_a_result_fails_the_run() -> None:
    """It is said which element of which array was read."""
    run = walk(
        """
tasks:
- {name: a, taskSpec: {results: [{name: r, type: array}], STEPS}}
- {name: b, params: [{name: p, value: "$(tasks.a.results.r[2])"}], taskSpec: {params: [{name: p}], STEPS}}
"""
    )
    run.step()
    run.end("walk-a", results={"r": ("x", "y")})
    condition = run.step().condition
    assert condition.reason == "PipelineValidationFailed"
    assert "array Result Index 2 for Task a Result r is out of bound of size 2" in condition.message


@pytest.mark.parametrize(
    ("requested", "reason", "final", "interim"),
    [
        ("CancelledRunFinally", Skip.CANCELLED, True, "CancelledRunningFinally"),
        ("StoppedRunFinally", Skip.STOPPED, True, "StoppedRunningFinally"),
    ],
)
def test_a_graceful_end_skips_what_has_not_started_and_runs_finally(
    requested: str, reason: Skip, interim: str, *, final: bool
) -> None:
    """The run is Cancelled at the end, even when everything that ran succeeded."""
    run = walk(
        """
tasks:
- {name: a, taskSpec: {STEPS}}
- {name: b, runAfter: [a], taskSpec: {STEPS}}
finally:
- {name: f, taskSpec: {STEPS}}
"""
    )
    run.step()
    decision = run.step(requested=requested)
    assert decision.condition.reason == interim
    assert decision.stop == ({"walk-a": False} if requested == "CancelledRunFinally" else {})
    assert [(one.name, one.reason) for one in decision.skipped] == [("b", reason)]
    run.end("walk-a")
    decision = run.step(requested=requested)
    assert [start.node.name for start in decision.start] == ["f"] * final
    run.end("walk-f")
    condition = run.step(requested=requested, finally_elapsed=timedelta()).condition
    assert (condition.status, condition.reason) == ("False", "Cancelled")
    assert condition.message == 'PipelineRun "walk" was cancelled'


def test_a_plain_cancel_ends_everything_and_skips_finally() -> None:
    """The run has ended once nothing runs any more."""
    run = walk("tasks: [{name: a, taskSpec: {STEPS}}]\nfinally: [{name: f, taskSpec: {STEPS}}]")
    run.step()
    decision = run.step(requested="Cancelled")
    assert decision.stop == {"walk-a": False}
    assert not decision.condition.ended
    run.end("walk-a", "False", "TaskRunCancelled")
    decision = run.step(requested="Cancelled")
    assert decision.condition.reason == "Cancelled"
    assert not decision.start


def test_the_time_of_the_whole_run_ends_everything() -> None:
    """What runs is ended for being late, finally included, and the message names the limit."""
    run = walk(
        "tasks: [{name: a, taskSpec: {STEPS}}]\nfinally: [{name: f, taskSpec: {STEPS}}]",
        spec="timeouts: {pipeline: 90s}",
    )
    run.step(elapsed=timedelta(seconds=90))
    late = timedelta(seconds=91)
    assert run.step(elapsed=late, tasks_elapsed=late).stop == {"walk-a": True}
    run.end("walk-a", "False", "TaskRunCancelled", timed_out=True)
    condition = run.step(elapsed=late, tasks_elapsed=late).condition
    assert condition.reason == "PipelineRunTimeout"
    assert condition.message == 'PipelineRun "walk" failed to finish within "1m30s"'


def test_the_time_of_finally_is_its_own() -> None:
    """It runs from the moment at which finally began."""
    run = walk(
        "tasks: [{name: a, taskSpec: {STEPS}}]\nfinally: [{name: f, taskSpec: {STEPS}}]",
        spec="timeouts: {pipeline: 10m, tasks: 5m, finally: 10s}",
    )
    run.step()
    run.end("walk-a")
    run.step()
    assert not run.step(finally_elapsed=timedelta(seconds=10)).stop
    assert run.step(finally_elapsed=timedelta(seconds=11)).stop == {"walk-f": True}


def test_without_a_limit_a_run_may_take_for_ever() -> None:
    """Zero is no limit, and the default is one hour."""
    body = "tasks: [{name: a, taskSpec: {STEPS}}]"
    days = timedelta(days=9)
    free, bound = walk(body, spec="timeouts: {pipeline: '0'}"), walk(body)
    for run in (free, bound):
        run.step()
    assert not free.step(elapsed=days).stop
    assert bound.step(elapsed=timedelta(minutes=61)).stop == {"walk-a": True}


def test_the_first_param_of_a_matrix_varies_fastest_and_results_are_gathered() -> None:
    """Children are numbered in that order; their texts are gathered in the order of their names."""
    values = ", ".join(f"'{number}'" for number in range(11))
    run = walk(
        f"""
tasks:
- name: m
  matrix: {{params: [{{name: p, value: [{values}]}}]}}
  taskSpec: {{params: [{{name: p}}], results: [{{name: r}}], STEPS}}
- name: reads
  params:
  - {{name: all, value: "$(tasks.m.results.r[*])"}}
  - {{name: count, value: "$(tasks.m.matrix.length) $(tasks.m.matrix.r.length)"}}
  taskSpec: {{params: [{{name: all, type: array}}, {{name: count}}], STEPS}}
"""
    )
    starts = run.step().start
    assert [start.name for start in starts] == [f"walk-m-{index}" for index in range(11)]
    for start in starts:
        run.end(start.name, results={"r": str(start.params["p"])})
    (reads,) = run.step().start
    assert reads.params == {"all": ("0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9"), "count": "11 11"}


def test_a_matrix_combines_and_includes() -> None:
    """Includes that contradict nothing are merged, others stand for themselves."""
    matrix = documents.part(
        documents.Matrix,
        {
            "params": [{"name": "os", "value": ["linux", "mac"]}, {"name": "arch", "value": ["amd", "arm"]}],
            "include": [
                {"name": "tuned", "params": [{"name": "os", "value": "linux"}, {"name": "flags", "value": "-O2"}]},
                {"name": "other", "params": [{"name": "os", "value": "bsd"}]},
            ],
        },
    )
    assert graph.combinations(matrix) == [
        {"os": "linux", "arch": "amd", "flags": "-O2"},
        {"os": "mac", "arch": "amd"},
        {"os": "linux", "arch": "arm", "flags": "-O2"},
        {"os": "mac", "arch": "arm"},
        {"os": "bsd"},
    ]


def test_an_empty_array_skips_its_matrix_and_too_many_combinations_are_refused() -> None:
    """Nothing to combine is no failure; 257 combinations are."""
    body = """
params: [{name: l, type: array, default: []}]
tasks:
- name: m
  matrix: {params: [{name: p, value: "$(params.l[*])"}]}
  taskSpec: {params: [{name: p}], STEPS}
"""
    assert [one.reason for one in walk(body).step().skipped] == [Skip.EMPTY_MATRIX]
    many = ", ".join(f"'{number}'" for number in range(257))
    condition = walk(body.replace("default: []", f"default: [{many}]")).step().condition
    assert condition.reason == "PipelineValidationFailed"


def test_one_failed_combination_fails_the_task_once_all_are_done() -> None:
    """Until then it runs."""
    run = walk(
        "tasks: [{name: m, matrix: {params: [{name: p, value: [a, b]}]}, taskSpec: {params: [{name: p}], STEPS}}]"
    )
    run.step()
    run.end("walk-m-0", "False")
    assert not run.step().condition.ended
    run.end("walk-m-1")
    assert run.step().condition.message == "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0"


def test_long_names_stay_within_what_kubernetes_takes_and_apart() -> None:
    """A child's name has at most 63 characters, and two of them differ."""
    tasks = "\n".join(f"- {{name: {'t' * 60}{letter}, taskSpec: {{STEPS}}}}" for letter in "ab")
    names = [start.name for start in walk(f"tasks:\n{tasks}").step().start]
    assert len(set(names)) == 2
    assert all(len(name) <= 63 for name in names)


def test_params_of_the_pipeline_reach_inline_tasks_only() -> None:
    """The nearest value speaks: given, then the task's own default, then the pipeline's."""
    text = pipeline_run(
        """
params: [{name: outer, default: far}, {name: given, default: far}, {name: own, default: far}]
tasks:
- name: inline
  params: [{name: given, value: near}]
  taskSpec:
    params: [{name: given}, {name: own, default: mine}]
    steps: [{name: s, image: i, script: $(params.outer) $(params.given) $(params.own)}]
- name: named
  taskRef: {name: t}
"""
    )
    text += "---\napiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\n"
    text += "spec: {params: [{name: outer, default: its own}], steps: [{name: s, image: i, script: $(params.outer)}]}\n"
    inline, named = Walk(plan_of(text)).step().start
    assert inline.spec["steps"][0]["script"] == "far $(params.given) $(params.own)"
    assert named.spec["steps"][0]["script"] == "$(params.outer)"


def test_results_reach_the_steps_of_inline_tasks_and_order_them() -> None:
    """A variable inside a script is an edge of the graph."""
    run = walk(
        """
tasks:
- {name: a, taskSpec: {results: [{name: r}], STEPS}}
- {name: b, taskSpec: {steps: [{name: s, image: i, script: echo $(tasks.a.results.r)}]}}
"""
    )
    assert [start.node.name for start in run.step().start] == ["a"]
    run.end("walk-a", results={"r": "$(tasks.a.results.r)"})
    assert run.step().start[0].spec["steps"][0]["script"] == "echo $(tasks.a.results.r)"


def test_results_of_the_pipeline_are_left_out_when_their_task_did_not_succeed() -> None:
    """A result that a successful task did not write is an error; one of a skipped task is not."""
    body = """
results: [{name: out, value: $(tasks.a.results.r)}]
tasks:
- {name: a, when: [{input: x, operator: in, values: [VALUE]}], taskSpec: {results: [{name: r}], STEPS}}
"""
    skipped = walk(body.replace("VALUE", "z")).step()
    assert skipped.condition.ended
    assert skipped.results == ()
    silent = walk(body.replace("VALUE", "x"))
    silent.step()
    silent.end("walk-a")
    assert silent.step().condition.reason == "CouldntGetPipelineResult"


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    """Any pipeline of up to seven tasks: edges backwards only, conditions, results, ignored failures, finally."""
    count = draw(st.integers(1, 7))
    lines = ["tasks:"]
    for index in range(count):
        parents = draw(st.lists(st.integers(0, index - 1), unique=True, max_size=2)) if index else []
        reads = draw(st.booleans()) and parents
        lines.append(f"- name: t{index}")
        lines.append(f"  runAfter: [{', '.join(f't{parent}' for parent in parents)}]")
        if draw(st.booleans()):
            lines.append("  onError: continue")
        if draw(st.integers(0, 3)) == 0:
            lines.append("  when: [{input: x, operator: in, values: [z]}]")
        value = f"$(tasks.t{parents[0]}.results.r)" if reads else "v"
        lines.append(f"  params: [{{name: p, value: {value}}}]")
        lines.append("  taskSpec: {params: [{name: p}], results: [{name: r}], STEPS}")
    if draw(st.booleans()):
        lines += ["finally:", "- {name: f, taskSpec: {STEPS}}"]
    return "\n".join(lines)


@given(pipelines(), st.data())
def test_every_run_ends_and_nothing_starts_that_was_skipped(body: str, data: st.DataObject) -> None:
    """However its tasks end and whatever is asked meanwhile, a run ends, and each task is counted once."""
    run = walk(body)
    requested = ""
    for _ in range(40):
        decision = run.step(requested=requested)
        started = {start.node.name for start in run.started}
        assert not started & {one.name for one in decision.skipped}
        if decision.condition.ended:
            break
        assert run.running, "a run that has not ended waits for something"
        name = data.draw(st.sampled_from(run.running))
        status = data.draw(st.sampled_from(["True", "True", "False"]))
        run.end(name, status, results={"r": "1"} if data.draw(st.booleans()) else {})
        requested = requested or data.draw(st.sampled_from(["", "", "", *_REQUESTS]))
    assert decision.condition.ended
    again = run.step(requested=requested)
    assert again == decision
    assert not decision.start


_REQUESTS = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally")


def test_a_pipeline_of_ten_thousand_tasks_in_a_chain_is_put_in_order() -> None:
    """No recursion, no quadratic search."""
    names = [f"t{index}" for index in range(10_000)]
    above = {name: (names[index - 1],) for index, name in enumerate(names) if index}
    assert graph.in_order(names, above) == tuple(names)
    with pytest.raises(graph.GraphError, match="cycle detected"):
        graph.in_order(names, {**above, "t0": ("t9999",)})


@pytest.mark.parametrize(
    ("above", "message"),
    [
        ({"a": ("b",), "b": ("a",)}, 'cycle detected; task "a" depends on "b"'),
        ({"a": ("a",)}, 'cycle detected; task "a" depends on "a"'),
        ({"b": ("c",)}, "task b depends on c but c wasn't present in Pipeline"),
    ],
)
def test_what_cannot_be_put_in_order_is_said_in_tektons_words(above: dict[str, tuple[str, ...]], message: str) -> None:
    """A circle, a task after itself, an unknown parent."""
    with pytest.raises(graph.GraphError, match=message):
        graph.in_order(["a", "b"], above)


def test_a_refused_run_says_why() -> None:
    """The helper of these tests tells a refusal from a plan."""
    assert tekton.refusal_of(pipeline_run("tasks: [{name: a, taskRef: {name: none}}]")).reason == "CouldntGetTask"
