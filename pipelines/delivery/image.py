"""``Image``: a directory of the workspace, as an image. No daemon, nothing runs.

Params: ``image`` (its name at every site; empty when there is nothing to build), ``directory``, ``base``
(``name@digest`` or ``name:tag`` at the truth's registry; on nothing when empty), ``at``, ``entrypoint``,
``command``, ``environment`` (``NAME=value``), ``workingDirectory``, ``user``, ``ports``, ``labels``. Results:
``image``, ``digest``. The image stands in a store of ours until it is pushed: nothing in a workspace is trusted.
"""

from __future__ import annotations

from lockstep import errors, values
from lockstep.values import ImageReference
from pipelines import imaging
from pipelines.delivery import inputs
from pipelines.delivery.world import World
from pipelines.tasks import Context, Finished, Outcome


class Image:
    """Builds an image from files."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, context: Context) -> Outcome:
        """Build. Raises LockstepError when the directory or the base makes no image."""
        name = inputs.text(context.params, "image")
        folder = inputs.workspace(context)
        path = inputs.text(context.params, "directory", ".")
        if not name:
            context.log("Nothing to build: the application has no image of its own.")
            return Finished(results={"image": "", "digest": ""}, message="nothing to build")
        if not values.is_repository(name):
            raise errors.InputError(f"{name!r} is not the name of an image.", remedy="Write it as shop/web.")
        built = imaging.build(
            _recipe(context, name),
            imaging.Directory(root=folder, path=path),
            target=self._world.doors.built(),
            repository=name,
            base=self._base(context),
        )
        context.log(f"{name}@{built.digest}: {built.entries} entries, {built.size} bytes in its layer")
        return Finished(results={"image": name, "digest": built.digest}, detail={"images": {name: built.digest}})

    def _base(self, context: Context) -> imaging.Base | None:
        written = inputs.text(context.params, "base")
        if not written:
            return None
        world = self._world
        reference = ImageReference.parse(written)
        store = world.doors.images(world.truth_of(world.application(context.run.application)).site)
        found = store.resolve(reference.name, reference.digest or reference.tag or "latest")
        if found is None:
            raise errors.NotFoundError(f"The base {written} is not at {store.address}.", remedy="Mirror it there.")
        return imaging.Base(store=store, repository=reference.name, digest=found.digest)


def _recipe(context: Context, name: str) -> imaging.Recipe:
    params = context.params
    labels = {
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.revision": context.run.revision,
        **_pairs(inputs.texts(params, "labels"), "labels"),
    }
    return imaging.Recipe(
        at=inputs.text(params, "at", "/"),
        entrypoint=inputs.texts(params, "entrypoint"),
        command=inputs.texts(params, "command"),
        environment=_pairs(inputs.texts(params, "environment"), "environment"),
        working_directory=inputs.text(params, "workingDirectory"),
        user=inputs.text(params, "user"),
        ports=inputs.texts(params, "ports"),
        labels={key: value for key, value in labels.items() if value},
    )


def _pairs(lines: tuple[str, ...], param: str) -> dict[str, str]:
    pairs = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not key or not equals:
            raise errors.InputError(f"{line!r} in the param {param} is no NAME=value.", remedy="Write NAME=value.")
        pairs[key] = value
    return pairs
