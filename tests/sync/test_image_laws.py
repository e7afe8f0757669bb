"""The laws of mirroring images, in worlds that nobody thought of: what is said is true, and each site gets its own."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import errors, values
from sync.fan import Bounds
from sync.mirror import Listening, Order, Result, mirror
from sync.states import State
from tests.support.images import Maker
from tests.support.memory_store import MemoryStore, below, everything, lacking
from tests.support.stores import Watched

NAME = "pay/api"
_ONCE = ("write_blob", "read_blob")
SITES = ("busan", "daegu", "sejong")
TAGS = ("v1", "v2", "v3", "latest")
WRITES = ("write_blob", "write", "commit", "write_manifest")
ERRORS = (
    errors.UnreachableError,
    errors.ThrottledError,
    errors.RefusedError,
    errors.NotFoundError,
    errors.IntegrityError,
    errors.ConflictError,
)


@dataclass
class World:
    """A source and some sites with what they have; ``rules`` are what an order says of them."""

    source: MemoryStore
    sites: dict[str, MemoryStore]
    references: dict[str, str]
    wanted: list[list[str]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    immutable: set[str] = field(default_factory=set)
    unsigned: set[str] = field(default_factory=set)
    bounds: Bounds = field(default_factory=Bounds)
    referrers: bool = False

    @property
    def asked(self) -> set[str]:
        """Everything that may come to a site at all."""
        return {*self.references, *itertools.chain.from_iterable(self.wanted)}

    def named(self, reference: str) -> str:
        """What the source calls so."""
        found = self.source.resolve(NAME, reference)
        return found.digest if found else ""

    def order(self, watched: dict[str, Watched], **changes: object) -> Order:
        """What is asked for."""
        script = iter(self.wanted)
        order = Order(
            repository=NAME,
            source=watched["source"],
            sites={site: watched[site] for site in self.sites if site not in self.held},
            references=self.references,
            held=dict.fromkeys(self.held, "held"),
            immutable=lambda tag: tag in self.immutable,
            unsigned=lambda digest: "unsigned" if digest in self.unsigned else "",
            wanted=lambda: next(script, ()),
            bounds=self.bounds,
            referrers=self.referrers,
        )
        return replace(order, **changes)  # type: ignore[arg-type]  # the names and types are those of Order

    def may_come(self, site: str, reference: str, *, deep: bool = False) -> bool:
        """Whether the rules let a reference come to a site that has it not."""
        found = self.sites[site].resolve(NAME, reference)
        digest, there = self.named(reference), found.digest if found else ""
        if site in self.held or not digest or (there == digest and not deep):
            return False
        if reference in self.immutable and there not in ("", digest):
            return False
        return (values.companion_of(reference) or digest) not in self.unsigned


def _copy(into: MemoryStore, of: MemoryStore, digests: set[str]) -> None:
    into.manifests |= {digest: of.manifests[digest] for digest in digests if digest in of.manifests}
    into.blobs |= {digest: of.blobs[digest] for digest in digests if digest in of.blobs}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Images that share layers and manifests, some of them at sites already, under these tags or others."""
    lists = draw(st.booleans())
    source = MemoryStore("source", lists_digests=lists)
    maker = Maker(store=source, repository=NAME)
    layers = st.lists(st.integers(0, 5).map(lambda n: b"layer %d" % n), max_size=3, unique=True)
    made = [maker.image(*draw(layers), architecture=f"cpu{n}") for n in range(draw(st.integers(1, 4)))]
    some = st.lists(st.sampled_from(range(10)), min_size=1, max_size=3, unique=True)
    for _ in range(draw(st.integers(0, 3))):
        made.append(maker.index([made[n % len(made)] for n in draw(some)]))
    for n in range(draw(st.integers(0, 2))):
        made.append(maker.artifact(draw(st.sampled_from(made)), b"about %d" % n))
    made = list({one.digest: one for one in made}.values())
    digests = [one.digest for one in made]
    for tag in draw(st.sets(st.sampled_from(TAGS), min_size=1)):
        source.named[tag] = draw(st.sampled_from(digests))
    for subject in draw(st.sets(st.sampled_from(digests), max_size=1)):
        source.named[f"{subject.replace(':', '-')}.sig"] = draw(st.sampled_from(digests))
    sites = {}
    for site in SITES[: draw(st.integers(2, 3))]:
        store = sites[site] = MemoryStore(site, lists_digests=draw(st.booleans()))
        own = Maker(store=store, repository=NAME).image(site.encode(), b"layer 0")
        for digest in draw(st.sets(st.sampled_from(digests), max_size=3)):
            _copy(store, source, everything(source, digest))
        _copy(store, source, draw(st.sets(st.sampled_from(sorted(source.blobs)), max_size=2)))
        there = [own.digest, *(one for one in digests if one in store.manifests)]
        for tag in draw(st.sets(st.sampled_from([*sorted(source.named), "foreign"]), max_size=3)):
            store.named[tag] = draw(st.sampled_from(there))
    chosen = draw(st.sets(st.sampled_from([*sorted(source.named), *digests]), max_size=5))
    asked = st.lists(st.sampled_from([*sorted(source.named), *digests]), max_size=3)
    return World(
        source=source,
        sites=sites,
        references={one: source.named.get(one, "") if lists else "" for one in sorted(chosen)},
        wanted=draw(st.lists(asked, max_size=3)),
        held=draw(st.sets(st.sampled_from(sorted(sites)), max_size=1)) if draw(st.booleans()) else set(),
        immutable=draw(st.sets(st.sampled_from(TAGS), max_size=2)),
        unsigned=draw(st.sets(st.sampled_from(digests), max_size=1)),
        bounds=Bounds(
            streams=1,
            small=draw(st.integers(1, 3)),
            buffer_bytes=draw(st.sampled_from([1, 2**20])),
            patience_seconds=draw(st.sampled_from([0.0, 600.0])),
            looks=2,
            batch=draw(st.integers(1, 4)),
            few=draw(st.integers(1, 3)),
            remembered=draw(st.integers(1, 4)),
        ),
        referrers=draw(st.booleans()),
    )


