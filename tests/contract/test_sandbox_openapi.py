"""The sandbox's answers against the platform's own description, where that stands beside us."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sandbox.core import Request, Response, Sandbox
from sandbox.scripted import Behaviour, Failure, ScriptedWorld, landscape_ci

DESCRIPTION = Path(__file__).parents[3] / "shared" / "reference" / "openapi-release-subset.json"
GIT_URL = "https://git.example.com/acme/shop.git"


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip("the platform's description does not stand beside this checkout")
    whole: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return whole


class Checked:
    """Calls the sandbox and holds every answer against the description."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.now = 1_800_000_000.0
        world = ScriptedWorld()
        failing = Behaviour(failures=(Failure("test"),))
        world.repository(GIT_URL).commit(files={"ci.yml": landscape_ci({"web": 2})}, behaviour=failing)
        self.sandbox = Sandbox(world, lambda: self.now)
        self.seen: set[tuple[str, str]] = set()

    def call(self, method: str, path: str, body: object = None, *, token: str = "") -> Response:
        bearer = token or self.sandbox.token
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        response = self.sandbox.handle(Request(method, path, headers=headers, body=sent))
        template, operation = self._operation(method, path)
        self.seen.add((method, template))
        self._check_body(operation, body)
        self._check_answer(operation, response)
        self.now += 1
        return response

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        fitting = [
            template
            for template in self.description["paths"]
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
        ]
        template = min(fitting, key=lambda t: t.count("{"))
        operation: dict[str, Any] = self.description["paths"][template][method.lower()]
        return template, operation

    def _check_body(self, operation: dict[str, Any], body: object) -> None:
        content = operation.get("requestBody", {}).get("content", {})
        if content and body != BAD:
            self._validate(body, content["application/json"]["schema"])

    def _check_answer(self, operation: dict[str, Any], response: Response) -> None:
        described = operation["responses"]
        assert str(response.status) in described, (response.status, response.body)
        content = described[str(response.status)].get("content", {})
        if "application/json" in content:
            self._validate(response.json(), content["application/json"]["schema"])
        elif not content:
            assert response.body == b""

    def _validate(self, value: object, schema: dict[str, Any]) -> None:
        whole = _nullable(schema) | {"components": self.description["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


BAD = {"nonsense": True}


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _nullable(part) for key, part in schema.items() if key != "nullable"}
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


@pytest.fixture
def checked(description: dict[str, Any]) -> Checked:
    return Checked(description)


def _release(checked: Checked) -> int:
    body = {"teamId": 35, "name": "shop", "planId": 8, "isPrivateRepo": False, "replicas": 1}
    body |= {"gitUrl": GIT_URL, "initialBranch": "main"}
    workspace = json.loads(checked.call("POST", "/workspaces", body).body)["id"]
    base = f"/workspaces/{workspace}"
    for path in ("", "/status", "/git/head", "/pipeline/prepare", "/env-vars"):
        checked.call("GET", f"{base}{path}")
    for action in ("pipeline/prepare/start", "pipeline/test/start", "landscape/deploy"):
        checked.call("POST", f"{base}/{action}")
    for action in ("pipeline/run/start", "git/pull", "git/pull/origin", "git/pull/origin/main"):
        checked.call("POST", f"{base}/{action}")
    for stage in ("prepare", "test", "run"):
        checked.call("GET", f"{base}/pipeline/{stage}")
    return int(workspace)


def test_every_operation_answers_as_described(checked: Checked) -> None:
    for path in ("/teams", "/teams/35", "/metadata/workspace-plans", "/metadata/datacenters"):
        checked.call("GET", path)
    checked.call("GET", "/metadata/workspace-base-images")
    workspace = _release(checked)
    base = f"/workspaces/{workspace}"
    checked.call("GET", "/workspaces/team/35")
    checked.call("PATCH", base, {"name": "renamed", "replicas": 1})
    checked.call("PUT", f"{base}/env-vars", [{"name": "A", "value": "1"}])
    checked.call("DELETE", f"{base}/env-vars", ["A"])
    checked.call("POST", f"{base}/execute", {"command": "git rev-parse HEAD"})
    checked.call("PATCH", f"{base}/landscape/scale", {"web": 1})
    replica = checked.call("GET", f"{base}/pipeline/run").json()
    assert isinstance(replica, list)
    checked.call("GET", f"{base}/logs/test/0")
    checked.call("GET", f"{base}/logs/run/0/server/web")
    checked.call("GET", f"{base}/logs/run/0/replica/{replica[1]['replica']}")
    domain = "/domains/team/35/domain/shop.example.com"
    checked.call("POST", domain)
    checked.call("POST", f"{domain}/verify")
    checked.call("PUT", f"{domain}/workspace-connections", {"/": [workspace]})
    checked.call("PATCH", domain, {"maxBodySizeMb": 10})
    checked.call("GET", domain)
    checked.call("GET", "/domains/team/35")
    checked.call("DELETE", domain)
    checked.call("POST", f"{base}/pipeline/run/stop")
    checked.call("DELETE", f"{base}/landscape/teardown")
    for action in ("pipeline/run/start/prod", "landscape/deploy/prod"):
        assert checked.call("POST", f"{base}/{action}").status == 400
    checked.call("DELETE", base)
    described = {
        (method.upper(), path)
        for path, methods in checked.description["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert checked.seen == described


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_refusals_have_the_described_body(checked: Checked, method: str) -> None:
    workspace = _release(checked)
    path = "/workspaces" if method == "POST" else f"/workspaces/{workspace}"
    assert checked.call(method, path, BAD).status == 400
    assert checked.call("GET", f"/workspaces/{workspace}", token="wrong").status == 401
    assert checked.call("GET", "/workspaces/1").status == 404
    checked.sandbox.put_to_sleep(workspace)
    assert checked.call("POST", f"/workspaces/{workspace}/pipeline/run/start").status == 400
