"""From what moved in a repository to the runs of the applications in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from sqlalchemy import Connection

from lockstep import documents as yaml
from lockstep import errors, work
from lockstep.store import mirrors
from lockstep.store import triggers as stored
from lockstep.topology import kinds, model
from lockstep.values import Json
from pipelines import documents, snapshot
from pipelines.run import Request
from pipelines.service import Service

_BRANCH, _TAG = "refs/heads/", "refs/tags/"


# What was said to be pushed and did not show by then was deleted again, or never there.
_FORGET = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A ref of an application that is somewhere else than when it was last seen; ``old`` is None the first time.

    ``start`` says whether that starts a run.
    """

    ref: str
    old: stored.Seen | None
    new: str
    start: bool = True


def handle_trigger(service: Service, claim: work.Claim) -> work.Outcome:
    """Start the runs of what moved in a repository.

    What is seen for the first time is only remembered, unless somebody said that it was pushed: an instance that
    starts with an empty database must not deploy everything there is. A ref that is gone starts nothing. All is
    looked at in the transaction that ends the job.
    """
    repository = str(claim.payload["repository"])
    topology = service.topology()
    applications = [topology.application(name) for name in topology.users_of_repository(repository)]
    library = library_of(topology)

    def effect(connection: Connection) -> None:
        source = mirrors.source(connection, repository)
        if source is None:
            return
        pushed, at = stored.pushes(connection, repository), service.clock.now()
        for application in applications:
            before = stored.seen(connection, application.name)
            for moved in moves(application, source.refs, before, pushed):
                now = stored.Seen(oid=moved.new, started=moved.start)
                first = stored.saw(connection, application.name, moved.ref, now, before=moved.old, at=at)
                if first and moved.start:
                    service.runs.create(connection, request(application, library, moved))
        stored.looked_at(connection, repository, source.refs.keys() & pushed, before=at - _FORGET)

    return work.Done(effects=(effect,))


def moves(
    application: kinds.Application,
    refs: Mapping[str, str],
    seen: Mapping[str, stored.Seen],
    pushed: Collection[str],
) -> Iterator[Moved]:
    """What an application has to be told of: refs that moved, and those that were pushed and never started a run.

    Pure.
    """
    for ref, oid in sorted(refs.items()):
        if not starts(application, ref):
            continue
        before = seen.get(ref)
        if before is None:
            yield Moved(ref=ref, old=None, new=oid, start=ref in pushed)
        elif before.oid != oid or (ref in pushed and not before.started):
            yield Moved(ref=ref, old=before, new=oid)


def starts(application: kinds.Application, ref: str) -> bool:
    """Whether a push of this ref starts the application's pipeline. Pure."""
    pipeline = application.spec.pipeline
    if pipeline is None:
        return False
    if ref.startswith(_TAG):
        return any(fnmatchcase(ref.removeprefix(_TAG), pattern) for pattern in pipeline.on_push.tags)
    branches = pipeline.on_push.branches or (application.spec.source.branch,)
    return ref.startswith(_BRANCH) and any(fnmatchcase(ref.removeprefix(_BRANCH), one) for one in branches)


def library_of(topology: model.Topology) -> documents.Library:
    """The Tekton documents of a configuration.

    Raises:
        ConfigurationError: One of them cannot be understood.
    """
    return documents.library(one.source for one in topology.tekton.values())


def request(
    application: kinds.Application,
    library: documents.Library,
    moved: Moved,
    *,
    params: Mapping[str, documents.Value] | None = None,
    cause: Mapping[str, Json] | None = None,
) -> Request:
    """The run of an application's pipeline for a commit. Pure, but for the name that it makes.

    Its params are the application's own, then ``revision``, ``repository``, ``ref`` and ``application``: values
    that Lockstep read from the repository itself, never text of somebody's payload. Workspaces that the pipeline
    declares are bound to folders that its tasks share.

    Args:
        application: Whose pipeline.
        library: Where the pipeline and its tasks are.
        moved: The ref, and the commit.
        params: More params, over all others.
        cause: Who or what wants the run; the push by default.

    Raises:
        NotFoundError: The application has no pipeline, or it is not in the library.
    """
    pipeline = application.spec.pipeline
    if pipeline is None or pipeline.name not in library.pipelines:
        named = pipeline.name if pipeline else "none"
        raise errors.NotFoundError(
            f"The pipeline of {application.name} ({named}) is not there.", remedy="Add it to the configuration."
        )
    given: dict[str, documents.Value] = {
        **{name: documents.value_of(value) for name, value in pipeline.params.items()},
        "revision": moved.new,
        "repository": application.spec.source.repository,
        "ref": moved.ref,
        "application": application.name,
        **(params or {}),
    }
    return Request(
        snapshot=snapshot.take(_run(pipeline.name, given, library), library, name=_name(application.name)),
        application=application.name,
        revision=moved.new,
        cause=cause or {"kind": "push", "ref": moved.ref, "before": moved.old.oid if moved.old else ""},
        queues=pipeline.concurrency == "queue",
    )


def _run(pipeline: str, given: Mapping[str, documents.Value], library: documents.Library) -> documents.Read:
    spec = library.pipelines[pipeline].body["spec"]
    bindings = [
        {"name": workspace["name"], "volumeClaimTemplate": {}}
        for workspace in spec.get("workspaces", ())
        if not workspace.get("optional")
    ]
    body = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"generateName": f"{pipeline}-"},
        "spec": {
            "pipelineRef": {"name": pipeline},
            "params": [{"name": name, "value": documents.as_json(value)} for name, value in given.items()],
            "workspaces": bindings,
        },
    }
    return documents.understand(yaml.Document(value=body, file=f"run of {pipeline}", line=0, places={}))


def _name(application: str) -> str:
    return snapshot.generated(f"{application[:57]}-")
