"""Platforms and Git hosts as the settings name them: made when first asked for, anew when settings change."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from config.settings import HostSettings, PlatformSettings, Settings
from workers.flow.engine import PlatformBinding
from workers.flow.ports import GitHost, Platform
from workers.hosts.api_registry import git_host_of
from workers.platforms.client import ApiClient
from workers.platforms.codesphere import Codesphere

Current = Callable[[], Settings]
"""Tells the settings in force."""


class Platforms:
    """The configured platforms."""

    def __init__(self, current: Current, http: httpx.Client) -> None:
        self._current = current
        self._http = http
        self._made: dict[str, tuple[PlatformSettings, PlatformBinding]] = {}
        self._guard = threading.Lock()

    def find(self, name: str) -> PlatformBinding | None:
        """Return a platform by its name in the settings, or None when it is not configured."""
        settings = self._current().platforms.get(name)
        if settings is None or settings.driver != "codesphere":
            return None
        with self._guard:
            made = self._made.get(name)
            if made is None or made[0] != settings:
                made = (settings, self._make(settings))
                self._made[name] = made
        return made[1]

    def platform(self, name: str) -> Platform | None:
        """Return the driver alone."""
        binding = self.find(name)
        return None if binding is None else binding.platform

    def _make(self, settings: PlatformSettings) -> PlatformBinding:
        api = ApiClient(self._http, settings.api_url, settings.token, concurrency=settings.concurrency)
        return PlatformBinding(Codesphere(api, workspace_url=settings.workspace_url), settings.poll_interval)


class GitHosts:
    """The configured Git hosts that can be asked: those with a token whose driver has a client."""

    def __init__(self, current: Current, http: httpx.Client) -> None:
        self._current = current
        self._http = http
        self._made: dict[str, tuple[HostSettings, GitHost | None]] = {}
        self._guard = threading.Lock()

    def find(self, name: str) -> GitHost | None:
        """Return a host's client by the host's name in the settings, or None when it cannot be asked.

        `ValueError` for an address that a token must not be sent to.
        """
        settings = self._current().hosts.get(name)
        if settings is None:
            return None
        with self._guard:
            made = self._made.get(name)
            if made is None or made[0] != settings:
                client = git_host_of(settings.driver, settings.api_url, settings.token, self._http)
                made = self._made[name] = (settings, client)
        return made[1]

    def askable(self, name: str) -> GitHost | None:
        """Return the same, but None where address or token are unfit, too; `doctor` says so."""
        try:
            return self.find(name)
        except ValueError:
            return None
