"""Who we are to a registry: every usual way, for each repository its own token, and no secret on a wrong way."""

from __future__ import annotations

import base64
import json
import logging
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from lockstep import errors
from lockstep.sites.registry.credentials import Credential, DockerConfig, Program, PullSecret, Source
from tests.support import images, mini_registry, registries, token_server
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Reply, Scripted, error

SECRET = "s3cret/with:signs"
BASIC = "Basic " + base64.b64encode(f"robot:{SECRET}".encode()).decode()
MANIFEST = "/v2/pay/api/manifests/v1"


def _robot() -> Credential:
    return Credential(username="robot", password=SECRET)


@pytest.fixture
def tokens() -> Iterator[token_server.TokenServer]:
    """A server of tokens beside the registry."""
    with token_server.serve() as running:
        yield running


@pytest.mark.needs("docker-registry")
def test_a_registry_with_passwords_lets_us_in_with_the_right_one(tmp_path: Path) -> None:
    """docker-registry with htpasswd: the first request learns that it wants a password, no other one asks again."""
    with registries.serve(tmp_path, password=True) as running:
        store = running.store(source=lambda: Credential(username=registries.USER, password=registries.PASSWORD))
        images.corpus(Maker(store=store, repository="pay/api"))
        assert sum(one.status == 401 for one in running.requests()) == 1
        wrong = Credential(username=registries.USER, password="wrong")
        for given, says in ((None, "It wants credentials"), (wrong, "Check the credentials of this registry")):
            with pytest.raises(errors.UnauthorisedError, match=says):
                running.store(source=lambda given=given: given).tags("pay/api")


@pytest.mark.needs("docker-registry", "openssl")
def test_a_registry_with_tokens_lets_us_in_with_one_for_each_repository(
    tmp_path: Path, tokens: token_server.TokenServer
) -> None:
    """docker-registry with signed tokens: reading, writing and mounting, with the scopes that each needs."""
    signer = token_server.Signer.make(tmp_path)
    tokens.sign = signer.sign
    tokens.wanted = BASIC
    asked = registries.Tokens(realm=f"{tokens.url}/token", certificate=signer.certificate)
    with registries.serve(tmp_path / "registry", tokens=asked) as running:
        store = running.store(source=_robot, trusted=(tokens.host,))
        images.corpus(Maker(store=store, repository="pay/api"))
        layer = Maker(store=store, repository="pay/api").put(b"shared")
        assert store.mount_blob("pay/settle", layer, origin="pay/api")
        actions = {frozenset(scope.rpartition(":")[2].split(",")) for scopes in tokens.scopes for scope in scopes}
        assert actions == {frozenset({"pull"}), frozenset({"pull", "push"})}
        assert all(len(scopes) <= 2 for scopes in tokens.scopes)
        assert len(tokens.scopes) == len(set(tokens.scopes))  # each was asked for once


@pytest.mark.needs("docker-registry", "openssl")
def test_a_token_that_the_registry_does_not_believe_is_no_wrong_password(
    tmp_path: Path, tokens: token_server.TokenServer
) -> None:
    """One that ran out where the clock is ahead, or of a stranger: it is told apart, and the clocks are named."""
    signer = token_server.Signer.make(tmp_path)
    asked = registries.Tokens(realm=f"{tokens.url}/token", certificate=signer.certificate)
    with registries.serve(tmp_path / "registry", tokens=asked) as running:
        store = running.store(source=_robot, trusted=(tokens.host,))
        with pytest.raises(errors.UnauthorisedError, match=r"401.* does not let us in: .* the clocks") as caught:
            store.tags("pay/api")
        assert SECRET not in str(caught.value)


def _bearer(tokens: token_server.TokenServer, value: str = "granted", **parameters: str) -> mini_registry.Script:
    """A registry that lets nobody in without this token."""
    said = ",".join(f'{name}="{text}"' for name, text in {"realm": f"{tokens.url}/token", **parameters}.items())

    def script(asked: Asked) -> Reply | None:
        if asked.headers.get("authorization") == f"Bearer {value}":
            return None
        return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": f"Bearer {said}"})

    return script


