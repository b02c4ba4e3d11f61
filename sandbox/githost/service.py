"""The host behind its two APIs: faults, limits and a journal around the dialects."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from sandbox.core.faults import Fault, Faults
from sandbox.core.http import Request, Response, answer_json
from sandbox.githost.github_api import GitHubApi
from sandbox.githost.gitlab_api import GitLabApi
from sandbox.githost.host import GitHost
from sandbox.githost.limits import Limits
from sandbox.githost.model import Dialect
from sandbox.githost.web import HostRequest

JOURNAL = 20_000
GITLAB_LIMIT = 2000
"""Calls that a caller has in a minute."""


@dataclass(frozen=True)
class Asked:
    """One call of an API. `status` is 0 when the caller never saw an answer."""

    at: float
    dialect: Dialect
    method: str
    path: str
    status: int


class GitService:
    """A Git host that answers requests, without sockets.

    `faults` meet calls by their path after the API's base (`/repos/acme/shop`, `/projects/7`), whatever
    the dialect; `github_limits` and `gitlab_limits` count calls; `calls` remembers them.
    """

    def __init__(self, host: GitHost) -> None:
        self.host = host
        self.faults = Faults()
        self.github_limits = Limits(host.clock)
        self.gitlab_limits = Limits(host.clock, GITLAB_LIMIT, GITLAB_LIMIT, 60)
        self.calls: deque[Asked] = deque(maxlen=JOURNAL)
        self._github = GitHubApi(host, self.github_limits)
        self._gitlab = GitLabApi(host, self.gitlab_limits)
        self._lock = threading.Lock()

    def handle(self, dialect: Dialect, request: Request, query: str = "", base_url: str = "") -> Response:
        """Answer a call. `query` is as it stood in the address; `base_url` is what links begin with."""
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        asked = HostRequest(
            request.method, request.path, request.query, request.headers, request.body, pairs, base_url
        )
        api = self._github if dialect == "github" else self._gitlab
        reached: list[Response] = []

        def act(_: Request) -> Response:
            reached.append(api.answer(asked))
            return reached[0]

        response = self.faults.carry_out(request, "api", act)
        if response.status >= 400 and response.body not in {each.body for each in reached}:
            response = _in_their_words(dialect, response)
        with self._lock:
            now = self.host.clock()
            self.calls.append(Asked(now, dialect, request.method, request.path, response.status))
        return response

    def fails(
        self, path: str = ".*", *, method: str = "*", status: int = 502, times: int | None = 1
    ) -> Fault:
        """The next calls of a path fail before they take effect; `faults.add` can do more."""
        return self.faults.add(Fault(path, method, status=status, times=times))

    def called(self, method: str, path: str) -> list[Asked]:
        """The calls of that method whose path, without the API's base, is exactly `path`."""
        return [each for each in list(self.calls) if (each.method, each.path) == (method, path)]


def _in_their_words(dialect: Dialect, response: Response) -> Response:
    """A scripted failure with the host's own kind of body; the pages of proxies stay as they are."""
    if not response.headers.get("content-type", "").startswith("application/json"):
        return response
    github = {"message": "Server Error", "status": str(response.status)}
    body = github if dialect == "github" else {"message": f"{response.status} Internal Server Error"}
    return replace(response, body=answer_json(body).body)
