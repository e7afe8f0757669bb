"""The words of the house."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors, values
from lockstep.values import ImageReference, Verdict

DIGEST = "sha256:" + "0123456789abcdef" * 4

# The grammar of distribution/reference, rule by rule.
alphanumeric = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)
component = st.builds(
    lambda first, rest: first + "".join(separator + part for separator, part in rest),
    alphanumeric,
    st.lists(st.tuples(st.sampled_from([".", "_", "__", "-", "---"]), alphanumeric), max_size=2),
)
path = st.lists(component, min_size=1, max_size=4).map("/".join)
label = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?", fullmatch=True)
port = st.integers(0, 99999).map(lambda number: f":{number}")
domain = st.one_of(
    st.just("localhost"),
    st.builds(str.__add__, label, port),
    st.builds(str.__add__, st.lists(label, min_size=2, max_size=4).map(".".join), st.just("") | port),
    st.builds(lambda address, end: f"[{address}]{end}", st.ip_addresses(v=6).map(str), st.just("") | port),
    label.filter(lambda text: text != text.lower()),
)
tag = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@given(registry=domain, repository=path, tag=st.just("") | tag, digest=st.sampled_from(["", DIGEST]))
def test_a_reference_of_the_grammar_is_read_into_its_parts(
    registry: str, repository: str, tag: str, digest: str
) -> None:
    """Written from its parts, a reference is read back into them, and written back the same."""
    reference = ImageReference(registry=registry, repository=repository, tag=tag, digest=digest)
    assert ImageReference.parse(str(reference)) == reference
    assert ImageReference.parse(reference.name).registry == registry


@given(st.text(max_size=40) | st.text("aA0.:/@_-[] ", max_size=30))
def test_a_text_is_a_whole_reference_or_an_error(text: str) -> None:
    """Nothing of a text is lost, and nothing that is no reference passes for one."""
    try:
        reference = ImageReference.parse(text)
    except errors.InputError:
        return
    assert str(reference) == text
    assert values.is_repository(reference.repository)
    assert not reference.registry or values.is_registry(reference.registry)


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag"),
    [
        ("nginx", "", "nginx", ""),
        ("nginx:1.27", "", "nginx", "1.27"),
        ("library/nginx", "", "library/nginx", ""),
        ("localhost/nginx", "localhost", "nginx", ""),
        ("localhost:5000", "", "localhost", "5000"),
        ("localhost:5000/nginx:1", "localhost:5000", "nginx", "1"),
        ("registry.example/pay/api", "registry.example", "pay/api", ""),
        ("pay.api/x", "pay.api", "x", ""),
        ("REGISTRY/app", "REGISTRY", "app", ""),
        ("[2001:db8::1]:5000/app", "[2001:db8::1]:5000", "app", ""),
        ("10.0.0.1/app", "10.0.0.1", "app", ""),
        ("a__b/c---d", "", "a__b/c---d", ""),
        ("app:_1", "", "app", "_1"),
    ],
)
def test_the_first_part_is_a_host_when_it_looks_like_one(text: str, registry: str, repository: str, tag: str) -> None:
    """A dot, a colon, an upper-case letter or the name localhost makes a host of what stands before the slash."""
    reference = ImageReference.parse(text)
    assert (reference.registry, reference.repository, reference.tag) == (registry, repository, tag)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/app",
        "app/",
        "app:",
        "app@",
        "a//b",
        "App",
        "app_",
        "a..b/c",
        "../app",
        "./app",
        "-a.example/app",
        "a.example-/app",
        "a.example:port/app",
        "a.example:/app",
        "a.example?x=y/app",
        "user@a.example/app",
        "a b.example/app",
        "a.example/app:" + "x" * 129,
        "app:.1",
        "app@sha256:" + "A" * 64,
        "app@sha256:" + "a" * 63,
        "app@md5:" + "a" * 32,
        "app@@" + DIGEST,
        "https://a.example/app",
        "[::1/app",
        "[fe80::1%eth0]/app",
        "a" * 256,
        "a.example\n/app",
        "app\n",
        "\u0430pp",
        "app:\u0663",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    """Nothing that could change the meaning of a URL or a path gets through."""
    with pytest.raises(errors.InputError):
        ImageReference.parse(text)


@given(st.binary())
def test_a_digest_is_a_digest(data: bytes) -> None:
    """What we compute we accept, and in upper case or cut short we do not."""
    digest = values.sha256(data)
    assert values.is_digest(digest)
    assert not values.is_digest(digest[:-1])
    assert not values.is_digest(digest.upper())


@pytest.mark.parametrize(
    ("text", "oid", "null"),
    [
        ("a" * 40, True, False),
        ("0" * 40, True, True),
        ("0" * 64, True, True),
        ("a" * 41, False, False),
        ("0" * 41, False, False),
        ("A" * 40, False, False),
        ("", False, False),
    ],
)
def test_object_ids_are_of_git_s_two_lengths(text: str, oid: bool, null: bool) -> None:
    """SHA-1 and SHA-256, in lower case; all zeros mean that there is nothing."""
    assert values.is_oid(text) is oid
    assert values.is_null_oid(text) is null


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_verdict_is_never_better_than_any(verdicts: list[Verdict]) -> None:
    """A roll-up hides nothing: unknown outweighs all, and only what is all in step is in step."""
    worst = Verdict.worst(verdicts)
    assert all(worst.rank <= verdict.rank for verdict in verdicts)
    assert (worst is Verdict.IN_SYNC) == all(verdict is Verdict.IN_SYNC for verdict in verdicts)


def test_an_object_key_knows_no_version() -> None:
    """One object is served in several versions, and is one object."""
    one = values.ObjectKey.of(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}}
    )
    other = values.ObjectKey.of(
        {"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}}
    )
    core = values.ObjectKey.of({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}})
    assert one == other
    assert (str(one), str(core)) == ("Deployment.apps b/a", "Node a")
