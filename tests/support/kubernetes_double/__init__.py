"""A double of the Kubernetes API server, for tests that cannot have a real one.

It receives what a client sends to an API server and answers as a real 1.36 server was seen to answer: discovery, lists
in pages, watches, server-side apply with the ownership of fields, dry run, defaults, validation, RBAC. What is pure
(types, merging, ownership, defaults, rules) is in modules that know no HTTP; ``server`` is the thin shell. It refuses
what it does not know as the real one refuses what it does not serve. There are no controllers behind it: tests move
status themselves. Where it and a real server differ, the real one is right; ``tests/cluster`` runs on both.
"""

from tests.support.kubernetes_double.double import Double, serving
from tests.support.kubernetes_double.faults import Fault, Faults
from tests.support.kubernetes_double.releases import Release

__all__ = ["Double", "Fault", "Faults", "Release", "serving"]
