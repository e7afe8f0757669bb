"""A real sshd, with keys made for it, that lets one key run git."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import tools


@dataclass(frozen=True, slots=True)
class Sshd:
    """The server, and what a client needs to be let in."""

    host: str
    """``user@127.0.0.1:port``, for ``ssh://``."""
    key: str
    """The private key that is let in."""
    stranger: str
    """A private key that is not."""
    known_hosts: str
    lfs: Path
    """A file with the answer to ``git-lfs-authenticate``; the command is not known while there is none."""
    asked: Path
    """The commands that asked for it, a line each."""


@contextmanager
def serve(folder: Path) -> Iterator[Sshd]:
    """Serve while the block lasts. Commands run as the user that runs the tests: git's own, and LFS's question."""
    folder.mkdir(mode=0o700)
    keys = {name: _key(folder / name) for name in ("host", "client", "stranger")}
    forced, lfs, asked = folder / "forced", folder / "lfs", folder / "asked"
    forced.write_text(_FORCED.format(lfs=lfs, asked=asked))
    forced.chmod(0o755)
    (folder / "authorized").write_text(f'restrict,command="{forced}" {keys["client"]}')
    config = folder / "config"
    config.write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n"
        "PermitRootLogin prohibit-password\nAcceptEnv GIT_PROTOCOL\nLogLevel QUIET\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, config))
        thread.start()
        port = listener.getsockname()[1]
        try:
            yield Sshd(
                host=f"{pwd.getpwuid(os.geteuid()).pw_name}@127.0.0.1:{port}",
                key=(folder / "client").read_text(),
                stranger=(folder / "stranger").read_text(),
                known_hosts=f"[127.0.0.1]:{port} {keys['host']}",
                lfs=lfs,
                asked=asked,
            )
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, config: Path) -> None:
    """One sshd for each connection, as inetd does it: there is no port to guess and nothing to wait for."""
    started: list[subprocess.Popen[bytes]] = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # the test is over
            break
        with connection:
            started.append(
                subprocess.Popen(
                    [str(tools.find("sshd")), "-i", "-f", str(config)],
                    stdin=connection.fileno(),
                    stdout=connection.fileno(),
                    stderr=subprocess.DEVNULL,
                )
            )
    for server in started:
        server.wait(60)


# git-shell runs git's own commands and nothing else, whatever the client asks for.
_FORCED = """#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
git-lfs-authenticate*)
    echo "$SSH_ORIGINAL_COMMAND" >> "{asked}"
    exec cat "{lfs}" ;;
esac
exec git shell -c "$SSH_ORIGINAL_COMMAND"
"""


def _key(file: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)], check=True)
    return file.with_suffix(".pub").read_text()