def test_an_anonymous_pull_gets_a_token_too(mini: Scripted, tokens: token_server.TokenServer) -> None:
    """As Docker Hub wants it."""
    Maker(store=mini.store(), repository="pay/api").image(tag="v1")
    mini.script = _bearer(tokens, service="hub")
    assert mini.store(trusted=(tokens.host,)).resolve("pay/api", "v1")
    assert [(one.query["service"], one.query["scope"]) for one in tokens.asked] == [("hub", "repository:pay/api:pull")]
    assert "authorization" not in tokens.asked[0].headers


def test_sixteen_requests_at_once_fetch_one_token(mini: Scripted, tokens: token_server.TokenServer) -> None:
    """And a scope that was never asked for has a token of its own: none grows."""
    for repository in ("pay/api", "pay/settle"):
        Maker(store=mini.store(), repository=repository).image(tag="v1")
    mini.script = _bearer(tokens)
    store = mini.store(source=_robot, trusted=(tokens.host,))
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: store.resolve("pay/api", "v1"), range(64)))
    assert store.resolve("pay/settle", "v1")
    assert tokens.scopes == [("repository:pay/api:pull",), ("repository:pay/settle:pull",)]
    assert {one.headers["authorization"] for one in tokens.asked} == {BASIC}


def test_a_token_that_is_no_longer_taken_is_fetched_anew(mini: Scripted, tokens: token_server.TokenServer) -> None:
    """Once; a registry that refuses the new one too is believed."""
    Maker(store=mini.store(), repository="pay/api").image(tag="v1")
    store = mini.store(source=_robot, trusted=(tokens.host,))
    mini.script = _bearer(tokens, "first")
    tokens.token = "first"
    assert store.resolve("pay/api", "v1")
    mini.script = _bearer(tokens, "second")
    tokens.token = "second"
    assert store.resolve("pay/api", "v1")
    mini.script = _bearer(tokens, "third")
    with pytest.raises(errors.UnauthorisedError):
        store.resolve("pay/api", "v1")
    assert len(tokens.asked) == 3


def test_an_identity_token_is_exchanged_and_never_sent_to_the_registry(
    mini: Scripted, tokens: token_server.TokenServer
) -> None:
    """By POST, as a refresh token (OAuth 2)."""
    Maker(store=mini.store(), repository="pay/api").image(tag="v1")
    mini.script = _bearer(tokens, service="acr", scope="repository:pay/api:pull")
    store = mini.store(source=lambda: Credential(identity_token=SECRET), trusted=(tokens.host,))
    mini.asked.clear()
    assert store.resolve("pay/api", "v1")
    (form,) = [parse_qs(body.decode()) for body in tokens.bodies if body]
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == [SECRET]
    assert (form["service"], form["scope"]) == (["acr"], ["repository:pay/api:pull"])
    assert all(SECRET not in str(one.headers) for one in mini.asked)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"<html>Please log in</html>", {"Content-Type": "text/html"}),
        Reply(200, b"{}"),
        Reply(200, b'{"token": ""}'),
        Reply(200, b'{"token": 5}'),
        Reply(200, b'{"token": "a\\r\\nX-Evil: 1"}'),
        Reply(200, b"[]"),
        Reply(403, b"{}"),
        Reply(404, b""),
    ],
)
def test_what_is_no_token_lets_nobody_in(mini: Scripted, tokens: token_server.TokenServer, answer: Reply) -> None:
    """It is said, and nothing of it goes into a header."""
    mini.script = _bearer(tokens)
    tokens.reply = answer
    with pytest.raises(errors.UnauthorisedError, match="token"):
        mini.store(source=_robot, trusted=(tokens.host,)).resolve("pay/api", "v1")


