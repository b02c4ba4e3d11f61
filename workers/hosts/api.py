"""Sends one call to a Git host's API and says what became of it.

There is no retry and no sleep here: whoever calls has the one retry layer. What a host asks for is kept:
after "too many calls" none goes out until the time is over. The token goes to the configured address
and nowhere else.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Final, TypeVar

import httpx
from pydantic import SecretStr

from config.values import is_loopback
from workers.errors import Effect, PlatformError, Refused, TryAgain
from workers.hosts.api_answers import (
    effect_of,
    is_from_api,
    meaning,
    parsed,
    printable,
    quiet_asked,
    unusable,
)
from workers.hosts.api_calls import Answer, Call
from workers.releases.origin import Offer

LARGEST_BODY: Final = 5 * 1024 * 1024
MOST_PAGES: Final = 10
PAGE: Final = 100
"""Entries per page, the most that GitHub and GitLab give."""

_MOST_HOPS: Final = 3
_LARGEST_FAULT: Final = 64 * 1024
_WHOLE_CALL: Final = 30.0
_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

T = TypeVar("T")
U = TypeVar("U")


class HostApi:
    """One Git host's API over the process's HTTP client. Safe for many threads.

    `ValueError` for an address that would show the token to the network, and for a token that no header
    can carry.
    """

    def __init__(
        self,
        http: httpx.Client,
        api_url: str,
        token: SecretStr,
        *,
        scheme: str = "Bearer",
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._base = _safe_base(api_url)
        self._token = token
        key = token.get_secret_value()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the token of a Git host is empty or has characters that no header can carry")
        self._scheme = scheme
        self._headers = dict(headers or {})
        self._clock = clock
        self._lock = threading.Lock()
        self._quiet_until = float("-inf")

    def __repr__(self) -> str:
        return f"HostApi({str(self._base)!r})"

    @property
    def host(self) -> str:
        """Return the name of the machine, for messages."""
        return self._base.host

    def ask(self, call: Call, shape: type[T]) -> T:
        """Make the call and read its answer into the shape."""
        return self.read(call, self.answer(call), shape)

    def find(self, call: Call, shape: type[T], *, absent: Collection[int] = (404,)) -> T | None:
        """Make the call; None where the API answers one of the `absent` statuses."""
        answer = self.answer(call, also=absent)
        return None if answer.status in absent else self.read(call, answer, shape)

    def read(self, call: Call, answer: Answer, shape: type[T]) -> T:
        """Read a good answer into the shape, or raise `TryAgain`."""
        return parsed(call, answer, shape, self.host)

    def pages(
        self,
        call: Call,
        shape: type[T],
        entries: Callable[[T], Sequence[U]],
        *,
        size: tuple[str, int] = ("per_page", PAGE),
        absent: Collection[int] = (),
        more: Callable[[T], bool] | None = None,
    ) -> tuple[list[U], bool]:
        """Return the entries of at most ten pages, and whether these were all.

        `size` is the parameter for the size of a page, and that size. There are no entries where the API
        answers one of the `absent` statuses. `more` tells whether a page is not the last; without it the
        Link header does, and without one a page that is full.
        """
        found: list[U] = []
        for page in range(1, MOST_PAGES + 1):
            asked = call.asking(**{size[0]: size[1], "page": page})
            answer = self.answer(asked, also=absent)
            if answer.status in absent:
                return found, True
            content = self.read(asked, answer, shape)
            new = entries(content)
            found += new
            if more is not None:
                goes_on = more(content)
            elif answer.names_pages:
                goes_on = answer.next_page("page") is not None
            else:
                goes_on = len(new) >= size[1]
            if not goes_on:
                return found, True
        return found, False

    def answer(self, call: Call, *, also: Collection[int] = ()) -> Answer:
        """Make the call once; return a good answer, or the API's own with one of the statuses in `also`.

        Errors: `TryAgain`, `Refused`, `Gone`.
        """
        left = self._quiet_left()
        if left > 0:
            raise TryAgain(
                f"could not {call.purpose}: {self.host} asked not to be called for another {left:.0f} s",
                wait=left,
                effect=Effect.NONE,
            )
        answer = self._follow(call)
        self._note_quiet(answer)
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        if answer.status in also and is_from_api(answer):
            return answer
        raise self.meaning(call, answer)

    def meaning(self, call: Call, answer: Answer) -> PlatformError:
        """Build the error that a failing answer stands for."""
        return meaning(call, answer, self.host, (self._token.get_secret_value(),), time.time())

    def _follow(self, call: Call) -> Answer:
        deadline = self._clock() + _WHOLE_CALL
        url = httpx.URL(f"{self._base}{call.target}")
        for _ in range(_MOST_HOPS + 1):
            answer = self._send(call, url, deadline)
            if not HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
                return answer
            url = self._next_hop(call, url, answer)
        raise Refused(f"could not {call.purpose}: {self.host} redirected more than {_MOST_HOPS} times")

    def _next_hop(self, call: Call, url: httpx.URL, answer: Answer) -> httpx.URL:
        what = f"could not {call.purpose}: {call.method} {call.path} at {self.host} answered {answer.status}"
        if call.changes:
            raise Refused(f"{what}; was the repository renamed? Only reads follow: ask by its id or new name")
        try:
            target = url.join(answer.headers["location"]).copy_with(fragment=None)
        except (KeyError, httpx.InvalidURL):
            raise Refused(f"{what} and points to nothing that is a web address") from None
        if not _is_below(self._base, target):
            raise Refused(
                f"{what} and points to {printable(target.host)}, outside {self._base}, where the token does"
                " not go; if the API lives there now, set api_url to it"
            )
        return target

    def _send(self, call: Call, url: httpx.URL, deadline: float) -> Answer:
        # The request is built by hand so that nothing of the client (cookies, its own headers) gets in.
        content = b"" if call.body is None else json.dumps(call.body).encode()
        request = httpx.Request(call.method, url, headers=self._request_headers(call), content=content)
        request.extensions["timeout"] = _TIMEOUT.as_dict()
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
        except httpx.TransportError as error:
            raise self._failed(call, error) from None
        try:
            body = self._body(call, response, deadline)
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)

    def _request_headers(self, call: Call) -> dict[str, str]:
        headers = {
            "Authorization": f"{self._scheme} {self._token.get_secret_value()}",
            "Accept": "application/json",
            # A compressed body could be a thousand times the size that was read.
            "Accept-Encoding": "identity",
            "User-Agent": "switchover",
            **self._headers,
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def _body(self, call: Call, response: httpx.Response, deadline: float) -> bytes:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise unusable(call, self.host, "in an encoding that was not asked for")
        parts, size = [], 0
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if not response.is_success and size > _LARGEST_FAULT:
                    break
                if size > LARGEST_BODY:
                    raise self._too_large(call)
                if self._clock() > deadline:
                    raise unusable(call, self.host, f"slower than {_WHOLE_CALL:.0f} s")
        except httpx.TransportError as error:
            raise self._failed(call, error) from None
        return b"".join(parts)

    def _too_large(self, call: Call) -> PlatformError:
        why = f"the body is larger than {LARGEST_BODY // 1024**2} MiB"
        if call.changes:
            return unusable(call, self.host, why)
        return Refused(
            f"could not {call.purpose}: {call.method} {call.path} at {self.host} answered, but {why}"
        )

    def _failed(self, call: Call, error: Exception) -> TryAgain:
        effect = Effect.NONE if isinstance(error, _NOT_SENT) else effect_of(call)
        why = printable(f"{type(error).__name__} {error}", (self._token.get_secret_value(),))
        return TryAgain(
            f"could not {call.purpose}: {call.method} {call.path} at {self.host} got no answer ({why})",
            effect=effect,
        )

    def _quiet_left(self) -> float:
        with self._lock:
            return self._quiet_until - self._clock()

    def _note_quiet(self, answer: Answer) -> None:
        seconds = quiet_asked(answer, time.time())
        if seconds is not None:
            with self._lock:
                self._quiet_until = max(self._quiet_until, self._clock() + seconds)


def not_offered(host: str, offer: Offer) -> Refused:
    """Build the error for what a host has no API for."""
    return Refused(f"{host} has no API for {offer}; nothing that needs it can be used with this host")


def _safe_base(api_url: str) -> httpx.URL:
    base = httpx.URL(api_url.rstrip("/"))
    if not base.host or base.userinfo or base.query or base.fragment:
        raise ValueError("api_url must be a web address without user name, password, query and fragment")
    if base.scheme != "https" and not (base.scheme == "http" and is_loopback(base.host)):
        raise ValueError("api_url must be https, except for loopback addresses: it would show the token")
    return base


def _is_below(base: httpx.URL, target: httpx.URL) -> bool:
    same_origin = (target.scheme, target.host, target.port) == (base.scheme, base.host, base.port)
    path = base.path.rstrip("/")
    return same_origin and not target.userinfo and target.path.startswith(f"{path}/")
