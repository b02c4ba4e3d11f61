"""Following a release over a stream that breaks, against a server made of answers."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from bot import client as module
from bot.client import ApiError, Client, Unreachable

ANSWER = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.001)


def client(answer: ANSWER) -> Client:
    """Return a client whose server is a function."""
    return Client("http://bot.test", "token", transport=httpx.MockTransport(answer))


def stream(*numbers: int) -> httpx.Response:
    """Return a stream of events that breaks off after the last number."""
    text = "".join(f"id: {number}\nevent: note\ndata: {{}}\n\n" for number in numbers)
    return httpx.Response(200, text=text, headers={"Content-Type": "text/event-stream"})


def test_a_stream_that_breaks_is_taken_up_where_it_broke() -> None:
    streams = [stream(1, 2), stream(3)]
    asked: list[str | None] = []
    looks = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal looks
        if request.url.path.endswith("/events"):
            asked.append(request.headers.get("Last-Event-ID"))
            return streams.pop(0)
        looks += 1
        return httpx.Response(200, json={"status": "live" if len(asked) == 2 else "running"})

    with client(answer) as following:
        shown = list(following.follow("r"))

    assert asked == [None, "2"]
    assert [release["status"] for release in shown] == ["running", "running", "running", "live"]


def test_a_release_that_is_final_already_is_shown_once_and_not_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert not request.url.path.endswith("/events")
        return httpx.Response(200, json={"status": "failed"})

    with client(answer) as following:
        assert [release["status"] for release in following.follow("r")] == ["failed"]


def test_a_server_that_goes_away_for_a_moment_is_asked_again() -> None:
    tries = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        if not request.url.path.endswith("/events"):
            return httpx.Response(200, json={"status": "live" if tries > 2 else "queued"})
        tries += 1
        if tries < 3:
            raise httpx.ConnectError("refused")
        return stream(1)

    with client(answer) as following:
        assert [release["status"] for release in following.follow("r")] == ["queued", "live"]


def test_a_stream_that_never_says_anything_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RECONNECTS", 3)

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            stream()
            if request.url.path.endswith("/events")
            else httpx.Response(200, json={"status": "queued"})
        )

    with client(answer) as following, pytest.raises(Unreachable):
        list(following.follow("r"))


def test_a_token_that_is_refused_while_following_ends_it() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            return httpx.Response(401, json={"message": "gone"})
        return httpx.Response(200, json={"status": "queued"})

    with client(answer) as following, pytest.raises(ApiError, match="gone"):
        list(following.follow("r"))


def test_a_server_that_is_no_switchover_is_named() -> None:
    with (
        client(lambda _: httpx.Response(200, text="<html>")) as other,
        pytest.raises(ApiError, match=r"bot\.test"),
    ):
        other.get("/releases")
