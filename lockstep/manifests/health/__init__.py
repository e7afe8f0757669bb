"""Whether what runs works, by the status that controllers write: one live object in, an assessment out. Pure.

The rules are those of Argo CD (``gitops-engine/pkg/health``); where it has none for a kind, those of Flux
(``kstatus``) for conditions that any kind may have. So few replicas as git or the floor want are healthy anywhere. It
knows nothing of sites and of what belongs together; a directory or a backup runs nothing: ask only of what runs.
"""

from lockstep.manifests.health.rules import assess, has_health
from lockstep.manifests.health.status import Assessment

__all__ = ["Assessment", "assess", "has_health"]
