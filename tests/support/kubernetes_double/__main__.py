"""A double in a process of its own: ``python -m tests.support.kubernetes_double FOLDER [SECONDS]``.

It prints the admin's kubeconfig, answers each request so many seconds late, and ends with its standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.kubernetes_double.double import serving


def main() -> None:
    """Serve until nobody holds the other end of the standard input."""
    folder, *late = sys.argv[1:]
    with serving(Path(folder)) as double:
        if late:
            double.faults.slow(float(late[0]))
        sys.stdout.write(f"{double.kubeconfig()}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
