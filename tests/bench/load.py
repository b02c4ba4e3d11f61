"""A lean HTTP load: prebuilt requests over so many kept connections, each answer timed.

One thread and bare sockets, so that the load takes as little as can be from what it measures.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ANSWER_SECONDS = 30.0
"""A server that answers nobody for so long is given up."""


@dataclass(frozen=True)
class Load:
    """What a load showed: answers a second, percentiles (ms), and answers other than 2xx."""

    rate: float
    p50_ms: float
    p99_ms: float
    failed: int


class _Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._answer = b""

    def send(self, request: bytes) -> None:
        """Send a request; it fits into the socket's buffer."""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Return the status once the answer is whole, else None."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed a connection in the middle of the load")
        self._answer += chunk
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head):
            return None
        self._answer = b""
        return int(head[9:12])


def send_all(port: int, requests: Sequence[bytes], *, connections: int) -> Load:
    """Send every request once, `connections` at a time, and measure."""
    queue = iter(requests)
    times: list[float] = []
    statuses: list[int] = []
    begun = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            _begin(selector, _Connection(port), queue)
        while selector.get_map():
            _serve(selector, queue, times, statuses)
    seconds = time.perf_counter() - begun
    times.sort()
    return Load(
        rate=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        failed=sum(not 200 <= each < 300 for each in statuses),
    )


def _begin(selector: selectors.BaseSelector, connection: _Connection, queue: Iterator[bytes]) -> None:
    request = next(queue, None)
    if request is None:
        connection.socket.close()
        return
    selector.register(connection.socket, selectors.EVENT_READ, connection)
    connection.send(request)


def _serve(
    selector: selectors.BaseSelector, queue: Iterator[bytes], times: list[float], statuses: list[int]
) -> None:
    ready = selector.select(ANSWER_SECONDS)
    if not ready:
        raise TimeoutError(f"no answer for {ANSWER_SECONDS:.0f} s")
    for key, _ in ready:
        connection: _Connection = key.data
        status = connection.receive()
        if status is None:
            continue
        times.append(time.perf_counter() - connection.sent_at)
        statuses.append(status)
        request = next(queue, None)
        if request is None:
            selector.unregister(connection.socket)
            connection.socket.close()
        else:
            connection.send(request)


def _content_length(head: bytes) -> int:
    _, name, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if name else 0
