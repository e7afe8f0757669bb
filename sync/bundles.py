"""Images as one archive, for sites without a line: what is written into it, and what is brought from it.

An archive comes from what the mirrors of the configuration name, and goes only where they say: to a site that a
mirror serves, under its stance, its rules and its immutable tags. It is one more source, and everything that holds
for mirroring holds for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lockstep import errors
from lockstep.sites import bundle, bundle_list, bundle_writing, ends
from lockstep.sites.bundle_list import Member, Shelved, TransferList
from lockstep.topology import kinds, patterns
from lockstep.values import Json
from sync import beside, copy, images, selection, sources, transfer
from sync.graph import Graph
from sync.images import Report, Request
from sync.mirror import ALL, Listening, Result
from sync.sources import Mirroring
from sync.states import State, state_of
from sync.stock import Shelf
from sync.stocktaking import Stocktaking


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to export: all blobs, or none that a site has (``site``, which is asked) or was sent (``since``)."""

    path: Path
    site: str = ""
    since: TransferList = field(default_factory=dict)
    listening: Listening = field(default_factory=Listening)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an archive holds, and ``problems``: what it should hold and does not."""

    listed: TransferList
    written: bundle_writing.Written
    problems: tuple[Result, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 everything is in it · 1 something is refused · 2 something failed or is unknown."""
        return max((problem.state.exit_code for problem in self.problems), default=0)

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        shelves = self.listed.values()
        return {
            "images": sum(len(shelved.references) for shelved in shelves),
            "blobs": sum(len(shelved.blobs) for shelved in shelves),
            "left": sum(len(shelved.left) for shelved in shelves),
            "bytes": self.written.size,
            "sha256": self.written.sha256,
            "problems": [problem.as_json() for problem in self.problems],
        }


def export(context: Mirroring, order: Order, *, name: str = "") -> Exported:
    """Write what ``name`` names (an ImageMirror or a repository; everything when empty) into one archive.

    All manifests are in it, so that it says how every tag is to stand; only blobs are left out.

    Raises:
        NotFoundError: There is no such mirror or repository, or nothing at all to export.
        IntegrityError, UnreachableError, ForbiddenError: The source broke off, or the file cannot be written.
    """
    topology = context.topology()
    packing = _Packing(context, order)
    chosen = sources.named(topology, name)
    selection.check_site(chosen, order.site)
    only = bool(name) and name not in topology.image_mirrors
    for one in chosen:
        if order.site and order.site not in selection.receivers(one):
            continue
        named = sources.Named(repositories=(name,))
        packing.add_all(one, named if only else sources.repositories(context, one, ()))
    if not packing.listed:
        told = "; ".join(problem.detail for problem in packing.problems)
        raise errors.NotFoundError(f"There is nothing to export. {told}".strip(), remedy="Look at the mirror's rules.")
    written = bundle_writing.write(order.path, packing.listed, packing.reading())
    return Exported(listed=packing.listed, written=written, problems=tuple(packing.problems))


def bring_in(context: Mirroring, path: Path, request: Request, *, name: str = "") -> Report:
    """Bring what an archive holds to the site of the request, as mirroring would; what no mirror names is refused.

    Raises:
        IntegrityError: The archive is cut, or is not what its list says. Nothing was written.
        NotFoundError: There is no such file, site, mirror or repository, or nothing of it in the archive for that site.
    """
    context.topology().site(request.site)
    archive = bundle.open_bundle(path)
    report = images.run(context, replace(request, source=archive), name=name)
    if name:
        if not report.results:
            raise errors.NotFoundError(
                f"{path} holds nothing that {name} brings to {request.site}.",
                remedy=f"It holds {', '.join(archive.repositories())}.",
            )
        return report
    mirrors = context.topology().image_mirrors.values()
    strange = [
        Result(
            repository=repository,
            reference=ALL,
            site=request.site,
            state=State.REFUSED,
            detail=f"No ImageMirror brings it to {request.site}.",
        )
        for repository in archive.repositories()
        if not any(request.site in selection.receivers(one) and patterns.covers(one, repository) for one in mirrors)
    ]
    return replace(report, results=(*report.results, *strange))


