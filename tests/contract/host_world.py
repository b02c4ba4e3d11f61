"""A strict Git host with one repository, and our client of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from sandbox.githost import GitHost as Sandbox
from sandbox.githost import GitService, Outgoing
from sandbox.githost.model import Dialect
from sandbox.githost.transport import GitHostTransport
from workers.flow.ports import GitHost
from workers.hosts.api_registry import git_host_of

TOKEN = "sandbox-token-0123456789"
BASES: Mapping[str, Dialect] = {
    "https://github.example.com/api/v3": "github",
    "https://gitlab.example.com/api/v4": "gitlab",
}
HOOK = "https://bot.example.com/webhooks/host"
NOBODY = "f" * 40


@dataclass
class World:
    """A host with one repository, our client of it, and a receiver that can be made to fail."""

    dialect: Dialect
    now: float = 1_795_262_400.0
    receives: int = 202
    arrived: list[Outgoing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = Sandbox(lambda: self.now, self._receive)
        self.service = GitService(self.host)
        self.repo = self.host.repository("acme/shop", roles={"bot": "admin"})
        self.host.token(TOKEN, "bot")
        self.first = self.host.commit(self.repo, {"app.py": "1", "old.py": "1"})
        self.api = self.client(TOKEN)

    def client(self, token: str) -> GitHost:
        url = next(base for base, dialect in BASES.items() if dialect == self.dialect)
        http = httpx.Client(transport=GitHostTransport(self.service, bases=BASES))
        made = git_host_of(self.dialect, url, token, http)
        assert made is not None
        return made

    def asked(self) -> int:
        return len(self.service.calls)

    def _receive(self, outgoing: Outgoing) -> int:
        self.arrived.append(outgoing)
        return self.receives


SHOP = "acme/shop"
