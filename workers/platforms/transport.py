"""An HTTP transport that keeps a total deadline, also against a server that drips its answer.

httpx's time-outs count anew with every read, so one byte a second holds a worker for ever. Here each
read and write of a socket gets no more than what is left of the deadline of the thread that does it.
Not bounded: the look-up of a name, and several addresses behind one name are each tried in turn.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

_HTTPX_WORDS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
)

_HTTPCORE_ERRORS = tuple(known for known, _ in _HTTPX_WORDS)

_current = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound all that this thread sends and receives inside the block, over a `DeadlineTransport`."""
    former: float | None = getattr(_current, "deadline", None)
    deadline = time.monotonic() + seconds
    _current.deadline = deadline if former is None else min(former, deadline)
    try:
        yield
    finally:
        _current.deadline = former


def seconds_left(limit: float | None) -> float | None:
    """Return the smaller of `limit` and what is left of this thread's deadline (None: no bound)."""
    deadline: float | None = getattr(_current, "deadline", None)
    if deadline is None:
        return limit
    left = deadline - time.monotonic()
    return left if limit is None else min(limit, left)


def while_time_is_left(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the chunks on; `httpx.ReadTimeout` once this thread's deadline has passed, over any transport."""
    for chunk in chunks:
        yield chunk
        left = seconds_left(None)
        if left is not None and left <= 0:
            raise httpx.ReadTimeout("the deadline has passed")


class _Stream(httpcore.NetworkStream):
    """A socket whose every operation knows the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = seconds_left(timeout)
        if left is not None and left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = seconds_left(timeout)
        if left is not None and left <= 0:
            raise httpcore.WriteTimeout("the deadline has passed")
        self._inner.write(buffer, left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = seconds_left(timeout)
        if left is not None and left <= 0:
            raise httpcore.ConnectTimeout("the deadline has passed")
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens sockets that know the deadline."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = seconds_left(timeout)
        if left is not None and left <= 0:
            raise httpcore.ConnectTimeout("the deadline has passed")
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Body(httpx.SyncByteStream):
    """An answer's body, its errors in httpx's words."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _in_httpx_words():
            yield from self._response.iter_stream()

    def close(self) -> None:
        with _in_httpx_words():
            self._response.close()


class DeadlineTransport(httpx.BaseTransport):
    """HTTP/1.1 over a pool of connections, bounded by `within`. Safe for many threads."""

    def __init__(self, *, connections: int = 100, ssl_context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=20,
            # Shorter than the 5 s after which common servers drop an idle connection: a call that meets
            # a connection being closed ends with an unknown outcome.
            keepalive_expiry=3.0,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request once and return the answer with its body still to be read."""
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.read(),
            extensions=request.extensions,
        )
        with _in_httpx_words():
            answer = self._pool.handle_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def http_client(*, connections: int = 100, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Make the process's HTTP client: deadlines kept, no cookies, no redirects.

    Cookies would stick production's probes to one version; a visitor who comes anew has none.
    """
    return httpx.Client(
        transport=transport or DeadlineTransport(connections=connections),
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


@contextmanager
def _in_httpx_words() -> Iterator[None]:
    try:
        yield
    except _HTTPCORE_ERRORS as error:
        for known, told in _HTTPX_WORDS:
            if isinstance(error, known):
                raise told(str(error)) from error
        raise
