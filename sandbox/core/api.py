"""From a request to the call that answers it: routes, bearer, path parameters, bodies."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from sandbox.core import domains, logs, pipelines, workspaces
from sandbox.core.http import ApiFault, Request, Response, answer_json, answer_text
from sandbox.core.platform import Platform
from sandbox.core.validation import refuse
from sandbox.core.workspaces import Later

Handler = Callable[..., "Response | Later"]
PROFILE = r"[\w-]+(\.[\w-]+)*"


class Route(NamedTuple):
    """A method and path of the API; `{name:kind}` are its parameters."""

    method: str
    template: str
    handler: Handler
    takes_body: bool = False

    def match(self, method: str, segments: list[str]) -> list[str] | None:
        """The raw parameters, or None when this is another route."""
        wanted = self.template.split("/")
        if method != self.method or len(wanted) != len(segments):
            return None
        if any(not w.startswith("{") and w != s for w, s in zip(wanted, segments, strict=True)):
            return None
        return [s for w, s in zip(wanted, segments, strict=True) if w.startswith("{")]

    def kinds(self) -> list[str]:
        """The kinds of the parameters, in order."""
        return re.findall(r"{(\w+)}", self.template)


def route(platform: Platform, token: str, request: Request) -> Response | Later:
    """Answer the request, or say how; raises ApiFault."""
    segments = request.path.strip("/").split("/")
    for candidate in ROUTES:
        raw = candidate.match(request.method, segments)
        if raw is not None:
            break
    else:
        return answer_text(404, f"Cannot {request.method} /api{request.path}", "text/html")
    check_bearer(request, token)
    arguments: list[object] = [
        _parameter(kind, unquote(value)) for kind, value in zip(candidate.kinds(), raw, strict=True)
    ]
    if candidate.takes_body:
        arguments.append(_body(request))
    return candidate.handler(platform, *arguments)


def check_bearer(request: Request, token: str) -> None:
    """Refuse any other token with 401."""
    given = request.header("authorization").encode()
    if not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise ApiFault(401, "Authorization information is missing or invalid.")


def _parameter(kind: str, text: str) -> object:
    if kind in ("team", "workspace", "step"):
        if not text.isascii() or not text.isdigit():
            raise refuse("NonNegativeInteger", text, kind)
        return int(text)
    patterns = {"stage": "prepare|test|run", "profile": PROFILE, "server": pipelines.SERVER_NAME}
    if kind in patterns and not re.fullmatch(patterns[kind], text):
        raise refuse(kind, text, kind)
    return text


def _body(request: Request) -> Any:
    if not request.header("content-type").startswith("application/json"):
        raise refuse("application/json body", request.header("content-type") or None, "")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise ApiFault(400, "Bad Request", "The body is not JSON.") from error


def _teams(platform: Platform) -> Response:
    return answer_json([t.as_json() | {"role": t.role} for t in platform.teams.values()])


def _team(platform: Platform, team_id: int) -> Response:
    return answer_json(platform.team(team_id).as_json())


def _plans(platform: Platform) -> Response:
    return answer_json([plan.as_json() for plan in platform.plans.values()])


def _base_images(_: Platform) -> Response:
    until = "2029-04-30T00:00:00.000Z"
    return answer_json([{"id": "ubuntu-24.04", "name": "Ubuntu 24.04", "supportedUntil": until}])


def _datacenters(_: Platform) -> Response:
    return answer_json([{"id": 5, "name": "Sandbox", "city": "Here", "countryCode": "DE"}])


def _workspace(platform: Platform, workspace_id: int) -> Response:
    return answer_json(platform.workspace(workspace_id).as_json())


def _status(platform: Platform, workspace_id: int) -> Response:
    workspace = platform.workspace(workspace_id)
    return answer_json({"isRunning": platform.is_running(workspace)})


W = "workspaces/{workspace}"
D = "domains/team/{team}/domain/{domain}"
ROUTES = (
    Route("GET", "teams", _teams),
    Route("GET", "teams/{team}", _team),
    Route("GET", "metadata/workspace-plans", _plans),
    Route("GET", "metadata/workspace-base-images", _base_images),
    Route("GET", "metadata/datacenters", _datacenters),
    Route("POST", "workspaces", workspaces.create, takes_body=True),
    Route("GET", "workspaces/team/{team}", workspaces.of_team),
    Route("GET", W, _workspace),
    Route("PATCH", W, workspaces.change, takes_body=True),
    Route("DELETE", W, workspaces.delete),
    Route("GET", f"{W}/status", _status),
    Route("POST", f"{W}/pipeline/{{stage}}/start", pipelines.start),
    Route("POST", f"{W}/pipeline/{{stage}}/start/{{profile}}", pipelines.start),
    Route("POST", f"{W}/pipeline/{{stage}}/stop", pipelines.stop),
    Route("GET", f"{W}/pipeline/{{stage}}", pipelines.rows),
    Route("POST", f"{W}/landscape/deploy", pipelines.deploy),
    Route("POST", f"{W}/landscape/deploy/{{profile}}", pipelines.deploy),
    Route("PATCH", f"{W}/landscape/scale", pipelines.scale, takes_body=True),
    Route("DELETE", f"{W}/landscape/teardown", pipelines.teardown),
    Route("GET", f"{W}/env-vars", workspaces.show_env),
    Route("PUT", f"{W}/env-vars", workspaces.set_env, takes_body=True),
    Route("DELETE", f"{W}/env-vars", workspaces.drop_env, takes_body=True),
    Route("POST", f"{W}/execute", workspaces.execute, takes_body=True),
    Route("GET", f"{W}/git/head", workspaces.head),
    Route("POST", f"{W}/git/pull", workspaces.pull),
    Route("POST", f"{W}/git/pull/{{remote}}", workspaces.pull),
    Route("POST", f"{W}/git/pull/{{remote}}/{{branch}}", workspaces.pull),
    Route("GET", f"{W}/logs/{{stage}}/{{step}}", logs.of_stage),
    Route("GET", f"{W}/logs/run/{{step}}/server/{{server}}", logs.of_server),
    Route("GET", f"{W}/logs/run/{{step}}/replica/{{replica}}", logs.of_replica),
    Route("GET", "domains/team/{team}", domains.of_team),
    Route("GET", D, domains.show),
    Route("POST", D, domains.create),
    Route("PATCH", D, domains.change, takes_body=True),
    Route("DELETE", D, domains.delete),
    Route("POST", f"{D}/verify", domains.verify),
    Route("PUT", f"{D}/workspace-connections", domains.connect, takes_body=True),
)
