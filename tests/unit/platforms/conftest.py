"""A client of an API whose answers a test writes, and real servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from pydantic import SecretStr

from workers.platforms.client import ApiClient, Patience
from workers.platforms.transport import http_client

TOKEN = "full-power-key-1234"
API_URL = "https://cloud.example.com/api"

Answerer = Callable[[httpx.Request], httpx.Response]


def api_answered_by(
    answer: Answerer, *, concurrency: int = 10, patience: Patience | None = None
) -> ApiClient:
    http = http_client(transport=httpx.MockTransport(answer))
    return ApiClient(http, API_URL, SecretStr(TOKEN), concurrency=concurrency, patience=patience)


@contextmanager
def raw_server(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """Serve each connection on a thread by `behave`, until the block ends; yields the port."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection, done)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)
