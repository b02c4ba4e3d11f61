"""The sandbox behind an httpx client: real drivers and real probers, no sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx

from sandbox.core import Request, Response, Sandbox

API_ORIGIN = "http://codesphere.sandbox"
API_URL = f"{API_ORIGIN}/api"


class SandboxTransport(httpx.BaseTransport):
    """Sends what goes to the API's host into `Sandbox.handle`, everything else to its gateway.

    `sleep` waits out a scripted latency; one that exceeds the caller's read time-out becomes
    httpx.ReadTimeout after that time-out, with the call's effect done.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        api_url: str = API_URL,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sandbox = sandbox
        self.api_url = httpx.URL(api_url)
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise what httpx would raise."""
        response = ask(self.sandbox, self.api_url, request, request.read())
        self._sleep(waiting_time(request, response))
        if response.fault is not None and response.fault.kind == "open":
            stream = EndlessStream(request, response.body, self._sleep)
            return httpx.Response(response.status, headers=response.headers, stream=stream)
        return as_httpx(request, response)


class AsyncSandboxTransport(httpx.AsyncBaseTransport):
    """The same for httpx.AsyncClient."""

    def __init__(self, sandbox: Sandbox, *, api_url: str = API_URL) -> None:
        self.sandbox = sandbox
        self.api_url = httpx.URL(api_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise what httpx would raise."""
        response = ask(self.sandbox, self.api_url, request, await request.aread())
        await asyncio.sleep(waiting_time(request, response))
        if response.fault is not None and response.fault.kind == "open":
            stream = EndlessStream(request, response.body, time.sleep)
            return httpx.Response(response.status, headers=response.headers, stream=stream)
        return as_httpx(request, response)


class EndlessStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Gives its text, then nothing more until the reader's patience is over."""

    def __init__(self, request: httpx.Request, text: bytes, sleep: Callable[[float], None]) -> None:
        self._request = request
        self._text = text
        self._sleep = sleep

    def __iter__(self) -> Iterator[bytes]:
        """The text, then ReadTimeout."""
        yield self._text
        self._sleep(_read_timeout(self._request) or 0)
        raise httpx.ReadTimeout("The stream stays open and silent.", request=self._request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The text, then ReadTimeout."""
        yield self._text
        await asyncio.sleep(_read_timeout(self._request) or 0)
        raise httpx.ReadTimeout("The stream stays open and silent.", request=self._request)


def ask(sandbox: Sandbox, api_url: httpx.URL, request: httpx.Request, body: bytes) -> Response:
    """The sandbox's answer to an httpx request."""
    raw = request.url.raw_path.decode("ascii")
    headers = dict(request.headers)
    if not _is_api(request.url, api_url):
        host = request.headers.get("host", request.url.netloc.decode("ascii"))
        return sandbox.serve(host, raw, headers)
    path, _, _ = raw.partition("?")
    base = api_url.path.rstrip("/")
    query = dict(request.url.params)
    return sandbox.handle(Request(request.method, path.removeprefix(base) or "/", query, headers, body))


def waiting_time(request: httpx.Request, response: Response) -> float:
    """Seconds until the caller has its answer or gives up."""
    patience = _read_timeout(request)
    return response.delay if patience is None else min(response.delay, patience)


def as_httpx(request: httpx.Request, response: Response) -> httpx.Response:
    """The answer as httpx gives it, or the exception that httpx raises."""
    patience = _read_timeout(request)
    kind = response.fault.kind if response.fault else ""
    if kind == "timeout" or (patience is not None and response.delay > patience):
        raise httpx.ReadTimeout("The sandbox did not answer in time.", request=request)
    if kind == "reset":
        raise httpx.ReadError("The sandbox reset the connection.", request=request)
    if kind == "refused":
        raise httpx.ConnectError("The sandbox refused the connection.", request=request)
    headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
    return httpx.Response(response.status, headers=headers, content=response.body, request=request)


def _read_timeout(request: httpx.Request) -> float | None:
    timeouts = request.extensions.get("timeout", {})
    value = timeouts.get("read")
    return float(value) if value is not None else None


def _is_api(url: httpx.URL, api_url: httpx.URL) -> bool:
    host, api_host = url.host, api_url.host
    datacenter, _, rest = host.partition(".")
    is_host = host == api_host or (datacenter.isdigit() and rest == api_host)
    base = api_url.path.rstrip("/")
    return is_host and url.port == api_url.port and f"{url.path}/".startswith(f"{base}/")
