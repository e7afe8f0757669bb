"""Tekton's documents are read strictly, tolerantly where only a cluster cares, and every problem has its place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import documents as yaml
from lockstep import errors
from pipelines import documents
from pipelines.documents import durations
from tests.support import tekton

TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: build}
spec:
  steps:
  - name: one
    image: busybox
    script: echo hello
"""


def _problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(errors.ConfigurationError) as caught:
        tekton.library(text)
    return [(problem.line, problem.field, f"{problem.message} {problem.remedy}") for problem in caught.value.problems]


def test_an_unknown_field_is_refused_at_its_line_with_what_was_meant() -> None:
    """A misspelt field would silently change the meaning of a document."""
    text = TASK.replace("script: echo", "scirpt: echo")
    assert _problems(text) == [(8, "spec.steps[0].scirpt", "is not a field that is known here. Did you mean script?")]


def test_every_problem_of_every_document_is_said_at_once() -> None:
    """One edit can mend them all."""
    text = TASK.replace("echo hello", "5") + "---\n" + TASK.replace("build", "other").replace("steps", "stages")
    assert [line for line, _, _ in _problems(text)] == [8, 14]


@pytest.mark.parametrize(
    "extra",
    [
        "    securityContext: {runAsUser: 0}",
        "    computeResources: {limits: {cpu: 1}}",
        "    volumeMounts: [{name: v, mountPath: /v, subPathExpr: x}]",
        "    imagePullPolicy: Always",
        "    volumeDevices: []",
    ],
)
def test_what_matters_only_on_a_cluster_is_kept(extra: str) -> None:
    """Such fields are accepted and stay in the document."""
    read = tekton.library(TASK + extra + "\n").tasks["build"]
    key = extra.strip().split(":")[0]
    assert key in read.body["spec"]["steps"][0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("script: echo hello", "script: 'a'\n    command: [b]"),
        ("script: echo hello", "params: [{name: a, value: b}]"),
        ("script: echo hello", "ref: {name: x}\n    script: y"),
        ("script: echo hello", "onError: sometimes"),
        ("script: echo hello", "timeout: soon"),
        ("script: echo hello", "timeout: -5s"),
        ("script: echo hello", 'script: "a\\0b"'),
        ("script: echo hello", "when: [{input: a, operator: is, values: [b]}]"),
        ("script: echo hello", "when: [{input: a, operator: in, values: []}]"),
        ("script: echo hello", "env: [{name: A, value: 1}]"),
        ("spec:", "spec:\n  params: [{name: 1a}]"),
        ("spec:", "spec:\n  params: [{name: a.b, type: object, properties: {}}]"),
        ("spec:", "spec:\n  params: [{name: a, type: array, default: x}]"),
        ("spec:", "spec:\n  params: [{name: a, enum: [x], default: y}]"),
        ("spec:", "spec:\n  results: [{name: '../etc'}]"),
        ("spec:", "spec:\n  results: [{name: '$(params.x)'}]"),
    ],
)
def test_what_would_change_the_meaning_is_refused(old: str, new: str) -> None:
    """Two ways to run a step, a name that is a path, a type that its default has not: each is one problem."""
    assert len(_problems(TASK.replace(old, new, 1))) == 1


def test_the_values_of_params_are_taken_as_tekton_takes_them() -> None:
    """Numbers and booleans become text; a list that is not all text becomes its JSON."""
    values = {"5": "5", "true": "true", "[a, b]": ("a", "b"), "[1, 2]": "[1,2]", "{k: v}": {"k": "v"}, "null": ""}
    for written, taken in values.items():
        (value,) = [
            param.value
            for param in documents.part(
                documents.PipelineTask,
                yaml.read(f"name: t\ntaskRef: {{name: t}}\nparams: [{{name: p, value: {written}}}]".encode(), file="f")[
                    0
                ].value,
            ).params
        ]
        assert value == taken or (taken == "" and value == "")


def test_the_type_of_a_param_is_inferred() -> None:
    """From properties, then from the default, else it is text."""
    spec = documents.part(
        documents.TaskSpec,
        {
            "params": [
                {"name": "o", "properties": {"k": {}}},
                {"name": "l", "default": ["x"]},
                {"name": "s", "default": "x"},
                {"name": "n"},
            ]
        },
    )
    assert [param.kind for param in spec.params] == ["object", "array", "string", "string"]


