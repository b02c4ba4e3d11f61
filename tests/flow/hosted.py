"""A house whose Git host can be asked: the sandbox's, which knows the commits that workspaces clone."""

from __future__ import annotations

from typing import Any

import httpx

from config.settings import HostSettings, Settings
from sandbox.githost import GitHost, GitService
from sandbox.githost.mirroring import mirror_scripted
from sandbox.githost.transport import GitHostTransport
from tests.flow.house import House, settings
from workers.releases.events import RefType

HOST_URL = "http://127.0.0.1:2/api/v3"
TOKEN = "token-of-the-git-host"


def hosted_settings(token: str = TOKEN, **changes: Any) -> Settings:
    """Return the settings of the flow tests, with a host that can be asked."""
    host = HostSettings.model_validate(
        {"driver": "github", "secrets": ["x" * 20], "token": token, "api_url": HOST_URL}
    )
    return settings(**changes).model_copy(update={"hosts": {"github": host}})


class HostedHouse(House):
    """`git_host` is the host's world, `service` its API; `mirror` makes them follow the repository."""

    def __init__(self, store_url: str, config: Settings | None = None) -> None:
        super().__init__(store_url, config or hosted_settings())
        self.git_host = GitHost(self.clock)
        self.service = GitService(self.git_host)
        self.origin = self.git_host.repository("acme/shop", roles={"bot": "admin"})
        self.git_host.token(TOKEN, "bot")
        self.transport = Crossroads(
            GitHostTransport(self.service, bases={HOST_URL: "github"}, sleep=self._pass), self.transport
        )
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start the bot again."""
        self.services.close()
        self.begin()

    def mirror(self) -> None:
        """Let the host have what the repository has now."""
        mirror_scripted(self.git_host, self.origin, self.repository)

    def told(self, message: str = "change", **more: Any) -> str:
        """Commit to main, at the host as well, and tell the bot."""
        before = self.repository.branches.get("main")
        commit = self.commit(message, **more)
        self.mirror()
        self.push(commit, before=before)
        return commit

    def push_tag(self, tag: str, commit: str) -> None:
        """Tell the bot of a new tag."""
        self.push(commit, branch=tag, ref_type=RefType.TAG, action="create")

    def asked(self) -> int:
        """Return how many calls the host has answered."""
        return len(self.service.calls)


class Crossroads(httpx.BaseTransport):
    """Sends what is for the Git host there, and everything else on."""

    def __init__(self, git_host: httpx.BaseTransport, beyond: httpx.BaseTransport) -> None:
        self._git_host = git_host
        self._beyond = beyond

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        here = str(request.url).startswith(HOST_URL)
        return (self._git_host if here else self._beyond).handle_request(request)
