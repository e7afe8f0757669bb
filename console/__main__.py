"""``python -m console`` is ``lockstep``."""

from console.cli import main

main()
