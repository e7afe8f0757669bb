"""How one API server is found, believed and let in to: the one importer of ``kubernetes``.

That package reads what a kubeconfig or a Pod says (contexts, certificates, tokens, proxies). What it passes over
in silence is done here or refused: whom to act as, plugins without a deadline, providers that are gone. No
secret is written to a disk.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import hashlib
import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from kubernetes import client, config
from kubernetes.client.rest import should_bypass_proxies
from kubernetes.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes.config.kube_config import KubeConfigLoader

from lockstep import clock, documents, errors
from lockstep.sites.cluster import plugin
from lockstep.values import Json

_log = logging.getLogger(__name__)
# A token that is read from a file is read again after this: the kubelet renews it long before it ends.
_FILE_SECONDS = 60.0
_REMEDY = "Try it with kubectl --kubeconfig FILE get --raw /version, and mend it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach one API server, as of a moment.

    ``server`` is its URL without a slash at the end; ``server_name`` the name in its certificate when that is
    another one; ``headers`` say who we are; from ``until`` on they should be asked for again (None: they stay).
    """

    server: str
    tls: ssl.SSLContext | None = field(repr=False)
    server_name: str = ""
    proxy: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    until: dt.datetime | None = None
    tls_digest: str = field(default="", repr=False)
    """Of everything that the TLS context was made from."""

    @property
    def line(self) -> tuple[str, str, str, str]:
        """What makes connections the same."""
        return (self.server, self.server_name, self.proxy, self.tls_digest)


