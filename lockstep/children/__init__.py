"""Processes that must not outlive the work that started them.

Each job runs in a ``Scope``; whatever it starts here is on a leash that the job's heartbeat renews. A worker
that dies or freezes loses its children before the lease of its job ends, so that two workers never do the
same thing at once. Commands are argument lists, never a shell's line, and get a clean environment.
"""

from lockstep.children.command import Command, Finished, Identity
from lockstep.children.running import run
from lockstep.children.scope import Scope, Stop, scope
from lockstep.children.starting import Spawn

__all__ = ["Command", "Finished", "Identity", "Scope", "Spawn", "Stop", "run", "scope"]
