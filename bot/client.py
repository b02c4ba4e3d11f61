"""The API as a program on another machine sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
from httpx_sse import SSEError, connect_sse

JSON = dict[str, Any]

TIMEOUT: Final = httpx.Timeout(15.0)
STREAM_TIMEOUT: Final = httpx.Timeout(15.0, read=40.0)
"""A stream says something every ten seconds; one that is silent for longer is dead."""
RECONNECT_SECONDS: Final = 1.0
MOST_RECONNECTS: Final = 120
"""So many times in a row without one event, a stream is begun again before it is given up."""
FINAL: Final = frozenset({"live", "failed", "cancelled", "superseded", "rolled_back", "replaced"})


class ApiError(Exception):
    """The server refused; `status` and `envelope` are its own words."""

    def __init__(self, status: int, envelope: JSON) -> None:
        super().__init__(str(envelope.get("message") or f"the server answered {status}"))
        self.status = status
        self.envelope = envelope


class Unreachable(Exception):
    """No answer came from the address."""


class Client:
    """Calls the API. Raises `ApiError` and `Unreachable`."""

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int | None) -> JSON:
        """Return what stands at a path."""
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", path, params=wanted)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> JSON:
        """Ask for something; members of the body that are None are left out."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._call("POST", path, json=_stated(body or {}), headers=headers)

    def put(self, path: str, body: Mapping[str, Any]) -> JSON:
        """Set something."""
        return self._call("PUT", path, json=_stated(body))

    def delete(self, path: str) -> JSON:
        """Take something away; returns an empty document."""
        return self._call("DELETE", path)

    def follow(self, release_id: str) -> Iterator[JSON]:
        """Yield the release now and whenever something happened to it, until it is final.

        A stream that breaks is taken up again where it broke.
        """
        release = self.get(f"/releases/{release_id}")
        yield release
        seen, in_vain = "", 0
        while release["status"] not in FINAL:
            before = seen
            for number in self._events(release_id, seen):
                seen = number or seen
                release = self.get(f"/releases/{release_id}")
                yield release
                if release["status"] in FINAL:
                    return
            in_vain = 0 if seen != before else in_vain + 1
            if in_vain > MOST_RECONNECTS:
                raise Unreachable(f"the events of release {release_id} broke off at {self.url}")
            time.sleep(RECONNECT_SECONDS)
            release = self.get(f"/releases/{release_id}") if in_vain == 0 else release

    def _events(self, release_id: str, seen: str) -> Iterator[str]:
        """Yield the number of each event; ends when the stream does, however that comes."""
        headers = {"Last-Event-ID": seen} if seen else {}
        path = f"/releases/{release_id}/events"
        try:
            with connect_sse(self._http, "GET", path, headers=headers, timeout=STREAM_TIMEOUT) as source:
                if source.response.status_code in (401, 402, 403, 404):
                    source.response.read()
                    _check(source.response)
                if source.response.status_code == 200:
                    for event in source.iter_sse():
                        yield event.id
        except (httpx.TransportError, SSEError):
            return

    def _call(self, method: str, path: str, **more: Any) -> JSON:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise Unreachable(f"no answer from {self.url}: {error or type(error).__name__}") from None
        _check(answer)
        if answer.status_code == 204:
            return {}
        return _document(answer)


def _check(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise ApiError(answer.status_code, _document(answer))


def _document(answer: httpx.Response) -> JSON:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ApiError(answer.status_code, {"message": f"{answer.url.host} is not a Switchover (no JSON)"})
    return document


def _stated(body: Mapping[str, Any]) -> JSON:
    return {name: value for name, value in body.items() if value is not None}