class Source(Protocol):
    """Where an ``Access`` comes from, now and again."""

    def open(self) -> Access:
        """The access as it is now.

        Raises:
            LockstepError: It cannot be made out.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """A kubeconfig, read when it is needed.

    ``base`` is the folder in which its relative paths start, None when it comes from somewhere else than a file.
    ``context`` is "" for its current one. ``environ`` is what plugins are run with.
    """

    read: Callable[[], bytes]
    title: str
    base: Path | None
    context: str
    environ: Mapping[str, str] = field(repr=False)
    clock: clock.Clock = field(default_factory=clock.SystemClock)

    def open(self) -> Access:
        """Read it, run its plugin if it has one.

        Raises:
            InputError: It is no kubeconfig, or says something that cannot be.
            UnsupportedError: It asks for something that is not done here.
            UnauthorisedError: Its plugin gives no credentials.
            LockstepError: It cannot be read.
        """
        content = _content(self.read(), self.title)
        _mapped(content, self.title)
        context = self._entry(content, "contexts", "context", self.context or content.get("current-context"))
        cluster = self._entry(content, "clusters", "cluster", context.get("cluster"))
        user = self._entry(content, "users", "user", context["user"]) if context.get("user") else {}
        _refuse_strange(cluster, user, self.title)
        until = None
        if "exec" in user and not (user.get("token") or user.get("tokenFile")):
            given = plugin.run(user["exec"], cluster=cluster, base=self.base, environ=self.environ)
            user, until = {**user, **given.user}, given.until
        elif user.get("tokenFile") and not user.get("token"):
            until = self.clock.now() + dt.timedelta(seconds=_FILE_SECONDS)
        with _in_memory(_located(cluster, self.base), _located(user, self.base)) as (cluster, user):
            found = self._load(cluster, user)
            return _access(found, headers=_acting_as(user), until=until)

    def _entry(self, content: Mapping[str, Json], listed: str, what: str, name: Json) -> dict[str, Json]:
        entries = [one for one in content.get(listed) or [] if isinstance(one, dict) and one.get("name") == name]
        if not name or len(entries) != 1 or not isinstance(entries[0].get(what), dict):
            count = "no" if not entries else "not exactly one"
            raise errors.InputError(
                f"{self.title} has {count} {what} {name!r}.",
                remedy="Name a context that it has, or mend it: kubectl config get-contexts lists them.",
            )
        entry: dict[str, Json] = entries[0][what]
        return entry

    def _load(self, cluster: dict[str, Json], user: dict[str, Json]) -> client.Configuration:
        """What the package makes of the one cluster and user that count."""
        alone = {
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {name: value for name, value in user.items() if name != "exec"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        found = client.Configuration()
        try:
            KubeConfigLoader(config_dict=alone, config_base_path="").load_and_set(found)
        except (config.ConfigException, OSError, ValueError, TypeError, AttributeError) as error:
            raise errors.InputError(f"{self.title} cannot be used: {_harmless(error)}.", remedy=_REMEDY) from error
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class InCluster:
    """The service account of the Pod that this process runs in."""

    environ: Mapping[str, str] = field(repr=False)
    token_file: str = SERVICE_TOKEN_FILENAME
    ca_file: str = SERVICE_CERT_FILENAME
    clock: clock.Clock = field(default_factory=clock.SystemClock)

    def open(self) -> Access:
        """Read what the kubelet has put into the Pod.

        Raises:
            UnsupportedError: This process runs in no Pod, or in one without a service account.
        """
        found = client.Configuration()
        loader = InClusterConfigLoader(
            token_filename=self.token_file,
            cert_filename=self.ca_file,
            try_refresh_token=False,
            environ=dict(self.environ),
        )
        try:
            loader.load_and_set(found)
        except (config.ConfigException, OSError) as error:
            raise errors.UnsupportedError(
                f"Lockstep does not run in a cluster: {_harmless(error)}.",
                remedy="Run it in a Pod with a service account, or give the site a kubeconfig.",
            ) from error
        return _access(found, headers=(), until=self.clock.now() + dt.timedelta(seconds=_FILE_SECONDS))


def _content(data: bytes, title: str) -> dict[str, Json]:
    try:
        read = documents.read(data, file=title)
    except errors.DocumentError as error:
        # What its parser says may quote it, and it holds secrets.
        where = f" (line {error.line})" if error.line else ""
        raise errors.InputError(f"{title} is no YAML that can be read{where}.", remedy=_REMEDY) from None
    content = read[0].value if len(read) == 1 else None
    if not isinstance(content, dict):
        raise errors.InputError(f"{title} is not one YAML mapping.", remedy=_REMEDY)
    return content


def _mapped(content: Mapping[str, Json], title: str) -> None:
    for name in ("clusters", "contexts", "users"):
        if not isinstance(content.get(name) or [], list):
            raise errors.InputError(f"{title} says something else than a list in {name}.", remedy=_REMEDY)


def _refuse_strange(cluster: Mapping[str, Json], user: Mapping[str, Json], title: str) -> None:
    """What the package would do badly, or not at all and without a word."""
    server = urlsplit(str(cluster.get("server") or ""))
    if server.scheme not in ("http", "https") or not server.hostname or server.username or server.query:
        raise errors.InputError(
            f"{title} names no server that can be called.", remedy="Write it as https://host:port, without a password."
        )
    if "auth-provider" in user:
        raise errors.UnsupportedError(
            f"{title} uses an auth-provider, which Kubernetes gave up in 1.26.",
            remedy="Use the exec plugin that took its place, such as kubelogin.",
        )
    proxy = str(cluster.get("proxy-url") or "")
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise errors.UnsupportedError(
            f"{title} asks for a proxy that does not speak HTTP.", remedy="Give an http or https proxy in proxy-url."
        )
    if cluster.get("insecure-skip-tls-verify"):
        _log.warning("%s believes whoever answers (insecure-skip-tls-verify).", title)


def _acting_as(user: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """The headers of impersonation (documentation of Kubernetes, "User impersonation")."""
    single = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
    headers = [(name, str(value)) for name, value in single if value]
    headers += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or []]
    for name, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{quote(str(name), safe='')}", str(value)) for value in values]
    return tuple(headers)


def _located(entry: dict[str, Json], base: Path | None) -> dict[str, Json]:
    """An entry with its relative paths where they are.

    Raises:
        InputError: It has some, and did not come from a file.
    """
    names = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
    located = dict(entry)
    for name in names:
        path = entry.get(name)
        if not path or f"{name}-data" in entry:
            continue
        if base is None and not Path(str(path)).is_absolute():
            raise errors.InputError(
                f"The kubeconfig names {name} relative to a folder that it does not come from.",
                remedy=f"Give {name}-data, or a whole path.",
            )
        located[name] = str((base or Path("/")) / str(path))
    return located


@contextlib.contextmanager
def _in_memory(*entries: dict[str, Json]) -> Iterator[list[dict[str, Json]]]:
    """Entries whose ``-data`` are files that no disk ever sees."""
    with contextlib.ExitStack() as stack:
        replaced = []
        for entry in entries:
            own = dict(entry)
            for name in [name for name in entry if name.endswith("-data")]:
                own[name.removesuffix("-data")] = _memory_file(stack, name, own.pop(name))
            replaced.append(own)
        yield replaced


def _memory_file(stack: contextlib.ExitStack, name: str, encoded: Json) -> str:
    try:
        data = base64.b64decode(str(encoded), validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.InputError(f"{name} in the kubeconfig is no base64.", remedy=_REMEDY) from error
    descriptor = os.memfd_create("lockstep")
    file = stack.enter_context(os.fdopen(descriptor, "w+b"))
    file.write(data)
    file.flush()
    return f"/proc/self/fd/{descriptor}"


def _access(found: client.Configuration, *, headers: tuple[tuple[str, str], ...], until: dt.datetime | None) -> Access:
    server = str(found.host)
    token = found.api_key.get("BearerToken", "")
    if not token.isascii() or "\n" in token.strip():
        raise errors.InputError("The token is not one line of ASCII.", remedy="Store the token, and nothing else.")
    proxy = "" if should_bypass_proxies(server, found.no_proxy or "") else str(found.proxy or "")
    tls, digest = _tls(found) if server.startswith("https:") else (None, "")
    return Access(
        server=server,
        tls=tls,
        tls_digest=digest,
        server_name=str(found.tls_server_name or ""),
        proxy=proxy,
        headers=((("Authorization", token.strip()),) if token else ()) + headers,
        until=until,
    )


def _tls(found: client.Configuration) -> tuple[ssl.SSLContext, str]:
    """What to believe and to show, and a digest of it."""
    files = [found.ssl_ca_cert, found.cert_file, found.key_file]
    digest = hashlib.sha256(str(found.verify_ssl).encode())
    try:
        for file in files:
            digest.update(hashlib.sha256(Path(file).read_bytes() if file else b"").digest())
        context = ssl.create_default_context(cafile=found.ssl_ca_cert or None)
        if not found.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if found.cert_file:
            context.load_cert_chain(found.cert_file, found.key_file)
    except (ssl.SSLError, OSError) as error:
        raise errors.InputError(
            "A certificate or a key of the kubeconfig cannot be used.",
            remedy="Give PEM: a certificate authority, and a client certificate with its own key.",
        ) from error
    return context, digest.hexdigest()


def _harmless(error: Exception) -> str:
    """What the package says, when it says it without quoting a value."""
    text = str(error)
    return text if isinstance(error, config.ConfigException) and len(text) < 200 else type(error).__name__