def test_the_older_version_is_read_where_it_means_the_same() -> None:
    """v1beta1's moved fields arrive at their new places."""
    run = tekton.library(
        "apiVersion: tekton.dev/v1beta1\nkind: PipelineRun\nmetadata: {generateName: x-}\n"
        "spec:\n  timeout: 5m\n  serviceAccountName: robot\n  pipelineSpec:\n    tasks:\n"
        "    - name: a\n      taskSpec: {steps: [{image: i, script: s, resources: {limits: {cpu: 1}}}]}\n"
    ).runs[0]
    assert run.body["apiVersion"] == "tekton.dev/v1"
    assert run.body["spec"]["timeouts"] == {"pipeline": "5m"}
    step = run.body["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert step["computeResources"] == {"limits": {"cpu": 1}}


def test_fields_are_known_whatever_their_case() -> None:
    """Tekton's admission reads them so; both spellings at once are one too many."""
    read = tekton.library(TASK.replace("script:", "Script:")).tasks["build"]
    assert read.body["spec"]["steps"][0]["script"] == "echo hello"
    assert len(_problems(TASK + "    Script: more\n")) == 1


def test_names_that_are_data_keep_their_case() -> None:
    """Keys of an object param are not field names."""
    read = tekton.library(TASK + "  params: [{name: o, properties: {Type: {}, TYPE: {}}}]\n").tasks["build"]
    assert set(read.body["spec"]["params"][0]["properties"]) == {"Type", "TYPE"}


def test_what_a_cluster_added_is_read_past() -> None:
    """A document that was fetched from a cluster runs: nulls are absent, metadata and status are its own."""
    text = TASK.replace("{name: build}", "{name: build, uid: u, creationTimestamp: null, managedFields: []}")
    assert tekton.library(text + "  description: null\nstatus: {phase: x}\n").tasks["build"].name == "build"


def test_two_documents_of_one_kind_and_name_are_an_error() -> None:
    """Which of them is meant cannot be guessed."""
    assert [message for _, _, message in _problems(f"{TASK}---\n{TASK}")] == ["is the name of two Tasks. Rename one."]


def test_configmaps_and_secrets_are_taken_along_in_memory() -> None:
    """Their bytes are at hand, and no document of Tekton's holds them."""
    library = tekton.library(
        f"{TASK}---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, data: {{a: x}}}}\n"
        "---\n{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: eA==}, stringData: {b: z}}\n"
        "---\n{apiVersion: v1, kind: Service, metadata: {name: other}}\n"
    )
    assert library.keys == {("ConfigMap", "c"): {"a": b"x"}, ("Secret", "s"): {"a": b"x", "b": b"z"}}
    assert "x" not in repr(library.keys.keys())


@pytest.mark.parametrize(
    "text", ["[]", "5", "{apiVersion: tekton.dev/v1, kind: Nothing}", "{apiVersion: tekton.dev/v9}"]
)
def test_what_is_no_document_is_passed_over_or_refused(text: str) -> None:
    """A stranger's document is passed over; one that claims to be Tekton's must be."""
    if "tekton" in text:
        assert _problems(text)
    else:
        assert not tekton.library(text).tasks


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25), ("1h0m0s", 3600), ("-5s", -5)],
)
def test_durations_are_read_as_go_reads_them(text: str, seconds: float) -> None:
    """Numbers with units, in sequence."""
    assert durations.parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "1d", "1 h", "1h-5m", "9" * 30 + "h", "1e3s", "²s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A number without a unit is none, nor is one that Go cannot hold."""
    with pytest.raises(ValueError, match="duration"):
        durations.parse(text)


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(days=4000)))
def test_a_written_duration_reads_back_the_same(value: timedelta) -> None:
    """Writing and reading are inverses, to the microsecond that Python holds."""
    assert abs(durations.parse(durations.write(value)) - value) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (4, "4s"), (60, "1m0s"), (3600, "1h0m0s"), (1.5, "1.5s"), (0.25, "250ms")]
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    """Messages of Tekton quote them so."""
    assert durations.write(timedelta(seconds=seconds)) == text
