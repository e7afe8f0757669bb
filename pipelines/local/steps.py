"""A step as it is to run: the template under it, its StepAction in it, its variables replaced. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockstep.values import Json
from pipelines import documents, fields, substitution
from pipelines.admission import Refusal, params
from pipelines.local import scopes
from pipelines.orders import Order
from pipelines.substitution import Scope

# What the step itself says beside the StepAction that it names.
_OF_THE_STEP = ("name", "timeout", "onError", "when", "stdoutConfig", "stderrConfig", "workspaces", "computeResources")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A step that can be run."""

    position: int
    step: documents.Step
    image: str

    @property
    def name(self) -> str:
        """Its name, or one made from its place."""
        return self.step.name or f"unnamed-{self.position}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task whose steps are prepared one by one, as the results of earlier ones come in."""

    order: Order
    scope: Scope = field(repr=False)
    paths: scopes.Paths

    @property
    def spec(self) -> documents.TaskSpec:
        """The TaskSpec as it is written."""
        return documents.part(documents.TaskSpec, self.order.spec)

    def step(self, position: int, results: Mapping[str, Mapping[str, documents.Value]]) -> Prepared:
        """A step, with the results of the steps before it.

        Raises:
            Refusal: It names a StepAction that is not there, or its variables made nonsense of it.
        """
        body = merged(self.order.spec.get("stepTemplate", {}), self.order.spec["steps"][position])
        name = body.get("name") or f"unnamed-{position}"
        body = self._with_action(body, name, substitution.of_step_results(results))
        model = documents.replaced(documents.Step, body)
        if model.on_error not in ("", "continue", "stopAndFail"):
            raise Refusal("TaskRunValidationFailed", f'step "{name}" has the onError "{model.on_error}"')
        return Prepared(position=position, step=model, image=model.image)

    def _with_action(self, body: Json, name: str, earlier: Scope) -> Json:
        scope = self.scope | self._moved(body)
        if "ref" not in body:
            own = scopes.of_step(name, _results(body), self.paths)
            return _replaced(body, scope | own, earlier)
        action = self.order.step_actions.get(body["ref"].get("name", ""))
        if action is None:
            missing = body["ref"].get("name", "")
            raise Refusal("TaskRunResolutionFailed", f'failed to get StepAction: stepactions "{missing}" not found')
        said = _replaced({key: body[key] for key in (*_OF_THE_STEP, "params") if key in body}, scope, earlier)
        model = documents.part(documents.StepActionSpec, action)
        given = {param["name"]: documents.value_of(param.get("value")) for param in said.pop("params", ())}
        own = scopes.of_step(name, model.results, self.paths)
        values = substitution.of_params(params.resolve(model.params, given, scope))
        kept = {key: item for key, item in action.items() if key not in ("params", "description")}
        inner = _without_params(scope) | own | values
        return {**_replaced({**kept, "results": kept.get("results", [])}, inner, earlier), **said}

    def _moved(self, body: Json) -> Scope:
        """A step may see a workspace at a path of its own."""
        uses = {use["name"]: use.get("mountPath") for use in body.get("workspaces", ())}
        return Scope(texts={f"workspaces.{name}.path": path for name, path in uses.items() if path})


def sidecar(body: Json, scope: Scope) -> documents.Sidecar:
    """A sidecar with its variables replaced."""
    return documents.replaced(documents.Sidecar, fields.replaced(body, "Task", "spec.sidecars[]", scope))


def merged(template: Json, step: Json) -> Json:
    """A step over its template: its own fields win; environment by name, mounts by path, side by side."""
    if "ref" in step:
        return step
    env = {one["name"]: one for one in (*template.get("env", ()), *step.get("env", ()))}
    mounts = {one["mountPath"]: one for one in (*template.get("volumeMounts", ()), *step.get("volumeMounts", ()))}
    whole = {**template, **step}
    if "script" in step:
        whole.pop("command", None)
    return {**whole, "env": list(env.values()), "volumeMounts": list(mounts.values())}


def _replaced(body: Json, scope: Scope, earlier: Scope) -> Json:
    """The results of earlier steps reach everything but the script, which is written before they are known."""
    script = {key: item for key, item in body.items() if key == "script"}
    rest = {key: item for key, item in body.items() if key != "script"}
    return {
        **fields.replaced(rest, "Task", "spec.steps[]", scope | earlier),
        **fields.replaced(script, "Task", "spec.steps[]", scope),
    }


def _results(body: Json) -> tuple[documents.Result, ...]:
    return tuple(documents.part(documents.Result, result) for result in body.get("results", ()))


def _without_params(scope: Scope) -> Scope:
    """A StepAction sees its own params, never those of the task."""
    return Scope(
        texts={name: item for name, item in scope.texts.items() if not name.startswith(("params", "inputs.params"))}
    )
