"""All endpoints of the API, as routes. The description in openapi.py is made from the same table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.api import (
    access,
    configuration,
    deliveries,
    health,
    hosts,
    projects,
    queue,
    releases,
    targets,
    workspaces,
)
from bot.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *releases.ENDPOINTS,
    *queue.ENDPOINTS,
    *deliveries.ENDPOINTS,
    *hosts.ENDPOINTS,
    *targets.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *projects.ENDPOINTS,
    *configuration.ENDPOINTS,
    *access.ENDPOINTS,
    *health.ENDPOINTS,
)


def routes_of(endpoints: Iterable[Endpoint]) -> list[Route]:
    """Return one route per path, so that a wrong method is told all that the path takes."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [Route(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()]


def _by_method(methods: dict[str, Endpoint]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method].serve(request)

    return serve
