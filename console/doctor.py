"""What can be reached, read and written from here, end by end, and what stays Unknown where it cannot.

Every check really asks; nothing is concluded from the configuration alone, and nothing is written anywhere.
Sites are asked at once, so that one that is slow to fail does not hold up the others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from console import coverage as told
from console import registries
from lockstep import errors
from lockstep.sites import ends
from lockstep.sites.open import Doors
from lockstep.topology import amounts, kinds
from lockstep.topology.model import Topology
from lockstep.topology.secrets import Reader
from lockstep.values import Json, ObjectKey
from sync import coverage, quarantine

# The programs that are driven, with what needs them.
_PROGRAMS = {"git": "mirroring git", "ssh": "git over ssh"}
_MOST_GAPS = 10
_MOST_KINDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried. ``problem`` is empty when it went well, and ``leaves`` says what it costs."""

    place: str
    what: str
    found: str = ""
    problem: str = ""
    leaves: str = ""

    def as_json(self) -> dict[str, Json]:
        """For programs."""
        return {
            "place": self.place,
            "what": self.what,
            "ok": not self.problem,
            "found": self.found,
            "problem": self.problem,
            "leaves": self.leaves,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined: a configuration, its doors and secrets, and the repositories that events have named."""

    topology: Topology
    doors: Doors
    secrets: Reader
    known: Sequence[str] = ()

    @property
    def repositories(self) -> list[str]:
        """The git repositories that are mirrored."""
        return coverage.repositories(self.topology, self.known)


def examine(patient: Patient, *, site: str = "") -> list[Check]:
    """Try everything, or everything of one site.

    Raises:
        NotFoundError: There is no such site.
    """
    chosen = [patient.topology.site(site)] if site else list(patient.topology.sites.values())
    rooms: list[Callable[[], list[Check]]] = [partial(_site, patient, one) for one in chosen]
    if not site:
        rooms = [partial(_here, patient), partial(_sources, patient), *rooms]
    with ThreadPoolExecutor(max_workers=max(1, len(rooms))) as pool:
        return [check for checks in pool.map(lambda room: room(), rooms) for check in checks]


def _here(patient: Patient) -> list[Check]:
    """This machine: programs, and the secrets that the configuration refers to."""
    checks = [_program(name, needed_by) for name, needed_by in _PROGRAMS.items()]
    charts = [one.name for one in patient.topology.applications.values() if one.spec.source.render == "helm"]
    if charts:
        checks.append(_program("helm", f"rendering {', '.join(charts)}"))
    for hook in patient.topology.webhooks.values():
        checks += [
            _try("here", f"secret of the webhook {hook.name}", partial(_readable, patient, secret), "its posts")
            for secret in hook.spec.secrets
        ]
    for mirror in patient.topology.image_mirrors.values():
        if mirror.spec.signed:
            what = f"who signs the images of {mirror.name}"
            checks.append(_try("here", what, partial(_signers, patient, mirror), "its new images"))
    return checks


def _program(name: str, needed_by: str) -> Check:
    path = shutil.which(name)
    if path:
        return Check(place="here", what=name, found=path)
    return Check(place="here", what=name, problem=f"{name} is not on the PATH.", leaves=f"no {needed_by}")


def _readable(patient: Patient, secret: kinds.SecretRef) -> str:
    patient.secrets.text(secret)
    return "readable"


def _signers(patient: Patient, mirror: kinds.ImageMirror) -> str:
    """Keys and roots of trust are read as they are when an image is looked at."""
    return ", ".join(signer.name for signer in quarantine.signers(patient.doors, mirror))


def _sources(patient: Patient) -> list[Check]:
    """Where git and images come from."""
    topology, doors = patient.topology, patient.doors
    checks = [
        _try(
            "source",
            f"git {repository}",
            partial(_advertised, partial(doors.git_source, mirror, repository), "the forge has no such repository"),
            f"pushes to {repository} are not seen",
        )
        for repository in patient.repositories
        for mirror in topology.git_mirrors_of(repository)
    ]
    return checks + [
        _try(
            "source",
            f"images of {name}",
            partial(registries.look, partial(doors.image_source, mirror), names),
            "new images",
        )
        for name, mirror in topology.image_mirrors.items()
        for names in (registries.asked_about(topology, mirror=name),)
    ]


def _site(patient: Patient, site: kinds.Site) -> list[Check]:
    name, spec, doors = site.name, site.spec, patient.doors
    checks = []
    if spec.git is not None:
        checks += [
            _try(
                name,
                f"git {repository}",
                partial(_advertised, partial(doors.git_site, name, repository), ""),
                f"whether {name} has every commit of {repository}",
            )
            for repository in patient.repositories
            if _receives(patient, name, repository)
        ]
    if spec.registry is not None:
        names = registries.asked_about(patient.topology, site=name)
        asks = partial(registries.look, partial(doors.images, name), names)
        checks.append(_try(name, "registry", asks, f"the images at {name}"))
    if spec.cluster is not None:
        checks += _cluster(patient, name)
    if spec.archive is not None:
        checks.append(_try(name, "archive", partial(_archive, doors, name), f"whether {name} could be started"))
    return checks


def _receives(patient: Patient, site: str, repository: str) -> bool:
    covered = coverage.coverage_of(patient.topology, repository)
    return covered is not None and site in covered.sites


def _cluster(patient: Patient, name: str) -> Iterator[Check]:
    """The lists that comparing reads, in the namespaces of the applications that live here, without what is in them."""
    topology = patient.topology
    here = [one for one in topology.applications.values() if name in topology.sites_of(one)]
    namespaces = frozenset(one.spec.namespace for one in here)
    selection = ends.Selection(namespaces=namespaces, cluster_scoped=None)
    try:
        end = patient.doors.cluster(name)
        counted = _counted(end, selection)
    except errors.LockstepError as error:
        yield _failed(name, "cluster", error, f"every comparison with {name}")
        return
    found = f"{counted.objects} objects in {len(namespaces)} namespaces, by {counted.method}"
    yield Check(place=name, what="cluster", found=found)
    yield from _clock(name, counted.ahead_seconds)
    for gap in counted.gaps[:_MOST_GAPS]:
        yield Check(place=name, what=f"cluster: {gap.what}", problem=gap.why, leaves=f"{gap.what} at {name}")
    if len(counted.gaps) > _MOST_GAPS:
        rest = f"{len(counted.gaps) - _MOST_GAPS} more could not be read."
        yield Check(place=name, what="cluster", problem=rest, leaves=f"all of it at {name}")
    if not end.writable:
        yield Check(place=name, what="cluster: writing", found="only read: nothing is ever deployed here")
    elif isinstance(end, ends.Guarded):
        spec = topology.site(name).spec.cluster
        asks = isinstance(end, ends.Foreseeing) and spec is not None and spec.server_side_dry_run != "never"
        for namespace in sorted(selection.namespaces or ()):
            what = f"cluster: writing in {namespace}"
            try:
                lacking = end.lacks(namespace)
            except errors.LockstepError as error:
                yield _failed(name, what, error, f"deploys to {name}, and dry runs there")
                continue
            yield _try(name, what, partial(_may_write, end, lacking, namespace), f"deploys of these kinds to {name}")
            if asks:
                what = f"cluster: dry runs in {namespace}"
                yield _try(name, what, partial(_may_foresee, lacking), f"these kinds at {name} to our rules alone")


def _counted(end: ends.Cluster, selection: ends.Selection) -> ends.Counted:
    """How much there is to read; whoever cannot say it has to be read. Raises LockstepError."""
    if isinstance(end, ends.Countable):
        return end.count(selection)
    found = end.read(selection)
    return ends.Counted(objects=len(found.objects), method=found.method, gaps=found.gaps)


def _clock(site: str, ahead_seconds: float | None) -> Iterator[Check]:
    """Whether the clocks of a site and of this machine agree, where the site says what its own is."""
    if ahead_seconds is None:
        return
    far = amounts.format_duration(timedelta(seconds=round(abs(ahead_seconds))))
    if abs(ahead_seconds) < told.CLOCKS_APART:
        yield Check(place=site, what="cluster: clock", found="agrees with the clock of this machine")
        return
    side = "ahead of" if ahead_seconds > 0 else "behind"
    yield Check(
        place=site,
        what="cluster: clock",
        problem=f"It is {far} {side} the clock of this machine. Look which of the two is wrong (NTP).",
        leaves="certificates and tokens that count as expired too early, or too late",
    )


def _may_foresee(lacking: Mapping[str, Sequence[str]]) -> str:
    """What a comparison asks a server, it has to be allowed to patch."""
    if resources := lacking.get("patch"):
        raise errors.ForbiddenError(
            f"May not patch {_some(resources)}, which a dry run needs.",
            remedy="Apply deploy/kubernetes/deployer.yaml there, or say serverSideDryRun: never in the site's cluster.",
        )
    return "what differs may be asked about"


def _may_write(end: ends.Cluster, lacking: Mapping[str, Sequence[str]], namespace: str) -> str:
    """What the server says that we may do; nothing is tried."""
    if lacking:
        told = "; ".join(f"{verb} {_some(resources)}" for verb, resources in lacking.items())
        raise errors.ForbiddenError(f"May not {told}.", remedy="Apply deploy/kubernetes/deployer.yaml there.")
    told = "every built-in kind may be applied and deleted"
    if _is_absent(end, namespace):
        return f"{told}; the namespace is not there: an application that brings it makes it, else it has to be made"
    return told


def _is_absent(end: ends.Cluster, namespace: str) -> bool:
    """Whether a server says that it has no such namespace; where we may not ask, nobody knows."""
    key = ObjectKey(group="", kind="Namespace", namespace="", name=namespace)
    try:
        return end.get(key, api_version="v1") is None
    except errors.LockstepError:
        return False


def _some(resources: Sequence[str]) -> str:
    shown = ", ".join(resources[:_MOST_KINDS])
    return f"{shown} and {len(resources) - _MOST_KINDS} more" if len(resources) > _MOST_KINDS else shown


def _archive(doors: Doors, name: str) -> str:
    archive = doors.archive(name)
    folder = Path(archive.address if archive else "")
    if not folder.is_dir():
        raise errors.NotFoundError(f"There is no folder {folder}.", remedy="Make it, or mount it.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise errors.ForbiddenError(f"{folder} cannot be written to.", remedy="Give it to the user of the service.")
    return f"{folder}, writable"


def _advertised(remote: Callable[[], ends.GitRemote], absent: str) -> str:
    """How many refs a repository has; ``absent`` is the problem when there is none, empty when that is none."""
    advertised = remote().advertised()
    if advertised is not None:
        return f"{len(advertised.refs)} refs"
    if absent:
        raise errors.NotFoundError(f"{absent.capitalize()}.", remedy="Create it, or correct the name.")
    return "not there yet: the next mirroring brings it"


def _try(place: str, what: str, ask: Callable[[], str], leaves: str) -> Check:
    try:
        return Check(place=place, what=what, found=ask())
    except errors.LockstepError as error:
        return _failed(place, what, error, leaves)


def _failed(place: str, what: str, error: errors.LockstepError, leaves: str) -> Check:
    return Check(place=place, what=what, problem=str(error), leaves=leaves)


def is_sound(checks: Sequence[Check]) -> bool:
    """Whether nothing was in the way."""
    return not any(check.problem for check in checks)
