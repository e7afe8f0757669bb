"""A registry behind a proxy: everything goes through it, and only what its end says decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lockstep import errors
from lockstep.sites.registry import RegistryStore, open_registry
from lockstep.topology import kinds, secrets
from tests.support import certificates, images, mini_registry, proxies, registries
from tests.support.images import Maker
from tests.support.mini_registry import QUICK, Reply, Scripted
from tests.support.topologies import topology

NAME = "pay/api"


def _open(folder: Path, **registry: Any) -> RegistryStore:
    end = topology(("Site", "sejong", {"registry": registry})).site("sejong").spec.registry
    assert end is not None
    return open_registry(end, reader=secrets.Reader(folder, {"PROXY": "s3cret", "WRONG": "wrong"}), patience=QUICK)


@pytest.mark.needs("docker-registry")
def test_images_are_written_and_read_through_a_proxy(
    docker_registry: registries.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request, in the clear; what the environment says of proxies is not looked at."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    with proxies.serve() as proxy:
        store = _open(tmp_path, url=str(docker_registry.origin), proxy={"url": proxy.url})
        docker_registry.requests()
        made = Maker(store=store, repository="behind/proxy").image(b"layer" * 100_000, tag="v1")
        assert images.read(store, "behind/proxy", images.blob(b"layer" * 100_000))
        assert store.resolve("behind/proxy", "v1") == made
        assert len(docker_registry.requests()) == len(proxy.asked)
        assert {one.split()[1].partition("/v2/")[0] for one in proxy.asked} == {str(docker_registry.origin)}


@pytest.mark.needs("openssl")
def test_to_https_the_proxy_is_asked_for_a_tunnel_and_sees_nothing_of_what_is_said(tmp_path: Path) -> None:
    """The name is looked up by the proxy alone, and the site's authorities vouch for the registry."""
    authority = certificates.authority(tmp_path)
    own = authority.server("DNS:registry.bank.example")
    both = tmp_path / "both.pem"
    both.write_bytes(own.certificate.read_bytes() + own.key.read_bytes())
    with (
        mini_registry.serve(certificate=both) as running,
        proxies.serve({"registry.bank.example": running.origin.port}) as proxy,
    ):
        access = {"url": "https://registry.bank.example", "proxy": {"url": proxy.url}}
        store = _open(tmp_path, ca={"file": str(authority.own.certificate)}, **access)
        made = Maker(store=store, repository=NAME).image(b"layer", tag="v1")
        assert store.resolve(NAME, "v1") == made
        assert set(proxy.asked) == {"CONNECT registry.bank.example:443"}
        with pytest.raises(errors.UnreachableError, match="certificate"):
            _open(tmp_path, **access).resolve(NAME, "v1")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_gets_the_one_of_the_configuration(tmp_path: Path, scheme: str) -> None:
    """By reference; a wrong one is said to be the proxy's, and stands in no message."""
    with (
        mini_registry.serve() as running,
        proxies.serve({"registry.example": running.origin.port}, password="s3cret") as proxy,
    ):
        given = {"url": proxy.url, "username": "robot"}
        if scheme == "http":
            store = _open(tmp_path, url="http://registry.example", proxy={**given, "password": {"env": "PROXY"}})
            Maker(store=store, repository=NAME).image(b"layer", tag="v1")
            assert store.resolve(NAME, "v1") is not None
        wrong = _open(tmp_path, url=f"{scheme}://registry.example", proxy={**given, "password": {"env": "WRONG"}})
        with pytest.raises(errors.LockstepError, match=r"407.*proxy") as caught:
            wrong.resolve(NAME, "v1")
        assert "wrong" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    """It is not the registry that does not answer."""
    store = _open(tmp_path, url="http://registry.example", proxy={"url": "http://127.0.0.1:1"})
    with pytest.raises(errors.UnreachableError, match=r"through the proxy http://127\.0\.0\.1:1"):
        store.resolve(NAME, "v1")


def test_where_the_registry_keeps_its_layers_is_reached_through_the_proxy_too(tmp_path: Path) -> None:
    """By a name that only the proxy knows; and what stands on this machine or nearby is asked of no proxy."""
    with mini_registry.serve() as running, mini_registry.serve(lambda _asked: Reply(200, b"layer")) as storage:
        names = {"registry.example": running.origin.port, "storage.example": storage.origin.port}
        with proxies.serve(names) as proxy:
            store = _open(tmp_path, url="http://registry.example", proxy={"url": proxy.url})
            made = Maker(store=store, repository=NAME).put(b"layer")
            _redirect(running, "http://storage.example/bucket")
            assert images.read(store, NAME, made) == b"layer"
            assert "GET http://storage.example/bucket" in proxy.asked
            before = len(proxy.asked)
            for place in ("http://127.0.0.1/x", "http://10.0.0.1/x", "http://[::1]/x", "http://localhost/x"):
                _redirect(running, place)
                with pytest.raises(errors.RefusedError, match="private address"):
                    images.read(store, NAME, made)
            assert len(proxy.asked) == before + 4


def _redirect(running: Scripted, place: str) -> None:
    running.script = lambda asked: Reply(307, headers={"Location": place}) if asked.is_("GET", "/blobs/") else None


def test_a_user_without_a_password_is_refused_in_the_configuration() -> None:
    """Half of a credential is a mistake."""
    with pytest.raises(ValueError, match="one of username and password"):
        kinds.Proxy(url="http://proxy.example:3128", username="robot")
