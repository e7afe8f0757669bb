"""How a kubeconfig is understood: whom to believe, who we are, and what is refused instead of passed over."""

from __future__ import annotations

import base64
import json
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import clock, errors
from lockstep.sites import cluster
from lockstep.sites.cluster.access import InCluster, Kubeconfig
from lockstep.sites.cluster.api import Api
from lockstep.topology import kinds, secrets
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling
from tests.support import apiserver, certificates, scripted

SECRET = "eyJhbGciOi-very-secret"


def _source(content: Json, base: Path | None = None, **environ: str) -> Kubeconfig:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Kubeconfig(read=lambda: text, title="The file site.kubeconfig", base=base, context="", environ=environ)


def _config(user: dict[str, Json], url: str = "https://127.0.0.1:1", **where: Json) -> dict[str, Json]:
    return apiserver.kubeconfig("site", cluster={"server": url, **where}, user=user)


@pytest.fixture
def authority(tmp_path: Path) -> certificates.Authority:
    """What vouches for the servers of a test."""
    return certificates.authority(tmp_path)


def _tls(authority: certificates.Authority, own: certificates.Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.own.certificate))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_cert_chain(own.certificate, own.key)
    return context


@pytest.fixture
def secure(authority: certificates.Authority) -> Iterator[scripted.Scripted]:
    """A server that speaks TLS and asks who comes, and answers whoever is vouched for."""
    with scripted.serving(lambda _: calling.config(), tls=_tls(authority, authority.server())) as server:
        yield server


def _call(source: Kubeconfig) -> int:
    return Api(source, cluster.Limits(tries=1), clock=clock.SystemClock()).send(calling.CALL).status


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


@pytest.mark.needs("openssl")
def test_a_server_is_believed_by_the_authority_that_the_kubeconfig_gives(
    secure: scripted.Scripted, authority: certificates.Authority
) -> None:
    """As a file beside it, or in it; without one, not."""
    given = {"certificate-authority-data": _encoded(authority.own.certificate)}
    assert _call(_source(_config({"token": SECRET}, secure.url, **given))) == 200
    beside = {"certificate-authority": authority.own.certificate.name}
    assert _call(_source(_config({"token": SECRET}, secure.url, **beside), authority.folder)) == 200
    assert [one.headers["authorization"] for one in secure.asked] == [f"Bearer {SECRET}"] * 2
    with pytest.raises(errors.UnreachableError, match=r"certificate of .* is not believed"):
        _call(_source(_config({"token": SECRET}, secure.url)))
    assert _call(_source(_config({}, secure.url, **{"insecure-skip-tls-verify": True}))) == 200


@pytest.mark.needs("openssl")
def test_a_certificate_is_for_the_name_that_the_kubeconfig_says(authority: certificates.Authority) -> None:
    """A server behind a tunnel has another address than its certificate."""
    given = {"certificate-authority-data": _encoded(authority.own.certificate)}
    tls = _tls(authority, authority.server("DNS:api.site.example"))
    with scripted.serving(lambda _: calling.config(), tls=tls) as server:
        with pytest.raises(errors.UnreachableError, match="not believed"):
            _call(_source(_config({}, server.url, **given)))
        named = {"tls-server-name": "api.site.example"}
        assert _call(_source(_config({}, server.url, **given, **named))) == 200


@pytest.mark.needs("openssl")
def test_a_client_certificate_is_shown_and_its_key_is_on_no_disk(
    secure: scripted.Scripted, authority: certificates.Authority, tmp_path: Path
) -> None:
    """The key is read from memory, where only this process has it."""
    client = authority.client("lockstep")
    given = {"certificate-authority-data": _encoded(authority.own.certificate)}
    who = {"client-certificate-data": _encoded(client.certificate), "client-key-data": _encoded(client.key)}
    before = sorted(tmp_path.rglob("*"))
    assert _call(_source(_config(who, secure.url, **given))) == 200
    assert sorted(tmp_path.rglob("*")) == before
    wrong = {**who, "client-key-data": _encoded(authority.own.key)}
    with pytest.raises(errors.InputError, match="cannot be used"):
        _call(_source(_config(wrong, secure.url, **given)))


def test_a_token_in_a_file_is_read_again_in_time(tmp_path: Path) -> None:
    """The kubelet renews it; a process that lives for months must not hold on to the first."""
    (tmp_path / "token").write_text("first\n")
    source = _source(_config({"tokenFile": "token"}, "http://127.0.0.1:1"), tmp_path)
    first = source.open()
    (tmp_path / "token").write_text("second\n")
    assert first.until is not None
    assert (first.headers, source.open().headers) == (
        (("Authorization", "Bearer first"),),
        (("Authorization", "Bearer second"),),
    )


def test_whom_to_act_as_is_said_to_the_server() -> None:
    """The package would leave it out, and act with all our own rights."""
    user = {"token": "t", "as": "deployer", "as-groups": ["a", "b"], "as-uid": "7", "as-user-extra": {"x/y": ["z"]}}
    assert _source(_config(user)).open().headers[1:] == (
        ("Impersonate-User", "deployer"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Extra-x%2Fy", "z"),
    )


def _plugin(folder: Path, answer: Json, *, code: int = 0) -> str:
    file = folder / "plugin"
    said = json.dumps(answer)
    file.write_text(
        f"#!/bin/sh\nprintf '%s' \"$KUBERNETES_EXEC_INFO\" > '{folder}/told'\ncat <<'E'\n{said}\nE\nexit {code}\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return "./plugin"


def _exec(command: str, **more: Json) -> dict[str, Json]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, **more}}


