"""A run that deploys and does nothing else: as a person asks for it, or as healing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lockstep import documents as yaml
from lockstep.topology import kinds
from lockstep.values import Json
from pipelines import documents, snapshot
from pipelines.run import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """What a site gets that is to be as another one is.

    Args:
        site: The other one: with the digests that it was last deployed with; decided anew when empty.
        objects: Only these objects, and nothing is deleted; all when there is none.
        heals: Objects that lose, at sites that follow, what others have changed.
    """

    site: str = ""
    objects: tuple[str, ...] = ()
    heals: tuple[str, ...] = ()


def request(
    application: kinds.Application,
    *,
    revision: str,
    sites: Sequence[str],
    cause: dict[str, Json],
    like: Like = Like(),
) -> Request:
    """The run of one task, ``Deploy``.

    Args:
        application: What is deployed.
        revision: The commit, whole.
        sites: To these sites; to all when there is none.
        cause: Who or what wants it.
        like: As which site, and how much of it.
    """
    wanted = {"sites": list(sites), "like": like.site, "objects": list(like.objects), "heals": list(like.heals)}
    task = {
        "name": "deploy",
        "taskRef": {"apiVersion": "lockstep.dev/v1alpha1", "kind": "Deploy"},
        "params": [{"name": name, "value": value} for name, value in wanted.items() if value or name == "sites"],
    }
    document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": "deploy-"},
        "spec": {"pipelineSpec": {"tasks": [task]}},
    }
    file = f"deploy of {application.name}"
    run = documents.understand(yaml.Document(value=document, file=file, line=0, places={}))
    prefix = f"{'heal' if like.objects else 'deploy'}-{application.name[:50]}-"
    return Request(
        snapshot=snapshot.take(run, documents.library(()), name=snapshot.generated(prefix)),
        application=application.name,
        revision=revision,
        cause=cause,
        queues=True,
    )
