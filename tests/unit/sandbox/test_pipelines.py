"""Rows of stages, landscapes, logs."""

from __future__ import annotations

import httpx
import pytest

from sandbox.core import Sandbox, Timing
from sandbox.core.platform import IDE
from sandbox.scripted import (
    Behaviour,
    Failure,
    Flapping,
    Repository,
    ScriptedWorld,
    flat_ci,
    landscape_ci,
)
from sandbox.transport import API_URL
from tests.unit.sandbox.conftest import Client, Clock


def test_prepare_runs_on_the_ide_only_and_service_rows_stay_waiting(
    client: Client, repository: Repository
) -> None:
    repository.commit(files={"ci.yml": landscape_ci({"web": 2})})
    workspace = client.workspace()
    client.act(workspace, "landscape/deploy")
    client.act(workspace, "pipeline/prepare/start", wait=0)
    assert client.states(workspace, "prepare") == [
        (IDE, "running"),
        ("web", "waiting"),
        ("web", "waiting"),
    ]
    client.clock.sleep(0.05)
    assert client.states(workspace, "prepare")[0] == (IDE, "success")
    assert client.rows(workspace, "prepare")[1]["steps"] == []


def test_a_failing_step_ends_the_stage_and_later_steps_stay_waiting(
    client: Client, repository: Repository
) -> None:
    failure = Failure("test", step=1, lines=("assert 1 == 2",))
    ci = landscape_ci(test=["lint", "unit", "slow"])
    repository.commit(files={"ci.yml": ci}, behaviour=Behaviour(failures=(failure,)))
    workspace = client.workspace()
    client.act(workspace, "pipeline/test/start")
    row = client.rows(workspace, "test")[0]
    steps = row["steps"]
    assert isinstance(steps, list)
    assert [s["state"] for s in steps] == ["success", "failure", "waiting"]
    assert row["state"] == "failure"
    logs = client.call("GET", f"/workspaces/{workspace}/logs/test/1")
    assert '"kind": "E", "data": "assert 1 == 2"' in logs.text


def test_run_needs_the_landscape_and_then_has_a_row_per_replica(
    client: Client, repository: Repository
) -> None:
    repository.commit(files={"ci.yml": landscape_ci({"web": 2, "api": 1})})
    workspace = client.workspace()
    client.act(workspace, "pipeline/run/start")
    assert client.states(workspace, "run") == [(IDE, "waiting")]
    client.act(workspace, "pipeline/run/stop")
    client.act(workspace, "landscape/deploy")
    client.act(workspace, "pipeline/run/start")
    expected = [(IDE, "waiting"), ("api", "running"), ("web", "running"), ("web", "running")]
    assert client.states(workspace, "run") == expected


def test_the_rows_of_services_show_a_while_after_the_deploy(client: Client, repository: Repository) -> None:
    repository.commit()
    workspace = client.workspace()
    client.act(workspace, "landscape/deploy", wait=0)
    assert client.states(workspace, "run") == [(IDE, "waiting")]
    client.act(workspace, "pipeline/run/start", wait=0.1)
    assert client.states(workspace, "run") == [(IDE, "waiting"), ("web", "running")]


def test_a_flat_file_runs_on_every_replica_of_the_workspace(client: Client, repository: Repository) -> None:
    repository.commit(files={"ci.yml": flat_ci()})
    workspace = client.workspace(replicas=2)
    refused = client.act(workspace, "landscape/deploy")
    assert refused.json()["title"].endswith("does not have Multi Server Deployment support")
    client.act(workspace, "pipeline/run/start")
    assert client.states(workspace, "run") == [(IDE, "running"), (IDE, "running")]


def test_a_broken_ci_file_is_a_bare_500(client: Client, repository: Repository) -> None:
    repository.commit(files={"ci.yml": "schemaVersion: v0.2\nrun: [1"})
    answer = client.act(client.workspace(), "landscape/deploy")
    assert answer.json() == {"status": 500, "title": "An internal error occurred"}