class _Faults:
    """Errors at one end, at some of the calls that are made to it, from one on or once."""

    def __init__(self, at: int, kind: type[errors.LockstepError], methods: Sequence[str], *, lasting: bool) -> None:
        self.left, self.kind, self.methods, self.lasting = at, kind, methods, lasting
        self.about = ""
        self._lock = threading.Lock()

    def __call__(self, method: str, about: str) -> None:
        """Fail when it is time."""
        if method not in self.methods:
            return
        with self._lock:
            self.left -= 1
            fails = self.left == 0 or (self.left < 0 and self.lasting and about == self.about)
            self.about = about if self.left == 0 else self.about
        if fails:
            raise self.kind(f"{method} of {about} fails.")


@st.composite
def faults(draw: st.DrawFn) -> tuple[str, _Faults]:
    """What goes wrong, and where."""
    where = draw(st.sampled_from(["source", *SITES]))
    methods = ("read_blob", "read", "manifest", "referrers") if where == "source" else (*WRITES, "has_blob", "resolve")
    at, kind = draw(st.integers(1, 12)), draw(st.sampled_from(ERRORS))
    chosen = draw(st.sampled_from([methods, WRITES, ("write_manifest",), ("read_blob",)]))
    return where, _Faults(at, kind, chosen, lasting=draw(st.booleans()))


class Run:
    """One mirroring of a world, with everything that is watched while it goes on."""

    def __init__(self, world: World, **changes: object) -> None:
        self.world = world
        self.broken: list[str] = []
        self.watched = {"source": Watched(world.source)}
        for site, store in world.sites.items():
            self.watched[site] = Watched(store, hook=self._tags_last(store))
        self.before = {site: _Before(store) for site, store in world.sites.items()}
        self.may = {
            (site, reference)
            for site in world.sites
            for reference in world.asked
            if world.may_come(site, reference, deep=bool(changes.get("deep")))
        }
        self.changes = changes
        self.results: list[Result] = []

    def faulty(self, where: str, fault: _Faults) -> Run:
        """With errors at one end."""
        if where in self.watched:
            hook = self.watched[where].hook

            def both(method: str, about: str) -> None:
                hook(method, about)
                fault(method, about)

            self.watched[where].hook = both
        return self

    def go(self) -> Run:
        """Mirror, and hold every law that holds whatever goes wrong."""
        listening = Listening(results=self._heard)
        self.results = mirror(self.world.order(self.watched, listening=listening, **self.changes))
        assert not self.broken, self.broken
        self._everybody_is_told_once()
        for result in self.results:
            self._is_true(result)
        for site in self.world.sites:
            self._nothing_strange(site)
        return self

    def _tags_last(self, store: MemoryStore) -> Callable[[str, str], None]:
        def look(method: str, about: str) -> None:
            if method == "write_manifest" and values.is_tag(about):
                digest = self.world.named(about)
                missing = [one for one in lacking(store, everything(self.world.source, digest)) if one != digest]
                self.broken += [f"{about} comes to {store.address} before {one}" for one in missing]

        return look

    def _heard(self, results: Sequence[Result]) -> None:
        for result in results:
            try:
                self._is_true(result)
            except AssertionError as error:
                self.broken.append(f"{result} is told too early: {error}")

    def _everybody_is_told_once(self) -> None:
        told = [(one.reference, one.site) for one in self.results]
        assert len(told) == len(set(told)), "a result comes twice"
        asked = {(reference, site) for reference in self.world.references for site in self.world.sites}
        assert asked <= set(told) <= {(reference, site) for reference in self.world.asked for site in self.world.sites}

    def _is_true(self, result: Result) -> None:
        store, digest = self.world.sites[result.site], self.world.named(result.reference)
        if result.state is not State.EQUAL:
            return
        found = store.resolve(NAME, result.reference)
        assert found is not None
        assert found.digest == result.digest == digest, "it names something else"
        assert not below(store, digest), "it is not whole"
        before = self.before[result.site]
        known = before.named.get(result.reference, result.reference) == digest and digest in before.manifests
        if not known or self.changes.get("deep"):
            assert not lacking(store, everything(self.world.source, digest)), "what refers to it is not there"

    def _nothing_strange(self, site: str) -> None:
        store, before = self.world.sites[site], self.before[site]
        if site in self.world.held:
            assert not self.watched[site].calls
        may = {reference for where, reference in self.may if where == site}
        for tag in {*store.named, *before.named}:
            there = store.named.get(tag, "")
            assert not below(store, there), "a tag is not whole"
            assert there == before.named.get(tag) or (tag in may and there == self.world.named(tag)), f"{tag} moved"
        right = set[str]()
        for reference in self._allowed(site, may):
            right |= everything(self.world.source, self.world.named(reference))
        assert store.manifests.keys() - before.manifests <= right, "an image that nobody asked for"
        assert store.blobs.keys() - before.blobs <= right, "a blob that nobody asked for"

    def _allowed(self, site: str, may: set[str]) -> set[str]:
        """What may come, and with referrers what was added to what is equal."""
        if not self.world.referrers or site in self.world.held:
            return may
        equal = {
            one.reference for one in self.results if one.site == site and one.digest == self.world.named(one.reference)
        }
        return may | {
            one for one in equal if (values.companion_of(one) or self.world.named(one)) not in self.world.unsigned
        }


