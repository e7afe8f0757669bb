"""Whether a run can start, in the order in which Tekton's reconciler asks, and the plan of one that can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lockstep.values import Json
from pipelines import documents, graph, substitution
from pipelines.admission import bindings, params, pipelines, wiring
from pipelines.admission.refusal import Refusal, user_error
from pipelines.snapshot import Snapshot
from pipelines.substitution import Scope

# What an embedded task has beside a TaskSpec.
_EMBEDDED_ONLY = ("apiVersion", "kind", "metadata", "spec")


def pipeline_run(snapshot: Snapshot) -> graph.Plan:
    """The plan of a PipelineRun.

    Raises:
        Refusal: It cannot start.
    """
    given = _given(snapshot)
    above = {body["name"]: graph.parents(body) for body in given.body.get("tasks", ())}
    order = _order(given, above)
    own = given.run.pipeline_ref is not None
    wrong = [str(finding) for finding in pipelines.in_pipeline(given.pipeline, given.body, declared_only=own)]
    if wrong:
        raise _invalid(given, "; ".join(wrong))
    bindings.check(given)
    scope = _scope(snapshot, given)
    nodes = {node.name: node for node in _nodes(snapshot, given, above, scope)}
    specs = {
        name: documents.part(documents.TaskSpec, node.spec) for name, node in nodes.items() if node.spec is not None
    }
    wiring.check(
        wiring.Wired(
            run=snapshot.name, pipeline_where=given.pipeline_where, pipeline=given.pipeline, nodes=nodes, specs=specs
        )
    )
    return graph.Plan(
        run=snapshot.name,
        nodes=nodes,
        order=order,
        scope=scope,
        results=given.pipeline.results,
        timeouts=given.run.timeouts,
    )


def _given(snapshot: Snapshot) -> bindings.Given:
    where = f"{snapshot.namespace}/{snapshot.name}"
    run = documents.part(documents.PipelineRunSpec, snapshot.run["spec"])
    if snapshot.pipeline is None:
        why = not_found(run.pipeline_ref or documents.Reference(), snapshot.pipeline_name, "Pipeline")
        raise Refusal("CouldntGetPipeline", f"Error retrieving pipeline for pipelinerun {where}: {why}")
    return bindings.Given(
        run=run,
        pipeline=documents.part(documents.PipelineSpec, snapshot.pipeline),
        body=snapshot.pipeline,
        where=where,
        pipeline_where=f"{snapshot.namespace}/{snapshot.pipeline_name}",
    )


def _invalid(given: bindings.Given, what: str) -> Refusal:
    message = f"Pipeline {given.pipeline_where} can't be Run; it has an invalid spec: {what}"
    return user_error("PipelineValidationFailed", message)


def _order(given: bindings.Given, above: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    try:
        order = graph.in_order([task.name for task in given.pipeline.tasks], above)
    except graph.GraphError as error:
        message = f"PipelineRun {given.where}'s Pipeline DAG is invalid: {error}"
        raise user_error("PipelineInvalidGraph", message) from None
    try:
        graph.in_order([task.name for task in given.pipeline.finally_], {})
    except graph.GraphError as error:
        message = f"PipelineRun {given.where}'s Pipeline DAG is invalid for finally clause: {error}"
        raise user_error("PipelineInvalidGraph", message) from None
    return order


def _scope(snapshot: Snapshot, given: bindings.Given) -> Scope:
    """What names mean to every task: the run's context, its params, which workspaces are bound."""
    bound = {binding.name for binding in given.run.workspaces}
    names = {workspace.name for workspace in given.pipeline.workspaces} | bound
    context = Scope(
        texts={
            "context.pipelineRun.name": snapshot.name,
            "context.pipelineRun.namespace": snapshot.namespace,
            "context.pipelineRun.uid": snapshot.uid,
            "context.pipeline.name": snapshot.pipeline_name,
            **{f"workspaces.{name}.bound": str(name in bound).lower() for name in names},
        }
    )
    try:
        values = params.resolve(given.pipeline.params, given.values, context)
    except Refusal as refusal:
        message = f"Failed to apply parameters to Pipeline {given.pipeline_where}: {refusal.message}"
        raise user_error(refusal.reason, message) from None
    return context | substitution.of_params(values)


def _nodes(
    snapshot: Snapshot, given: bindings.Given, above: Mapping[str, tuple[str, ...]], scope: Scope
) -> Iterator[graph.Node]:
    for section, tasks in (("tasks", given.pipeline.tasks), ("finally", given.pipeline.finally_)):
        for task, body in zip(tasks, given.body.get(section, ()), strict=True):
            on_error = substitution.text(task.on_error, scope)
            if on_error not in ("", "continue", "stopAndFail"):
                raise _invalid(given, f"invalid value: {on_error}: {section}.{task.name}.OnError")
            name = substitution.text(named(task.task_ref), scope) if task.task_ref else task.name
            yield graph.Node(
                task=task,
                body=body,
                section=section,
                task_name=name,
                parents=above[task.name] if section == "tasks" else (),
                refs=graph.result_refs(body),
                spec=_task_spec(snapshot, given, task, body, name),
                on_error=on_error,
            )


def _task_spec(snapshot: Snapshot, given: bindings.Given, task: documents.PipelineTask, body: Json, name: str) -> Json:
    if task.custom:
        return None
    if task.task_ref is None:
        return {key: item for key, item in body["taskSpec"].items() if key not in _EMBEDDED_ONLY}
    if name in snapshot.tasks:
        return snapshot.tasks[name]
    raise Refusal(
        "CouldntGetTask",
        f"Pipeline {given.pipeline_where} can't be Run; it contains Tasks that don't exist: "
        f'Couldn\'t retrieve Task "{name}": {not_found(task.task_ref, name)}',
    )


def named(reference: documents.Reference) -> str:
    """The name that a reference to a Task looks up; a resolver that knows the cluster knows it by its params."""
    if reference.resolver == "cluster":
        return next((str(param.value) for param in reference.params if param.name == "name"), "")
    return reference.name


def not_found(reference: documents.Reference, name: str, kind: str = "Task") -> str:
    """Why a reference to a Task or Pipeline leads nowhere."""
    if reference.resolver not in ("", "cluster"):
        return f'the resolver "{reference.resolver}" is not available here: put the {kind} into the same files, by name'
    return f'{kind.lower()}s.tekton.dev "{name}" not found'
