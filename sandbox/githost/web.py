"""What both dialects share: routes with their rights, a call in hand, bodies checked, lists in pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

from sandbox.core.http import ApiFault, Request, Response, answer_json
from sandbox.core.validation import Check, record
from sandbox.githost.host import GitHost
from sandbox.githost.model import Repository, Role, Token, User

LARGEST_PAGE = 100
PAGING = frozenset({"page", "per_page"})


class Refusal(Exception):
    """An answer that is no success; each dialect has its own body for it."""

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, errors: object = None
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.errors = errors


@dataclass(frozen=True)
class HostRequest(Request):
    """A request whose query may name one parameter several times."""

    pairs: tuple[tuple[str, str], ...] = ()
    base_url: str = ""


@dataclass
class Call:
    """One call under way. `repo` is there on routes below a repository."""

    host: GitHost
    request: HostRequest
    token: Token | None
    invalid: Callable[[str], Refusal]
    found: Repository | None = None
    page_headers: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Repository:
        """The repository of the path."""
        if self.found is None:
            raise AssertionError("a route without a repository asked for one")
        return self.found

    @property
    def user(self) -> User:
        """Who calls; routes that need somebody are refused to the anonymous before."""
        if self.token is None:
            raise AssertionError("an anonymous call came through to a route that needs an account")
        return self.token.user

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.host.clock()

    @property
    def role(self) -> Role:
        """What the caller may do in the repository of the path."""
        return role_in(self.repo, self.token)

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return next((value for key, value in self.request.pairs if key == name), default)

    def all_asked(self, name: str) -> list[str]:
        """Every value of a parameter that may come several times."""
        return [value for key, value in self.request.pairs if key == name]

    def body(self, required: Mapping[str, Check], optional: Mapping[str, Check]) -> dict[str, object]:
        """The JSON body, with these properties and no others."""
        try:
            value = json.loads(self.request.body or b"null")
        except ValueError as error:
            raise Refusal(400, "Problems parsing JSON") from error
        try:
            record(required, optional)(value, "")
        except ApiFault as fault:
            raise self.invalid(fault.detail or fault.title) from fault
        return dict(value)

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """A whole number of the query, at least 1; too large ones are cut down, as the hosts do."""
        text = self.asked(name, str(default))
        if not text.isdecimal() or int(text) < 1:
            raise self.invalid(f"{name} must be a whole number above 0, got {text!r}")
        return int(text) if most is None else min(int(text), most)


def role_in(repo: Repository, token: Token | None) -> Role:
    """The right of a token in a repository: its user's, unless the token itself is limited."""
    if token is None:
        return repo.role_of(None)
    if token.repositories is not None and repo.id not in token.repositories:
        return repo.role_of(None)
    role = repo.role_of(token.user)
    return "read" if token.read_only and role != "none" else role


Handler = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    """A method and a path. `{name}` is one segment, `{name...}` the rest; both come percent-decoded.

    `right` is needed in the repository, `query` are the parameters that may be given, besides paging.
    """

    method: str
    template: str
    handler: Handler
    right: Role = "read"
    query: frozenset[str] = frozenset()
    login: bool = False

    def match(self, method: str, path: str) -> list[str] | None:
        """The path's parameters, or None when this is another route."""
        if method != self.method:
            return None
        found = re.fullmatch(self._pattern(), path)
        return [unquote(value) for value in found.groups()] if found else None

    def _pattern(self) -> str:
        escaped = re.escape(self.template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\.\.\.", "...")
        return re.sub(r"{[^}.]+}", "([^/]+)", re.sub(r"{[^}.]+\.\.\.}", "(.+)", escaped))


def find_route(routes: Sequence[Route], method: str, path: str) -> tuple[Route, list[str]] | None:
    """The first route that fits, with its parameters."""
    for route in routes:
        arguments = route.match(method, path)
        if arguments is not None:
            return route, arguments
    return None


def check_query(call: Call, route: Route) -> None:
    """Refuse parameters that the route does not know, although the real hosts ignore them."""
    allowed = route.query | (PAGING if route.method == "GET" else frozenset())
    for key, _ in call.request.pairs:
        if key not in allowed:
            raise call.invalid(f"unknown query parameter {key!r}; this route takes {sorted(allowed)}")


@dataclass(frozen=True)
class Page:
    """One page of a list, and the Link header that leads to the others."""

    entries: list[object]
    total: int
    number: int
    size: int
    link: str

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


def paged(call: Call, entries: Sequence[object], path: str, default: int = 30) -> Page:
    """The page that was asked for."""
    size, number = call.number("per_page", default, LARGEST_PAGE), call.number("page", 1)
    shown = list(entries[(number - 1) * size : number * size])
    last = max(1, -(-len(entries) // size))
    wanted = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number <= 1:
        del wanted["prev"], wanted["first"]
    if number >= last:
        del wanted["next"], wanted["last"]
    links = [
        f'<{_address(call, path, [("per_page", str(size)), ("page", str(page))])}>; rel="{name}"'
        for name, page in wanted.items()
    ]
    return Page(shown, len(entries), number, size, ", ".join(links))


def _address(call: Call, path: str, more: list[tuple[str, str]]) -> str:
    kept = [(key, value) for key, value in call.request.pairs if key not in PAGING]
    return f"{call.request.base_url}{quote(path, safe='/')}?{urlencode([*kept, *more])}"


def with_headers(response: Response, headers: Mapping[str, str]) -> Response:
    """The answer with more headers."""
    return Response(
        response.status, {**response.headers, **headers}, response.body, response.delay, response.fault
    )


def answer_nothing(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status)


def answer_page(page: Page) -> Response:
    """The entries of a page as a JSON list, with its Link header."""
    headers = {"link": page.link} if page.link else {}
    return with_headers(answer_json(page.entries), headers)
