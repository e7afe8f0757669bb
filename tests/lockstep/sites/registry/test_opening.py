"""From the configuration to a registry: address, names, credentials by reference only."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lockstep import errors
from lockstep.sites.registry import open_registry
from lockstep.sites.registry.credentials import Credential
from lockstep.sites.registry.names import Names
from lockstep.topology import kinds, secrets
from lockstep.topology.model import Topology
from tests.support import images, mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Reply, Scripted, error
from tests.support.topologies import topology


def _site(**registry: Any) -> kinds.RegistryEnd:
    end = _topology(registry).site("sejong").spec.registry
    assert end is not None
    return end


def _topology(registry: dict[str, Any], **source: Any) -> Topology:
    mirror = {"source": source or {"site": "sejong"}, "repositories": ["pay/*"], "sites": ["sejong"]}
    return topology(("Site", "sejong", {"registry": registry}), ("ImageMirror", "pay", mirror))


def _source(**source: Any) -> kinds.ImageSource:
    return _topology({"url": "https://registry.sejong.example"}, **source).image_mirrors["pay"].spec.source


def _reader(folder: Path, **environ: str) -> secrets.Reader:
    return secrets.Reader(folder, {"PATH": "/usr/bin:/bin", **environ})


def test_repositories_stand_below_the_path_of_the_image_prefix(mini: Scripted, tmp_path: Path) -> None:
    """As the site's manifests name them: host, path, name."""
    end = _site(url=mini.url, imagePrefix="registry.sejong.example/prod")
    store = open_registry(end, reader=_reader(tmp_path))
    Maker(store=store, repository="pay/api").image(tag="v1")
    assert list(mini.tags) == ["prod/pay/api"]
    assert store.address == f"{mini.url}/prod"
    assert store.repositories() == ["pay/api"]


def test_a_site_may_have_another_name_for_an_image(mini: Scripted, tmp_path: Path) -> None:
    """Below its prefix, as its manifests name it."""
    end = _site(url=mini.url, imagePrefix="registry.sejong.example/prod", rename={"vendor/hsm": "third-party/hsm"})
    store = open_registry(end, reader=_reader(tmp_path))
    Maker(store=store, repository="vendor/hsm").image(tag="v1")
    assert list(mini.tags) == ["prod/third-party/hsm"]
    assert store.repositories() == ["vendor/hsm"]


def test_a_url_with_one_path_and_a_prefix_with_another_is_refused() -> None:
    """Nobody could say which is meant."""
    with pytest.raises(ValueError, match="one path in url and another in imagePrefix"):
        _site(url="https://registry.example/a", imagePrefix="registry.example/b")


def test_an_image_that_has_another_name_at_its_source_is_found_there(mini: Scripted, tmp_path: Path) -> None:
    """``rename`` maps our names to theirs, both ways."""
    Maker(store=mini.store(), repository="library/third-party").image(tag="v1")
    end = _source(url=f"{mini.url}/library", rename={"vendor/hsm": "third-party"})
    store = open_registry(end, reader=_reader(tmp_path))
    assert store.tags("vendor/hsm") == {"v1": ""}
    assert store.repositories() == ["vendor/hsm"]


@pytest.mark.parametrize("url", ["https://docker.io", "https://index.docker.io", "https://registry-1.docker.io"])
def test_docker_hub_is_asked_where_it_answers(url: str, tmp_path: Path) -> None:
    """Under all its names; an image without a folder is in ``library``."""
    store = open_registry(_source(url=url), reader=_reader(tmp_path))
    assert store.address == "https://registry-1.docker.io"
    assert Names(library="library").there("nginx") == "library/nginx"
    assert Names(library="library").there("grafana/loki") == "grafana/loki"


def test_two_images_are_never_written_over_each_other_under_one_name() -> None:
    """A name that was given to another image is nobody else's; two may change theirs with each other."""
    taken = Names(prefix="prod", renamed={"vendor/hsm": "pay/api"})
    assert taken.there("vendor/hsm") == "prod/pay/api"
    with pytest.raises(errors.RefusedError, match="vendor/hsm is called pay/api there"):
        taken.there("pay/api")
    swapped = Names(renamed={"a": "b", "b": "a", "c": "c"})
    assert [swapped.there(name) for name in "abc"] == ["b", "a", "c"]


