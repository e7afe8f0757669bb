"""What the doctor learns of a registry: that it answers says nothing yet of whether it believes us."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import registries
from lockstep import errors
from lockstep.sites import ends
from tests.support import registries as running
from tests.support.images import Maker, new_store
from tests.support.stores import Watched
from tests.support.topologies import topology


def unlisting(root: Path, refusal: errors.LockstepError | None = None) -> Watched:
    """A registry that lists no repositories, and refuses everything when it is given how."""
    Maker(store=new_store(root), repository="pay/api").image(b"layer", tag="v1")
    store = Watched(new_store(root))

    def hook(method: str, _about: str) -> None:
        if method == "repositories":
            raise errors.UnsupportedError("It does not list.")
        if refusal:
            raise refusal

    store.hook = hook
    return store


def test_a_registry_that_lists_nothing_is_asked_for_one_that_is_named(tmp_path: Path) -> None:
    """Most shared registries refuse the list to everybody: that alone is no problem."""
    store = unlisting(tmp_path)
    assert registries.look(lambda: store, ["pay/api"]) == "it does not list what it has; pay/api has 1 tags"
    assert registries.look(lambda: store, ["pay/x"]) == "it does not list what it has; pay/x is not there yet"


def test_what_a_registry_refuses_to_us_is_a_problem_although_it_lists_to_nobody(tmp_path: Path) -> None:
    """A wrong password is found by the doctor, and not by the first mirroring of the night."""
    store = unlisting(tmp_path, errors.UnauthorisedError("It does not know us."))
    with pytest.raises(errors.UnauthorisedError, match="It does not know us"):
        registries.look(lambda: store, ["pay/api"])


def test_a_registry_that_can_be_asked_for_nothing_is_not_said_to_believe_us(tmp_path: Path) -> None:
    """Unknown is never well."""
    with pytest.raises(errors.UnsupportedError, match=r"unknown: It does not list\. Name a repository in a mirror\."):
        registries.look(lambda: unlisting(tmp_path), [])


@pytest.mark.needs("docker-registry")
@pytest.mark.parametrize(("names", "says"), [(["pay/api"], "401"), ([], "401")], ids=["named", "nothing named"])
def test_a_real_registry_with_passwords_finds_out_who_has_none(tmp_path: Path, names: list[str], says: str) -> None:
    """docker-registry answers the question for its list and the one for tags by 401; both say so."""
    with running.serve(tmp_path / "registry", password=True) as registry:
        store: ends.ImageStore = registry.store()
        with pytest.raises(errors.LockstepError, match=says):
            registries.look(lambda: store, names)


def test_what_a_registry_is_asked_for_is_what_its_mirrors_name() -> None:
    """Names of mirrors that send to it or read from it, and of applications where a pattern covers them."""
    found = topology(
        *(("Site", name, {"registry": {"layout": f"/{name}", "imagePrefix": name}}) for name in ("seoul", "sejong")),
        ("Pair", "pair", {"primary": "seoul", "standby": "sejong"}),
        (
            "Application",
            "pay",
            {
                "source": {"repository": "r"},
                "namespace": "pay",
                "images": [{"name": "pay/api"}, {"name": "x"}],
                "protection": {"pair": {"tier": "hot"}},
            },
        ),
        ("ImageMirror", "built", {"source": {"site": "seoul"}, "repositories": ["pay/*"], "sites": ["sejong"]}),
        (
            "ImageMirror",
            "vendor",
            {"source": {"url": "https://x"}, "repositories": ["vendor/hsm"], "sites": ["sejong"]},
        ),
    )
    assert registries.asked_about(found, site="seoul") == ["pay/api"]
    assert registries.asked_about(found, site="sejong") == ["pay/api", "vendor/hsm"]
    assert registries.asked_about(found, mirror="vendor") == ["vendor/hsm"]