def test_tokens_are_not_fetched_from_a_private_address_that_nobody_trusts(
    mini: Scripted, tokens: token_server.TokenServer
) -> None:
    """The registry names where; that alone is no reason to send a password there."""
    mini.script = _bearer(tokens)
    with pytest.raises(errors.RefusedError, match="name the host in `trusts`"):
        mini.store(source=_robot).resolve("pay/api", "v1")
    assert tokens.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_carries_no_credential_to_another_host(mini: Scripted, status: int) -> None:
    """Layers are elsewhere; who we are stays here."""
    made = Maker(store=mini.store(), repository="pay/api").put(b"layer")
    with mini_registry.serve(lambda _asked: Reply(200, b"layer")) as storage:

        def script(asked: Asked) -> Reply | None:
            if asked.headers.get("authorization") != BASIC:
                return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": 'Basic realm="x"'})
            if asked.is_("GET", "/blobs/"):
                return Reply(status, headers={"Location": f"{storage.url}/bucket/layer?signature=1"})
            return None

        mini.script = script
        store = mini.store(source=_robot, trusted=("127.0.0.1",))
        assert images.read(store, "pay/api", made) == b"layer"
        assert [one.query for one in storage.asked] == [{"signature": "1"}]
        assert "authorization" not in storage.asked[0].headers


def test_a_redirect_to_a_private_address_is_not_followed(mini: Scripted) -> None:
    """Not even without a credential: the service behind it may need none."""
    made = Maker(store=mini.store(), repository="pay/api").put(b"layer")
    with mini_registry.serve() as inside:
        mini.script = lambda asked: (
            Reply(307, headers={"Location": f"{inside.url}/admin"}) if asked.is_("GET", "/blobs/") else None
        )
        with pytest.raises(errors.RefusedError, match="private address"):
            images.read(mini.store(), "pay/api", made)
        assert inside.asked == []


# --- where credentials come from


def _config(folder: Path, **config: object) -> Source:
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return DockerConfig(read=lambda: json.dumps(config), host="registry.example:5000", environ={"PATH": path})


def _helper(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


AUTH = base64.b64encode(f"robot:{SECRET}".encode()).decode()


@pytest.mark.parametrize(
    "key", ["registry.example:5000", "https://registry.example:5000", "http://registry.example:5000/v2/"]
)
@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"auth": AUTH}, _robot()),
        ({"username": "robot", "password": SECRET}, _robot()),
        ({"identitytoken": "t", "auth": AUTH}, Credential(identity_token="t")),
        ({"registrytoken": "b"}, Credential(bearer="b")),
        ({}, None),
    ],
)
def test_a_docker_config_knows_its_registries(
    tmp_path: Path, key: str, entry: dict[str, str], found: Credential | None
) -> None:
    """Under every name that docker and podman write."""
    assert _config(tmp_path, auths={"other.example": {"auth": "x"}, key: entry})() == found


def test_docker_hub_has_a_name_of_its_own_in_a_docker_config() -> None:
    """``https://index.docker.io/v1/``."""
    text = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}})
    assert DockerConfig(read=lambda: text, host="registry-1.docker.io", environ={})() == _robot()


@pytest.mark.parametrize(
    ("path", "user"),
    [("", "host"), ("prod", "prod"), ("prod/eu", "eu"), ("prod/us", "prod"), ("production", "host"), ("eu", "host")],
)
def test_the_credential_of_the_narrowest_path_is_taken(path: str, user: str) -> None:
    """Podman and Kubernetes keep some for what stands below a path (containers-auth.json(5))."""
    places = {"": "host", "/prod": "prod", "/prod/eu": "eu", "/prod/eu/pay": "pay"}
    entries = {f"registry.example{place}": {"username": name, "password": "x"} for place, name in places.items()}
    text = json.dumps({"auths": entries})
    found = DockerConfig(read=lambda: text, host="registry.example", environ={}, path=path)()
    assert found == Credential(username=user, password="x")
    data = {".dockerconfigjson": base64.b64encode(text.encode()).decode()}
    assert PullSecret(data=data, host="registry.example", path=path)() == found


def test_a_credential_helper_is_asked_for_the_registry(tmp_path: Path) -> None:
    """It reads the host, and prints a user and a secret; ``<token>`` says that it is an identity token."""
    _helper(tmp_path, "docker-credential-bank", 'printf \'{"Username":"robot","Secret":"for %s"}\' "$(cat)"')
    own = _config(tmp_path, credHelpers={"registry.example:5000": "bank"})
    assert own() == Credential(username="robot", password="for registry.example:5000")
    _helper(tmp_path, "docker-credential-all", 'echo \'{"Username":"<token>","Secret":"t"}\'')
    assert _config(tmp_path, credsStore="all")() == Credential(identity_token="t")


