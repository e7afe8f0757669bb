"""Secrets that the configuration refers to, in the cluster that Lockstep runs in."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites.cluster.access import Kubeconfig
from lockstep.sites.cluster.own import OwnSecrets
from lockstep.topology import kinds, secrets
from tests.support import apiserver

pytestmark = pytest.mark.cluster


@pytest.fixture
def own(server: apiserver.Server, namespace: str, tmp_path: Path) -> Iterator[OwnSecrets]:
    """Reads as a Pod in the test's namespace would, though with the admin's kubeconfig."""
    (tmp_path / "namespace").write_text(f"{namespace}\n")
    source = Kubeconfig(read=server.kubeconfig().read_bytes, title="The kubeconfig", base=None, context="", environ={})
    opened = OwnSecrets(source, namespace=tmp_path / "namespace")
    yield opened
    opened.close()


def _ref(name: str, key: str, namespace: str | None = None) -> kinds.KubernetesSecretRef:
    return kinds.KubernetesSecretRef(name=name, key=key, namespace=namespace)


def test_a_key_is_read_from_our_own_namespace_or_a_named_one(
    admin: apiserver.Admin, namespace: str, own: OwnSecrets
) -> None:
    """Byte for byte."""
    data = {"token": base64.b64encode(b"\x00 secret\n").decode()}
    admin.create(f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": "keys"}, "data": data})
    assert own(_ref("keys", "token")) == b"\x00 secret\n"
    assert own(_ref("keys", "token", namespace)) == b"\x00 secret\n"
    reader = secrets.Reader(Path("/"), {}, kubernetes=own)
    assert reader.text(kinds.SecretRef(kubernetesSecret=_ref("keys", "token"))) == "\x00 secret"
    with pytest.raises(errors.NotFoundError, match="no key other"):
        own(_ref("keys", "other"))
    with pytest.raises(errors.NotFoundError, match="no Secret missing"):
        own(_ref("missing", "token"))


def test_outside_a_pod_nobody_knows_our_namespace(tmp_path: Path, own: OwnSecrets) -> None:
    """It has to be named."""
    (tmp_path / "namespace").unlink()
    with pytest.raises(errors.UnsupportedError, match="in which namespace"):
        own(_ref("keys", "token"))
