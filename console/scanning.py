"""What comparing stands on in this process: git as it is rendered here, the sites' ends, one key for Secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.runtime import Runtime
from drift.doors import Scanning, Watched
from drift.redact import Sealer
from drift.turns import Turns
from lockstep.manifests import desired
from lockstep.sites import ends, remembered
from lockstep.store import deployments
from lockstep.topology import direction, kinds

# A comparison renders many commits, and sites that are lost take their time to say nothing. Seconds.
_REMEMBERED_SECONDS = 60.0
# The name of the key that Secrets are compared by. Whoever has it can try values, so it is nobody else's.
_KEY = "secrets-are-compared-by"


def scanning_of(runtime: Runtime, *, watched: Watched | None = None) -> Scanning:
    """Everything that comparing needs; what it remembers lives as long as what is returned here.

    ``watched`` sees the sites that are being watched.
    """
    return Scanning(
        topology=runtime.topology,
        database=runtime.database,
        sites=runtime.doors,
        renderer=Git(runtime),
        sealer=Sealer(bytes.fromhex(runtime.key(_KEY))),
        clock=runtime.clock,
        watched=watched,
        turns=Turns.of(runtime.settings.working.threads),
    )


class Git:
    """What git wants, with the digests that were deployed: a tag may have moved since."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}

    def head(self, application: kinds.Application) -> str:
        """The commit that the branch means now. Raises NotFoundError when nobody knows it."""
        return self._runtime.renderings.head(self._runtime.topology(), application).revision

    def desired(self, application: kinds.Application, place: direction.Place, revision: str) -> desired.Desired:
        """What a site is to have at a commit. Raises LockstepError when it cannot be rendered."""
        return self._runtime.renderings.desired(
            self._runtime.topology(),
            application,
            place=place,
            revision=revision,
            digests=self._digests(application, revision),
        )

    def declaring(self, application: kinds.Application, sites: Sequence[str], revision: str) -> ends.Commit | None:
        """The last commit of overlays or site values for these sites. Raises LockstepError when our copy lacks it."""
        source = application.spec.source
        paths = [
            path for site in sites for path in (source.overlays.get(site), source.helm.site_values.get(site)) if path
        ]
        cache = self._runtime.doors.git_cache(source.repository)
        found = [commit for path in paths or [source.path] for commit in cache.log(revision, most=1, path=path)]
        return max(found, key=lambda commit: commit.committed_at, default=None)

    def history(self, application: kinds.Application, revision: str, *, most: int) -> Sequence[str]:
        """The commits before this one, the newest first. Raises LockstepError when our copy lacks it."""
        cache = self._runtime.doors.git_cache(application.spec.source.repository)
        return [commit.oid for commit in cache.log(revision, most=most + 1)][1:]

    def _digests(self, application: kinds.Application, revision: str) -> Mapping[str, str]:
        """Those that this commit was deployed with; before its first deploy, those of the newest deploy.

        Where nothing was deployed from here, what the sites remember of it: this may be a second installation.
        """
        name = application.name
        with self._runtime.database.read() as connection:
            found = deployments.last(connection, name, revision=revision) or deployments.last(connection, name)
        return found.images if found else self._remembered(application)

    def _remembered(self, application: kinds.Application) -> Mapping[str, str]:
        now, (at, known) = self._runtime.clock.monotonic(), self._known.get(application.name, (float("-inf"), {}))
        if now - at > _REMEMBERED_SECONDS:
            sites = self._runtime.topology().sites_of(application)
            known = remembered.images(self._runtime.doors, application, sites)
            self._known[application.name] = self._runtime.clock.monotonic(), known
        return known
