"""One OCI distribution registry, spoken to over HTTP/1.1 (distribution specification 1.1).

It receives a registry's address and the way to its credentials; it hands on an image store
(``ends.ImageStore``) whose every byte was verified against a digest. It never converts a manifest, never sends
a credential to a host that the registry merely named, never follows the registry to a private address that
the site does not trust, and never takes silence for absence.
"""

from lockstep.sites.registry.opening import open_registry
from lockstep.sites.registry.store import RegistryStore

__all__ = ["RegistryStore", "open_registry"]
