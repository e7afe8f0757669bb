"""The plan of a copy: everything once, in the order in which nothing is ever named before it is there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import ends, oci
from sync.copy import Have, Unit, Want, plan
from sync.graph import Graph, Limits, Node, walk
from tests.support import images

SITES = ("sejong", "daegu", "busan")


def _name(number: int) -> str:
    return images.digest(f"manifest {number}".encode())


def _want(root: str, *tags: str) -> Want:
    """An image that all sites are to have, under the same tags."""
    return Want(root=root, at=dict.fromkeys(SITES, tags))


def _node(number: int, children: Sequence[int], blobs: Sequence[int]) -> Node:
    kind = oci.OCI_INDEX if children else oci.OCI_MANIFEST
    raw = f"manifest {number}".encode()
    return Node(
        manifest=ends.Manifest(media_type=kind, digest=_name(number), raw=raw),
        contents=oci.Contents(
            children=tuple(
                ends.Descriptor(media_type=oci.OCI_MANIFEST, digest=_name(child), size=1) for child in children
            ),
            blobs=tuple(images.blob(f"blob {blob}".encode()) for blob in blobs),
        ),
    )


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs without circles among children: a manifest names only those before it. Referrers go anywhere."""
    count = draw(st.integers(1, 8))
    nodes = {}
    for number in range(count):
        children = draw(st.lists(st.integers(0, number - 1), unique=True, max_size=3)) if number else []
        nodes[_name(number)] = _node(number, children, draw(st.lists(st.integers(0, 6), max_size=4)))
    referrers = draw(
        st.dictionaries(
            st.integers(0, count - 1), st.lists(st.integers(0, count - 1), unique=True, max_size=2), max_size=3
        )
    )
    return Graph(
        nodes=nodes,
        referrers={_name(one): tuple(_name(other) for other in others) for one, others in referrers.items()},
        left_out=frozenset(images.digest(f"blob {n}".encode()) for n in draw(st.sets(st.integers(0, 6), max_size=1))),
    )


@st.composite
def loads(draw: st.DrawFn) -> tuple[Graph, list[Want], dict[str, Have]]:
    """A graph, what is wanted of it, and what some sites have: whatever is there, is there with all below it."""
    graph = draw(graphs())
    digests = sorted(graph.nodes)
    chosen = draw(st.dictionaries(st.sampled_from(digests), st.sets(st.integers(0, 3), max_size=2), max_size=4))
    wanted = [_want(root, *(f"{root[7:15]}-{n}" for n in tags)) for root, tags in chosen.items()]
    haves = {}
    for site in SITES:
        tops = draw(st.sets(st.sampled_from(digests), max_size=3))
        manifests = {below for top in tops for below in graph.below(top)}
        blobs = {blob.digest for blob in graph.blobs(manifests)}
        tags = {
            tag: want.root for want in wanted for tag in want.tags if want.root in manifests and draw(st.booleans())
        }
        haves[site] = Have(tags=tags, manifests=manifests, blobs=blobs)
    return graph, wanted, haves


class _Site:
    """A site that refuses what is named before it is there."""

    def __init__(self, graph: Graph, have: Have) -> None:
        self.graph = graph
        self.tags, self.manifests, self.blobs = dict(have.tags), set(have.manifests), set(have.blobs)

    def take(self, site: str, unit: Unit) -> None:
        """Carry out one unit."""
        self.blobs |= {step.blob.digest for step in unit.blobs if site in step.sites}
        assert unit.needs <= self.blobs
        for step in unit.manifests:
            if site in step.sites:
                self._write(step.digest)
        for tag in unit.tags:
            if site in tag.sites:
                self._write(tag.digest)
                assert set(self.graph.order(tag.digest)) <= self.manifests, "a tag came before what belongs to it"
                self.tags[tag.tag] = tag.digest

    def _write(self, digest: str) -> None:
        node = self.graph.nodes[digest]
        assert {child.digest for child in node.contents.children} <= self.manifests
        assert {blob.digest for blob in node.contents.blobs} - self.graph.left_out <= self.blobs
        self.manifests.add(digest)

    def have(self) -> Have:
        """What is here now."""
        return Have(tags=self.tags, manifests=self.manifests, blobs=self.blobs)


