"""A process of its own that serves the receiver: ``python -m tests.support.receiver_process URL [POINT]``.

It prints its port and serves until it is killed; with a point of ``lockstep.crash`` it kills itself there.
"""

from __future__ import annotations

import sys
import threading

from lockstep import crash
from lockstep.store.database import open_database
from tests.support import hooks, serving


def main() -> None:
    """Serve."""
    url, *points = sys.argv[1:]
    for point in points:
        crash.arm(point)
    with serving.served(hooks.app(hooks.context(open_database(url)))) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
