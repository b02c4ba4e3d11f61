"""What in a sound configuration does less than somebody may expect: for `check` and `doctor`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from config.faults import Fault
from config.projects import ProjectSettings
from config.settings import HostSettings, Settings
from workers.flow.git_addresses import git_address, no_address
from workers.flow.triggers.sweeps import needs_token


def remarks(settings: Settings, asked: Collection[str]) -> Iterator[Fault]:
    """Yield what does nothing or guesses, each with its place in the file and the way out.

    `asked` are the drivers whose hosts this version can ask.
    """
    if not settings.access.tokens:
        nobody = "is empty, so nobody can use the API, the dashboard or the commands"
        yield Fault("access.tokens", nobody)
    for name, host in settings.hosts.items():
        why = unasked(name, host, asked)
        if why is not None and host.token is not None:
            yield Fault(f"hosts.{name}.token", why)
    for project in settings.projects.values():
        yield from _of_project(project, settings, asked)


def unasked(name: str, host: HostSettings, asked: Collection[str]) -> str | None:
    """Say why a host is never asked, and what to do about it where something can be done; None: it is."""
    if host.driver not in asked:
        return f"this version does not ask hosts of driver {host.driver}, with or without a token"
    if host.driver in ("gitea", "forgejo") and host.api_url is None:
        return f"nothing says where its API is; set hosts.{name}.api_url, for example https://HOST/api/v1"
    return None if host.token is not None else f"the host cannot be asked; set hosts.{name}.token"


def _of_project(project: ProjectSettings, settings: Settings, asked: Collection[str]) -> Iterator[Fault]:
    place, host = f"projects.{project.name}", settings.hosts.get(project.host)
    if host is None:
        return
    why = unasked(project.host, host, asked)
    if why is not None:
        for meaning in needs_token(project):
            yield Fault(f"{place}.triggers", f"{meaning} ({why})")
    if not project.git.url and git_address(host.driver, host.api_url, project.repository) is None:
        yield Fault(
            f"{place}.git.url",
            "is not stated, so what its host does not tell the address of cannot be cloned, nor what a "
            f"person starts; {no_address(project)}",
        )
