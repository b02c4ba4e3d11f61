"""A sandbox with a clock that only the test moves, and a plain client for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from sandbox.core import Sandbox
from sandbox.scripted import Repository, ScriptedWorld
from sandbox.transport import API_URL, SandboxTransport

GIT_URL = "https://git.example.com/acme/shop.git"


@dataclass
class Clock:
    """Epoch seconds that stand still until `sleep`."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Client:
    """Calls of the API in a few letters; `workspace` makes one that is up."""

    def __init__(self, http: httpx.Client, clock: Clock) -> None:
        self.http = http
        self.clock = clock

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        if body is None:
            return self.http.request(method, f"{API_URL}{path}")
        return self.http.request(method, f"{API_URL}{path}", json=body)

    def workspace(self, **fields: object) -> int:
        answer = self.call("POST", "/workspaces", create_body(**fields))
        assert answer.status_code == 200, answer.text
        self.clock.sleep(1)
        return int(answer.json()["id"])

    def act(self, workspace_id: int, action: str, *, wait: float = 1) -> httpx.Response:
        answer = self.call("POST", f"/workspaces/{workspace_id}/{action}")
        self.clock.sleep(wait)
        return answer

    def rows(self, workspace_id: int, stage: str) -> list[dict[str, object]]:
        answer = self.call("GET", f"/workspaces/{workspace_id}/pipeline/{stage}")
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, object]] = answer.json()
        return rows

    def states(self, workspace_id: int, stage: str) -> list[tuple[object, object]]:
        return [(row["server"], row["state"]) for row in self.rows(workspace_id, stage)]


def create_body(**fields: object) -> dict[str, object]:
    body: dict[str, object] = {"teamId": 35, "name": "shop-1", "planId": 8}
    body |= {"isPrivateRepo": False, "replicas": 1, "restricted": False}
    return body | {"gitUrl": GIT_URL, "initialBranch": "main"} | fields


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> ScriptedWorld:
    return ScriptedWorld()


@pytest.fixture
def repository(world: ScriptedWorld) -> Repository:
    return world.repository(GIT_URL)


@pytest.fixture
def sandbox(world: ScriptedWorld, clock: Clock) -> Sandbox:
    return Sandbox(world, clock)


@pytest.fixture
def client(sandbox: Sandbox, clock: Clock) -> Iterator[Client]:
    transport = SandboxTransport(sandbox, sleep=clock.sleep)
    headers = {"authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(transport=transport, headers=headers) as http:
        yield Client(http, clock)
