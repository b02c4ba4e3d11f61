"""Which driver stands for which host. Each is loaded when it is first asked for: `explain` must be quick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from workers.hosts.base import Host

DRIVERS: Final = (
    "github",
    "gitlab",
    "bitbucket-cloud",
    "bitbucket-dc",
    "azure-devops",
    "standard-webhooks",
    "gitea",
    "forgejo",
    "gogs",
)
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
        case "azure-devops":
            from workers.hosts.azure_devops import AzureDevOps

            return AzureDevOps(name, secrets)
        case "standard-webhooks":
            from workers.hosts.standard_webhooks import StandardWebhooks

            return StandardWebhooks(name, secrets, clock=clock)
        case "bitbucket-cloud":
            from workers.hosts.bitbucket_cloud import BitbucketCloud

            return BitbucketCloud(name, secrets)
        case "bitbucket-dc":
            from workers.hosts.bitbucket_dc import BitbucketDataCenter

            return BitbucketDataCenter(name, secrets)
        case "gitea":
            from workers.hosts.gitea import Gitea

            return Gitea(name, secrets)
        case "forgejo":
            from workers.hosts.gitea import Forgejo

            return Forgejo(name, secrets)
        case "gogs":
            from workers.hosts.gogs import Gogs

            return Gogs(name, secrets)
    raise KeyError(driver)


def reads_of(driver: str) -> tuple[str, ...]:
    """Return the kinds of events that hosts of this driver tell apart; `KeyError` for an unknown driver."""
    return host_of(driver, driver, ()).reads
