"""Laws of a layout's index, whatever is done to it and in whatever order."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.sites import layout_index, oci
from lockstep.sites.ends import Descriptor
from lockstep.sites.layout import LayoutStore
from tests.support import images
from tests.support.images import Maker

TAGS = st.sampled_from(["v1", "v2", "latest"])
IMAGES = st.sampled_from([b"one", b"two", b"three"])
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("tag"), TAGS, IMAGES),
        st.tuples(st.just("untag"), TAGS, IMAGES),
        st.tuples(st.just("forget"), TAGS, IMAGES),
        st.tuples(st.just("list"), TAGS, IMAGES),
    ),
    max_size=12,
)


def _named(image: bytes) -> Descriptor:
    return Descriptor(media_type=oci.OCI_MANIFEST, digest=images.digest(image), size=len(image))


@given(ACTS)
def test_an_index_is_its_tags_and_what_they_left_behind(acts: list[tuple[str, str, bytes]]) -> None:
    """Tags are where they were last put; what they named stays listed once, until it is forgotten."""
    index = layout_index.parse(None, place="test")
    tags: dict[str, str] = {}
    listed: set[str] = set()
    for act, tag, image in acts:
        named = _named(image)
        if act == "tag":
            index, tags[tag] = index.listing(named, tag=tag), named.digest
        elif act == "untag":
            index = index.untagging(tag)
            tags.pop(tag, None)
        elif act == "list":
            index = index.listing(named)
        elif named.digest not in tags.values():
            index = index.forgetting(named.digest)
            listed.discard(named.digest)
        listed |= {named.digest} if act in ("tag", "list") else set()
        index = layout_index.parse(index.raw(), place="test")
        assert {tag: found.digest for tag, found in index.tags().items() if found} == tags
        assert {one.digest for one in index.roots()} == listed
        assert all(index.says(tag, _of(digest)) for tag, digest in tags.items())
        untagged = [entry for entry in index.entries if not entry.get("annotations")]
        assert len(untagged) == len({entry["digest"] for entry in untagged} - set(tags.values()))


@settings(max_examples=25, deadline=None)
@given(ACTS)
def test_collecting_never_takes_what_is_listed_and_always_takes_the_rest(acts: list[tuple[str, str, bytes]]) -> None:
    """After a collection the blobs are exactly those that the index reaches."""
    with tempfile.TemporaryDirectory() as directory:
        store = LayoutStore(Path(directory))
        maker = Maker(store=store, repository="app")
        made = {image: maker.platforms(image, b"shared") for image in (b"one", b"two", b"three")}
        for one in made.values():
            store.forget("app", one.digest)
        for act, tag, image in acts:
            manifest = store.manifest("app", made[image].digest)
            assert manifest is not None
            if act in ("tag", "list"):
                store.write_manifest("app", manifest, tag=tag if act == "tag" else "")
            elif act == "untag":
                store.untag("app", tag)
            else:
                store.forget("app", made[image].digest)
        store.collect("app")
        reached = _reached(store)
        assert {path.name for path in Path(directory).glob("app/blobs/*/*")} == reached
        assert store.collect("app").digests == ()


def _reached(store: LayoutStore) -> set[str]:
    index = layout_index.parse((store.root / "app/index.json").read_bytes(), place="test")
    found: set[str] = set()
    waiting = list(index.roots())
    while waiting:
        named = waiting.pop()
        found.add(named.digest.partition(":")[2])
        manifest = store.manifest("app", named.digest)
        assert manifest is not None
        contents = oci.contents(manifest)
        found |= {blob.digest.partition(":")[2] for blob in contents.blobs}
        waiting.extend(contents.children)
    return found


def _of(digest: str) -> Descriptor:
    return next(_named(image) for image in (b"one", b"two", b"three") if images.digest(image) == digest)
