"""Real API servers for benchmarks, where ``KUBEBUILDER_ASSETS`` names the programs, and a line that takes its time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lockstep.sites import cluster
from lockstep.topology import kinds, secrets
from tests.support import apiserver

_ASSETS = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nonexistent")


def are_there() -> bool:
    """Whether there is anything to measure; says so when there is not."""
    if is_real():
        return True
    print("left out: KUBEBUILDER_ASSETS names no etcd and kube-apiserver")
    return False


def is_real() -> bool:
    """Whether there are real API servers."""
    return apiserver.is_there(_ASSETS)


@contextlib.contextmanager
def started(folder: Path, count: int) -> Iterator[list[apiserver.RealServer]]:
    """So many servers."""
    with contextlib.ExitStack() as stack:
        servers = []
        for number in range(count):
            own = folder / f"server-{number}"
            own.mkdir()
            servers.append(stack.enter_context(apiserver.started(_ASSETS, own)))
        yield servers


@contextlib.contextmanager
def lagging(server: apiserver.RealServer, file: Path, *, seconds: float) -> Iterator[Path]:
    """A kubeconfig of a server whose answers take so much longer, as on a line of that length."""
    port = server.url.rpartition(":")[2]
    command = [sys.executable, "-m", "benchmarks._servers", port, str(seconds)]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert proxy.stdout is not None
    try:
        content = json.loads(server.kubeconfig().read_text())
        content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.stdout.readline().strip()}"
        file.touch(mode=0o600)
        file.write_text(json.dumps(content))
        yield file
    finally:
        proxy.kill()
        proxy.wait()


def opened(kubeconfig: Path) -> cluster.KubernetesCluster:
    """The door to a server, as a site's configuration opens it."""
    end = kinds.ClusterEnd(kubeconfig=kinds.SecretRef(file=str(kubeconfig)))
    return cluster.open_cluster(end, reader=secrets.Reader(Path("/"), {}), path=Path)


async def _proxy(port: int, seconds: float) -> None:
    """Pass everything on, each way half of the time later, without holding up what comes after it."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await reader.read(2**16):
                loop.call_later(seconds / 2, writer.write, data)
        loop.call_later(seconds / 2, writer.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_proxy(int(sys.argv[1]), float(sys.argv[2])))
