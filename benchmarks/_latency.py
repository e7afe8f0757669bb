"""``python -m benchmarks._latency PORT MILLISECONDS``: a relay on loopback behind which a registry is far away.

It prints the port that it listens on. Every byte waits half of the round trip in each direction; as many as
come meanwhile wait with it, so that the line is long and not narrow.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

_CHUNK = 2**18


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
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
        while data := await reader.read(_CHUNK):
            await waiting.put((loop.time() + seconds, data))
    await waiting.put((loop.time() + seconds, b""))
    with contextlib.suppress(ConnectionError):
        await delivering


async def _serve(port: int, seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near_reader, near_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, near_writer, seconds), _carry(near_reader, writer, seconds))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 2000))
