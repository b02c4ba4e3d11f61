"""What becomes of a driver that believes the simple story. The sandbox must not let it pass."""

from __future__ import annotations

import httpx
import pytest

from sandbox.core import Sandbox
from sandbox.scripted import Behaviour, Failure, Flapping, Repository, landscape_ci
from sandbox.transport import API_URL
from tests.unit.sandbox.conftest import GIT_URL, Client, create_body

DOMAIN = "shop.example.com"


class NaiveDriver:
    """Polls for 200, ignores rows, never looks at HEAD, and puts a bare map."""

    def __init__(self, client: Client) -> None:
        self.http = client.http
        self.clock = client.clock

    def release(self, domain_path: str) -> int:
        made = self.http.post(f"{API_URL}/workspaces", json=create_body()).json()
        base = f"{API_URL}/workspaces/{made['id']}"
        self.poll(f"{base}/status")
        self.clock.sleep(1)
        self.http.post(f"{base}/landscape/deploy")
        for stage in ("prepare", "test", "run"):
            self.http.post(f"{base}/pipeline/{stage}/start")
            self.poll(f"{base}/pipeline/{stage}")
        self.switch(domain_path, int(made["id"]))
        self.clock.sleep(1)
        return int(made["id"])

    def poll(self, url: str) -> None:
        """The public article's way: done when the answer is 200."""
        for _ in range(10):
            if self.http.get(url).status_code == 200:
                return
            self.clock.sleep(1)

    def switch(self, domain_path: str, workspace: int) -> None:
        url = f"{API_URL}{domain_path}/workspace-connections"
        self.http.put(url, json={"/": [workspace]})


@pytest.fixture
def old(sandbox: Sandbox, repository: Repository) -> int:
    repository.commit("old")
    workspace = sandbox.live_workspace(GIT_URL)
    sandbox.add_domain(DOMAIN, {"/": [workspace], "/blog": [workspace]})
    return workspace


def production(client: Client, path: str = "/") -> httpx.Response:
    return client.http.get(f"http://{DOMAIN}{path}")


def test_it_goes_on_after_a_failed_build(
    client: Client, sandbox: Sandbox, repository: Repository, old: int
) -> None:
    repository.commit("broken", behaviour=Behaviour(failures=(Failure("prepare"),)))
    workspace = NaiveDriver(client).release(sandbox.domain_path(DOMAIN))
    assert client.rows(workspace, "prepare")[0]["state"] == "failure"
    assert sandbox.connections(DOMAIN)["/"] == [workspace] != [old]


def test_it_switches_before_the_app_listens(
    client: Client, sandbox: Sandbox, repository: Repository, old: int
) -> None:
    assert production(client).status_code == 200
    repository.commit("slow", behaviour=Behaviour(listens_after=60))
    assert NaiveDriver(client).release(sandbox.domain_path(DOMAIN)) != old
    assert production(client).status_code == 502


def test_it_drops_every_path_that_it_did_not_name(
    client: Client, sandbox: Sandbox, repository: Repository, old: int
) -> None:
    assert production(client, "/blog").text.startswith("Hello")
    repository.commit("new")
    workspace = NaiveDriver(client).release(sandbox.domain_path(DOMAIN))
    assert sandbox.connections(DOMAIN) == {"/": [workspace]}
    production(client, "/blog")
    assert sandbox.served[-1].workspace_id == workspace != old


def test_it_releases_whatever_the_branch_has_become(
    client: Client, sandbox: Sandbox, repository: Repository, old: int
) -> None:
    wanted = repository.commit("wanted")
    moved = repository.commit("somebody else's")
    assert NaiveDriver(client).release(sandbox.domain_path(DOMAIN)) != old
    assert production(client, "/version").json() == {"commit": moved} != {"commit": wanted}


def test_it_does_not_see_that_half_of_the_replicas_are_down(
    client: Client, sandbox: Sandbox, repository: Repository, old: int
) -> None:
    behaviour = Behaviour(
        failures=(Failure("run", replica=1),), flapping=(Flapping(up=9, down=9, replica=0),)
    )
    repository.commit("half", files={"ci.yml": landscape_ci({"web": 2})}, behaviour=behaviour)
    assert NaiveDriver(client).release(sandbox.domain_path(DOMAIN)) != old
    assert sorted(production(client).status_code for _ in range(2)) == [200, 502]
