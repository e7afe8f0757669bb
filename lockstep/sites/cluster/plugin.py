"""Programs that give credentials: ``exec`` in a kubeconfig.

Source: documentation of Kubernetes, "client-go credential plugins". A plugin is as trusted as the kubeconfig
that names it, and gets the environment that Lockstep was started with, as it would from kubectl. It gets a minute,
nobody to ask, and dies with the work that needed it.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from lockstep import children, errors
from lockstep.values import Json

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_SECONDS = 60.0
_MOST_BYTES = 2**20
# Credentials are asked for again a little before they end.
_SKEW = dt.timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a plugin gave: entries of a kubeconfig's user, and until when (None: for good)."""

    user: dict[str, Json] = field(repr=False)
    until: dt.datetime | None


def run(spec: Json, *, cluster: Mapping[str, Json], base: Path | None, environ: Mapping[str, str]) -> Given:
    """Run a plugin.

    Args:
        spec: ``exec`` of a kubeconfig's user.
        cluster: The cluster that it is for, as the kubeconfig has it.
        base: The folder of the kubeconfig.
        environ: The environment.

    Raises:
        InputError: ``exec`` is not what it should be.
        UnsupportedError: It wants to talk to a person.
        MissingToolError: There is no such program.
        UnauthorisedError: It gave no credentials.
    """
    argv, variables = _checked(spec)
    info: dict[str, Json] = {"interactive": False}
    if spec.get("provideClusterInfo"):
        info["cluster"] = _told(cluster, base)
    request = {"apiVersion": spec["apiVersion"], "kind": "ExecCredential", "spec": info}
    program = argv[0]
    # As client-go: a path is looked for beside the kubeconfig, a bare name in PATH.
    if "/" in program and base is not None:
        program = str(base / program)
    done = children.run(
        children.Command(
            argv=[program, *argv[1:]],
            env={**environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(request)},
            timeout_seconds=_SECONDS,
            most_bytes=_MOST_BYTES,
        )
    )
    if done.code or done.timed_out or done.cut:
        # What it wrote may hold a secret.
        how = "took longer than a minute" if done.timed_out else f"ended with the code {done.code}"
        raise errors.UnauthorisedError(
            f"The plugin {argv[0]}, which gives the credentials, {how}.",
            remedy=str(spec.get("installHint") or "Run it by hand as Lockstep's user.")[:500],
        )
    return _given(done.out, argv[0], spec["apiVersion"])


def _checked(spec: Json) -> tuple[list[str], dict[str, str]]:
    remedy = "Write it as kubectl understands it: command, apiVersion, and interactiveMode that is not Always."
    if not isinstance(spec, dict) or not spec.get("command") or spec.get("apiVersion") not in _VERSIONS:
        raise errors.InputError("exec in the kubeconfig lacks its command or a version that is known.", remedy=remedy)
    if spec.get("interactiveMode") == "Always":
        raise errors.UnsupportedError("The kubeconfig's plugin wants to talk to a person.", remedy=remedy)
    args, env = spec.get("args") or [], spec.get("env") or []
    if not isinstance(args, list) or not isinstance(env, list) or not all(isinstance(one, dict) for one in env):
        raise errors.InputError("exec in the kubeconfig has args or env that are no lists.", remedy=remedy)
    variables = {str(one.get("name", "")): str(one.get("value", "")) for one in env}
    return [str(spec["command"]), *(str(one) for one in args)], variables


def _told(cluster: Mapping[str, Json], base: Path | None) -> dict[str, Json]:
    """The cluster as a plugin is told of it: certificates always as data, wherever they are."""
    names = {
        "server": "server",
        "tls-server-name": "tls-server-name",
        "insecure-skip-tls-verify": "insecure-skip-tls-verify",
        "certificate-authority-data": "certificate-authority-data",
        "proxy-url": "proxy-url",
    }
    told = {name: cluster[ours] for ours, name in names.items() if ours in cluster}
    authority = cluster.get("certificate-authority")
    if authority and "certificate-authority-data" not in told:
        told["certificate-authority-data"] = _read((base or Path("/")) / str(authority))
    for extension in cluster.get("extensions") or []:
        if isinstance(extension, dict) and extension.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = extension.get("extension")
    return told


def _read(file: Path) -> str:
    try:
        return base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise errors.InputError(
            f"The certificate authority {file} cannot be read: {error.strerror}.", remedy="Mend the kubeconfig."
        ) from error


def _given(out: bytes, program: str, version: str) -> Given:
    try:
        said = orjson.loads(out)
    except orjson.JSONDecodeError:
        said = None
    status = said.get("status") if isinstance(said, dict) and said.get("apiVersion") == version else None
    if not isinstance(status, dict):
        raise errors.UnauthorisedError(
            f"The plugin {program} did not answer with an ExecCredential of {version}.",
            remedy="Let the kubeconfig ask for the version that the plugin speaks.",
        )
    user: dict[str, Json] = {}
    if status.get("token"):
        user["token"] = str(status["token"])
    for name, ours in (("clientCertificateData", "client-certificate-data"), ("clientKeyData", "client-key-data")):
        if status.get(name):
            user[ours] = base64.b64encode(str(status[name]).encode()).decode()
    if "token" not in user and len(user) != 2:
        raise errors.UnauthorisedError(
            f"The plugin {program} gave neither a token nor a certificate with its key.",
            remedy="Sign in with it again.",
        )
    return Given(user=user, until=_until(status.get("expirationTimestamp")))


def _until(text: Json) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) - _SKEW if moment is not None and moment.tzinfo is not None else None