@given(loads())
def test_a_plan_carried_out_leaves_nothing_to_do(load: tuple[Graph, list[Want], dict[str, Have]]) -> None:
    """Every step finds what it needs at its site, every tag comes last, and then every site has everything."""
    graph, wanted, haves = load
    sites = {site: _Site(graph, have) for site, have in haves.items()}
    for unit in plan(graph, wanted, haves):
        for site in unit.sites:
            sites[site].take(site, unit)
    after = {site: found.have() for site, found in sites.items()}
    assert plan(graph, wanted, after) == ()
    for found in after.values():
        assert all(found.tags[tag] == want.root for want in wanted for tag in want.tags)
        assert all(digest in found.manifests for want in wanted for digest in graph.order(want.root))


@given(loads())
def test_an_image_needs_nothing_but_blobs_and_the_images_that_it_comes_after(
    load: tuple[Graph, list[Want], dict[str, Have]],
) -> None:
    """Images are finished side by side: each waits for those alone that its step names, and they for theirs."""
    graph, wanted, haves = load
    units = {unit.root: unit for unit in plan(graph, wanted, haves)}
    for root, unit in units.items():
        needed = {root}
        waiting = [root]
        while waiting:
            one = waiting.pop()
            before = units[one].after & units.keys() - needed
            needed |= before
            waiting += before
        for site in unit.sites:
            found = _Site(graph, haves[site])
            found.blobs |= {step.blob.digest for other in units.values() for step in other.blobs if site in step.sites}
            for other in units.values():  # in the order of the plan
                if other.root in needed:
                    found.take(site, other)


def test_what_is_kept_under_a_tag_of_its_own_is_waited_for_by_its_image() -> None:
    """A signature of cosign's is at the site, tagged, before the image that it signs is."""
    graph = Graph(nodes={_name(0): _node(0, [], [0]), _name(1): _node(1, [], [1]), _name(2): _node(2, [], [1])})
    signature = _want(_name(1), f"{_name(0).replace(':', '-')}.sig")
    wanted = [signature, _want(_name(0), "v1"), _want(_name(2), "v2")]
    units = plan(graph, wanted, {"sejong": Have()})
    assert [unit.after for unit in units] == [frozenset(), {_name(1)}, frozenset()]


@given(loads())
def test_nothing_is_sent_twice_or_to_who_has_it(load: tuple[Graph, list[Want], dict[str, Have]]) -> None:
    """Each blob is read for one step only, whatever images and sites share it; no site gets what it has."""
    graph, wanted, haves = load
    steps = [step for unit in plan(graph, wanted, haves) for step in unit.blobs]
    assert len({step.blob.digest for step in steps}) == len(steps)
    for step in steps:
        assert all(step.blob.digest not in haves[site].blobs for site in step.sites)
        assert step.blob.digest not in graph.left_out
    sent = [
        (site, step.digest) for unit in plan(graph, wanted, haves) for step in unit.manifests for site in step.sites
    ]
    assert len(sent) == len(set(sent))


@given(loads())
def test_where_everything_is_equal_there_is_no_plan(load: tuple[Graph, list[Want], dict[str, Have]]) -> None:
    """Equal sites cost nothing."""
    graph, wanted, _ = load
    everything = Have(
        tags={tag: want.root for want in wanted for tag in want.tags},
        manifests=set(graph.nodes),
        blobs={blob.digest for blob in graph.blobs(graph.nodes)},
    )
    assert plan(graph, wanted, dict.fromkeys(SITES, everything)) == ()


def test_what_refers_to_an_image_goes_between_it_and_its_tag() -> None:
    """A site never shows a tag whose signature has not arrived; the image itself goes by its digest before."""
    graph = Graph(nodes={_name(0): _node(0, [], [0]), _name(1): _node(1, [], [1])}, referrers={_name(0): (_name(1),)})
    (unit,) = plan(graph, [_want(_name(0), "v1")], {"sejong": Have()})
    assert [(step.digest, step.child) for step in unit.manifests] == [(_name(0), False), (_name(1), False)]
    assert [tag.tag for tag in unit.tags] == ["v1"]


def test_an_image_without_referrers_is_written_once_by_its_tag() -> None:
    """One request less for each tag."""
    graph = Graph(nodes={_name(0): _node(0, [], [0])})
    (unit,) = plan(graph, [_want(_name(0), "v1")], {"sejong": Have()})
    assert unit.manifests == ()
    (bare,) = plan(graph, [_want(_name(0))], {"sejong": Have()})
    assert [step.child for step in bare.manifests] == [False]


