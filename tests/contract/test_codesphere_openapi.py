"""What the driver sends, held against the platform's public API description.

The description is no part of this repository; it is read where it stands beside the checkout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from workers.errors import PlatformError
from workers.flow.ports import Platform
from workers.platforms.client import ApiClient
from workers.platforms.codesphere import Codesphere
from workers.platforms.transport import http_client
from workers.releases.places import Stage, StageReport, StageState, Workspace, WorkspaceSpec

DESCRIPTION = Path(__file__).parents[3] / "shared" / "reference" / "openapi-release-subset.json"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORKSPACE = Workspace(7, "shop-1", "mark", 35, 1, None)
FAILED = StageReport(StageState.FAILED, "", failed_step=1, server="web", replica="web-0")
SPEC = WorkspaceSpec(
    team_id=35,
    plan_id=8,
    name="shop-1",
    mark="switchover:r1",
    git_url="https://git.example.com/acme/shop.git",
    branch="feature/x",
    private=True,
    replicas=1,
    restricted=False,
    env={"APP_ENV": "production"},
)

CALLS: dict[str, Callable[[Platform], object]] = {
    "resolve": lambda platform: platform.resolve("acme", "small", "shop.example.com", 1),
    "create": lambda platform: platform.create_workspace(SPEC),
    "list": lambda platform: platform.workspaces(35),
    "read": lambda platform: platform.workspace(7),
    "status": lambda platform: platform.is_running(7),
    "wake": lambda platform: platform.wake(WORKSPACE),
    "head": lambda platform: platform.head(7),
    "checkout": lambda platform: platform.checkout(7, COMMIT),
    "pull": lambda platform: platform.pull(7),
    "pull a branch": lambda platform: platform.pull(7, "feature/x"),
    "pipeline": lambda platform: platform.pipeline(7, "prod"),
    "start": lambda platform: platform.start_stage(7, Stage.RUN, None),
    "start a profile": lambda platform: platform.start_stage(7, Stage.PREPARE, "prod"),
    "stop": lambda platform: platform.stop_stage(7, Stage.RUN),
    "look": lambda platform: platform.stage(WORKSPACE, Stage.TEST, ()),
    "deploy": lambda platform: platform.deploy_landscape(7, None),
    "deploy a profile": lambda platform: platform.deploy_landscape(7, "prod"),
    "log of a build": lambda platform: platform.log_tail(7, Stage.TEST, FAILED),
    "log of a replica": lambda platform: platform.log_tail(7, Stage.RUN, FAILED),
    "domain": lambda platform: platform.domain(35, "shop.example.com"),
    "domains": lambda platform: platform.domains(35),
    "connect": lambda platform: platform.connect(35, "shop.example.com", {"/": (7,)}, timeout=1),
    "delete": lambda platform: platform.delete_workspace(7),
    "teams": lambda platform: platform.teams(),
    "team by name": lambda platform: platform.team_id("acme"),
}
NO_API_NEEDED = {"access_headers"}


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip("the platform's API description does not stand beside this checkout")
    content: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    return content


def operation_of(
    description: dict[str, Any], method: str, path: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Find the one operation that the path belongs to, with what its parameters are."""
    for template, operations in description["paths"].items():
        names = re.findall(r"{(\w+)}", template)
        pattern = "([^/]+)".join(re.escape(part) for part in re.split(r"{\w+}", template))
        match = re.fullmatch(pattern, path)
        if match and method.lower() in operations:
            return operations[method.lower()], dict(zip(names, match.groups(), strict=True))
    raise AssertionError(f"the API has no {method} {path}")


def strictly(schema: Any) -> Any:
    """Forbid what the schema does not name: the API ignores it, so it would be a mistake of ours."""
    if isinstance(schema, list):
        return [strictly(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: strictly(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        strict["additionalProperties"] = False
    return strict


def sent_by(call: Callable[[Platform], object]) -> list[httpx.Request]:
    """Make the call against an API that answers `{}`, and return what was sent."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path == "/api/teams":
            return httpx.Response(200, json=[{"id": 35, "name": "acme"}])
        if request.url.path.endswith("plans"):
            return httpx.Response(200, json=[{"id": 8, "title": "small"}])
        if request.url.path.endswith("git/head"):
            return httpx.Response(200, json={"head": "main"})
        return httpx.Response(200, json={})

    api = ApiClient(
        http_client(transport=httpx.MockTransport(answer)), "https://x.example/api", SecretStr("key")
    )
    with suppress(PlatformError):  # the answer is of no use; what was asked is what counts here
        call(Codesphere(api))
    return seen


@pytest.mark.parametrize("name", CALLS)
def test_the_driver_sends_only_what_the_api_describes(name: str, description: dict[str, Any]) -> None:
    sent = sent_by(CALLS[name])

    assert sent
    for request in sent:
        path = request.url.raw_path.decode().removeprefix("/api")
        operation, parameters = operation_of(description, request.method, path)
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                value = unquote(parameters[parameter["name"]])
                typed = int(value) if parameter["schema"].get("type") == "integer" else value
                Draft202012Validator(parameter["schema"]).validate(typed)
        body = operation.get("requestBody")
        if body is None:
            assert request.content == b""
            continue
        schema = strictly(body["content"]["application/json"]["schema"])
        Draft202012Validator({**schema, "components": description["components"]}).validate(
            json.loads(request.content)
        )


def test_every_method_of_the_platform_is_held_against_the_description() -> None:
    methods = {name for name in vars(Platform) if not name.startswith("_")} - NO_API_NEEDED
    called = {name for call in CALLS.values() for name in call.__code__.co_names}

    assert methods <= called
