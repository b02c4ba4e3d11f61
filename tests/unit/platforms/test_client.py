"""One call: where it goes, how long it may take, and who sees the token."""

from __future__ import annotations

import json
import socket
import threading
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.unit.platforms.conftest import API_URL, TOKEN, api_answered_by, raw_server
from workers.errors import Effect, PlatformError, Refused, TryAgain
from workers.platforms.calls import Call
from workers.platforms.client import ApiClient, Patience
from workers.platforms.redirects import next_hop
from workers.platforms.transport import http_client

TEAMS = Call("GET", "/teams", "list the teams", changes=False, wants_json=True)
CONNECT = Call("PUT", "/domain", "connect the domain", body={"/": [7]}, wants_json=True)
BASE = httpx.URL(API_URL)


def test_a_call_carries_the_token_and_its_body() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"ok": True})

    assert api_answered_by(answer).send(CONNECT) == {"ok": True}
    assert str(seen[0].url) == f"{API_URL}/domain"
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(seen[0].content) == {"/": [7]}


def test_a_redirect_to_a_data_centre_keeps_method_body_and_token() -> None:
    seen: list[tuple[str, str, bytes, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(
            (request.method, request.url.host, request.content, request.headers.get("authorization", ""))
        )
        if request.url.host == BASE.host:
            return httpx.Response(307, headers={"location": "https://5.cloud.example.com/api/domain"})
        return httpx.Response(200, json=[])

    api_answered_by(answer).send(CONNECT)

    first, second = seen
    assert second == (first[0], "5.cloud.example.com", first[2], first[3])


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.org/api",
        "https://evilcloud.example.com/api",
        "https://x5.cloud.example.com/api",
        "https://5.cloud.example.com.evil.org/",
        "https://5.6.cloud.example.com/",
        "http://cloud.example.com/api/domain",
        "https://cloud.example.com:8443/api",
        "https://me:pass@cloud.example.com/api",
        "//evil.example.org/",
        "https://[half",
        "",
    ],
)
def test_the_token_follows_nowhere_else(location: str) -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(308, headers={"location": location})

    with pytest.raises(Refused):
        api_answered_by(answer).send(CONNECT)
    assert hosts == [BASE.host]


@given(st.from_regex(r"[a-z0-9.@:/\\?#-]{1,40}", fullmatch=True))
def test_whatever_a_redirect_says_it_ends_on_our_hosts_or_is_refused(host: str) -> None:
    try:
        target = next_hop(BASE, BASE, 307, f"https://{host}")
    except Refused:
        return
    label, _, rest = target.host.partition(".")
    assert target.host == BASE.host or (label.isdigit() and rest == BASE.host)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_change_the_call_is_refused(status: int) -> None:
    with pytest.raises(Refused, match="api_url"):
        next_hop(BASE, BASE, status, "https://5.cloud.example.com/api")


def test_redirects_in_a_circle_end() -> None:
    hops = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal hops
        hops += 1
        return httpx.Response(307, headers={"location": f"{API_URL}/teams"})

    with pytest.raises(Refused, match="more than 10"):
        api_answered_by(answer).send(TEAMS)
    assert hops == 11


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        (httpx.ConnectError("refused"), Effect.NONE),
        (httpx.ConnectTimeout("slow"), Effect.NONE),
        (httpx.PoolTimeout("full"), Effect.NONE),
        (httpx.ReadTimeout("slow"), Effect.UNKNOWN),
        (httpx.ReadError("reset"), Effect.UNKNOWN),
        (httpx.WriteError("reset"), Effect.UNKNOWN),
        (httpx.RemoteProtocolError("closed"), Effect.UNKNOWN),
    ],
)
def test_a_lost_connection_tells_whether_the_change_may_have_happened(
    fault: httpx.TransportError, effect: Effect
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise fault

    api = api_answered_by(answer)
    with pytest.raises(TryAgain) as change:
        api.send(CONNECT)
    with pytest.raises(TryAgain) as look:
        api.send(TEAMS)

    assert (change.value.effect, look.value.effect) == (effect, Effect.NONE)


def test_one_call_is_sent_once_whatever_the_answer() -> None:
    for status in (429, 500, 503):
        calls = 0

        def answer(_: httpx.Request, status: int = status) -> httpx.Response:
            nonlocal calls
            calls += 1
            return httpx.Response(status, headers={"retry-after": "1"})

        with pytest.raises(TryAgain):
            api_answered_by(answer).send(TEAMS)
        assert calls == 1


def test_the_token_is_in_no_repr_and_no_error() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"title": "no", "detail": request.headers["authorization"]})

    api = api_answered_by(echo)
    with pytest.raises(PlatformError) as caught:
        api.send(CONNECT)

    for text in (repr(api), str(api), str(caught.value), repr(caught.value), repr(CONNECT)):
        assert TOKEN not in text


