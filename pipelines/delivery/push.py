"""``Push``: a built image, into the registry of the site that is the truth; the other sites follow.

Params: ``image``, ``digest``, ``tag``. Results: ``image``, ``digest``, ``reference``. In the transaction that
ends the task the mirror to the other sites is queued, so that a push is never forgotten.
"""

from __future__ import annotations

from lockstep import errors, values, work
from pipelines.delivery import inputs
from pipelines.delivery.world import World
from pipelines.tasks import Context, Finished, Outcome
from sync import push


class Push:
    """Pushes what was built."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, context: Context) -> Outcome:
        """Push. Raises LockstepError when the registry does not take it."""
        image = inputs.text(context.params, "image")
        digest = inputs.text(context.params, "digest")
        if not image or not digest:
            context.log("Nothing to push: nothing was built.")
            return Finished(results={"image": "", "digest": "", "reference": ""}, message="nothing to push")
        tag = inputs.text(context.params, "tag")
        _check(image, digest, tag)
        world = self._world
        site = world.truth_of(world.application(context.run.application)).site
        target = world.doors.images(site)
        sent = push.push(world.doors.built(), target, image, digest, tags=(tag,) if tag else ())
        # The truth has it: what stood here for the push only has done its part.
        world.doors.built().forget(image, digest)
        world.doors.built().collect(image)
        named = (digest, *((tag,) if tag else ()))
        job = work.mirror_images(image, references=named, urgent=True, pushed=world.clock.now())
        context.effects.append(world.enqueueing(job))
        context.log(f"{image}@{digest} is at {site} ({sent} bytes were sent); the other sites follow.")
        results = {"image": image, "digest": digest, "reference": f"{image}@{digest}"}
        return Finished(results=results, detail={"pushed": {image: digest}, "site": site})


def _check(image: str, digest: str, tag: str) -> None:
    if not values.is_repository(image):
        raise errors.InputError(f"{image!r} is not the name of an image.", remedy="Write it as shop/web.")
    if not values.is_digest(digest):
        raise errors.InputError(f"{digest!r} is not a digest.", remedy="Hand on the result digest of the task Image.")
    if tag and not values.is_tag(tag):
        raise errors.InputError(f"{tag!r} is not a tag.", remedy="Use letters, digits, dots, dashes and underscores.")
