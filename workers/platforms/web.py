"""Asks web addresses as a visitor would: once, anew, following nothing."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress

import httpx

from workers.errors import Effect, Refused, TryAgain
from workers.platforms.answers import printable
from workers.platforms.transport import while_time_is_left, within
from workers.releases.places import Answer

_MOST_BYTES = 256 * 1024
_AUTO_DETECT_GZIP_AND_ZLIB = 47


class HttpWeb:
    """The web over the process's HTTP client, as a `Web`. Safe for many threads.

    Each question opens a connection of its own: a kept one that the server closes meanwhile would count
    as an outage that no visitor sees. `clock` counts seconds and never goes back.
    """

    def __init__(self, http: httpx.Client, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._http = http
        self._clock = clock

    def get(self, url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once and return the answer, its body cut at 256 KiB.

        `TryAgain` when there is none within `timeout` seconds in all, `Refused` when `url` is no web
        address. `seconds` runs from before the connection to the end of what was read.
        """
        request = _request(url, timeout, headers or {})
        started = self._clock()
        try:
            with within(timeout):
                response = self._http.send(request, stream=True, follow_redirects=False)
                try:
                    raw = _read(response)
                finally:
                    response.close()
        except httpx.TransportError as error:
            why = printable(f"{type(error).__name__} {error}", tuple((headers or {}).values()))
            raise TryAgain(f"{url} gave no answer within {timeout:g} s ({why})", effect=Effect.NONE) from None
        return Answer(response.status_code, _text(response, raw), self._clock() - started)


def _request(url: str, timeout: float, headers: Mapping[str, str]) -> httpx.Request:
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL:
        raise Refused(f"{url!r} is no web address") from None
    if target.scheme not in {"http", "https"} or not target.host:
        raise Refused(f"{url!r} is no web address; it must begin with https:// or http://")
    sent = {
        "User-Agent": "switchover",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-cache",
        "Connection": "close",
        **headers,
    }
    return httpx.Request(
        "GET", target, headers=sent, extensions={"timeout": httpx.Timeout(timeout).as_dict()}
    )


def _read(response: httpx.Response) -> bytes:
    if response.is_stream_consumed:  # an in-process transport gives the body whole
        return response.content[:_MOST_BYTES]
    body = b""
    for chunk in while_time_is_left(response.iter_raw()):
        body += chunk
        if len(body) >= _MOST_BYTES:
            break
    return body[:_MOST_BYTES]


def _text(response: httpx.Response, raw: bytes) -> str:
    if response.headers.get("content-encoding", "").lower() in {"gzip", "x-gzip", "deflate"}:
        # We asked for none; where one came anyway, no more is unpacked than would have been read.
        with suppress(zlib.error):
            raw = zlib.decompressobj(_AUTO_DETECT_GZIP_AND_ZLIB).decompress(raw, _MOST_BYTES)
    try:
        return raw.decode(response.charset_encoding or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")
