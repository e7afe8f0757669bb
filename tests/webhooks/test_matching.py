"""Which configured repositories and images an event wakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.topology.model import Topology
from tests.support.topologies import topology
from webhooks import matching
from webhooks.events import Action, GitPush, ImagePush, RefKind

BANK = {"source": {"url": "https://git.bank.example/{repository}.git"}, "repositories": ["bank/*"], "sites": ["seoul"]}
VENDOR = {
    "source": {"url": "ssh://git@vendor.example/{repository}.git", "knownHosts": {"file": "known_hosts"}},
    "repositories": ["Vendor/HSM"],
    "sites": ["seoul"],
}
APPLICATION = {
    "source": {"repository": "bank/pay"},
    "namespace": "pay",
    "protection": {"seoul-sejong": {"tier": "warm"}},
}
SEOUL = {"registry": {"url": "https://registry.seoul.example", "imagePrefix": "registry.seoul.example/prod"}}
BUILT = {"source": {"site": "seoul"}, "repositories": ["pay/*"], "sites": ["sejong"]}
RELEASES = {
    "source": {"url": "https://hub.example"},
    "repositories": ["vendor/hsm"],
    "tags": ["1.*"],
    "sites": ["sejong"],
}
CONFIGURED = topology(
    ("GitMirror", "bank", BANK),
    ("GitMirror", "vendor", VENDOR),
    ("Application", "pay", APPLICATION),
    ("Site", "seoul", SEOUL),
    ("ImageMirror", "built", BUILT),
    ("ImageMirror", "releases", RELEASES),
)


def pushed(*urls: str, name: str = "") -> GitPush:
    """A push to a repository with these URLs and this name."""
    return GitPush(
        names=(name,) if name else (), urls=urls, ref="refs/heads/main", kind=RefKind.BRANCH, action=Action.UPDATE
    )


def image(repository: str, tag: str = "", digest: str = "") -> ImagePush:
    """A push of an image."""
    return ImagePush(repository=repository, tag=tag, digest=digest, action=Action.UPDATE)


@pytest.mark.parametrize(
    ("push", "wanted"),
    [
        (pushed("git@git.bank.example:bank/pay.git"), ("bank/pay",)),
        (pushed("https://GIT.bank.example/Bank/Pay"), ("bank/pay",)),
        (pushed("https://git.bank.example/bank/new.git"), ("bank/new",)),
        (pushed("https://vendor.example/vendor/hsm.git"), ("Vendor/HSM",)),
        (pushed(name="bank/pay"), ("bank/pay",)),
        (pushed("https://elsewhere.example/x", name="bank/pay"), ("bank/pay",)),
        (pushed("https://git.bank.example/bank/pay", name="renamed/pay"), ("bank/pay",)),
        (pushed("https://git.bank.example/other/pay", name="other/pay"), ()),
        (pushed(name=""), ()),
    ],
    ids=str,
)
def test_a_push_wakes_the_repository_as_the_configuration_calls_it(push: GitPush, wanted: tuple[str, ...]) -> None:
    """By any URL of it, by its name where no URL is known, whatever case the forge writes it in."""
    assert matching.repositories(push, CONFIGURED, ()) == wanted


@pytest.mark.parametrize(
    "name",
    ["bank/*", "bank/../etc", "bank/-oProxyCommand=x", "bank/.git", "bank/a b", "bank/pay\n", "bank/" + "x" * 300],
)
def test_a_name_that_is_no_repository_wakes_nothing(name: str) -> None:
    """A pattern covers only names that follow the grammar of repositories."""
    assert matching.repositories(pushed(f"https://git.bank.example/{name}", name=name), CONFIGURED, ()) == ()


def test_a_hook_wakes_only_the_mirrors_that_it_may() -> None:
    """Restricted to one mirror, a sender cannot wake another."""
    push = pushed("https://git.bank.example/bank/pay")
    assert matching.repositories(push, CONFIGURED, ("bank",)) == ("bank/pay",)
    assert matching.repositories(push, CONFIGURED, ("vendor",)) == ()
    assert matching.images(image("prod/pay/api", "1"), CONFIGURED, ("releases",)) == ()


def test_a_forge_on_disk_is_matched_by_path_and_by_name() -> None:
    """A source that is a directory of bare repositories."""
    spec: dict[str, Any] = {"source": {"directory": "../forge"}, "repositories": ["*"], "sites": ["seoul"]}
    configured = topology(("GitMirror", "forge", spec))
    assert matching.repositories(pushed(name="shop"), configured, ()) == ("shop",)
    assert matching.repositories(pushed("file:///forge/shop.git"), configured, ()) == ("shop",)


@pytest.mark.parametrize(
    ("push", "wanted"),
    [
        (image("prod/pay/api", "1.4.2"), ("pay/api",)),
        (image("pay/api", "1.4.2"), ("pay/api",)),
        (image("pay/api", digest="sha256:" + "a" * 64), ("pay/api",)),
        (image("vendor/hsm", "1.9"), ("vendor/hsm",)),
        (image("vendor/hsm", "2.0"), ()),
        (image("vendor/hsm", digest="sha256:" + "a" * 64), ()),
        (image("other/api", "1"), ()),
    ],
    ids=str,
)
def test_an_image_wakes_the_mirrors_that_take_it(push: ImagePush, wanted: tuple[str, ...]) -> None:
    """By name below the site's prefix; a mirror of some tags does not take what comes without one."""
    assert matching.images(push, CONFIGURED, ()) == wanted


SIGNED = topology(
    ("ImageMirror", "releases", {**RELEASES, "signed": {"keys": [{"file": "cosign.pub"}]}}),
    ("ImageMirror", "built", {**BUILT, "source": {"url": "https://hub.example"}}),
)


@pytest.mark.parametrize(
    ("push", "wanted"),
    [
        (image("vendor/hsm", "1.9", "sha256:" + "a" * 64), ("1.9",)),
        (image("vendor/hsm", digest="sha256:" + "a" * 64), ()),
        (image("vendor/hsm", f"sha256-{'a' * 64}.sig"), ()),
        (image("vendor/hsm", f"sha256-{'a' * 64}"), ()),
    ],
    ids=["a tag", "a referrer or a platform", "a signature", "the list of referrers"],
)
def test_what_may_be_a_signature_wakes_a_look_at_all_that_waits_for_one(
    push: ImagePush, wanted: tuple[str, ...]
) -> None:
    """Whatever tags are mirrored: it goes nowhere by itself, and lets another go."""
    assert matching.images(push, SIGNED, ()) == ("vendor/hsm",)
    assert matching.references(push, "vendor/hsm", SIGNED) == wanted
    part = replace(push, repository="pay/api")
    assert matching.references(part, "pay/api", SIGNED) == (push.tag or push.digest,)


@given(name=st.text(max_size=40), url=st.text(max_size=60))
def test_whatever_a_payload_says_only_covered_names_come_out(name: str, url: str) -> None:
    """No payload brings out a name that no mirror covers."""
    push = pushed(url, f"https://git.bank.example/{name}", name=name)
    assert all(_covered(found, CONFIGURED) for found in matching.repositories(push, CONFIGURED, ()))


def _covered(repository: str, configured: Topology) -> bool:
    return bool(configured.git_mirrors_of(repository))
