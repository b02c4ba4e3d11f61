"""Whether this process lives, whether it can do its work, and what it counted."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import StateView
from bot.envelope import Problem
from bot.metrics import WORKER_SEEN_SECONDS, Metrics
from workers.errors import StoreAway
from workers.wiring import WebServices

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


async def livez(request: Request) -> Response:
    """Answer; a process that can answer is alive."""
    del request
    return Response('{"status":"alive"}', media_type="application/json")


def readyz(call: Call) -> Reply:
    """Tell whether the store answers and a worker is there; 503 names what is missing."""
    missing = what_is_missing(call.services)
    if missing is not None:
        raise Problem(503, f"Not ready: {missing}.", detail=missing, headers={"Retry-After": "5"})
    return Reply(StateView(status="ready"))


def what_is_missing(services: WebServices) -> str | None:
    """Return what keeps releases from moving, or None."""
    try:
        workers = services.reading.workers_seen_since(services.store.now() - WORKER_SEEN_SECONDS)
    except StoreAway:
        return "the store cannot be reached"
    if workers == 0:
        return f"no worker was seen in the last {WORKER_SEEN_SECONDS:.0f} seconds"
    return None


async def metrics(request: Request) -> Response:
    """Answer Prometheus."""
    counted: Metrics = request.app.state.metrics
    return Response(await run_in_threadpool(counted.text), media_type=_TEXT)


ENDPOINTS = (
    Endpoint("GET", "/livez", "Is this process alive?", "health", None, raw=livez, answer=StateView),
    Endpoint("GET", "/readyz", "Can releases move?", "health", None, readyz, answer=StateView),
    Endpoint("GET", "/metrics", "Metrics for Prometheus", "health", None, raw=metrics, media="text/plain"),
)  # fmt: skip
