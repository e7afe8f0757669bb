"""Tekton documents for tests: from YAML text to snapshots, plans and decisions."""

from __future__ import annotations

from lockstep import documents as yaml
from pipelines import admission, documents, graph, snapshot


def library(text: str) -> documents.Library:
    """The documents of a YAML text."""
    return documents.library(yaml.read(text.encode(), file="pipeline.yaml"))


def snapshot_of(text: str, name: str = "") -> snapshot.Snapshot:
    """A snapshot of the one run in a YAML text."""
    read = library(text)
    (run,) = read.runs
    return snapshot.take(run, read, name=name)


def plan_of(text: str) -> graph.Plan:
    """The plan of the one PipelineRun in a YAML text."""
    return admission.pipeline_run(snapshot_of(text))


def refusal_of(text: str) -> graph.Condition:
    """The condition with which the one PipelineRun in a YAML text is refused."""
    try:
        plan_of(text)
    except admission.Refusal as refusal:
        return refusal.condition
    raise AssertionError("it was not refused")


def pipeline_run(body: str, *, name: str = "walk", spec: str = "") -> str:
    """A PipelineRun around the lines of a pipelineSpec, with further lines of its own spec."""
    inner = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    own = "\n".join(f"  {line}" for line in spec.strip("\n").split("\n")) if spec else ""
    return (
        f"apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {{name: {name}, namespace: office}}\n"
        f"spec:\n{own}\n  pipelineSpec:\n{inner}\n"
    )


class Walk:
    """A run that a test leads through its life: what was started, and how each of it ended."""

    def __init__(self, plan: graph.Plan) -> None:
        self.plan = plan
        self.children: dict[str, dict[str, graph.Child]] = {}
        self.started: list[graph.Start] = []

    def facts(self, **more: object) -> graph.Facts:
        """How the run stands."""
        children = {task: tuple(named.values()) for task, named in self.children.items()}
        return graph.Facts(children=children, **more)  # type: ignore[arg-type]  # the test names the fields

    def step(self, **more: object) -> graph.Decision:
        """Decide, and start what is to be started."""
        decision = graph.decide(self.plan, self.facts(**more))
        for start in decision.start:
            child = graph.Child(name=start.name, combination=start.combination, custom=start.spec is None)
            assert start.name not in {one.name for one in self.started}, "nothing starts twice"
            self.started.append(start)
            self.children.setdefault(start.node.name, {})[start.name] = child
        return decision

    def end(self, name: str, status: str = "True", reason: str = "", **more: object) -> None:
        """End a child."""
        for named in self.children.values():
            if name in named:
                old = named[name]
                reason = reason or {"True": "Succeeded", "False": "Failed"}[status]
                named[name] = graph.Child(
                    name=name,
                    combination=old.combination,
                    custom=old.custom,
                    status=status,
                    reason=reason,
                    **more,  # type: ignore[arg-type]  # the test names the fields
                )
                return
        raise AssertionError(f"{name} was not started")

    @property
    def running(self) -> list[str]:
        """The names of the children that have not ended."""
        return [child.name for named in self.children.values() for child in named.values() if not child.done]
