"""Which driver stands for which host. Each is loaded when it is first asked for: `explain` must be quick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from workers.hosts.base import Host

DRIVERS: Final = ("github", "gitlab")
"""Drivers of Git hosts that this version has."""


def host_of(
    driver: str,
    name: str,
    secrets: Iterable[str],
    *,
    clock: Callable[[], float] = time.time,
) -> Host:
    """Return the host of this driver under the name that the configuration gives it.

    `clock` tells seconds since 1970. `KeyError` for an unknown driver.
    """
    match driver:
        case "github":
            from workers.hosts.github import GitHub

            return GitHub(name, secrets)
        case "gitlab":
            from workers.hosts.gitlab import GitLab

            return GitLab(name, secrets, clock=clock)
    raise KeyError(driver)
