"""A house whose releases report to a strict Git host, in process."""

from __future__ import annotations

from typing import Any

import httpx

from config.settings import Settings
from sandbox.githost import Fault, GitHost, GitService
from sandbox.githost.mirroring import mirror_scripted
from sandbox.githost.model import Deployment, Dialect
from sandbox.githost.transport import GITHUB_URL, GITLAB_URL, GitHostTransport
from tests.flow.house import House, project
from workers.notices.drain import Drain
from workers.releases.reports import project_of
from workers.store.keyspace import key

TOKEN = "token-of-the-git-host-0123"
PAGE = "https://release.example.com"
BASES: dict[str, Dialect] = {
    GITHUB_URL.replace("http:", "https:"): "github",
    GITLAB_URL.replace("http:", "https:"): "gitlab",
}


def told_settings(*, driver: str = "github", token: str | None = TOKEN, **changes: Any) -> Settings:
    """Return settings with one project at a host that can be told."""
    api_url = next(base for base, dialect in BASES.items() if dialect == driver)
    host = {"driver": driver, "secrets": ["x" * 20], "token": token, "api_url": api_url}
    return Settings.model_validate(
        {
            "server": {"public_url": PAGE},
            "hosts": {"github": host},
            "platforms": {
                "codesphere": {
                    "driver": "codesphere",
                    "api_url": "http://127.0.0.1:1/api",
                    "token": "sandbox-token",
                    "workspace_url": "http://{dev_domain}",
                }
            },
            "notices": {"team": {"url": "json://127.0.0.1:1"}},
            "projects": {"shop": project(**changes)},
        }
    )


class ToldHouse(House):
    """The bot, the platform, and a Git host; what is due in the outbox for the host is sent as it comes."""

    def begin(self) -> None:
        """Start the bot (again)."""
        if not hasattr(self, "githost"):
            self.githost = GitHost(self.clock)
            self.service = GitService(self.githost)
            self.repo = self.githost.repository("acme/shop", roles={"bot": "write"})
            self.githost.token(TOKEN, "bot")
            self.transport = Both(
                GitHostTransport(self.service, bases=BASES, sleep=self.jump), self.transport
            )
        super().begin()
        self.drain = Drain(self.services.outbox, lambda _receiver: None, self.services.reporter)

    def commit(self, message: str = "change", behaviour: Any = None, **more: Any) -> str:
        """Commit, and have the host know the commit."""
        made = super().commit(message, behaviour, **more)
        self.mirror()
        return made

    def mirror(self) -> None:
        """Have the host know every commit."""
        mirror_scripted(self.githost, self.repo, self.repository)

    def lag(self, commit: str, *, times: int | None) -> None:
        """Have the servers that take statuses not know a commit yet, for so many calls."""
        known = self.repo.history.commits
        made = known[commit]

        def hide_it() -> None:
            known.pop(commit, None)

        def show_it() -> None:
            known[commit] = made

        hide = Fault(f".*/statuses/{commit}", "POST", times=times, do=hide_it)
        show = Fault(f"(?!.*/statuses/{commit}).*", times=None, do=show_it)
        again = Fault(
            f".*/statuses/{commit}", "POST", skip=times or 0, times=0 if times is None else None, do=show_it
        )
        for fault in (hide, show, again):
            self.service.faults.add(fault)

    def _wake(self) -> bool:
        told = self.tell()
        return super()._wake() or told

    def tell(self) -> bool:
        """Send what is due for the host; False when nothing was."""
        due = [receiver for receiver, at in self._reports_due() if at <= self.clock()]
        for receiver in due:
            self.drain.drain(receiver)
        return bool(due)

    def _next_due(self) -> float | None:
        times = [due for _, due in self._reports_due()]
        first = super()._next_due()
        return min([*times, *([] if first is None else [first])], default=None)

    def _reports_due(self) -> list[tuple[str, float]]:
        rows: Any = self.client.zrange(key("outbox_due"), 0, -1, withscores=True)
        return [(receiver, score / 1000) for receiver, score in rows if project_of(receiver)]

    # What the host shows.

    def statuses(self, commit: str) -> list[tuple[str, str]]:
        """Return state and description of every status of a commit, oldest first."""
        return [(each.state, each.description or "") for each in self.repo.statuses if each.sha == commit]

    def state(self, commit: str) -> str:
        """Return the state of a commit's newest status."""
        return self.statuses(commit)[-1][0]

    def deployments(self, commit: str | None = None) -> list[Deployment]:
        """Return the deployments, oldest first."""
        return [each for each in self.repo.deployments.values() if commit in (None, each.sha)]

    def deployed(self, commit: str) -> list[str]:
        """Return how the only deployment of a commit stood, one after the other."""
        [deployment] = self.deployments(commit)
        return [each.state for each in deployment.statuses]


class Both(httpx.BaseTransport):
    """Sends what goes to a Git host there, and everything else to the platform."""

    def __init__(self, githost: GitHostTransport, platform: httpx.BaseTransport) -> None:
        self._githost = githost
        self._platform = platform

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from where the address leads."""
        at_host = any(str(request.url).startswith(base) for base in self._githost.bases)
        return (self._githost if at_host else self._platform).handle_request(request)
