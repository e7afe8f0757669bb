"""What a preflight stands on in this process: it looks at what other rooms keep equal, and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import orjson

from console import wiring
from console.runtime import Runtime
from console.scanning import scanning_of
from drift.checks.facts import Mirror, Stock, Tagged
from drift.gathering.doors import Gathering
from lockstep import errors
from lockstep.manifests import desired
from lockstep.sites import ends, oci
from lockstep.store import mirrors as standings
from lockstep.values import ObjectKey, Stance
from pipelines.deploy import rehearsal
from sync import git, images, lag, stock
from sync.mirror import ALL, Result
from sync.outcomes import SiteOutcome

# An image's configuration is some kilobytes; what is larger says nothing of a platform.
_LARGEST_CONFIG = 4 * 2**20
_MOST_REASONS = 5
_UNKNOWN_PLATFORM = "unknown"


def gathering_of(runtime: Runtime) -> Gathering:
    """Everything that gathering needs; what it looked at is remembered as long as what is returned here."""
    return Gathering(scanning=scanning_of(runtime), looks=Looking(runtime))


class Looking:
    """Looks at mirrors, registries and API servers through the rooms that know them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._mirrors: dict[str, Sequence[Mirror]] = {}
        self._tags: dict[str, Sequence[Tagged]] = {}

    def mirrors(self, repository: str) -> Sequence[Mirror]:
        """How a repository stands at each of its sites, now: as a dry run of mirroring says it.

        Raises:
            LockstepError: Its source does not say what they should have.
        """
        if repository not in self._mirrors:
            self._mirrors[repository] = self._look(repository)
        return self._mirrors[repository]

    def _look(self, repository: str) -> Sequence[Mirror]:
        runtime = self._runtime
        # A stance holds what is written; a look is not held.
        facing = dict.fromkeys(runtime.topology().pairs, Stance.NORMAL)
        looking = replace(wiring.mirroring_git(runtime), stances=lambda: facing)
        found = git.run(looking, git.Request(dry_run=True), name=repository)
        for problem in found.problems.values():
            raise errors.UnreachableError(f"The source of {repository} could not be read: {problem}")
        with runtime.database.read() as connection:
            known = {one.site: one for one in standings.standings(connection, repository)}
        return [self._mirror(outcome, known.get(outcome.site)) for outcome in found.sites]

    def _mirror(self, outcome: SiteOutcome, known: standings.Standing | None) -> Mirror:
        now = self._runtime.clock.now()
        reasons = [outcome.reason] if outcome.reason else [_reason(one.ref, one.reason) for one in outcome.open]
        behind: timedelta | None = timedelta(0)
        if outcome.state.value != "equal":
            # What was equal when it was last recorded has been behind since then at the most.
            since = (known.behind_since or known.checked_at) if known else None
            behind = now - since if since else None
        return Mirror(
            site=outcome.site,
            state=outcome.state.value,
            reasons=tuple(reasons[:_MOST_REASONS]),
            head=outcome.head,
            refs=outcome.count,
            behind=behind,
            newest=known.lag_of_newest if known else None,
            at=now,
        )

    def stock(self, site: str, repository: str, digest: str) -> Stock:
        """What a site's registry has of an image, every blob asked for.

        Raises:
            LockstepError: It does not say.
        """
        store = self._runtime.doors.images(site)
        try:
            there = store.resolve(repository, digest)
        except errors.IntegrityError as error:
            return Stock(missing=(error.message,))
        if there is None:
            return Stock(present=False)
        proof = stock.verify(store, repository, digest)
        return Stock(
            manifests=proof.manifests,
            blobs=proof.blobs,
            missing=proof.missing,
            platforms=_platforms(store, repository, digest) if proof.whole else None,
        )

    def tags(self, repository: str) -> Sequence[Tagged]:
        """How the tags of an image stand at each of its sites, now: as a dry run of mirroring says it.

        Raises:
            LockstepError: Its source does not say what they should be.
        """
        if repository not in self._tags:
            self._tags[repository] = self._tagged(repository)
        return self._tags[repository]

    def _tagged(self, repository: str) -> Sequence[Tagged]:
        runtime = self._runtime
        if not runtime.topology().image_mirrors_of(repository):
            return ()
        facing = dict.fromkeys(runtime.topology().pairs, Stance.NORMAL)
        looking = replace(wiring.mirroring_images(runtime), stances=lambda: facing)
        found = images.run(looking, images.Request(dry_run=True), name=repository)
        whole = [one for one in found.results if one.reference == ALL]
        if whole:
            raise errors.UnreachableError(f"The tags of {repository} could not be read: {whole[0].detail}")
        return [self._tag(one, found.lags.get((repository, one.reference, one.site))) for one in found.results]

    def _tag(self, one: Result, known: lag.Lag | None) -> Tagged:
        behind = known.behind if known else None
        if one.state.value == "equal":
            behind = timedelta(0)
        elif not behind:
            # What was recorded as equal is not any more, and nobody noted since when.
            behind = None
        return Tagged(
            name=one.repository,
            reference=one.reference,
            site=one.site,
            state=one.state.value,
            detail=one.detail,
            behind=behind,
            newest=known.last if known else None,
        )

    def opens(self, site: str, secret: ObjectKey, *, repository: str, digest: str) -> str:
        """What a site's registry says to a pull secret of its cluster: empty where it lets it in, else why not.

        Raises:
            LockstepError: It does not say, or the secret cannot be read.
        """
        doors = self._runtime.doors
        found = doors.cluster(site).get(secret, api_version="v1")
        if found is None:
            return "it is not there"
        data = found.get("data")
        try:
            doors.images_with(site, data if isinstance(data, dict) else {}).resolve(repository, digest)
        except (errors.RefusedError, errors.InputError) as error:
            return error.message
        return ""

    def rehearse(self, site: str, wanted: desired.Desired, *, warm: bool) -> Mapping[str, str]:
        """What a site's server says to a dry run of each object; empty for what it would admit.

        Raises:
            LockstepError: It does not say.
        """
        found = rehearsal.rehearse(self._runtime.doors.cluster(site), wanted, runs=not warm)
        return {str(key): why for key, why in found.items()}


def _reason(ref: str, reason: str) -> str:
    return f"{ref}: {reason}" if reason else ref


def _platforms(store: ends.ImageStore, repository: str, digest: str) -> frozenset[str] | None:
    """``os/architecture`` of everything that an image is for; None when it does not say."""
    manifest = store.manifest(repository, digest)
    if manifest is None:
        return None
    named = oci.contents(manifest)
    if manifest.media_type in oci.INDEXES:
        return _of_index(named) or None
    config = next(iter(named.blobs), None)
    if config is None or config.size > _LARGEST_CONFIG:
        return None
    with store.read_blob(repository, config) as chunks:
        body = b"".join(chunks)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict) or not said.get("os") or not said.get("architecture"):
        return None
    return frozenset({f"{said['os']}/{said['architecture']}"})


def _of_index(named: oci.Contents) -> frozenset[str]:
    every = (one.platform for one in (*named.children, *named.blobs) if one.platform)
    return frozenset(
        f"{one.get('os')}/{one.get('architecture')}" for one in every if one.get("os") != _UNKNOWN_PLATFORM
    )
