"""The double as tests see it: a server that runs, its users, its faults, and what it holds."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import apiserver, certificates
from tests.support.kubernetes_double import releases, seeds, watching
from tests.support.kubernetes_double.api import Api
from tests.support.kubernetes_double.faults import Faults
from tests.support.kubernetes_double.server import Background, listening
from tests.support.kubernetes_double.storage import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """A double that runs: an ``apiserver.Server`` with some things that no real one lets a test do."""

    title: str
    url: str
    folder: Path
    store: Store = field(repr=False)
    """What is stored; ``store.compact()`` makes every continue token and every older revision expire."""
    faults: Faults = field(repr=False)
    background: Background = field(repr=False)
    """What the server does by itself (CRDs become established); ``background.held()`` holds it up."""
    api: Api = field(repr=False)
    ended: threading.Event = field(repr=False)
    """Set when the server ends; a test that sets it earlier ends every watch."""
    authority: certificates.Authority | None = field(repr=False, default=None)

    def kubeconfig(self, user: str = "admin") -> Path:
        """As ``apiserver.Server`` says: with a token, or over TLS with a certificate."""
        file = self.folder / f"{user.replace(':', '-')}.kubeconfig"
        if file.exists():
            return file
        where: dict[str, str] = {"server": self.url}
        who: dict[str, str] = {}
        if self.authority:
            client = self.authority.client(user)
            where["certificate-authority-data"] = _encoded(self.authority.own.certificate)
            who = {
                "client-certificate-data": _encoded(client.certificate),
                "client-key-data": _encoded(client.key),
            }
        else:
            who = {"token": self.api.token(user)}
        file.write_text(json.dumps(apiserver.kubeconfig(user, cluster=where, user=who)))
        return file


# Seconds until the server does what it does by itself, such as serving a new CRD: nobody finds it done at once.
_LATER = 0.1


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


@contextlib.contextmanager
def serving(
    folder: Path,
    *,
    tls: bool = True,
    bookmark_seconds: float = 1.0,
    seed: int = 0,
    release: releases.Release | None = None,
) -> Iterator[Double]:
    """Run a double while the block lasts.

    Args:
        folder: Where kubeconfigs and certificates go.
        tls: Over TLS, where users have certificates (made with openssl); else over HTTP, where they have tokens, which
            ``kubectl`` and other clients in Go do not send.
        bookmark_seconds: How often a watch sends a bookmark.
        seed: What chances of faults come from.
        release: Which server it plays; the newest that it knows by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store, faults, ended = Store(), Faults(seed=seed), threading.Event()
    seeds.sow(store)
    background = Background(delay=_LATER)
    pace = watching.Pace(bookmark_seconds=bookmark_seconds, ended=ended)
    played = release or releases.Release()
    api = Api(store, pace=pace, later=background.later, release=played)
    authority = certificates.authority(folder) if tls else None
    with listening(api, faults, authority) as url:
        title = f"double of kube-apiserver {played.git_version}"
        yield Double(
            title=title,
            url=url,
            folder=folder,
            store=store,
            faults=faults,
            background=background,
            api=api,
            ended=ended,
            authority=authority,
        )
        ended.set()
        background.end()
