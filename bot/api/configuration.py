"""Reading the configuration again, in every process of the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import ReloadView
from bot.envelope import Problem
from config.faults import ConfigurationError
from config.settings import Settings

AT_START: Final[Mapping[str, Callable[[Settings], object]]] = {
    "server.host": lambda settings: settings.server.host,
    "server.port": lambda settings: settings.server.port,
    "server.trusted_proxies": lambda settings: settings.server.trusted_proxies,
    "redis": lambda settings: settings.redis,
    "state_dir": lambda settings: settings.state_dir,
    "log": lambda settings: settings.log,
}
"""What a process looks at only once, when it starts."""


def reload(call: Call) -> Reply:
    """Read the file anew here, and have every other process do so; a faulty one is refused whole."""
    live, store = call.services.settings, call.services.store
    store.generation()  # a store that is away is told before anything has changed
    before = live.current
    try:
        live.reload()
    except ConfigurationError as error:
        raise Problem(
            422, "The configuration was not reloaded; the old one stays.", detail=str(error)
        ) from None
    after = live.current
    return Reply(
        ReloadView(
            generation=store.renew_generation(),
            projects=sorted(after.projects),
            needs_restart=[name for name, part in AT_START.items() if part(before) != part(after)],
        )
    )


ENDPOINTS = (
    Endpoint(
        "POST", "/api/v1/reload", "Read the configuration again, in every process", "configuration", "admin",
        reload, answer=ReloadView, refusals=(401, 402, 403, 422),
    ),
)  # fmt: skip