def test_a_store_that_knows_nothing_leaves_the_file_to_say(tmp_path: Path) -> None:
    """Docker looks into the file then, too."""
    _helper(tmp_path, "docker-credential-all", "echo 'credentials not found in native keychain'; exit 1")
    source = _config(tmp_path, credsStore="all", auths={"registry.example:5000": {"auth": AUTH}})
    assert source() == _robot()


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"credHelpers": {"registry.example:5000": "../../bin/sh"}}, errors.InputError),
        ({"credHelpers": {"registry.example:5000": "absent"}}, errors.MissingToolError),
        ({"auths": {"registry.example:5000": {"auth": "%%%"}}}, errors.InputError),
    ],
)
def test_a_docker_config_that_cannot_be_used_is_said(
    tmp_path: Path, config: dict[str, object], error: type[errors.LockstepError]
) -> None:
    """A helper with a path in its name, one that is not installed, an auth that is none."""
    with pytest.raises(error):
        _config(tmp_path, **config)()


def test_a_docker_config_that_is_no_json_is_said_without_showing_it() -> None:
    """It may hold a password."""
    with pytest.raises(errors.InputError, match=r"The file x\.json is not") as caught:
        DockerConfig(read=lambda: f"{{{SECRET}", host="x", environ={}, named="the file x.json")()
    assert SECRET not in str(caught.value)


def test_a_program_prints_a_password_that_is_kept_for_a_while(tmp_path: Path) -> None:
    """``aws ecr get-login-password`` takes seconds: it is asked every five minutes, and when it was refused."""
    counter = tmp_path / "asked"
    _helper(tmp_path, "login", f"echo x >> {counter}; echo {SECRET}")
    now = [0.0]
    source = Program(argv=[str(tmp_path / "login")], environ=os.environ, username="AWS", now=lambda: now[0])
    assert source() == source() == Credential(username="AWS", password=SECRET)
    assert counter.read_text() == "x\n"
    now[0] = 301.0
    source()
    source.forget()
    source()
    assert counter.read_text() == "x\n" * 3


@pytest.mark.parametrize(
    "script", ["exit 3", "true", "echo two words", "echo '{\"Secret\": 5}'", f"echo {SECRET}; exit 1"]
)
def test_a_program_that_gives_nothing_is_said_without_showing_it(tmp_path: Path, script: str) -> None:
    """What it printed may be a secret all the same."""
    _helper(tmp_path, "login", script)
    with pytest.raises(errors.UnauthorisedError, match="Run it by hand") as caught:
        Program(argv=[str(tmp_path / "login")], environ=os.environ)()
    assert SECRET not in str(caught.value)


def test_a_program_that_hangs_is_no_wrong_password(tmp_path: Path) -> None:
    """It waits for a server that is away, say: it is asked again later, and told as what it is."""
    _helper(tmp_path, "login", "exec tail -f /dev/null")
    with pytest.raises(errors.UnreachableError, match="gave no credential in time"):
        Program(argv=[str(tmp_path / "login")], environ=os.environ, patience_seconds=0.1)()


def test_no_secret_is_ever_shown(mini: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an error (also where the registry repeats it), not in a log, not in a representation."""
    caplog.set_level(logging.DEBUG)
    repeated = f"who is {SECRET}, {BASIC}?"
    mini.script = lambda _asked: error(401, "UNAUTHORIZED", repeated, **{"WWW-Authenticate": "Basic realm=x"})
    with pytest.raises(errors.UnauthorisedError) as caught:
        mini.store(source=_robot).tags("pay/api")
    assert "who is ***" in str(caught.value)
    shown = caplog.text + str(caught.value) + repr(_robot()) + repr(Credential(identity_token=SECRET, bearer=SECRET))
    assert SECRET not in shown
    assert BASIC.removeprefix("Basic ") not in shown
