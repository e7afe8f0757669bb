"""What Tekton's documents may ask for and no step on this machine can have: said before anything runs. Pure.

Nothing of it is passed over: a run that asks for it is refused with the place and what to do instead. What only
says how a cluster is to treat a Pod (``securityContext``, ``computeResources`` ...) is no part of it: it has no
effect here, which ``pipelines.lint`` notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lockstep import documents as yaml
from lockstep.values import Json
from pipelines import documents, fields, substitution
from pipelines.admission import Finding
from pipelines.local import images, sources

VOLUMES = ("configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret")
"""The kinds of volumes that can be had here."""
PROBES = ("exec", "httpGet", "tcpSocket")
"""The kinds of readiness probes that can be asked here."""
_ENVIRONMENT = ("configMapKeyRef", "secretKeyRef")
_PROJECTED = ("configMap", "secret")
# Tekton, docs/artifacts.md: alpha.
_ARTIFACT = re.compile(r"(?:tasks|steps)\.[^.]+\.(?:outputs|inputs)(?:\..*)?")


def of_binding(binding: documents.WorkspaceBinding) -> Iterator[Finding]:
    """What a run cannot bind a workspace to."""
    if binding.source == "csi":
        yield _finding(("csi",), "a CSI volume is not to be had here", "Bind an emptyDir or a volumeClaimTemplate.")
    if binding.projected is not None:
        yield from _projected(binding.projected, ("projected",))


def of_pipeline_task(body: Mapping[str, Json]) -> Iterator[Finding]:
    """What a task of a pipeline cannot read."""
    own = {key: item for key, item in body.items() if key != "taskSpec"}
    yield from _artifacts(own, "Pipeline", "spec.tasks[]")


def of_task(spec: documents.TaskSpec, body: Json) -> Iterator[Finding]:
    """What the steps of a task cannot have.

    Args:
        spec: The TaskSpec.
        body: Its JSON.
    """
    template = spec.step_template or documents.StepTemplate()
    for index, step in enumerate(spec.steps):
        path: yaml.Path = ("steps", index)
        yield from _step(step, path)
        yield from _program(step, template, path)
        yield from _container(step, path)
    yield from _container(template, ("stepTemplate",))
    for index, sidecar in enumerate(spec.sidecars):
        yield from _program(sidecar, documents.StepTemplate(), ("sidecars", index))
        yield from _container(sidecar, ("sidecars", index))
        yield from _probe(sidecar.readiness_probe, ("sidecars", index, "readinessProbe"))
    for index, volume in enumerate(spec.volumes):
        yield from _volume(volume, ("volumes", index))
    yield from _artifacts(body, "Task", "spec")


def _finding(path: yaml.Path, message: str, remedy: str) -> Finding:
    return Finding(path=path, message=message, remedy=remedy)


def _step(step: documents.Step, path: yaml.Path) -> Iterator[Finding]:
    for name, config in (("stdoutConfig", step.stdout_config), ("stderrConfig", step.stderr_config)):
        if config is not None:
            yield _finding((*path, name), "a stream is not copied to a file here", "Redirect it inside the script.")
    if any(when.cel for when in step.when):
        yield _finding((*path, "when"), "CEL is not evaluated here", "Use input, operator and values.")
    if step.ref is not None and step.ref.resolver not in ("", "cluster"):
        message = f'the resolver "{step.ref.resolver}" is not available here'
        yield _finding((*path, "ref"), message, "Put the StepAction beside the Task, and name it.")


def _program(
    container: documents.Step | documents.Sidecar, template: documents.StepTemplate, path: yaml.Path
) -> Iterator[Finding]:
    """Whether anybody can know what is run: an image cannot be looked into."""
    written = container.script or container.command or template.command
    image = container.image or template.image
    named = isinstance(container, documents.Step) and container.ref is not None
    if written or named or not image or "$(" in image or images.command(image, container.args) is not None:
        return
    message = f'what the image "{image}" runs by itself is not known without a container runtime'
    yield _finding(path, message, "Write a command or a script.")


def _container(
    container: documents.Step | documents.Sidecar | documents.StepTemplate, path: yaml.Path
) -> Iterator[Finding]:
    for index, variable in enumerate(container.env):
        kinds = [kind for kind in variable.value_from or () if kind not in _ENVIRONMENT]
        asked = (variable.value_from or {}).get("fieldRef", {}).get("fieldPath", "")
        if kinds and asked not in sources.FACTS:
            what = asked or kinds[0]
            remedy = f"Ask for {', '.join(sources.FACTS)}, or a key of a ConfigMap or Secret."
            yield _finding((*path, "env", index), f"{what} of a Pod is asked for, and there is none here", remedy)
    for index, mount in enumerate(container.volume_mounts):
        if mount.sub_path_expr:
            at = (*path, "volumeMounts", index, "subPathExpr")
            yield _finding(at, "subPathExpr is not expanded here", "Use subPath.")
    if container.volume_devices:
        yield _finding((*path, "volumeDevices"), "block devices are not to be had here", "Use a folder.")


def _probe(probe: Mapping[str, Json] | None, path: yaml.Path) -> Iterator[Finding]:
    kinds = [kind for kind in PROBES if kind in (probe or {})]
    if probe is not None and not kinds:
        yield _finding(path, "a probe of this kind is not asked here", f"Use {', '.join(PROBES)}.")
    for kind in kinds:
        port = probe[kind].get("port") if probe is not None and kind != "exec" else 0
        if not isinstance(port, int):
            yield _finding((*path, kind, "port"), "the name of a port is not known here", "Write its number.")


def _volume(volume: Mapping[str, Json], path: yaml.Path) -> Iterator[Finding]:
    kinds = [kind for kind in volume if kind != "name"]
    unknown = [kind for kind in kinds if kind not in VOLUMES]
    if unknown or not kinds:
        what = f'volume "{volume.get("name", "")}" is of a kind that is not to be had here'
        yield _finding((*path, *unknown[:1]), what, f"Use {', '.join(VOLUMES)}.")
    if "projected" in volume:
        yield from _projected(volume["projected"], (*path, "projected"))


def _projected(projected: Mapping[str, Json], path: yaml.Path) -> Iterator[Finding]:
    for index, source in enumerate(projected.get("sources", ())):
        for kind in source:
            if kind not in _PROJECTED:
                at = (*path, "sources", index, kind)
                yield _finding(at, f"{kind} is not to be had here", f"Project {' or '.join(_PROJECTED)}.")


def _artifacts(body: Json, kind: str, under: str) -> Iterator[Finding]:
    for text in fields.texts(body, kind, under):
        for name in substitution.variables(text):
            if _ARTIFACT.fullmatch(name):
                message = f"$({name}) reads an artifact, and artifacts are not handed on here"
                yield _finding((), message, "Hand on a result.")
