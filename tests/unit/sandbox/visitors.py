"""Visitors at a constant rate, on kept connections, cheap enough to share a machine with."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Visits:
    """What the visitors met: bodies by count, faults in words, seconds of each answer."""

    bodies: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.seconds)

    def percentile(self, share: float) -> float:
        return sorted(self.seconds)[int(share * (self.count - 1))]


class Visitors:
    """`connections` visitors who together send `rate` requests a second, while in the context."""

    def __init__(self, port: int, path: str, *, rate: int, connections: int = 8) -> None:
        self.visits = Visits()
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._pause = connections / rate
        self._connections = connections
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self) -> Visits:
        self._thread.start()
        return self.visits

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join(20)

    async def _all(self) -> None:
        await asyncio.gather(*(self._one(i) for i in range(self._connections)))

    async def _one(self, index: int) -> None:
        due = time.monotonic() + self._pause * index / self._connections
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not self._stopped.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += self._pause
            begun = time.monotonic()
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", self._port)
                async with asyncio.timeout(5):
                    await self._visit(*streams)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.visits.faults.append(repr(error))
                streams = None
            self.visits.seconds.append(time.monotonic() - begun)
        if streams is not None:
            streams[1].close()
            await streams[1].wait_closed()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = (await reader.readexactly(length)).decode()
        if not head.startswith("http/1.1 200 "):
            raise ValueError(head.splitlines()[0])
        self.visits.bodies[body] += 1
