"""GitHub's REST API over the host: who calls, what may be seen, which call answers."""

from __future__ import annotations

import hashlib
import hmac

from sandbox.core.http import Response, answer_json
from sandbox.githost import github_hooks as hooks
from sandbox.githost import github_reading as reading
from sandbox.githost import github_shapes as shapes
from sandbox.githost import github_writing as writing
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

DOCUMENTATION = "https://docs.github.com/rest"
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def _user(call: Call) -> Response:
    return answer_json(shapes.account(call.user))


def _meta(_: Call) -> Response:
    return answer_json({"verifiable_password_authentication": False, "hooks": ["127.0.0.0/8"]})


def _get(rest: str, handler: Handler, right: Role = "read", *query: str) -> Route:
    return Route("GET", rest, handler, right, frozenset(query))


def _post(rest: str, handler: Handler, right: Role) -> Route:
    return Route("POST", rest, handler, right, login=True)


GLOBAL_ROUTES = (
    Route("GET", "/user", _user, login=True),
    Route("GET", "/meta", _meta),
)
HOOK = "/hooks/{hook}"
DELIVERY = f"{HOOK}/deliveries/{{delivery}}"
REPOSITORY_ROUTES = (
    _get("", reading.show_repository),
    _get("/branches", reading.branches),
    _get("/branches/{branch...}", reading.branch),
    _get("/tags", reading.tags),
    _get("/git/ref/{ref...}", reading.ref),
    _get("/git/matching-refs/{prefix...}", reading.matching_refs),
    _get("/git/tags/{sha}", reading.tag_object),
    _get("/commits", reading.commits, "read", "sha"),
    _get("/commits/{ref...}/status", reading.combined_status),
    _get("/commits/{ref...}/statuses", reading.statuses),
    _get("/commits/{ref...}/check-runs", reading.check_runs, "read", "check_name", "status", "filter"),
    _get("/commits/{ref...}/check-suites", reading.check_suites),
    _get("/commits/{sha}/pulls", reading.pulls_of_commit),
    _get("/commits/{ref...}", reading.commit),
    _get("/compare/{names...}", reading.compare),
    _post("/statuses/{sha}", writing.set_status, "write"),
    _post("/check-runs", writing.refuse_check_run, "read"),
    Route("GET", "/collaborators/{user}/permission", reading.permission, "write", login=True),
    _get("/pulls", reading.pulls, "read", "state", "base", "head"),
    _get("/pulls/{number}", reading.pull),
    _get("/issues/{number}/comments", writing.comments),
    _post("/issues/{number}/comments", writing.comment, "read"),
    Route("PATCH", "/issues/comments/{comment}", writing.edit_comment, "read", login=True),
    _get("/deployments", writing.deployments, "read", "sha", "ref", "task", "environment"),
    _post("/deployments", writing.deploy, "write"),
    _get("/deployments/{deployment}", writing.deployment),
    _get("/deployments/{deployment}/statuses", writing.deployment_statuses),
    _post("/deployments/{deployment}/statuses", writing.set_deployment_status, "write"),
    _get("/hooks", hooks.hooks, "admin"),
    _get(HOOK, hooks.hook, "admin"),
    _post(f"{HOOK}/pings", hooks.ping, "admin"),
    _get(f"{HOOK}/deliveries", hooks.deliveries, "admin", "cursor", "redelivery"),
    _get(DELIVERY, hooks.delivery, "admin"),
    _post(f"{DELIVERY}/attempts", hooks.attempt, "admin"),
    _get("/releases", reading.releases),
    _get("/releases/tags/{tag...}", reading.release_by_tag),
)