def _basic(user: str, password: str) -> mini_registry.Script:
    wanted = Credential(username=user, password=password).basic

    def script(asked: Asked) -> Reply | None:
        if asked.headers.get("authorization") == wanted:
            return None
        return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": "Basic realm=x"})

    return script


def test_every_kind_of_credential_opens_the_registry(mini: Scripted, tmp_path: Path) -> None:
    """A password, a docker config.json, a program: each read where the configuration says, when it is needed."""
    Maker(store=mini.store(), repository="pay/api").image(tag="v1")
    mini.script = _basic("robot", "s3cret")
    entry = {"username": "robot", "password": "s3cret"}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {mini.url.partition("//")[2]: entry}}))
    for auth in (
        {"username": "robot", "password": {"env": "PASSWORD"}},
        {"dockerConfig": {"file": "config.json"}},
        {"username": "robot", "program": ["printenv", "PASSWORD"]},
    ):
        store = open_registry(_site(url=mini.url, auth=auth), reader=_reader(tmp_path, PASSWORD="s3cret"))
        assert store.resolve("pay/api", "v1"), auth
    with pytest.raises(errors.NotFoundError, match="PASSWORD is not set"):
        open_registry(_site(url=mini.url, auth={"password": {"env": "PASSWORD"}}), reader=_reader(tmp_path)).resolve(
            "pay/api", "v1"
        )


_DOCUMENTED = Path(__file__).parents[4] / "docs" / "mirroring-images.md"
_PROGRAMS = re.compile(r"\| (?P<registry>[^|]+) \| `(?P<auth>\{username: [^`]*program: \[[^`]*\]\})` \|")
_ACR = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("registry", "user", "asked"),
    [
        ("ECR", "AWS", "aws ecr get-login-password"),
        ("Artifact Registry", "oauth2accesstoken", "gcloud auth print-access-token"),
        ("ACR", _ACR, "az acr login -n NAME --expose-token --query accessToken -o tsv"),
    ],
)
def test_the_tokens_of_clouds_come_from_their_own_programs_as_documented(
    mini: Scripted, tmp_path: Path, registry: str, user: str, asked: str
) -> None:
    """What the documentation says works as it stands there: the program is run so, and what it prints lets us in."""
    documented = {one["registry"]: one["auth"] for one in _PROGRAMS.finditer(_DOCUMENTED.read_text())}
    auth = yaml.safe_load(documented[registry])
    Maker(store=mini.store(), repository="pay/api").image(tag="v1")
    mini.script = _basic(user, "t0ken")
    program = tmp_path / auth["program"][0]
    program.write_text('#!/bin/sh\necho "$(basename "$0") $*" > "$ASKED"\necho t0ken\n')
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ASKED": str(tmp_path / "asked")}
    store = open_registry(_site(url=mini.url, auth=auth), reader=secrets.Reader(tmp_path, environ))
    assert store.resolve("pay/api", "v1")
    assert (tmp_path / "asked").read_text().strip() == asked


def test_hosts_that_the_site_trusts_may_keep_its_layers(mini: Scripted, tmp_path: Path) -> None:
    """``trusts`` with the port, as the registry names it."""
    made = Maker(store=mini.store(), repository="pay/api").put(b"layer")
    with mini_registry.serve(lambda _asked: Reply(200, b"layer")) as storage:
        mini.script = lambda asked: (
            Reply(307, headers={"Location": f"{storage.url}/x"}) if asked.is_("GET", "/blobs/") else None
        )
        trusting = _site(url=mini.url, trusts=[f"127.0.0.1:{storage.origin.port}"])
        assert images.read(open_registry(trusting, reader=_reader(tmp_path)), "pay/api", made) == b"layer"
        with pytest.raises(errors.RefusedError):
            images.read(open_registry(_site(url=mini.url), reader=_reader(tmp_path)), "pay/api", made)
