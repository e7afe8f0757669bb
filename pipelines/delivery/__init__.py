"""The built-in tasks between a push and the objects at every site: Fetch, Image, Push, Approval, Deploy.

It receives a task of a run and the configuration in force; it hands on commits, digests and deployments. Each
is called at least once, so each is idempotent: what was written is compared before it is written again. It
decides nothing about drift, and it writes nothing to a site that a stance holds.
"""

from collections.abc import Mapping

from pipelines.delivery.approval import Approval
from pipelines.delivery.deploy import Deploy
from pipelines.delivery.fetch import Fetch
from pipelines.delivery.image import Image
from pipelines.delivery.push import Push
from pipelines.delivery.world import World
from pipelines.tasks import Builtin

__all__ = ["World", "builtins"]


def builtins(world: World) -> Mapping[str, Builtin]:
    """The built-in tasks of delivering an application, by kind."""
    return {
        "Fetch": Fetch(world),
        "Image": Image(world),
        "Push": Push(world),
        "Approval": Approval(world),
        "Deploy": Deploy(world),
    }
