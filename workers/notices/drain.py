"""Sends what waits in the outbox: in order, at least once, each receiver for itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from workers.notices.channels import Channel, NotSent
from workers.notices.wording import worded
from workers.releases.reports import project_of

FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
MOST_TRIES = 50
LONGEST_LIFE = 24 * 3600.0
TURN_SECONDS = 5.0
"""A task sends no further notice after this, so that other work gets its turn."""

log = logging.getLogger(__name__)


class Entry(Protocol):
    """A notice that waits."""

    @property
    def body(self) -> dict[str, Any]:
        """Return the notice as it was written."""
        ...

    @property
    def tries(self) -> int:
        """Return how often it was tried in vain."""
        ...


Kept = TypeVar("Kept", bound=Entry)


class Outbox(Protocol[Kept]):
    """Where notices wait."""

    def take(self, receiver: str) -> Kept | None:
        """Take the oldest notice of a receiver, unless somebody sends it now."""
        ...

    def sent(self, entry: Kept) -> int:
        """Take it off; returns how many are left."""
        ...

    def again(self, entry: Kept, wait: float) -> None:
        """Try again after `wait` seconds."""
        ...

    def now(self) -> float:
        """Return the store's time in seconds."""
        ...


class Reports(Protocol):
    """What tells Git hosts (`workers.notices.reporter.Reporter`)."""

    def send(self, body: Mapping[str, Any]) -> None:
        """Tell, or raise `NotSent`."""
        ...


class Drain:
    """Sends the notices of one receiver per call, and never waits between two tries.

    `channel` returns the channel of a chat, or None when it is not configured; `reports` tells Git hosts.
    """

    def __init__(
        self, outbox: Outbox[Kept], channel: Callable[[str], Channel | None], reports: Reports | None = None
    ) -> None:
        self._outbox: Outbox[Any] = outbox
        self._channel = channel
        self._reports = reports

    def drain(self, receiver: str) -> None:
        """Send what waits for a receiver, oldest first, until one fails; raises only `StoreAway`.

        A notice that fails is tried again after 1, 2, 4 ... at most 300 s, and given up, with a log line,
        after 50 tries or when it is a day old (where its body has `at`, seconds since 1970). A receiver
        may ask for a longer pause, and say that a notice is not worth trying for so long.
        """
        ends_at = time.monotonic() + TURN_SECONDS
        while time.monotonic() < ends_at:
            entry = self._outbox.take(receiver)
            if entry is None or not self._settle(receiver, entry):
                return

    def _settle(self, receiver: str, entry: Entry) -> bool:
        """Send one notice or put it off; tells whether the next one may follow."""
        try:
            self._send(receiver, entry)
        except NotSent as error:
            return self._put_off(receiver, entry, error)
        return self._outbox.sent(entry) > 0

    def _send(self, receiver: str, entry: Entry) -> None:
        if project_of(receiver) is not None:
            if self._reports is not None:
                self._reports.send(entry.body)
            return
        channel = self._channel(receiver)
        if channel is None:
            log.warning("a notice is given up: the configuration has no notices.%s any more", receiver)
            return
        channel.send(worded(entry.body))

    def _put_off(self, receiver: str, entry: Entry, error: NotSent) -> bool:
        tries = entry.tries + 1
        if tries >= MOST_TRIES or self._age(entry) >= (error.within or LONGEST_LIFE):
            known = ("kind", "project", "number", "releases")
            about = {name: entry.body[name] for name in known if name in entry.body}
            log.error(
                "a notice to %s is given up after %d tries: %s; it was %s", receiver, tries, error, about
            )
            return self._outbox.sent(entry) > 0
        wait = max(error.wait or 0.0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(entry.tries, 16)))
        log.warning("a notice to %s was not sent, next try in %.0f s: %s", receiver, wait, error)
        self._outbox.again(entry, wait)
        return False

    def _age(self, entry: Entry) -> float:
        written_at = entry.body.get("at")
        return self._outbox.now() - written_at if isinstance(written_at, int | float) else 0.0
