"""What goes wrong on purpose."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from sandbox.core import Fault, Sandbox
from sandbox.scripted import Repository
from sandbox.transport import API_URL, AsyncSandboxTransport
from tests.unit.sandbox.conftest import Client, create_body


@pytest.mark.parametrize(("after", "left"), [(False, 0), (True, 1)])
def test_an_error_comes_before_or_after_the_effect(
    client: Client, sandbox: Sandbox, repository: Repository, *, after: bool, left: int
) -> None:
    repository.commit()
    sandbox.faults.add(Fault("/workspaces", method="POST", status=503, after=after, retry_after=7))
    answer = client.call("POST", "/workspaces", create_body())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert len(sandbox.platform.workspaces) == left
    assert client.call("POST", "/workspaces", create_body()).status_code == 200


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", httpx.ReadError),
        ("timeout", httpx.ReadTimeout),
        ("refused", httpx.ConnectError),
    ],
)
def test_a_broken_connection_is_what_httpx_raises(
    client: Client, sandbox: Sandbox, kind: str, error: type[Exception]
) -> None:
    sandbox.faults.add(Fault(broken=kind))  # type: ignore[arg-type] # parametrised
    with pytest.raises(error):
        client.call("GET", "/teams")
    assert sandbox.calls[0].status == 0
    assert client.call("GET", "/teams").status_code == 200


def test_a_latency_beyond_the_callers_patience_is_a_timeout_with_the_effect_done(
    client: Client, sandbox: Sandbox, repository: Repository
) -> None:
    repository.commit()
    client.http.timeout = httpx.Timeout(5)
    sandbox.faults.add(Fault("/workspaces", method="POST", latency=9))
    begun = client.clock.now
    with pytest.raises(httpx.ReadTimeout):
        client.call("POST", "/workspaces", create_body())
    assert client.clock.now - begun == 5
    assert len(sandbox.platform.workspaces) == 1


def test_a_fault_lets_calls_pass_and_counts_what_it_met(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(Fault("/teams", skip=1, times=2, status=500))
    statuses = [client.call("GET", "/teams").status_code for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]
    assert fault.met == 2


def test_garbage_has_many_forms(client: Client, sandbox: Sandbox, repository: Repository) -> None:
    repository.commit()
    workspace = client.workspace()
    path = f"/workspaces/{workspace}/pipeline/prepare"
    for kind in ("html", "truncated", "not-json"):
        sandbox.faults.add(Fault(path, garbage=kind))
        with pytest.raises(ValueError, match=r".+"):
            client.call("GET", path).json()
    sandbox.faults.add(Fault(path, garbage="empty-list"))
    assert client.rows(workspace, "prepare") == []
    sandbox.faults.add(Fault(path, garbage="unknown-state"))
    assert client.rows(workspace, "prepare")[0]["state"] == "pondering"


def test_the_gateway_can_be_at_fault_too(client: Client, sandbox: Sandbox, repository: Repository) -> None:
    repository.commit()
    workspace = sandbox.live_workspace(repository.url)
    sandbox.add_domain("shop.example.com", {"/": [workspace]})
    sandbox.faults.add(Fault("shop.example.com/.*", where="gateway", status=502))
    assert client.http.get("http://shop.example.com/").status_code == 502
    assert client.http.get("http://shop.example.com/").status_code == 200


async def _teams(sandbox: Sandbox) -> int:
    transport = AsyncSandboxTransport(sandbox)
    headers = {"authorization": f"Bearer {sandbox.token}"}
    async with httpx.AsyncClient(transport=transport, headers=headers) as http:
        return (await http.get(f"{API_URL}/teams")).status_code


def test_the_asynchronous_transport_answers_the_same(sandbox: Sandbox) -> None:

    assert asyncio.run(_teams(sandbox)) == 200