def _credential(**status: Json) -> dict[str, Json]:
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}


def test_a_plugin_gives_a_token_for_as_long_as_it_says(tmp_path: Path) -> None:
    """It is asked again before that ends."""
    command = _plugin(tmp_path, _credential(token="given", expirationTimestamp="2030-01-01T00:00:00Z"))
    access = _source(_config(_exec(command)), tmp_path, PATH="/usr/bin:/bin").open()
    assert access.headers == (("Authorization", "Bearer given"),)
    assert access.until is not None
    assert access.until.isoformat() == "2029-12-31T23:59:30+00:00"


@pytest.mark.needs("openssl")
def test_a_plugin_is_told_of_the_cluster_when_it_wants_to(authority: certificates.Authority) -> None:
    """With the authority as data, even where the kubeconfig has a file."""
    folder = authority.folder
    command = _plugin(folder, _credential(token="given"))
    user = _exec(command, provideClusterInfo=True)
    where = {"certificate-authority": authority.own.certificate.name}
    _source(_config(user, **where), folder, PATH="/usr/bin:/bin").open()
    told = json.loads((folder / "told").read_text())["spec"]["cluster"]
    assert told["server"] == "https://127.0.0.1:1"
    assert told["certificate-authority-data"] == _encoded(authority.own.certificate)


@pytest.mark.parametrize(
    ("answer", "code", "error"),
    [
        (_credential(token="secret-token"), 1, "ended with the code 1"),
        ({"kind": "Nonsense"}, 0, "did not answer with an ExecCredential"),
        (_credential(), 0, "neither a token nor a certificate"),
    ],
)
def test_a_plugin_that_gives_nothing_is_said_without_what_it_wrote(
    tmp_path: Path, answer: Json, code: int, error: str
) -> None:
    """What it writes may be a secret."""
    source = _source(_config(_exec(_plugin(tmp_path, answer, code=code))), tmp_path, PATH="/usr/bin:/bin")
    with pytest.raises(errors.UnauthorisedError, match=error) as caught:
        source.open()
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "error", "text"),
    [
        ({"auth-provider": {"name": "gcp"}}, errors.UnsupportedError, "auth-provider"),
        (_exec("x", interactiveMode="Always"), errors.UnsupportedError, "talk to a person"),
        ({"exec": {"command": "x", "apiVersion": "v0"}}, errors.InputError, "version"),
        ({"token": "two\nlines"}, errors.InputError, "one line"),
        ({"client-certificate-data": "%%%"}, errors.InputError, "base64"),
        ({"tokenFile": "token"}, errors.InputError, "relative to a folder"),
    ],
)
def test_what_cannot_be_done_is_refused(user: Json, error: type[errors.LockstepError], text: str) -> None:
    """In silence it would be something else than what the kubeconfig says."""
    with pytest.raises(error, match=text):
        _source(_config(user)).open()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b"a: 'unended " + SECRET.encode(), b"clusters: {}\n", {"contexts": "x"}],
)
def test_what_is_no_kubeconfig_is_said_without_quoting_it(content: Json) -> None:
    """It holds secrets."""
    with pytest.raises(errors.InputError) as caught:
        _source(content).open()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["", "ftp://a", "https://user:pw@host", "https://", "https://host?x=1"])
def test_a_server_that_cannot_be_called_is_refused(url: str) -> None:
    """Before anything is sent anywhere."""
    with pytest.raises(errors.InputError, match="no server"):
        _source(_config({}, url)).open()


def test_a_proxy_of_the_kubeconfig_is_used() -> None:
    """A site can be behind one."""
    with scripted.serving(lambda _: calling.config()) as proxy:
        source = _source(_config({"token": "t"}, "http://site.example:6443", **{"proxy-url": proxy.url}))
        assert _call(source) == 200
        assert [one.path for one in proxy.asked] == ["/api/v1/namespaces/pay/configmaps/settings"]


def test_in_a_pod_the_service_account_is_who_we_are(tmp_path: Path) -> None:
    """And outside there is none, which is said."""
    (tmp_path / "token").write_text("of the pod")
    (tmp_path / "ca.crt").write_text("")
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(errors.UnsupportedError, match="does not run in a cluster"):
        InCluster(environ={}).open()
    with pytest.raises(errors.UnsupportedError, match="does not run in a cluster"):
        InCluster(environ=environ, token_file=str(tmp_path / "token"), ca_file=str(tmp_path / "ca.crt")).open()


def test_no_secret_is_in_what_an_access_says_of_itself() -> None:
    """It ends in tracebacks and logs."""
    access = _source(_config({"token": SECRET}, **{"proxy-url": f"http://u:{SECRET}@proxy:1"})).open()
    assert SECRET not in repr(access)


def test_the_context_of_the_configuration_is_the_one_that_counts(tmp_path: Path) -> None:
    """A missing one is named."""
    both = _config({"token": "one"})
    other = apiserver.kubeconfig("other", cluster={"server": "http://other:1"}, user={"token": "two"})
    merged = {**both, **{name: [*both[name], *other[name]] for name in ("clusters", "users", "contexts")}}
    file = tmp_path / "config"
    file.write_text(json.dumps(merged))
    file.chmod(0o600)

    def server(context: str) -> str:
        end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file="config"), context=context)
        reader = secrets.Reader(tmp_path, {})
        return cluster.open_cluster(end, reader=reader, path=lambda path: tmp_path / path).api.server

    assert (server("site"), server("other")) == ("https://127.0.0.1:1", "http://other:1")
    with pytest.raises(errors.InputError, match="no context 'third'"):
        server("third")
