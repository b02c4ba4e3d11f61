"""The sandbox as one object: calls in, answers out, and a journal of both."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.core import domains, gateway
from sandbox.core.api import check_bearer, route
from sandbox.core.faults import Faults
from sandbox.core.http import ApiFault, Request, Response, answer_fault
from sandbox.core.pipelines import advance
from sandbox.core.platform import Connections, Domain, Platform, Quirks, Team, Timing
from sandbox.core.ports import World

JOURNAL = 20_000
"""So many calls are remembered."""

DEFAULT_TEAM = Team(35, "acme")


@dataclass(frozen=True)
class Call:
    """One call of the API. `status` is 0 when the caller never saw an answer."""

    number: int
    at: float
    method: str
    path: str
    body: object
    status: int


class Sandbox:
    """A local Codesphere over a world. Safe to call from several threads.

    `clock` gives epoch seconds; all that the platform does follows from it when it is next asked.
    """

    def __init__(
        self,
        world: World,
        clock: Callable[[], float],
        *,
        token: str = "sandbox-token",  # noqa: S107 - a double's token guards nothing
        teams: Iterable[Team] = (DEFAULT_TEAM,),
        timing: Timing | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        self.token = token
        self.faults = Faults()
        self.calls: deque[Call] = deque(maxlen=JOURNAL)
        self.served: deque[gateway.Served] = deque(maxlen=JOURNAL)
        self.lock = threading.RLock()
        self.platform = Platform(
            world,
            clock,
            timing=timing or Timing(),
            quirks=quirks or Quirks(),
            teams={team.id: team for team in teams},
        )
        self._count = 0

    @property
    def quirks(self) -> Quirks:
        """Switches that a test may turn at any time."""
        return self.platform.quirks

    def handle(self, request: Request) -> Response:
        """Answer a call of the API."""
        response = self.faults.carry_out(request, "api", self._answer)
        with self.lock:
            self._count += 1
            self.calls.append(self._call(request, response.status))
        return response

    def serve(self, host: str, path: str, headers: Mapping[str, str] | None = None) -> Response:
        """Answer a visitor of a domain, or of a workspace's own address. `path` may have a query."""
        sent = dict(headers or {})

        def act(_: Request) -> Response:
            with self.lock:
                made = gateway.serve(self.platform, self.token, host, path, sent)
                now = self.platform.clock()
                status = made.response.status
                self.served.append(gateway.Served(now, host, path, made.workspace_id, status))
            return made.response

        return self.faults.carry_out(Request("GET", f"{host}{path}"), "gateway", act)

    def tick(self) -> None:
        """Begin what is due, for a shell whose processes must not wait for the next question."""
        with self.lock:
            for workspace in list(self.platform.workspaces.values()):
                advance(self.platform, workspace)
            for domain in self.platform.domains.values():
                domain.settle(self.platform.clock())

    def add_domain(
        self,
        name: str,
        connections: Connections | None = None,
        *,
        team_id: int | None = None,
        verified: bool = True,
        issued: bool = True,
    ) -> Domain:
        """A domain that is there from the start, routed at once; the first team's by default."""
        with self.lock:
            team = self.platform.team(team_id or next(iter(self.platform.teams)))
            domain = Domain(name.lower(), team.id, team.datacenter_id)
            domain.verified, domain.issued = verified, issued
            domain.connections = dict(connections or {})
            domain.routed = dict(domain.connections)
            self.platform.domains[domain.name] = domain
        return domain

    def connect(self, name: str, connections: Connections) -> None:
        """Somebody else edits the domain's connections; not in the journal."""
        with self.lock:
            domains.set_connections(self.platform, self.platform.domains[name.lower()], connections)

    def connections(self, name: str) -> Connections:
        """What the domain is told now."""
        with self.lock:
            return {p: list(i) for p, i in self.platform.domains[name.lower()].connections.items()}

    def put_to_sleep(self, workspace_id: int) -> None:
        """The workspace goes down, as an unused on-demand one does."""
        with self.lock:
            self.platform.workspace(workspace_id).running_from = None

    def called(self, method: str, path: str) -> list[Call]:
        """The calls of that method whose path is exactly `path`."""
        return [c for c in list(self.calls) if c.method == method and c.path == path]

    def live_workspace(self, git_url: str, branch: str = "main", **fields: object) -> int:
        """A workspace that somebody else made, up and run at once; gives its id. Not in the journal.

        `fields` are more properties of the create body.
        """
        team_id = next(iter(self.platform.teams))
        body = {"teamId": team_id, "name": "foreign", "planId": 8, "isPrivateRepo": False}
        body |= {"replicas": 1, "restricted": False, "gitUrl": git_url, "initialBranch": branch}
        with self.lock:
            self._direct("POST", "/workspaces", body | fields)
            workspace = self.platform.workspaces[self.platform.last_id]
            workspace.running_from = self.platform.clock()
            if "schemaVersion" in (workspace.home.read("ci.yml") or ""):
                self._direct("POST", f"/workspaces/{workspace.id}/landscape/deploy")
            if workspace.landscape is not None:
                workspace.landscape.visible_at = self.platform.clock()
            self._direct("POST", f"/workspaces/{workspace.id}/pipeline/run/start")
        return workspace.id

    def domain_path(self, name: str) -> str:
        """The API's path of a domain."""
        team_id = self.platform.domains[name.lower()].team_id
        return f"/domains/team/{team_id}/domain/{quote(name, safe='')}"

    def _direct(self, method: str, path: str, body: object = None) -> Response:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        response = self._answer(Request(method, path, headers=headers, body=sent))
        if response.status != 200:
            raise ValueError(f"{method} {path} answered {response.status}: {response.body!r}")
        return response

    def _answer(self, request: Request) -> Response:
        try:
            with self.lock:
                redirect = self._redirect(request)
                answer = redirect or route(self.platform, self.token, request)
            return answer if isinstance(answer, Response) else answer()
        except ApiFault as fault:
            return answer_fault(fault)

    def _redirect(self, request: Request) -> Response | None:
        host = request.header("host")
        prefix = f"{DEFAULT_TEAM.datacenter_id}."
        if not self.quirks.datacenter_redirect or host.startswith(prefix):
            return None
        if not request.path.startswith(("/workspaces", "/domains")):
            return None
        check_bearer(request, self.token)
        return Response(307, {"location": f"http://{prefix}{host}/api{request.path}"})

    def _call(self, request: Request, status: int) -> Call:
        try:
            body: object = json.loads(request.body) if request.body else None
        except ValueError:
            body = request.body
        now = self.platform.clock()
        return Call(self._count, now, request.method, request.path, body, status)