class GitHubApi:
    """Answers GitHub's REST API, version 2022-11-28."""

    def __init__(self, host: GitHost, limits: Limits) -> None:
        self.host = host
        self.limits = limits

    def answer(self, request: HostRequest) -> Response:
        """Answer a call. A GET that names the ETag it knows gets 304 and is not counted."""
        try:
            token = self._token(request)
        except Refusal as refusal:
            return _refused(refusal)
        caller = token.secret if token else ""
        quota = self.limits.spend(caller)
        blocked = self._blocked(quota)
        response = blocked or self._answer(request, token)
        etag = f'W/"{hashlib.sha256(response.body).hexdigest()[:32]}"'
        if request.method == "GET" and response.status == 200:
            response = with_headers(response, {"etag": etag})
            if request.header("if-none-match") == etag:
                quota = self.limits.give_back(caller)
                response = Response(304, {"etag": etag})
        return with_headers(response, _rate_headers(quota))

    def _blocked(self, quota: Quota) -> Response | None:
        if self.limits.retry_after:
            wait = {"retry-after": str(self.limits.retry_after)}
            return _refused(Refusal(403, SECONDARY, headers=wait))
        if quota.is_spent:
            return _refused(Refusal(403, "API rate limit exceeded for user ID 1001."))
        return None

    def _token(self, request: HostRequest) -> Token | None:
        scheme, _, secret = request.header("authorization").partition(" ")
        if not scheme:
            return None
        if scheme.lower() in ("bearer", "token"):
            for known in self.host.tokens.values():
                if hmac.compare_digest(known.secret.encode(), secret.encode()):
                    return known
        raise Refusal(401, "Bad credentials")

    def _answer(self, request: HostRequest, token: Token | None) -> Response:
        if not request.header("user-agent"):
            return _refused(Refusal(403, "Request forbidden by administrative rules: no User-Agent header."))
        try:
            with self.host.turn():
                return self._dispatch(Call(self.host, request, token, _invalid))
        except Refusal as refusal:
            return _refused(refusal)

    def _dispatch(self, call: Call) -> Response:
        path = call.request.path
        if path == "/rate_limit" and call.request.method == "GET":
            return self._rate_limit(call)
        found = find_route(GLOBAL_ROUTES, call.request.method, path)
        if found is None:
            call.found, rest = self._repository(call, path)
            found = find_route(REPOSITORY_ROUTES, call.request.method, rest)
        if found is None:
            raise Refusal(404, "Not Found")
        route, arguments = found
        if route.login and call.token is None:
            raise Refusal(401, "Requires authentication")
        if call.found is not None:
            _check_right(call, route)
        check_query(call, route)
        return route.handler(call, *arguments)

    def _rate_limit(self, call: Call) -> Response:
        quota = self.limits.give_back(call.token.secret if call.token else "")
        core = {"limit": quota.limit, "used": quota.used, "remaining": quota.remaining, "reset": quota.reset}
        return answer_json({"resources": {"core": core}, "rate": core})

    def _repository(self, call: Call, path: str) -> tuple[Repository, str]:
        """The repository that a path begins with, if the token may see it, and the rest of the path."""
        head, *parts = path.removeprefix("/").split("/")
        if head == "repositories" and parts and parts[0].isdecimal():
            return _seen(call, self.host.repositories.get(int(parts[0]))), _rest(parts[1:])
        if head != "repos" or len(parts) < 2:
            raise Refusal(404, "Not Found")
        name = f"{parts[0]}/{parts[1]}"
        found = self.host.find(name)
        if found is None:
            former = self.host.former_names.get(name.lower())
            moved = _seen(call, self.host.repositories.get(former or 0))
            raise self._elsewhere(call, f"/repositories/{moved.id}{_rest(parts[2:])}")
        return _seen(call, found), _rest(parts[2:])

    def _elsewhere(self, call: Call, path: str) -> Refusal:
        query = "&".join(f"{key}={value}" for key, value in call.request.pairs)
        url = f"{call.request.base_url}{path}{'?' if query else ''}{query}"
        get = call.request.method == "GET"
        words = "Moved Permanently" if get else "Temporary Redirect"
        return Refusal(301 if get else 307, words, headers={"location": url})


def _rest(parts: list[str]) -> str:
    return "".join(f"/{part}" for part in parts)


def _seen(call: Call, repo: Repository | None) -> Repository:
    """What a token may not see is as if it were not there."""
    if repo is None or role_in(repo, call.token) == "none":
        raise Refusal(404, "Not Found")
    return repo


def _check_right(call: Call, route: Route) -> None:
    if at_least(call.role, route.right):
        return
    if route.right == "admin":
        raise Refusal(404, "Not Found")
    if route.handler is reading.permission:
        raise Refusal(403, "Must have push access to view collaborator permission.")
    raise Refusal(403, "Resource not accessible by personal access token")


def _invalid(detail: str) -> Refusal:
    return Refusal(422, f"Invalid request.\n\n{detail}")


def _refused(refusal: Refusal) -> Response:
    body: dict[str, object] = {"message": refusal.message, "documentation_url": DOCUMENTATION}
    if refusal.errors is not None:
        body["errors"] = refusal.errors
    if "location" in refusal.headers:
        body["url"] = refusal.headers["location"]
    body["status"] = str(refusal.status)
    return with_headers(answer_json(body, refusal.status), refusal.headers)


def _rate_headers(quota: Quota) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(quota.limit),
        "x-ratelimit-remaining": str(quota.remaining),
        "x-ratelimit-used": str(min(quota.used, quota.limit)),
        "x-ratelimit-reset": str(quota.reset),
        "x-ratelimit-resource": "core",
        "x-github-media-type": "github.v3; format=json",
        "x-github-request-id": "5A0D:0B0C:0FFEE",
    }