def test_cookies_of_the_platform_are_not_sent_back() -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, json=[], headers={"set-cookie": "route=old"})

    api = api_answered_by(answer)
    api.send(TEAMS)
    api.send(TEAMS)

    assert sent == [None, None]


def test_no_more_calls_than_places_go_out_at_once() -> None:
    inside, release = threading.Event(), threading.Event()

    def answer(_: httpx.Request) -> httpx.Response:
        inside.set()
        assert release.wait(10)
        return httpx.Response(200, json=[])

    api = api_answered_by(answer, concurrency=1, patience=Patience(queue=0.05))
    first = threading.Thread(target=api.send, args=(TEAMS,))
    first.start()
    assert inside.wait(10)
    try:
        with pytest.raises(TryAgain, match="concurrency") as caught:
            api.send(CONNECT)
    finally:
        release.set()
        first.join(10)

    assert caught.value.effect is Effect.NONE
    assert api.send(TEAMS) == []


def test_an_address_with_a_password_is_no_api_url() -> None:
    with pytest.raises(ValueError, match="api_url"):
        ApiClient(http_client(), "https://me:pass@cloud.example.com/api", SecretStr(TOKEN))


@pytest.mark.parametrize(
    ("api_url", "origin"),
    [
        ("https://Cloud.Example.com:443/api/", "https://cloud.example.com"),
        ("http://127.0.0.1:8123/api", "http://127.0.0.1:8123"),
    ],
)
def test_one_api_has_one_origin_however_it_is_spelled(api_url: str, origin: str) -> None:
    assert ApiClient(http_client(), api_url, SecretStr(TOKEN)).origin == origin


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_server_that_drips_does_not_hold_a_call_beyond_its_time(begin: bytes) -> None:
    def drip(connection: socket.socket, done: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(begin or b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not done.wait(0.02):
            connection.sendall(b"x")

    with raw_server(drip) as port, http_client() as http:
        api = ApiClient(http, f"http://127.0.0.1:{port}/api", SecretStr(TOKEN))
        started = time.monotonic()
        with pytest.raises(TryAgain) as caught:
            api.send(CONNECT, timeout=0.3)

    assert time.monotonic() - started < 2
    assert caught.value.effect is Effect.UNKNOWN


def test_a_real_connection_is_used_again_and_answers() -> None:
    connections = 0

    def serve(connection: socket.socket, done: threading.Event) -> None:
        nonlocal connections
        connections += 1
        connection.settimeout(5)
        while not done.is_set() and connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    with raw_server(serve) as port, http_client() as http:
        api = ApiClient(http, f"http://127.0.0.1:{port}/api", SecretStr(TOKEN))
        answers = [api.send(TEAMS) for _ in range(3)]

    assert answers == [[], [], []]
    assert connections == 1


def test_a_port_where_nobody_listens_had_no_effect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with http_client() as http, pytest.raises(TryAgain) as caught:
        ApiClient(http, f"http://127.0.0.1:{port}/api", SecretStr(TOKEN)).send(CONNECT)

    assert caught.value.effect is Effect.NONE
