"""The sandbox that really works: git, processes, Caddy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.core import Timing
from sandbox.local import LocalSandbox, SandboxSettings
from sandbox.repositories import SampleRepository, commit_change, make_sample_repository
from tests.unit.sandbox.visitors import Visitors

# One sandbox serves the whole module, so one worker takes it.
pytestmark = pytest.mark.xdist_group("sandbox-local")

DOMAIN = "shop.localhost"
CONNECTIONS = f"/domains/team/35/domain/{DOMAIN}/workspace-connections"
QUICK = Timing(workspace_start=0.01, landscape=0.01, route=0.01)

FLAPPING = """
run:
  steps:
    - command: sleep 0.3; exit 3
"""


def wait_for(what: Callable[[], object], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Caller:
    """Calls of a running sandbox."""

    def __init__(self, local: LocalSandbox, http: httpx.Client) -> None:
        self.local = local
        self.http = http

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        url = f"{self.local.api_url}{path}"
        answer = self.http.request(method, url, **({} if body is None else {"json": body}))  # type: ignore[arg-type] # json or nothing
        assert answer.status_code == 200, answer.text
        return answer

    def create(self, url: str, **fields: object) -> dict[str, object]:
        body = {"teamId": 35, "name": "shop", "planId": 8, "isPrivateRepo": False, "replicas": 1}
        body |= {"gitUrl": url, "initialBranch": "main", "restricted": False}
        made: dict[str, object] = self.call("POST", "/workspaces", body | fields).json()
        path = f"/workspaces/{made['id']}"
        wait_for(lambda: self.call("GET", f"{path}/status").json()["isRunning"])
        return made

    def take(self, workspace: dict[str, object], stage: str) -> dict[str, object]:
        path = f"/workspaces/{workspace['id']}/pipeline/{stage}"
        self.call("POST", f"{path}/start")
        wait_for(lambda: self.row(workspace, stage)["state"] not in ("waiting", "running"))
        return self.row(workspace, stage)

    def row(self, workspace: dict[str, object], stage: str) -> dict[str, object]:
        rows = self.call("GET", f"/workspaces/{workspace['id']}/pipeline/{stage}").json()
        row: dict[str, object] = rows[0]
        return row

    def live(self, url: str, **fields: object) -> dict[str, object]:
        workspace = self.create(url, **fields)
        path = f"/workspaces/{workspace['id']}"
        self.call("POST", f"{path}/landscape/deploy")
        self.call("POST", f"{path}/pipeline/run/start")
        wait_for(lambda: self.own(workspace).status_code == 200)
        return workspace

    def own(self, workspace: dict[str, object], **headers: str) -> httpx.Response:
        try:
            return self.http.get(f"http://{workspace['devDomain']}/version", headers=headers)
        except httpx.TransportError:
            return httpx.Response(599)

    def production(self) -> httpx.Response:
        return self.http.get(f"{self.local.domain_url(DOMAIN)}/version")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSandbox]:
    settings = SandboxSettings(
        tmp_path_factory.mktemp("sandbox"),
        domains={DOMAIN: 0},
        path=os.environ["PATH"],
        timing=QUICK,
    )
    with LocalSandbox(settings) as running:
        yield running


@pytest.fixture(scope="module")
def caller(local: LocalSandbox) -> Iterator[Caller]:
    headers = {"authorization": f"Bearer {local.token}"}
    with httpx.Client(headers=headers, timeout=20) as http:
        yield Caller(local, http)


@pytest.fixture
def sample(local: LocalSandbox, request: pytest.FixtureRequest) -> SampleRepository:
    return make_sample_repository(local.repositories, request.node.name)


def test_the_sample_is_cloned_prepared_tested_run_and_served(
    caller: Caller, sample: SampleRepository
) -> None:
    workspace = caller.create(sample.url)
    path = f"/workspaces/{workspace['id']}"
    assert caller.call("GET", f"{path}/git/head").json() == {"head": sample.commit}
    assert caller.take(workspace, "prepare")["state"] == "success"
    assert caller.take(workspace, "test")["state"] == "success"
    caller.call("POST", f"{path}/landscape/deploy")
    caller.call("POST", f"{path}/pipeline/run/start")
    wait_for(lambda: caller.own(workspace).status_code == 200)
    assert caller.own(workspace).json() == {"commit": sample.commit}
    caller.call("PUT", CONNECTIONS, {"/": [workspace["id"]]})
    wait_for(lambda: caller.production().status_code == 200)
    by_host = caller.http.get(f"{caller.local.gateway_url}/version", headers={"host": DOMAIN})
    assert by_host.json() == caller.production().json() == {"commit": sample.commit}


def test_a_repository_is_also_cloned_over_http(
    caller: Caller, local: LocalSandbox, request: pytest.FixtureRequest
) -> None:
    name = request.node.name
    sample = make_sample_repository(local.repositories, name, base_url=local.git_url)
    changed = commit_change(sample, {"note.txt": "new"})
    workspace = caller.create(sample.url)
    head = caller.call("GET", f"/workspaces/{workspace['id']}/git/head").json()
    assert head == {"head": changed}


def test_a_failing_step_fails_the_stage_and_leaves_its_last_words(
    caller: Caller, sample: SampleRepository
) -> None:
    ci = "prepare:\n  steps:\n    - command: echo broken >&2; exit 7\nrun:\n  steps: []\n"
    commit_change(sample, {"ci.yml": ci})
    workspace = caller.create(sample.url)
    assert caller.take(workspace, "prepare")["state"] == "failure"
    logs = caller.call("GET", f"/workspaces/{workspace['id']}/logs/prepare/0").text
    assert '"kind": "E", "data": "broken"' in logs


def test_an_app_that_crashes_is_started_again(caller: Caller, sample: SampleRepository) -> None:
    commit_change(sample, {"ci.yml": FLAPPING})
    workspace = caller.create(sample.url)
    caller.call("POST", f"/workspaces/{workspace['id']}/pipeline/run/start")
    first = caller.row(workspace, "run")["startedAt"]
    wait_for(lambda: caller.row(workspace, "run")["state"] == "failure")
    wait_for(lambda: caller.row(workspace, "run")["state"] == "running")
    assert caller.row(workspace, "run")["startedAt"] != first


def test_a_commit_is_pinned_where_the_real_platform_has_its_files(
    caller: Caller, sample: SampleRepository
) -> None:
    commit_change(sample, {"note.txt": "newer"})
    workspace = caller.create(sample.url)
    command = f"cd /home/user/app && git checkout -q --detach {sample.commit}; echo rc=$?"
    path = f"/workspaces/{workspace['id']}"
    done = caller.call("POST", f"{path}/execute", {"command": command}).json()
    assert (done["output"], done["error"]) == ("rc=0\n", "")
    assert caller.call("GET", f"{path}/git/head").json() == {"head": sample.commit}


def test_a_restricted_workspace_asks_visitors_to_sign_in_but_serves_its_domain(
    caller: Caller, sample: SampleRepository, local: LocalSandbox
) -> None:
    workspace = caller.create(sample.url, restricted=True)
    path = f"/workspaces/{workspace['id']}"
    caller.call("POST", f"{path}/landscape/deploy")
    caller.call("POST", f"{path}/pipeline/run/start")
    bearer = {"x-cs-authorization": f"Bearer {local.token}"}
    wait_for(lambda: caller.own(workspace, **bearer).status_code == 200)
    assert caller.own(workspace).status_code == 303
    caller.call("PUT", CONNECTIONS, {"/": [workspace["id"]]})
    wait_for(lambda: caller.production().text == caller.own(workspace, **bearer).text)


def test_deleting_a_workspace_ends_its_processes_and_removes_its_files(
    caller: Caller, sample: SampleRepository, local: LocalSandbox
) -> None:
    workspace = caller.live(sample.url)
    home = local.settings.state_dir / "workspaces" / str(workspace["id"])
    assert home.exists()
    caller.call("DELETE", f"/workspaces/{workspace['id']}")
    wait_for(lambda: not home.exists())
    wait_for(lambda: caller.own(workspace).status_code == 599)


def test_faults_are_scripted_from_outside(caller: Caller, local: LocalSandbox) -> None:
    url = f"{local.control_url}/faults"
    assert httpx.post(url, json={}).status_code == 401
    caller.http.post(url, json={"path": "/teams", "status": 503, "retry_after": 3})
    caller.http.post(url, json={"path": "/teams", "broken": "reset", "skip": 1})
    answer = caller.http.get(f"{local.api_url}/teams")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    with pytest.raises(httpx.TransportError):
        caller.http.get(f"{local.api_url}/teams")
    assert caller.call("GET", "/teams").json()[0]["id"] == 35
    assert caller.http.get(f"{local.control_url}/state").json()["calls"]


@pytest.mark.load
def test_no_visitor_notices_twenty_switches_and_the_coming_and_going_of_workspaces(
    caller: Caller, sample: SampleRepository, local: LocalSandbox
) -> None:
    one = caller.live(sample.url)
    changed = commit_change(sample, {"note.txt": "two"})
    two = caller.live(sample.url)
    versions = [f'{{"commit": "{commit}"}}' for commit in (sample.commit, changed)]

    def switch(turn: int) -> None:
        caller.call("PUT", CONNECTIONS, {"/": [(one, two)[turn % 2]["id"]]})
        wait_for(lambda: caller.production().text == versions[turn % 2])

    switch(0)
    with Visitors(local.router.ports[DOMAIN], "/version", rate=300) as visits:
        for turn in range(1, 21):
            switch(turn)
            if turn % 5 == 4:
                caller.call("DELETE", f"/workspaces/{caller.live(sample.url)['id']}")
            time.sleep(0.15)
    assert visits.faults == []
    assert set(visits.bodies) == set(versions)
    assert visits.count > 500


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_sandbox_ends(tmp_path: Path, number: int) -> None:
    program = [sys.executable, "-P", "-m", "sandbox.main", str(tmp_path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(5)]
        addresses = [line.split()[1] for line in lines if "http://" in line]
        assert len(addresses) == 4
        assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
        begun = time.monotonic()
        child.send_signal(number)
        child.wait(10)
    assert time.monotonic() - begun < 5
    wait_for(lambda: not any(_answers(address) for address in addresses), within=5)


def _answers(address: str) -> bool:
    try:
        httpx.get(address, timeout=2)
    except httpx.TransportError:
        return False
    return True
