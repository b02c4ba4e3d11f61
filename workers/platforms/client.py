"""Sends one call to a platform's API and says what became of it.

There is no retry loop and no sleep here: the engine's set of due times is the one retry layer, so a
worker is never held while a platform is slow or away, and a killed worker loses no try.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
from pydantic import SecretStr

from workers.errors import Effect, Refused, TryAgain
from workers.platforms.answers import decipher, effect_of, printable, unusable
from workers.platforms.calls import JSON, NO_BODY, Call
from workers.platforms.redirects import MOST_HOPS, is_redirect, next_hop
from workers.platforms.transport import seconds_left, while_time_is_left, within

_LARGEST_BODY = 32 * 1024 * 1024
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait for a platform, in seconds.

    A call ends after `connect` + `read` (`slow` for creating, pulling and deploying) in all, however its
    server drips. `queue` is the wait for one of the `concurrency` places.
    """

    connect: float = 10.0
    read: float = 30.0
    slow: float = 90.0
    queue: float = 10.0

    def total(self, call: Call) -> float:
        """Return the longest that the whole call may take."""
        return self.connect + (self.slow if call.slow else self.read)


class ApiClient:
    """One platform's API over the process's HTTP client. Safe for many threads."""

    def __init__(
        self,
        http: httpx.Client,
        api_url: str,
        token: SecretStr,
        *,
        patience: Patience | None = None,
        concurrency: int = 10,
    ) -> None:
        self._http = http
        self._base = httpx.URL(api_url.rstrip("/"))
        if not self._base.host or self._base.userinfo:
            raise ValueError("api_url must be a web address without user name and password")
        self._token = token
        self._patience = patience or Patience()
        self._places = threading.BoundedSemaphore(concurrency)

    def __repr__(self) -> str:
        return f"ApiClient({str(self._base)!r})"

    @property
    def origin(self) -> str:
        """Scheme, host and port of the API, as one name; a default port is left out."""
        port = f":{self._base.port}" if self._base.port else ""
        return f"{self._base.scheme}://{self._base.host}{port}"

    @property
    def token(self) -> SecretStr:
        """The key, still masked."""
        return self._token

    def send(self, call: Call, *, timeout: float | None = None) -> JSON:
        """Make the call once; return its JSON, or None for actions.

        `timeout` bounds the call in all, waiting for a place included (default: the patience for its
        kind). Errors: `TryAgain`, `Refused`, `Asleep`, `Gone`.
        """
        with within(timeout if timeout is not None else self._patience.total(call)):
            with self.open(call) as response:
                body = self.read_body(call, response)
            return decipher(self._guarded(call), response.status_code, response.headers, body)

    @contextmanager
    def open(
        self, call: Call, *, accept: str = "application/json", idle: float | None = None
    ) -> Iterator[httpx.Response]:
        """Make the call, redirects followed, and hand out the answer before its body is read.

        `idle` is the longest silence while reading, in seconds (default: the patience for its kind).
        """
        with self._place(call):
            response = self._follow(call, accept, idle)
            try:
                yield response
            finally:
                response.close()

    @contextmanager
    def _place(self, call: Call) -> Iterator[None]:
        wait = max(0.0, seconds_left(self._patience.queue) or 0.0)
        if not self._places.acquire(timeout=wait):
            raise TryAgain(
                f"could not {call.purpose}: all places for calls to {self._base.host} were taken for"
                f" {wait:.0f} s; raise the platform's concurrency if this goes on",
                effect=Effect.NONE,
            )
        try:
            yield
        finally:
            self._places.release()

    def _follow(self, call: Call, accept: str, idle: float | None) -> httpx.Response:
        url = httpx.URL(f"{self._base}{call.path}")
        for _ in range(MOST_HOPS + 1):
            response = self._send_once(call, url, accept, idle)
            if not is_redirect(response.status_code):
                return response
            response.close()
            url = next_hop(self._base, url, response.status_code, response.headers.get("location"))
        raise Refused(f"could not {call.purpose}: {self._base.host} redirected more than {MOST_HOPS} times")

    def _send_once(self, call: Call, url: httpx.URL, accept: str, idle: float | None) -> httpx.Response:
        # The request is built by hand so that nothing of the client (cookies, its own headers) gets in.
        headers = {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Accept": accept,
            "User-Agent": "switchover",
        }
        content = b""
        if call.body is not NO_BODY:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body).encode()
        request = httpx.Request(call.method, url, headers=headers, content=content)
        request.extensions["timeout"] = self._timeout(call, idle)
        try:
            return self._http.send(request, stream=True, follow_redirects=False)
        except httpx.TransportError as error:
            raise self._failed(call, error) from None

    def _timeout(self, call: Call, idle: float | None) -> dict[str, float | None]:
        read = seconds_left(idle or (self._patience.slow if call.slow else self._patience.read))
        connect = seconds_left(self._patience.connect)
        read, connect = (max(0.001, value or 0.0) for value in (read, connect))
        return httpx.Timeout(read, connect=connect, pool=connect).as_dict()

    def read_body(self, call: Call, response: httpx.Response) -> bytes:
        """Read the body of an opened call, bounded in size and time."""
        parts, size = [], 0
        try:
            for part in while_time_is_left(response.iter_bytes()):
                parts.append(part)
                size += len(part)
                if size > _LARGEST_BODY:
                    raise unusable(call, f"the body is larger than {_LARGEST_BODY} bytes")
        except (httpx.TransportError, httpx.DecodingError) as error:
            if not call.wants_json and response.is_success:
                return b""  # the action was answered; nothing of its body is used
            raise self._failed(call, error) from None
        return b"".join(parts)

    def _failed(self, call: Call, error: Exception) -> TryAgain:
        effect = Effect.NONE if isinstance(error, _NOT_SENT) else effect_of(call)
        why = printable(f"{type(error).__name__} {error}", (self._token.get_secret_value(),))
        return TryAgain(
            f"could not {call.purpose}: {call.method} {call.path} at {self._base.host} got no answer ({why})",
            effect=effect,
        )

    def _guarded(self, call: Call) -> Call:
        return replace(call, secrets=(*call.secrets, self._token.get_secret_value()))