class _Look:
    """Reads from nodes."""

    def __init__(self, *nodes: Node, referrers: dict[str, list[ends.Descriptor]] | None = None) -> None:
        self.nodes = {node.manifest.digest: node for node in nodes}
        self.about = referrers or {}

    def manifest(self, named: ends.Descriptor) -> ends.Manifest:
        """From the nodes, as real bytes."""
        if named.digest not in self.nodes:
            raise errors.NotFoundError(f"There is no {named.digest}.")
        return self.nodes[named.digest].manifest

    def referrers(self, digest: str) -> list[ends.Descriptor]:
        """As given."""
        return self.about.get(digest, [])

    def leaves_out(self, blob: ends.Descriptor) -> bool:
        """What can be had elsewhere is not here."""
        return bool(blob.urls)


def _real(children: Sequence[ends.Descriptor], *, lie: str = "") -> tuple[ends.Descriptor, Node]:
    """An index of these, under its digest or under another."""
    raw = b'{"schemaVersion":2,"manifests":[%s]}' % b",".join(
        b'{"mediaType":"%s","digest":"%s","size":%d}' % (one.media_type.encode(), one.digest.encode(), one.size)
        for one in children
    )
    digest = lie or images.digest(raw)
    manifest = ends.Manifest(media_type=oci.OCI_INDEX, digest=digest, raw=raw)
    named = ends.Descriptor(media_type=oci.OCI_INDEX, digest=digest, size=len(raw))
    return named, Node(manifest=manifest, contents=oci.Contents())


def test_an_image_that_contains_itself_is_refused_before_anything_is_sent() -> None:
    """A circle of digests is found in the walk."""
    inner_digest = images.digest(b"a circle")
    outer, outer_node = _real([ends.Descriptor(media_type=oci.OCI_INDEX, digest=inner_digest, size=175)])
    inner, inner_node = _real([outer], lie=inner_digest)
    fitted = ends.Descriptor(media_type=oci.OCI_INDEX, digest=inner_digest, size=inner.size)
    outer, outer_node = _real([fitted], lie=outer.digest)
    with pytest.raises(errors.IntegrityError, match="contains itself"):
        walk(outer, _Look(outer_node, inner_node), Limits())


def test_an_image_deeper_than_any_image_is_given_up() -> None:
    """Indexes in indexes, and referrers of referrers, end somewhere."""
    named, node = _real([])
    nodes = [node]
    for _ in range(20):
        named, node = _real([named])
        nodes.append(node)
    with pytest.raises(errors.IntegrityError, match="given up"):
        walk(named, _Look(*nodes), Limits())
    assert len(walk(named, _Look(*nodes), Limits(depth=20)).nodes) == 21


def test_an_image_of_too_many_manifests_is_given_up() -> None:
    """The number of manifests is bounded, and so is what they weigh together."""
    leaves = [_real([images.blob(str(n).encode(), "application/x")]) for n in range(30)]
    named, node = _real([leaf for leaf, _ in leaves])
    look = _Look(node, *(node for _, node in leaves))
    for limits in (Limits(manifests=30), Limits(raw_bytes=1000), Limits(blobs=29)):
        with pytest.raises(errors.IntegrityError, match="given up"):
            walk(named, look, limits)
    assert len(walk(named, look, Limits(manifests=31)).nodes) == 31


def test_a_manifest_of_another_size_or_kind_than_it_is_named_is_refused() -> None:
    """What an index says of its children is held against what is there."""
    named, node = _real([])
    lies = [
        ends.Descriptor(media_type=named.media_type, digest=named.digest, size=named.size + 1),
        ends.Descriptor(media_type=oci.DOCKER_LIST, digest=named.digest, size=named.size),
    ]
    for lie in lies:
        with pytest.raises(errors.IntegrityError):
            walk(lie, _Look(node), Limits())


def test_what_is_named_has_to_be_there_even_where_it_also_refers_to_something() -> None:
    """A list of what refers to an image may be out of date; an index may not."""
    gone = ends.Descriptor(media_type=oci.OCI_MANIFEST, digest=_name(9), size=1)
    leaf, leaf_node = _real([images.blob(b"leaf", "application/x")])
    named, node = _real([leaf])
    absent, absent_node = _real([leaf, gone])
    about = {named.digest: [gone], absent.digest: [gone]}
    whole = walk(named, _Look(node, leaf_node, referrers=about), Limits())
    assert whole.referrers[named.digest] == ()
    with pytest.raises(errors.NotFoundError):
        walk(absent, _Look(absent_node, leaf_node, referrers=about), Limits())