def test_starting_what_runs_changes_nothing_and_a_stop_aborts(client: Client, repository: Repository) -> None:
    repository.commit(files={"ci.yml": flat_ci()})
    workspace = client.workspace()
    client.act(workspace, "pipeline/run/start")
    first = client.rows(workspace, "run")[0]["startedAt"]
    client.act(workspace, "pipeline/run/start")
    assert client.rows(workspace, "run")[0]["startedAt"] == first
    client.act(workspace, "pipeline/run/stop")
    assert client.states(workspace, "run") == [(IDE, "aborted")]
    client.act(workspace, "pipeline/run/start")
    assert client.rows(workspace, "run")[0]["startedAt"] != first


def test_a_replica_can_fail_alone_and_another_can_flap(client: Client, repository: Repository) -> None:
    behaviour = Behaviour(
        failures=(Failure("run", server="web", replica=1),),
        flapping=(Flapping(up=1, down=1, server="web", replica=0),),
    )
    repository.commit(files={"ci.yml": landscape_ci({"web": 2})}, behaviour=behaviour)
    workspace = client.workspace()
    client.act(workspace, "landscape/deploy", wait=1)
    client.act(workspace, "pipeline/run/start", wait=0.5)
    seen = []
    for _ in range(3):
        seen.append([state for server, state in client.states(workspace, "run") if server != IDE])
        client.clock.sleep(1)
    assert seen == [["running", "failure"], ["failure", "failure"], ["running", "failure"]]


def test_rows_of_the_former_run_linger_when_asked_to(
    world: ScriptedWorld, clock: Clock, client: Client, repository: Repository
) -> None:
    repository.commit()
    sandbox = Sandbox(world, clock, timing=Timing(stale_rows=2))
    client.http._transport.sandbox = sandbox  # type: ignore[attr-defined] # the fixture's double
    workspace = client.workspace()
    client.act(workspace, "pipeline/prepare/start")
    first = client.rows(workspace, "prepare")[0]["startedAt"]
    client.clock.sleep(5)
    client.act(workspace, "pipeline/prepare/start")
    assert client.rows(workspace, "prepare")[0]["startedAt"] == first
    client.clock.sleep(1)
    assert client.rows(workspace, "prepare")[0]["startedAt"] != first


def test_logs_of_services_come_by_server_and_faults_are_problem_events(
    client: Client, repository: Repository
) -> None:
    repository.commit()
    workspace = client.workspace()
    client.act(workspace, "landscape/deploy")
    client.act(workspace, "pipeline/run/start")
    base = f"/workspaces/{workspace}/logs/run/0"
    assert "$ serve web" in client.call("GET", f"{base}/server/web").text
    replica = client.rows(workspace, "run")[1]["replica"]
    assert "$ serve web" in client.call("GET", f"{base}/replica/{replica}").text
    refused = client.call("GET", base)
    assert refused.status_code == 200
    assert refused.text.startswith("event: problem\n")


def test_a_log_stream_can_stay_open_and_silent(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    sandbox.quirks.log_streams_stay_open = True
    repository.commit()
    workspace = client.workspace()
    client.act(workspace, "pipeline/prepare/start")
    url = f"{API_URL}/workspaces/{workspace}/logs/prepare/0"
    with client.http.stream("GET", url, timeout=5) as response:
        chunks = response.iter_raw()
        seen = next(chunks)
        with pytest.raises(httpx.ReadTimeout):
            next(chunks)
    assert b"$ install" in seen


def test_a_stage_without_steps_succeeds_at_once_and_a_stuck_one_never(
    client: Client, repository: Repository
) -> None:
    behaviour = Behaviour(stuck=("prepare",))
    repository.commit(files={"ci.yml": landscape_ci(test=[])}, behaviour=behaviour)
    workspace = client.workspace()
    client.act(workspace, "pipeline/test/start", wait=0)
    assert client.states(workspace, "test") == [(IDE, "success")]
    client.act(workspace, "pipeline/prepare/start", wait=86_400)
    assert client.states(workspace, "prepare") == [(IDE, "running")]
