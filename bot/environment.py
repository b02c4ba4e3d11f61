"""What the entry points take from the environment."""

from __future__ import annotations

from collections.abc import Mapping

from config.settings import Settings

STORE_URL = "SWITCHOVER_STORE_URL"
"""Where the store is; `up` sets it for the processes that it starts."""


def store_url_of(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """Return the store's address, or None when neither the environment nor the settings name one."""
    told = environ.get(STORE_URL)
    if told:
        return told
    return None if settings.redis.url is None else settings.redis.url.get_secret_value()
