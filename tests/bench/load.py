"""A lean HTTP load: prebuilt requests over so many kept connections, each answer timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What a load showed: answers a second, percentiles (ms), and answers other than 2xx."""

    rate: float
    p50_ms: float
    p99_ms: float
    failed: int


def send_all(port: int, requests: Sequence[bytes], *, connections: int) -> Load:
    """Send every request once, `connections` at a time, and measure."""
    return asyncio.run(_send_all(port, requests, connections))


async def _send_all(port: int, requests: Sequence[bytes], connections: int) -> Load:
    queue = iter(requests)
    times: list[float] = []
    statuses: list[int] = []
    begun = time.perf_counter()
    await asyncio.gather(*(_connection(port, queue, times, statuses) for _ in range(connections)))
    seconds = time.perf_counter() - begun
    times.sort()
    return Load(
        rate=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        failed=sum(not 200 <= each < 300 for each in statuses),
    )


async def _connection(port: int, queue: Iterator[bytes], times: list[float], statuses: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in queue:
        sent = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _content_length(head)
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - sent)
        statuses.append(int(head[9:12]))
    writer.close()
    await writer.wait_closed()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
