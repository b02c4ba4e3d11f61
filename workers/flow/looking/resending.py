"""The host's own log of deliveries: what our hook did not take is sent again, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from workers.errors import Effect, Refused, TryAgain
from workers.flow.looking.places import Place
from workers.flow.ports import GitHost
from workers.releases.origin import Hook, HostDelivery, Offer

LOOKED_BACK_SECONDS = 3 * 86400.0
"""GitHub keeps its log for so long."""
OVERLAP_SECONDS = 300.0
"""An entry may appear in the log so long after its time."""
MOST_RESENT = 10
"""So many deliveries of a repository are sent again in one look at the most."""

log = logging.getLogger(__name__)


class LogStore(Protocol):
    """Where it stands what was sent again (`workers.store.sweeps.SweepStore`)."""

    def strangers(self, deliveries: Sequence[str]) -> list[str]:
        """Return those of the deliveries that the store does not know."""
        ...

    def mark_resent(self, host: str, delivery: str, now: float) -> bool:
        """Note that a delivery is being sent again at our wish; False when it was before."""
        ...

    def unmark_resent(self, host: str, delivery: str) -> None:
        """Note that a delivery was not sent again after all."""
        ...


class Resender:
    """Has hosts send again what failed."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._told: dict[str, str] = {}

    def send_again(
        self, host: GitHost, place: Place, public_url: str | None, read_until: str | None, now: float
    ) -> str:
        """Look through what the log has new, and ask for what failed; returns how far it is dealt with.

        `read_until` is what that was the last time. Raises `TryAgain` and `Gone`; a host that refuses, or
        has no log, is told of once, as the comparison of heads goes on without it.
        """
        if Offer.DELIVERIES not in host.offers:
            return read_until or ""
        if public_url is None:
            self._say(
                place.host,
                f"failed deliveries of {place.host} are not sent again: set server.public_url, by which our "
                "hook is known; branch heads are compared all the same",
            )
            return read_until or ""
        earliest = now - LOOKED_BACK_SECONDS
        since = max(earliest, float(read_until) - OVERLAP_SECONDS) if read_until else earliest
        try:
            hooks = host.hooks(place.repository)
            ours = _ours(hooks, f"{public_url.rstrip('/')}/webhooks/{place.host}")
            if not ours:
                what = f"{place.repository} has no hook that sends to {public_url}/webhooks/{place.host}"
                self._say(place.name, f"{what}: its log is not looked through")
            dealt_with = [self._of_hook(host, place, hook, since, now) for hook in ours]
        except Refused as error:
            self._say(place.name, f"failed deliveries of {place.repository} are not sent again: {error}")
            return read_until or ""
        return f"{now:.3f}" if all(dealt_with) else read_until or ""

    def _of_hook(self, host: GitHost, place: Place, hook: Hook, since: float, now: float) -> bool:
        """Ask for what a hook failed to bring; tells whether that was all."""
        failed = failed_in(host.deliveries(place.repository, hook.id, since))
        unknown = set(self._store.strangers([entry.delivery for entry in failed]))
        asked = 0
        for entry in failed:
            if entry.delivery not in unknown:
                continue
            if asked == MOST_RESENT:
                return False
            if self._ask(host, place, hook, entry, now):
                asked += 1
        return True

    def _ask(self, host: GitHost, place: Place, hook: Hook, entry: HostDelivery, now: float) -> bool:
        if not self._store.mark_resent(place.host, entry.delivery, now):
            return False
        try:
            host.redeliver(place.repository, hook.id, entry.id)
        except TryAgain as error:
            if error.effect is Effect.NONE:
                self._store.unmark_resent(place.host, entry.delivery)
            raise
        log.info(
            "%s was asked to send %s (%s of %s) again, which had failed",
            place.host,
            entry.delivery,
            entry.event,
            place.repository,
        )
        return True

    def _say(self, about: str, what: str) -> None:
        if self._told.get(about) != what:
            self._told[about] = what
            log.info("%s", what)


def failed_in(entries: Iterable[HostDelivery]) -> list[HostDelivery]:
    """Return the newest attempt of each delivery none of whose attempts went well, newest first; no pings.

    Newest first, so that what came before is known to be late when it comes.
    """
    newest: dict[str, HostDelivery] = {}
    well = set()
    for entry in entries:
        newest.setdefault(entry.delivery, entry)
        if entry.ok:
            well.add(entry.delivery)
    return [entry for name, entry in newest.items() if name not in well and entry.event != "ping"]


def _ours(hooks: Iterable[Hook], address: str) -> list[Hook]:
    wanted = _plain(address)
    return [hook for hook in hooks if hook.active and _plain(hook.address) == wanted]


def _plain(address: str) -> tuple[str, str, str]:
    parts = urlsplit(address)
    return parts.scheme.casefold(), parts.netloc.casefold(), parts.path.rstrip("/")
