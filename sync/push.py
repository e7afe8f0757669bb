"""One image to one place: what the task ``push`` does with what the task ``image`` built."""

from __future__ import annotations

from collections.abc import Sequence

from lockstep.sites import ends
from sync import copy, transfer
from sync.fan import Bounds
from sync.stock import Shelf


def push(
    source: ends.ImageStore,
    target: ends.ImageStore,
    repository: str,
    digest: str,
    *,
    tags: Sequence[str] = (),
    bounds: Bounds | None = None,
) -> int:
    """Bring an image to a registry and move tags to it; the bytes that were sent, 0 when it had everything.

    Raises:
        NotFoundError: The source lacks the image, or a part of it.
        ConflictError: Somebody else moved a tag meanwhile.
        LockstepError: Whatever the source or the target said.
    """
    bounds = bounds or Bounds()
    origin = Shelf(store=source, repository=repository)
    graph, refused = transfer.graphs(origin, [digest], bounds)
    if refused:
        raise refused[digest]
    load = transfer.Load(
        source=origin,
        sites={target.address: Shelf(store=target, repository=repository)},
        bounds=bounds,
    )
    wanted = copy.Want(root=digest, at={target.address: tuple(tags)})
    (outcome,) = transfer.bring(load, [transfer.Portion(graph=graph, wanted=[wanted])])
    for error in (outcome.error, *outcome.refused.values()):
        if error is not None:
            raise error
    return outcome.size
