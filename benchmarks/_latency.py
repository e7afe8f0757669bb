"""``python -m benchmarks._latency PORT MILLISECONDS [MEGABITS]``: a relay on loopback: a registry far away behind it.

It prints the port that it listens on. Every byte waits half of the round trip in each direction; as many as
come meanwhile wait with it, so that the line is long and not narrow. With megabits each second it is narrow too: all
connections share them, in each direction.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

_CHUNK = 2**18
# What a narrow line has taken in and not yet let out, as that of a router.
_AHEAD_SECONDS = 0.05


class _Direction:
    """One direction of the line: how long every byte takes, and when the last one that was let in is out."""

    def __init__(self, seconds: float, bytes_a_second: float) -> None:
        self._seconds = seconds
        self._rate = bytes_a_second
        self._out_at = 0.0
        self._entry = asyncio.Lock()
        self.chunk = _CHUNK if bytes_a_second == float("inf") else 2**14

    async def take(self, size: int) -> float:
        """Let so many bytes in, once there is room; when they arrive."""
        loop = asyncio.get_running_loop()
        async with self._entry:
            await asyncio.sleep(max(0.0, self._out_at - _AHEAD_SECONDS - loop.time()))
            self._out_at = max(self._out_at, loop.time()) + size / self._rate
            return self._out_at + self._seconds


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Direction) -> None:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)

    async def deliver() -> None:
        while True:
            at, data = await waiting.get()
            if at > loop.time():
                await asyncio.sleep(at - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    delivering = asyncio.create_task(deliver())
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(line.chunk):
            await waiting.put((await line.take(len(data)), data))
    await waiting.put((await line.take(0), b""))
    with contextlib.suppress(ConnectionError):
        await delivering


async def _serve(port: int, seconds: float, bytes_a_second: float) -> None:
    there, back = (_Direction(seconds, bytes_a_second) for _ in range(2))

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near_reader, near_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, near_writer, there), _carry(near_reader, writer, back))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    _megabits = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 2000, _megabits * 10**6 / 8))
