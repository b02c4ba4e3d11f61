"""Chats, by Apprise. A chat's address holds credentials: it is never logged and in no error."""

from __future__ import annotations

import logging
import warnings
from functools import cache
from typing import Protocol

import apprise
from pydantic import SecretStr

from workers.notices.wording import Wording

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0


class NotSent(Exception):
    """The receiver did not take a notice; it may later.

    `wait` is the receiver's own advice in seconds, if it gave one; after `within` seconds the notice is
    not worth another try; `without_effect` says that the receiver surely did nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        wait: float | None = None,
        within: float | None = None,
        without_effect: bool = False,
    ) -> None:
        super().__init__(message)
        self.wait = wait
        self.within = within
        self.without_effect = without_effect


class Channel(Protocol):
    """Somewhere to send notices."""

    def send(self, wording: Wording) -> None:
        """Send, or raise `NotSent`."""
        ...


class ChatChannel:
    """A chat that Apprise knows."""

    def __init__(self, name: str, url: SecretStr) -> None:
        self._name = name
        self._url = url

    def send(self, wording: Wording) -> None:
        """Send, or raise `NotSent`; gives up after a few seconds."""
        _prepare_apprise()
        chat = apprise.Apprise.instantiate(self._url.get_secret_value(), suppress_exceptions=True)
        if chat is None:
            raise NotSent(f"notices.{self._name}.url is no address that Apprise knows")
        # The address may ask for longer; a sender must never be kept that long.
        chat.socket_connect_timeout = min(float(chat.socket_connect_timeout), CONNECT_SECONDS)
        chat.socket_read_timeout = min(float(chat.socket_read_timeout), ANSWER_SECONDS)
        receiver = apprise.Apprise()
        receiver.add(chat)
        taken = receiver.notify(title=wording.title, body=wording.text, body_format=apprise.NotifyFormat.TEXT)
        if not taken:
            raise NotSent(f"notices.{self._name} did not take it (no connection, or not answered with 2xx)")


@cache
def _prepare_apprise() -> None:
    # It writes addresses, with their credentials, into its own log.
    logging.getLogger("apprise").disabled = True
    with warnings.catch_warnings():
        # Its plug-ins are loaded by the first address; one of them uses a module that Python 3.13 dropped.
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://127.0.0.1")
