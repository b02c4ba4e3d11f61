"""The tasks: look at a release, send a receiver's notices, and carry an inquiry on."""

from __future__ import annotations

import logging
from typing import Protocol

from celery import Celery

from workers.errors import StoreAway
from workers.queue import ADVANCE, INQUIRE, SEND_NOTICES

log = logging.getLogger(__name__)


class Engine(Protocol):
    """Moves releases."""

    def advance(self, release_id: str) -> None:
        """Move a release on as far as it goes now; raises nothing but `StoreAway`."""
        ...


class Draining(Protocol):
    """Sends notices."""

    def drain(self, receiver: str) -> None:
        """Send what waits for a receiver; raises nothing but `StoreAway`."""
        ...


class Inquiring(Protocol):
    """Finds out what a decision waits for."""

    def look(self, inquiry: str) -> None:
        """Carry an inquiry on as far as it goes now; raises nothing but `StoreAway`."""
        ...


def register(app: Celery, engine: Engine, drain: Draining, inquirer: Inquiring) -> None:
    """Give the app its tasks. What a task could not do is due again by itself."""

    def advance(release_id: str) -> None:
        try:
            engine.advance(release_id)
        except StoreAway as error:
            log.debug("release %s: %s", release_id, error)

    def send_notices(receiver: str) -> None:
        try:
            drain.drain(receiver)
        except StoreAway as error:
            log.debug("notices for %s: %s", receiver, error)

    def inquire(inquiry: str) -> None:
        try:
            inquirer.look(inquiry)
        except StoreAway as error:
            log.debug("inquiry %s: %s", inquiry, error)

    app.task(advance, name=ADVANCE)
    app.task(send_notices, name=SEND_NOTICES)
    app.task(inquire, name=INQUIRE)