class _Packing:
    """An archive that is being made up. Of manifests only names and sizes are held in memory."""

    def __init__(self, context: Mirroring, order: Order) -> None:
        self.listed: dict[str, Shelved] = {}
        self.problems: list[Result] = []
        self._context = context
        self._order = order
        self._origins: dict[tuple[str, str], ends.ImageStore] = {}
        self._inline: dict[str, bytes] = {}

    def add_all(self, one: kinds.ImageMirror, named: sources.Named) -> None:
        """Add all that a mirror names. Patterns of which nobody knows what they name are problems."""
        for pattern, error in named.unclear.items():
            self._problem(pattern, ALL, error)
        for repository in named.repositories:
            self.add(one, repository)

    def add(self, one: kinds.ImageMirror, repository: str) -> None:
        """Add what a mirror names of a repository. Errors are problems."""
        bounds = self._context.bounds
        try:
            source = Shelf(store=sources.source(self._context, one), repository=repository)
            listed = sources.listed(source.store, repository)
            named = sources.chosen(self._context, one, source, listed)
            named |= dict.fromkeys(selection.lacking(one, repository, listed), "")
            found = source.digests([tag for tag, digest in named.items() if not digest], looks=bounds.looks)
            named |= found.digests
            roots = sorted({digest for digest in named.values() if digest})
            for start in range(0, len(roots), bounds.batch):
                self._add_batch(source, named, roots[start : start + bounds.batch])
        except errors.LockstepError as error:
            self._problem(repository, ALL, error)
            return
        for tag, digest in named.items():
            if not digest:
                self._problem(repository, tag, found.refused.get(tag) or sources.without(source.store, tag))

    def reading(self) -> bundle_writing.Reading:
        """Where the bytes of members come from; tells how far it is."""
        total = sum(member.size for member in bundle_list.members(self.listed) if member.digest)
        done = 0

        @contextlib.contextmanager
        def read(member: Member) -> Iterator[Iterator[bytes]]:
            nonlocal done
            with self._content(member) as chunks:
                yield chunks
            done += member.size
            self._order.listening.progress(done, total)

        return read

    def _add_batch(self, source: Shelf, named: dict[str, str], roots: Sequence[str]) -> None:
        graph, refused = transfer.graphs(source, roots, self._context.bounds)
        sound = [root for root in roots if root not in refused]
        there = self._there(source.repository, graph, sound)
        lost = self._lost(source, graph, there)
        for root in sound:
            if gone := sorted(lost & {blob.digest for blob in graph.blobs(graph.order(root))}):
                refused[root] = _hollow(source, root, gone)
        for tag, digest in named.items():
            if digest in refused:
                self._problem(source.repository, tag, refused[digest])
        whole = [root for root in sound if root not in refused]
        digests = list(dict.fromkeys(digest for root in whole for digest in graph.order(root)))
        blobs = {blob.digest: blob for blob in graph.blobs(digests)}
        left = blobs.keys() & there
        sizes = {
            root: sum(len(graph.nodes[digest].manifest.raw) for digest in graph.order(root))
            + sum(blob.size for blob in graph.blobs(graph.order(root)))
            for root in whole
        }
        manifests = {
            digest: ends.Descriptor(media_type=found.media_type, digest=digest, size=len(found.raw))
            for digest in digests
            for found in (graph.nodes[digest].manifest,)
        }
        before = self.listed.get(source.repository, Shelved())
        if not whole:
            return
        self.listed[source.repository] = Shelved(
            references={tag: digest for tag, digest in named.items() if digest in sizes} | dict(before.references),
            sizes={**before.sizes, **sizes},
            manifests={**before.manifests, **manifests},
            blobs={**before.blobs, **{digest: blob.size for digest, blob in blobs.items() if digest not in left}},
            left={**before.left, **{digest: blobs[digest].size for digest in left}},
        )
        for digest in (*digests, *blobs):
            self._origins.setdefault((source.repository, digest), source.store)
        self._inline.update({digest: blob.data for digest, blob in blobs.items() if blob.data is not None})

    def _lost(self, source: Shelf, graph: Graph, there: Collection[str]) -> set[str]:
        """The blobs that were to be in the archive, and that the source has not, or not in that size."""
        asked = [blob for blob in graph.blobs(graph.nodes) if blob.data is None and blob.digest not in there]
        looks = self._context.bounds.looks
        found = beside.answers(lambda blob: source.store.has_blob(source.repository, blob), asked, looks=looks)
        return {blob.digest for blob, is_there in zip(asked, found, strict=True) if not is_there}

    def _there(self, repository: str, graph: Graph, roots: Sequence[str]) -> set[str]:
        """The blobs that the site has, as it says or as an earlier list says."""
        sent = self._order.since.get(repository, Shelved())
        sizes = {**sent.left, **sent.blobs}
        there = {blob.digest for blob in graph.blobs(graph.nodes) if sizes.get(blob.digest) == blob.size}
        if self._order.site:
            store = self._context.doors.images(self._order.site)
            wanted = [copy.Want(root=root, at={self._order.site: ()}) for root in roots]
            shelf = Shelf(store=store, repository=repository)
            there |= Stocktaking(shelf, looks=self._context.bounds.looks).of(graph, wanted, ()).blobs
        return there

    @contextlib.contextmanager
    def _content(self, member: Member) -> Iterator[Iterator[bytes]]:
        store = self._origins[member.repository, member.digest]
        if member.digest in self._inline:
            yield iter([self._inline[member.digest]])
        elif (named := self.listed[member.repository].manifests.get(member.digest)) is not None:
            yield iter([Shelf(store=store, repository=member.repository).manifest(named).raw])
        else:
            blob = ends.Descriptor(media_type="application/octet-stream", digest=member.digest, size=member.size)
            with store.read_blob(member.repository, blob) as chunks:
                yield chunks

    def _problem(self, repository: str, reference: str, error: errors.LockstepError) -> None:
        self.problems.append(
            Result(
                repository=repository,
                reference=reference,
                site=self._order.site,
                state=state_of(error),
                detail=str(error),
            )
        )


def _hollow(source: Shelf, root: str, gone: Sequence[str]) -> errors.NotFoundError:
    return errors.NotFoundError(
        f"{source.store.address} has {root} without all of it: it lacks {', '.join(gone[:3])} in that size.",
        remedy="Push the image there again.",
    )
