"""Which server the double plays: what releases of Kubernetes serve, and how they tell it.

(Changelogs of 1.26 to 1.36, and the features' pages of Kubernetes' documentation.) Only what a client of the API can
see and what is on by default counts; the double validates and defaults as 1.36 does, whatever it plays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.support.kubernetes_double.catalogue import GroupVersion, Resource, built_in

NEWEST = 36

# When a kind came to be served by default, where that is later than 1.26.
_SINCE = {
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"): 36,
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"): 36,
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): 30,
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): 30,
    ("authentication.k8s.io", "selfsubjectreviews"): 28,
    ("networking.k8s.io", "ipaddresses"): 33,
    ("networking.k8s.io", "servicecidrs"): 33,
    ("resource.k8s.io", "deviceclasses"): 34,
    ("resource.k8s.io", "resourceclaims"): 34,
    ("resource.k8s.io", "resourceclaimtemplates"): 34,
    ("resource.k8s.io", "resourceslices"): 34,
    ("storage.k8s.io", "volumeattributesclasses"): 34,
}
# Versions in which a group was served before it had the one that it has now.
_BEFORE = {"flowcontrol.apiserver.k8s.io": (29, "v1beta3")}
# Aggregated discovery: its beta was on by default from 1.27, its final form came with 1.30.
_AGGREGATED_BETA, _AGGREGATED = 27, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release: the number after "1."; ``openapi_v3`` is what an operator may have switched off."""

    minor: int = NEWEST
    openapi_v3: bool = True

    @property
    def git_version(self) -> str:
        """``v1.36.2``."""
        return f"v1.{self.minor}.2"

    @property
    def aggregated(self) -> tuple[str, ...]:
        """The versions of aggregated discovery that it speaks, the best first."""
        if self.minor >= _AGGREGATED:
            return ("v2", "v2beta1")
        return ("v2beta1",) if self.minor >= _AGGREGATED_BETA else ()

    def built_in(self) -> tuple[GroupVersion, ...]:
        """Every kind that it serves by itself."""
        served = (self._played(one) for one in built_in())
        return tuple(one for one in served if one.resources)

    def _played(self, one: GroupVersion) -> GroupVersion:
        there = tuple(found for found in one.resources if self._has(found))
        since, before = _BEFORE.get(one.group, (0, ""))
        if self.minor >= since:
            return replace(one, resources=there)
        return GroupVersion(
            group=one.group, version=before, resources=tuple(replace(found, version=before) for found in there)
        )

    def _has(self, one: Resource) -> bool:
        return self.minor >= _SINCE.get((one.group, one.plural), 0)


def version(release: Release) -> dict[str, str]:
    """What ``/version`` says."""
    emulated = {"emulationMajor": "1", "emulationMinor": str(release.minor)}
    least = {"minCompatibilityMajor": "1", "minCompatibilityMinor": str(release.minor - 1)}
    return {
        "major": "1",
        "minor": str(release.minor),
        # Since 1.31 (KEP 4330).
        **({**emulated, **least} if release.minor >= 31 else {}),
        "gitVersion": release.git_version,
        "gitCommit": "double",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.27.3",
        "compiler": "gc",
        "platform": "linux/amd64",
    }
