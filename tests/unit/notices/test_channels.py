from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from workers.notices.channels import ChatChannel, NotSent
from workers.notices.wording import Wording

WORDING = Wording("shop #1 is live", "Release #1 of shop serves production now.")


class Chat(ThreadingHTTPServer):
    """A chat that notes what it is sent and answers as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ChatHandler)
        self.answer = 200
        self.taken: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"json://tell-nobody:s3cr3t-password@127.0.0.1:{self.server_port}/hook"


class ChatHandler(BaseHTTPRequestHandler):
    server: Chat

    def do_POST(self) -> None:
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[Chat]:
    server = Chat()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_chat_gets_title_and_text(chat: Chat) -> None:
    ChatChannel("team", SecretStr(chat.url)).send(WORDING)

    assert [(each["title"], each["message"]) for each in chat.taken] == [(WORDING.title, WORDING.text)]


@pytest.mark.parametrize("answer", [400, 403, 429, 500])
def test_a_chat_that_answers_badly_has_not_taken_it(chat: Chat, answer: int) -> None:
    chat.answer = answer

    with pytest.raises(NotSent, match=r"notices\.team did not take it"):
        ChatChannel("team", SecretStr(chat.url)).send(WORDING)


def test_a_chat_that_is_not_there_has_not_taken_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(NotSent):
            ChatChannel("team", SecretStr(url)).send(WORDING)


def test_an_address_that_means_nothing_is_named_by_its_key_alone() -> None:
    with pytest.raises(NotSent) as error:
        ChatChannel("team", SecretStr("nonsense://s3cr3t-password")).send(WORDING)

    assert str(error.value) == "notices.team.url is no address that Apprise knows"


def test_no_log_line_and_no_error_shows_the_address(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chat.answer = 500
    channel = ChatChannel("team", SecretStr(chat.url))

    with pytest.raises(NotSent) as error:
        channel.send(WORDING)

    shown = f"{caplog.text} {error.value!r} {error.value.__cause__!r} {channel!r} {vars(channel)!r}"
    assert "s3cr3t" not in shown
    assert "tell-nobody" not in shown
