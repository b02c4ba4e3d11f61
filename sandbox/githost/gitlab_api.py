"""GitLab's REST API over the host: who calls, what may be seen, which call answers."""

from __future__ import annotations

import hmac
import json
from email.utils import formatdate
from urllib.parse import unquote

from sandbox.core.http import Response, answer_json, answer_text
from sandbox.githost import gitlab_reading as reading
from sandbox.githost import gitlab_writing as writing
from sandbox.githost.host import GitHost
from sandbox.githost.limits import Limits, Quota
from sandbox.githost.model import Repository, Role, Token, at_least
from sandbox.githost.web import (
    Call,
    Handler,
    HostRequest,
    Refusal,
    Route,
    check_query,
    find_route,
    role_in,
    with_headers,
)


def _get(rest: str, handler: Handler, right: Role = "read", *query: str) -> Route:
    return Route("GET", rest, handler, right, frozenset(query))


def _post(rest: str, handler: Handler, right: Role) -> Route:
    return Route("POST", rest, handler, right, login=True)


COMMIT = "/repository/commits/{sha}"
CHANGE = "/merge_requests/{iid}"
HOOK = "/hooks/{hook}"
GLOBAL_ROUTES = (
    Route("GET", "/users", reading.users, query=frozenset({"username"}), login=True),
    Route("GET", "/user", reading.user, login=True),
    Route("GET", "/version", reading.version, login=True),
)
PROJECT_ROUTES = (
    _get("", reading.show_project),
    _get("/repository/branches", reading.branches, "read", "search"),
    _get("/repository/branches/{branch}", reading.branch),
    _get("/repository/tags", reading.tags),
    _get("/repository/tags/{tag}", reading.tag),
    _get("/repository/commits", reading.commits, "read", "ref_name"),
    _get(COMMIT, reading.commit),
    _get(f"{COMMIT}/diff", reading.commit_diff),
    _get(f"{COMMIT}/statuses", reading.statuses, "read", "ref", "name", "all"),
    _get(f"{COMMIT}/merge_requests", reading.merge_requests_of_commit),
    _get("/repository/compare", reading.compare, "read", "from", "to", "straight"),
    _get("/repository/merge_base", reading.merge_base, "read", "refs[]"),
    _post("/statuses/{sha}", writing.set_status, "write"),
    _get("/pipelines", reading.pipelines, "read", "sha", "ref", "status", "source"),
    _get("/pipelines/{pipeline}", reading.pipeline),
    _get("/merge_requests", reading.merge_requests, "read", "state", "target_branch", "source_branch"),
    _get(CHANGE, reading.merge_request),
    _get(f"{CHANGE}/notes", writing.notes),
    _post(f"{CHANGE}/notes", writing.note, "read"),
    Route("PUT", f"{CHANGE}/notes/{{note}}", writing.edit_note, "read", login=True),
    _get("/deployments", writing.deployments, "read", "environment", "status"),
    _post("/deployments", writing.deploy, "write"),
    _get("/deployments/{deployment}", writing.deployment),
    Route("PUT", "/deployments/{deployment}", writing.move_deployment, "write", login=True),
    _get("/releases/{tag}", reading.release),
    _get("/members/all", reading.members),
    _get("/members/all/{user}", reading.member),
    _get("/hooks", writing.hooks, "maintain"),
    _get(HOOK, writing.hook, "maintain"),
    _get(f"{HOOK}/events", writing.hook_events, "maintain", "status"),
    _post(f"{HOOK}/events/{{event}}/resend", writing.resend, "maintain"),
)


class GitLabApi:
    """Answers GitLab's REST API, version 4."""

    def __init__(self, host: GitHost, limits: Limits) -> None:
        self.host = host
        self.limits = limits

    def answer(self, request: HostRequest) -> Response:
        """Answer a call."""
        try:
            token = self._token(request)
        except Refusal as refusal:
            return _refused(refusal)
        quota = self.limits.spend(token.secret if token else "")
        headers = _rate_headers(quota)
        wait = self.limits.retry_after
        if quota.is_spent or wait:
            seconds = wait or max(1, quota.reset - int(self.host.clock()))
            return with_headers(answer_text(429, "Retry later\n"), headers | {"retry-after": str(seconds)})
        return with_headers(self._answer(request, token), headers)

    def _token(self, request: HostRequest) -> Token | None:
        secret = request.header("private-token")
        if not secret:
            scheme, _, secret = request.header("authorization").partition(" ")
            if not scheme:
                return None
            if scheme.lower() != "bearer":
                raise Refusal(401, "401 Unauthorized")
        for known in self.host.tokens.values():
            if hmac.compare_digest(known.secret.encode(), secret.encode()):
                return known
        raise Refusal(401, "401 Unauthorized")

    def _answer(self, request: HostRequest, token: Token | None) -> Response:
        try:
            with self.host.turn():
                response = self._dispatch(Call(self.host, request, token, _invalid))
            return self._with_outcome(request, response)
        except Refusal as refusal:
            return _refused(refusal)

    def _with_outcome(self, request: HostRequest, response: Response) -> Response:
        """A resend says how it went, which is only known once its turn is over."""
        if not request.path.endswith("/resend") or not self.host.send_at_once:
            return response
        status = self.host.post.log[-1].status_code
        return Response(response.status, response.headers, json.dumps({"response_status": status}).encode())

    def _dispatch(self, call: Call) -> Response:
        method, path = call.request.method, call.request.path
        found = find_route(GLOBAL_ROUTES, method, path)
        if found is None:
            name, rest = _project_name(path)
            found = find_route(PROJECT_ROUTES, method, rest)
            if found is None:
                raise Refusal(404, "404 Not Found")
            call.found = self._project(call, name, rest)
        route, arguments = found
        if route.login and call.token is None:
            raise Refusal(401, "401 Unauthorized")
        if call.found is not None and not at_least(call.role, route.right):
            raise Refusal(403, "403 Forbidden")
        check_query(call, route)
        return route.handler(call, *arguments)

    def _project(self, call: Call, name: str, rest: str) -> Repository:
        by_id = self.host.repositories.get(int(name)) if name.isdecimal() else None
        found = by_id or self.host.find(name)
        moved = None if found else self.host.repositories.get(self.host.former_names.get(name.lower(), 0))
        seen = found or moved
        if seen is None or role_in(seen, call.token) == "none":
            raise Refusal(404, "404 Project Not Found")
        if moved is None:
            return seen
        if call.request.method != "GET":
            raise Refusal(405, "405 Non GET methods are not allowed for moved projects")
        url = f"{call.request.base_url}/projects/{seen.id}{rest}"
        raise Refusal(301, "This resource has been moved", headers={"location": url})


def _project_name(path: str) -> tuple[str, str]:
    head, _, tail = path.removeprefix("/").partition("/")
    name, slash, rest = tail.partition("/")
    if head != "projects" or not name:
        raise Refusal(404, "404 Not Found")
    return unquote(name), slash + rest


def _invalid(detail: str) -> Refusal:
    return Refusal(400, detail, errors=True)


def _refused(refusal: Refusal) -> Response:
    key = "error" if refusal.errors else "message"
    return with_headers(answer_json({key: refusal.message}, refusal.status), refusal.headers)


def _rate_headers(quota: Quota) -> dict[str, str]:
    return {
        "ratelimit-limit": str(quota.limit),
        "ratelimit-observed": str(quota.used),
        "ratelimit-remaining": str(quota.remaining),
        "ratelimit-reset": str(quota.reset),
        "ratelimit-resettime": formatdate(quota.reset, usegmt=True),
        "ratelimit-name": "throttle_authenticated_api",
    }
