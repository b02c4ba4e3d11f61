"""The house with a Git host beside it: pushes reach the bot as signed webhooks, or do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx

from bot.intake import Refusal, judge
from config.settings import Settings
from sandbox.githost import GitHost, GitService, Outgoing
from sandbox.githost.mirroring import mirror_scripted
from sandbox.githost.model import Dialect
from sandbox.githost.transport import GitHostTransport
from tests.flow.house import API_URL, House, project
from workers.flow.looking.sweeper import Sweeper
from workers.releases.intake import Intake, Verdict
from workers.releases.model import JSON, Release
from workers.store.intake import IntakeStore
from workers.store.sweeps import SweepStore
from workers.wiring import Headers, hosts_of

PUBLIC_URL = "https://bot.example.com"
API_URLS: Mapping[Dialect, str] = {
    "github": "https://github.example.com/api/v3",
    "gitlab": "https://gitlab.example.com/api/v4",
}
USUAL = 300.0
"""How often a sweep looks without an entry of its own."""
SECRET = "x" * 20
TOKEN = "sandbox-token-0123456789"


class Roads(httpx.BaseTransport):
    """Takes calls of the Git host to it, and all others to the platform."""

    def __init__(self, platform: httpx.BaseTransport, git: httpx.BaseTransport, api_url: str) -> None:
        self._platform, self._git, self._api_url = platform, git, api_url
        self.meanwhile: Callable[[], None] | None = None
        """What happens once, when the head of main was told and nothing made of it yet."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        git = str(request.url).startswith(self._api_url)
        answer = (self._git if git else self._platform).handle_request(request)
        if self.meanwhile is not None and request.url.path.endswith("/branches/main"):
            act, self.meanwhile = self.meanwhile, None
            act()
        return answer


class Dying:
    """A place to write deliveries down that the process does not survive."""

    def __init__(self, store: IntakeStore, death: type[BaseException], when: str) -> None:
        self._store, self._death, self._when = store, death, when

    def accept(self, intake: Intake) -> Verdict:
        if self._when == "after":
            self._store.accept(intake)
        raise self._death


def git_settings(
    dialect: Dialect = "github",
    *,
    token: str | None = TOKEN,
    public_url: str | None = PUBLIC_URL,
    **projects: dict[str, Any],
) -> Settings:
    """Return settings with these projects, whose host can be asked."""
    host = {"driver": dialect, "secrets": [SECRET], "token": token, "api_url": API_URLS[dialect]}
    platform = {
        "driver": "codesphere",
        "api_url": API_URL,
        "token": "sandbox-token",
        "workspace_url": "http://{dev_domain}",
    }
    return Settings.model_validate(
        {
            "server": {"public_url": public_url},
            "hosts": {"github": host},
            "platforms": {"codesphere": platform},
            "notices": {"team": {"url": "json://127.0.0.1:1"}},
            "projects": projects or {"shop": project()},
        }
    )


class GitHouse(House):
    """A bot, a platform and a Git host. `receives` is False while no webhook gets an answer."""

    def __init__(self, store_url: str, config: Settings, *, dialect: Dialect = "github") -> None:
        self.dialect: Dialect = dialect
        self.receives = True
        self._roads: Roads | None = None
        super().__init__(store_url, config)
        self.git_hook = self.git.add_hook(
            self.git_repo, f"{PUBLIC_URL}/webhooks/github", SECRET, dialect=dialect
        )

    def begin(self) -> None:
        """Start the bot (again)."""
        if self._roads is None:
            self.git = GitHost(self.clock, self._receive)
            self.service = GitService(self.git)
            self.git_repo = self.git.repository("acme/shop", roles={"bot": "admin"})
            self.git.token(TOKEN, "bot")
            url = API_URLS[self.dialect]
            git = GitHostTransport(self.service, bases={url: self.dialect}, sleep=self.jump)
            self._roads = Roads(self.transport, git, url)
            self.transport = self._roads
        super().begin()

    def _receive(self, outgoing: Outgoing) -> int:
        if not self.receives:
            return 503
        host = hosts_of(self.settings.hosts)["github"]
        judged = judge(host, Headers.from_mapping(outgoing.headers), outgoing.body, self.settings)
        if isinstance(judged, Refusal):
            return judged.status
        return 202 if self.intake.accept(judged).verdict == "accepted" else 200

    def mirror(self) -> None:
        """Have the host take over what was committed and moved, and tell its hooks."""
        mirror_scripted(self.git, self.git_repo, self.repository)

    def pushed(self, message: str = "change", **more: Any) -> str:
        """Commit, and push that to the host, which sends its webhooks."""
        commit = self.commit(message, **more)
        self.mirror()
        return commit

    def lost(self, message: str = "change", **more: Any) -> str:
        """Commit and push, while the host loses every webhook without a trace."""
        self.git.post.mode = "drop"
        commit = self.pushed(message, **more)
        self.git.post.mode = "send"
        return commit

    def sweep(self, seconds: float = 0.0) -> None:
        """Let time pass, then do what a worker does every five seconds."""
        self.jump(seconds)
        self.services.sweeper.run()

    def sweeps(self, seconds: float) -> None:
        """Look every five seconds, as a worker does, for so long."""
        for _ in range(int(seconds // 5)):
            self.sweep(5.0)

    def nudge(self) -> bool:
        """Have the workers look now, as the receiver asks once it may have missed something."""
        return SweepStore(self.client, offset=self.offset).nudge()

    def while_asked(self, act: Callable[[], None]) -> None:
        """Let something happen between the next answer about main and what is made of it."""
        assert self._roads is not None
        self._roads.meanwhile = act

    def dies_writing_down(self, death: type[BaseException], when: str) -> None:
        """Let the worker die just before or just after its next find is written down."""
        self.services = replace(
            self.services,
            sweeper=Sweeper(
                settings=lambda: self.settings,
                hosts=self.services.git_hosts,
                store=SweepStore(self.client, offset=self.offset),
                intake=Dying(self.intake, death, when),
                now=self.services.store.now,
                ids=dict,
            ),
        )

    def made(self, name: str = "shop") -> list[Release]:
        """Return the project's releases, oldest first."""
        found, _ = self.reading.page(project=name, status=None, limit=200, before=None)
        return found[::-1]

    def commits(self, name: str = "shop") -> list[str]:
        """Return the commits of the project's releases, oldest first."""
        return [release.commit for release in self.made(name)]

    def deliveries(self, event: str | None = None) -> list[JSON]:
        """Return the deliveries that are written down, oldest first."""
        page, _ = self.intake.page(limit=200, before=None)
        return [each for each in page[::-1] if event in (None, each["event"])]


def settled(house: GitHouse) -> GitHouse:
    """Release the first commit of main and look once, so that every head is known."""
    house.pushed("one")
    house.live()
    house.sweep()
    return house
