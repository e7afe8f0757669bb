"""Manifests are read strictly: what one reader could take for something else is refused."""

from __future__ import annotations

import base64
import contextlib
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.values import Json
from tests.support import images

CONFIG = oci.as_json(images.blob(b"{}", oci.OCI_CONFIG))
LAYER = oci.as_json(images.blob(b"layer"))
CHILD = oci.as_json(images.blob(b"child", oci.OCI_MANIFEST))


def _manifest(body: Json, media_type: str = oci.OCI_MANIFEST) -> ends.Manifest:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return ends.Manifest(media_type=media_type, digest=images.digest(raw), raw=raw)


def test_an_image_names_its_config_then_its_layers_in_order() -> None:
    """The order of layers is the order in which they are unpacked."""
    layers = [images.blob(bytes([n])) for n in range(5)]
    body = {"config": CONFIG, "layers": [oci.as_json(layer) for layer in layers]}
    found = oci.contents(_manifest(body)).blobs
    assert [blob.digest for blob in found] == [CONFIG["digest"], *(layer.digest for layer in layers)]


def test_an_index_tells_manifests_from_other_documents() -> None:
    """What an index names is a child when it is a manifest of a known kind, else a blob."""
    contents = oci.contents(_manifest({"manifests": [CHILD, LAYER]}, oci.OCI_INDEX))
    assert [one.digest for one in contents.children] == [CHILD["digest"]]
    assert [one.digest for one in contents.blobs] == [LAYER["digest"]]


def test_an_artifact_says_its_type_by_itself_or_by_its_config() -> None:
    """Image specification 1.1: artifactType, or else the config's media type."""
    assert oci.contents(_manifest({"config": CONFIG, "layers": []})).artifact_type == oci.OCI_CONFIG
    assert oci.contents(_manifest({"config": CONFIG, "artifactType": "x/y"})).artifact_type == "x/y"
    assert oci.contents(_manifest({"blobs": [LAYER]}, oci.OCI_ARTIFACT)).blobs[0].digest == LAYER["digest"]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", oci.OCI_MANIFEST),
        (b"[]", oci.OCI_MANIFEST),
        (b"\xff", oci.OCI_INDEX),
        ({}, oci.OCI_MANIFEST),
        ({}, oci.OCI_INDEX),
        ({"config": CONFIG, "layers": [], "manifests": []}, oci.OCI_MANIFEST),
        ({"manifests": [], "layers": []}, oci.OCI_INDEX),
        ({"manifests": [], "config": CONFIG}, oci.OCI_INDEX),
        ({"config": CONFIG, "layers": [], "fsLayers": []}, oci.DOCKER_MANIFEST),
        ({"config": CONFIG, "mediaType": oci.OCI_INDEX}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "mediaType": 1}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": {}}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [1]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [LAYER | {"size": -1}]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [LAYER | {"size": True}]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [LAYER | {"size": 1.0}]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [LAYER | {"mediaType": ""}]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [LAYER | {"data": "!"}]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "layers": [LAYER | {"data": "AAAA"}]}, oci.OCI_MANIFEST),
        ({"config": CONFIG, "subject": "sha256:1"}, oci.OCI_MANIFEST),
        ({"manifests": [CHILD] * 10_001}, oci.OCI_INDEX),
    ],
)
def test_a_manifest_that_is_not_what_it_is_called_is_refused(body: Json, media_type: str) -> None:
    """Wrong shapes, two shapes at once, and lies about sizes or data are damage."""
    with pytest.raises(errors.IntegrityError):
        oci.contents(_manifest(body, media_type))


def test_a_manifest_larger_than_the_limit_is_not_parsed() -> None:
    """Its size is bounded before it is parsed."""
    with pytest.raises(errors.IntegrityError, match="larger"):
        oci.contents(_manifest(b" " * (oci.MANIFEST_BYTES + 1)))


@pytest.mark.parametrize("digest", ["md5:0", "sha256:" + "g" * 64, "blake3:" + "0" * 64, "sha256:" + "0" * 63])
def test_a_digest_that_cannot_be_verified_is_unsupported(digest: str) -> None:
    """Only registered algorithms are taken."""
    with pytest.raises(errors.UnsupportedError):
        oci.contents(_manifest({"config": CONFIG | {"digest": digest}}))


def test_dockers_first_schema_is_refused_with_what_to_do() -> None:
    """Its digest is not that of its bytes; the image has to be pushed again."""
    with pytest.raises(errors.UnsupportedError, match="Push the image again"):
        oci.contents(_manifest({}, "application/vnd.docker.distribution.manifest.v1+prettyjws"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**70) | st.text(max_size=5) | st.sampled_from(sorted(oci.MANIFESTS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["mediaType", "manifests", "layers", "config", "blobs", "subject", "digest", "size", "data"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(sorted(oci.MANIFESTS)))
def test_whatever_the_document_it_is_read_or_refused(body: Json, media_type: str) -> None:
    """Hostile shapes end in an error of the house, never in one of Python's."""
    raw = json.dumps(body).encode()
    kind = oci.kind_of(raw)
    assert kind in oci.MANIFESTS or kind == ""
    with contextlib.suppress(errors.IntegrityError, errors.UnsupportedError):
        oci.contents(ends.Manifest(media_type=kind or media_type, digest=images.digest(raw), raw=raw))


@given(
    st.builds(
        ends.Descriptor,
        media_type=st.text(min_size=1),
        digest=st.sampled_from([images.digest(b"abc"), images.digest(b"abc", "sha512")]),
        size=st.just(3),
        annotations=st.dictionaries(st.text(), st.text()),
        platform=st.none() | st.just({"architecture": "arm64", "os": "linux"}),
        urls=st.lists(st.text()).map(tuple),
        data=st.none() | st.just(b"abc"),
        artifact_type=st.text(),
    )
)
def test_a_descriptor_survives_being_written_and_read(described: ends.Descriptor) -> None:
    """Nothing that a descriptor says is lost on the way."""
    assert oci.descriptor(orjson.loads(orjson.dumps(oci.as_json(described)))) == described


def test_the_data_of_a_descriptor_is_its_content() -> None:
    """Content that a descriptor carries is decoded and verified."""
    entry = LAYER | {"data": base64.b64encode(b"layer").decode()}
    assert oci.descriptor(entry).data == b"layer"