class _Before:
    """What a site had."""

    def __init__(self, store: MemoryStore) -> None:
        self.named, self.manifests, self.blobs = dict(store.named), set(store.manifests), set(store.blobs)


def _all_that_may_come_is_equal(run: Run) -> None:
    for result in run.results:
        if (result.site, result.reference) in run.may:
            assert result.state is State.EQUAL, result


FEW = settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(worlds())
def test_what_may_come_comes_once_and_nothing_else(world: World) -> None:
    """Every eligible tag is equal, each blob was read once for all sites, and the next run writes nothing."""
    run = Run(world).go()
    _all_that_may_come_is_equal(run)
    for end, watched in run.watched.items():
        once = _ONCE[end == "source"]
        twice = {about for (method, about), number in watched.calls.items() if method == once and number > 1}
        # What one site may not have under a tag that it keeps may have to be read for it later, with another image.
        allowed = end == "source" and world.immutable
        # A site that was put aside is served again by itself.
        assert not twice or allowed or not world.bounds.patience_seconds, (end, twice)
    again = Run(world).go()
    _all_that_may_come_is_equal(again)
    assert not {reference for _, reference in again.may} & world.references.keys()
    if world.wanted:
        return  # what was wanted when nothing was left to bring is not looked at
    assert not any(store.writes for store in again.watched.values())
    assert again.watched["source"].count("read_blob") == 0


@FEW
@given(worlds(), st.lists(faults(), min_size=1, max_size=2), st.booleans())
def test_whatever_goes_wrong_what_is_said_is_true_and_the_next_run_mends_it(
    world: World, wrong: list[tuple[str, _Faults]], deep: bool
) -> None:
    """Errors at ends, at any step: no tag is half there, no result is false, and without the errors all is brought."""
    run = Run(world, deep=deep)
    for where, fault in wrong:
        run.faulty(where, fault)
    with contextlib.suppress(errors.LockstepError):  # the source could not be asked at all
        run.go()
    _all_that_may_come_is_equal(Run(world).go())


@FEW
@given(worlds(), st.data())
def test_looking_deep_finds_every_hole(world: World, data: st.DataObject) -> None:
    """Sites lose what they had: nothing is called equal that has a hole, foreseen or done, and the holes are filled."""
    for site, store in world.sites.items():
        had = sorted(({*store.blobs, *store.manifests} & {*world.source.blobs, *world.source.manifests}) or {site})
        for lost in data.draw(st.sets(st.sampled_from(had), max_size=2)):
            store.blobs.pop(lost, None)
            store.manifests.pop(lost, None)
    before = {site: _Before(store) for site, store in world.sites.items()}
    for dry_run in (True, False):
        watched = {name: Watched(store) for name, store in {"source": world.source, **world.sites}.items()}
        for one in mirror(world.order(watched, deep=True, dry_run=dry_run)):
            digest, store = world.named(one.reference), world.sites[one.site]
            found = store.resolve(NAME, one.reference)
            equal = (
                found is not None and found.digest == digest and not lacking(store, everything(world.source, digest))
            )
            assert equal or one.state is not State.EQUAL, one
            assert one.state in (State.EQUAL, State.HELD, *([State.BEHIND] if dry_run else [])), one
        changed = {site for site, store in world.sites.items() if vars(_Before(store)) != vars(before[site])}
        assert not (changed and dry_run)
