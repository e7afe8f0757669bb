"""``python -m benchmarks._mirror_once REPOSITORY SOURCE SITE...``: mirror all tags of one repository, once.

It prints the seconds that the mirroring itself took, without the start of Python.
"""

from __future__ import annotations

import sys
import time

from lockstep.sites.http.places import origin_of
from sync.mirror import Order, mirror
from sync.states import State
from tests.support import registries


def _main(repository: str, *places: str) -> None:
    origins = [origin_of(f"http://{place}") for place in places]
    source, *sites = (registries.store(origin) for origin in origins if origin)
    began = time.monotonic()
    order = Order(
        repository=repository,
        source=source,
        sites={f"site-{number}": site for number, site in enumerate(sites)},
        references=source.tags(repository) or {},
    )
    results = mirror(order)
    print(time.monotonic() - began)
    assert {result.state for result in results} == {State.EQUAL}, {result.detail for result in results}


if __name__ == "__main__":
    _main(*sys.argv[1:])
