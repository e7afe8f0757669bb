"""A built image goes into the registry of the truth, and the other sites are told when that was."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lockstep import work
from lockstep.sites import ends, layout
from lockstep.store.database import Database
from pipelines.delivery import World
from pipelines.delivery.push import Push
from pipelines.tasks import Finished
from tests.pipelines.delivery.delivering import Delivering
from tests.support.images import Maker, new_store

if TYPE_CHECKING:
    from sqlalchemy import Connection

NAME = "pay/api"


@dataclass
class _Registries:
    """A registry for each site, and what was built."""

    root: Path

    def images(self, site: str) -> ends.ImageStore:
        return new_store(self.root / site)

    def built(self) -> layout.LayoutStore:
        return new_store(self.root / "built")


@dataclass
class _Queue:
    jobs: list[work.Job] = field(default_factory=list)

    def enqueue(self, connection: Connection, *jobs: work.Job) -> list[int]:
        self.jobs += jobs
        return [0 for _ in jobs]


def test_the_mirror_of_a_built_image_knows_when_it_was_pushed(tmp_path: Path, file_database: Database) -> None:
    """The lag of every other site runs from then, though no registry tells of the push; what was built is forgotten."""
    delivering, queue, doors = Delivering(file_database), _Queue(), _Registries(tmp_path)
    world: World = replace(delivering.world, doors=cast("Any", doors), queue=cast("Any", queue))
    image = Maker(store=doors.built(), repository=NAME).image(b"layer")
    params = {"image": NAME, "digest": image.digest, "tag": "v1"}
    context = replace(delivering.begin("c1").context(), params=params)
    pushed_at = delivering.clock.now()
    assert isinstance(Push(world).run(context), Finished)
    delivering.clock.pass_seconds(90)
    with file_database.write() as connection:
        for effect in context.effects:
            effect(connection)
    wanted = work.mirror_images(NAME, references=(image.digest, "v1"), urgent=True, pushed=pushed_at)
    assert queue.jobs == [wanted]
    assert wanted.payload["pushed"] == pushed_at.timestamp()
    assert doors.images("seoul").tags(NAME) == {"v1": image.digest}
    assert doors.built().resolve(NAME, image.digest) is None
