"""``python -m benchmarks._watchers HOST PORT PATH TOKEN COUNT``: clients that read a stream of events.

It prints a line when all of them have the first bytes of their stream, and the number of events that they have received
when all streams have ended.
"""

from __future__ import annotations

import asyncio
import resource
import sys


async def _watch(host: str, port: int, path: str, token: str, ready: asyncio.Semaphore) -> int:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 14)
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    writer.write(head.encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise RuntimeError(f"no stream: {status.decode()}")
    while await reader.readline() != b"\r\n":
        pass
    ready.release()
    events = 0
    while line := await reader.readline():
        events += line.startswith(b"id: ")
        if line == b"0\r\n":  # the last chunk
            break
    writer.close()
    return events


async def _main(host: str, port: int, path: str, token: str, count: int) -> None:
    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_watch(host, port, path, token, ready)) for _ in range(count)]
    for _ in range(count):
        await ready.acquire()
    print("ready", flush=True)
    print(sum(await asyncio.gather(*tasks)), flush=True)


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    host, port, path, token, count = sys.argv[1:]
    asyncio.run(_main(host, int(port), path, token, int(count)))
