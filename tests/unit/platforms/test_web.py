"""Asking a web address as a visitor would."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.platforms.conftest import Answerer, raw_server
from workers.errors import Refused, TryAgain
from workers.flow.ports import Web
from workers.platforms.transport import http_client
from workers.platforms.web import HttpWeb


def web_answered_by(answer: Answerer) -> Web:
    return HttpWeb(http_client(transport=httpx.MockTransport(answer)))


def test_an_answer_is_handed_on_whatever_its_status() -> None:
    answer = web_answered_by(lambda _: httpx.Response(503, text="closed")).get("http://x.example/", timeout=1)

    assert (answer.status, answer.body) == (503, "closed")
    assert answer.seconds >= 0


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    hosts: list[str] = []

    def sign_in(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(303, headers={"location": "https://login.example/"})

    answer = web_answered_by(sign_in).get("https://x.example/", timeout=1, headers={"X-Key": "secret"})

    assert answer.status == 303
    assert hosts == ["x.example"]


def test_a_visitor_brings_no_cookies_and_keeps_no_connection() -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, headers={"set-cookie": "sticky=old"})

    web = web_answered_by(answer)
    web.get("http://x.example/", timeout=1)
    web.get("http://x.example/", timeout=1, headers={"X-Key": "1"})

    assert all("cookie" not in headers and headers["connection"] == "close" for headers in seen)
    assert seen[1]["x-key"] == "1"


@pytest.mark.parametrize("packed", [False, True])
def test_no_more_than_256_kib_of_a_body_are_kept(packed: bool) -> None:
    whole = b"a" * 5_000_000
    headers = {"content-encoding": "gzip"} if packed else {}
    body = gzip.compress(whole) if packed else whole

    answer = web_answered_by(lambda _: httpx.Response(200, headers=headers, stream=_Stream(body)))

    assert answer.get("http://x.example/", timeout=5).body == "a" * 256 * 1024


class _Stream(httpx.SyncByteStream):
    """A body as it comes over the wire, still packed."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.body), 65536):
            yield self.body[at : at + 65536]


@pytest.mark.parametrize("charset", ["utf-8", "no-such-charset", "latin-1"])
def test_bytes_that_are_no_text_are_read_all_the_same(charset: str) -> None:
    headers = {"content-type": f"text/html; charset={charset}"}

    answer = web_answered_by(lambda _: httpx.Response(200, headers=headers, content=b"ok \xff\xfe"))

    assert answer.get("http://x.example/", timeout=1).body.startswith("ok ")


@pytest.mark.parametrize("url", ["", "shop.example.com", "ftp://x/", "http://"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="no web address"):
        web_answered_by(lambda _: httpx.Response(200)).get(url, timeout=1)


def test_the_headers_are_in_no_error() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"reset by {request.headers['x-key']}")

    with pytest.raises(TryAgain) as caught:
        web_answered_by(broken).get("http://x.example/", timeout=1, headers={"X-Key": "secret-key"})
    assert "secret-key" not in str(caught.value)


@pytest.mark.parametrize(
    "begin",
    [b"", b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
    ids=["silent", "headers", "body"],
)
def test_a_server_that_drips_or_is_silent_is_left_in_time(begin: bytes) -> None:
    def drip(connection: socket.socket, done: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(begin)
        while not done.wait(0.02):
            connection.sendall(b"x" if begin else b"")

    with raw_server(drip) as port, http_client() as http:
        started = time.monotonic()
        with pytest.raises(TryAgain):
            HttpWeb(http).get(f"http://127.0.0.1:{port}/", timeout=0.3)

    assert time.monotonic() - started < 2


def test_a_server_that_drips_and_then_falls_silent_gets_no_second_helping() -> None:
    def drip(connection: socket.socket, done: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        until = time.monotonic() + 1.2
        while time.monotonic() < until and not done.wait(0.02):
            connection.sendall(b"x")
        done.wait(10)

    with raw_server(drip) as port, http_client() as http:
        started = time.monotonic()
        with pytest.raises(TryAgain):
            HttpWeb(http).get(f"http://127.0.0.1:{port}/", timeout=1.5)

        assert time.monotonic() - started < 2.3


def test_the_client_gathers_no_cookies() -> None:
    set_cookie = {"set-cookie": "sticky=old"}
    http = http_client(transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=set_cookie)))

    HttpWeb(http).get("http://x.example/", timeout=1)

    assert list(http.cookies.jar) == []
