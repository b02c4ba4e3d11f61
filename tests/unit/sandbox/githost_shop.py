"""A Git host with one shop in it, a receiver that keeps what it gets, and clients of both APIs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

from sandbox.githost import GitHost, GitService, Outgoing, Repository
from sandbox.githost.transport import GITHUB_URL, GITLAB_URL, GitHostTransport
from tests.unit.sandbox.conftest import Clock

HOOK_URL = "http://bot.example.com/hooks/shop"
SECRET = "the hook's own secret"


@dataclass
class Receiver:
    """Keeps what it gets and answers with `status`."""

    status: int = 202
    got: list[Outgoing] = field(default_factory=list)

    def __call__(self, outgoing: Outgoing) -> int:
        self.got.append(outgoing)
        return self.status

    def bodies(self, event: str) -> list[dict[str, Any]]:
        """The bodies of one GitHub event, in order of arrival."""
        return [read(each) for each in self.got if each.headers.get("X-GitHub-Event") == event]

    def kinds(self) -> list[str]:
        """The events' names in order of arrival."""
        names = ("X-GitHub-Event", "X-Gitlab-Event")
        return [each.headers[name] for each in self.got for name in names if name in each.headers]


def read(outgoing: Outgoing) -> dict[str, Any]:
    """The JSON of a webhook call, also out of a form."""
    text = outgoing.body.decode()
    if "form" in outgoing.headers["Content-Type"]:
        text = parse_qs(text, strict_parsing=True)["payload"][0]
    body: dict[str, Any] = json.loads(text)
    return body


class Shop:
    """`acme/shop`: owner `ada` administers, `wes` writes, `rob` reads, `eve` has no rights."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.receiver = Receiver()
        self.host = GitHost(clock, self.receiver)
        self.service = GitService(self.host)
        self.repo: Repository = self.host.repository(
            "acme/shop", roles={"ada": "admin", "wes": "write", "rob": "read"}
        )
        for login in ("ada", "wes", "rob", "eve"):
            self.host.token(f"{login}-token", login)
        self.first = self.host.commit(self.repo, {"app.py": "1\n", "docs/a.md": "a\n"}, by="wes")
        self.http = httpx.Client(transport=GitHostTransport(self.service, sleep=clock.sleep))

    def github(self, method: str, path: str, body: object = None, *, by: str = "ada") -> httpx.Response:
        """A call of GitHub's API below the repository."""
        headers = {"authorization": f"Bearer {by}-token"} if by else {}
        url = path if path.startswith("http") else f"{GITHUB_URL}/repos/acme/shop{path}"
        return self.http.request(method, url, headers=headers, json=body)

    def gitlab(self, method: str, path: str, body: object = None, *, by: str = "ada") -> httpx.Response:
        """A call of GitLab's API below the project."""
        headers = {"private-token": f"{by}-token"} if by else {}
        url = path if path.startswith("http") else f"{GITLAB_URL}/projects/acme%2Fshop{path}"
        return self.http.request(method, url, headers=headers, json=body)
