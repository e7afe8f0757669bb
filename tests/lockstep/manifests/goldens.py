"""What golden folders hold: a configuration, a repository, digests, and what each site is to get.

``python -m tests.lockstep.manifests.goldens`` writes what is expected anew; read the difference before you commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lockstep import documents
from lockstep.manifests import desired, render
from lockstep.topology import direction, load
from lockstep.values import Stance

HERE = Path(__file__).with_name("golden")


def cases() -> list[str]:
    """The names of the golden folders."""
    return sorted(folder.name for folder in HERE.iterdir() if folder.is_dir())


def texts(case: str) -> Iterator[tuple[Path, str]]:
    """For each site of a case, the file that holds what it gets, and what it gets now."""
    folder = HERE / case
    topology = load.load(folder / "configuration")
    (application,) = topology.applications.values()
    (digests,) = documents.read((folder / "digests.yaml").read_bytes(), file="digests.yaml")
    stances = dict.fromkeys(topology.pairs, Stance.NORMAL)
    for place in direction.places_of(topology, application, stances):
        rendering = render.render(
            folder / "repository",
            application.spec.source,
            application=application.name,
            namespace=application.spec.namespace,
            site=place.site,
        )
        finished = desired.desired(
            rendering.objects, application=application, place=place, sites=topology.sites, digests=digests.value
        )
        yield folder / "expected" / f"{place.site}.yaml", _text(rendering, finished)


def _text(rendering: render.Rendering, finished: desired.Desired) -> str:
    summary = {
        "rendered": f"{rendering.folder} by {rendering.method}",
        "images": [f"{use.key}, {use.container}: {use.written} -> {use.image}" for use in finished.uses],
        "digests": {name: list(digests) for name, digests in finished.digests.items()},
        "lowered": [f"{one.key} {one.pointer}: {one.full} -> {one.floor}" for one in finished.lowered],
        "suspended": [str(key) for key in finished.suspended],
        "notes": [*rendering.notes, *finished.notes],
        "problems": [str(problem) for problem in finished.problems],
    }
    return documents.dump_all([summary, *finished.objects])


if __name__ == "__main__":
    for _case in cases():
        for _file, _content in texts(_case):
            _file.parent.mkdir(exist_ok=True)
            _file.write_text(_content)
