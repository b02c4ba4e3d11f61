"""A constant load of visitors at production, each answer kept with its time and the commit that gave it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass
from types import TracebackType

CONNECTIONS = 8


@dataclass(frozen=True)
class Visit:
    """One request: when it was sent (monotonic seconds), its status (0: no answer), and who answered."""

    sent: float
    status: int
    commit: str | None


class Visitors:
    """Sends `rate` requests a second, on a fixed clock, from a thread of its own, while the block lasts."""

    def __init__(self, port: int, *, rate: float, path: str = "/version") -> None:
        self.visits: list[Visit] = []
        self._port = port
        self._every = CONNECTIONS / rate
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="visitors")

    def __enter__(self) -> Visitors:
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(30)
        self.seconds = time.monotonic() - self._begun

    @property
    def rate(self) -> float:
        """Return the requests a second that were really sent."""
        return len(self.visits) / self.seconds

    @property
    def failed(self) -> list[Visit]:
        """Return every visit that did not get an answer of 200 from a known commit."""
        return [visit for visit in self.visits if visit.status != 200 or visit.commit is None]

    async def _run(self) -> None:
        await asyncio.gather(*(self._visit(number) for number in range(CONNECTIONS)))

    async def _visit(self, number: int) -> None:
        """Keep one connection busy; a new one only when the server closed the last between two answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        due = time.monotonic() + number * self._every / CONNECTIONS
        while not self._ending.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))  # the clock of the load
            due += self._every
            sent = time.monotonic()
            try:
                visit, stays = await asyncio.wait_for(self._ask(reader, writer, sent), 10)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                visit, stays = Visit(sent, 0, None), False
            self.visits.append(visit)
            if not stays:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.close()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: float
    ) -> tuple[Visit, bool]:
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
        }
        body = await reader.readexactly(int(lines.get("content-length", "0")))
        status = int(head[9:12])
        commit = json.loads(body)["commit"] if status == 200 else None
        return Visit(sent, status, commit), lines.get("connection", "").lower() != "close"
