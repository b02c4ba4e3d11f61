"""A release's history as server-sent events, from the start or from where the reader left off."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.api.models import moment
from bot.envelope import Problem
from workers.errors import StoreAway
from workers.releases.model import JSON, Release
from workers.wiring import WebServices

LOOK_SECONDS: Final = 0.3
HEARTBEAT_SECONDS: Final = 10.0
LONGEST_SECONDS: Final = 3600.0
"""A stream ends by itself after so long; readers come back with Last-Event-ID."""

CLEANING_SECONDS: Final = 120.0
"""A stream waits at most so long for the cleaning up of a release that has ended."""

_AT_REST: Final = ("gone", "in use", "nothing was made", "left", "parked", "kept")
"""How a release's `cleanup` begins when nothing more happens soon; the words of `workers.flow.cleanup`."""


async def events(request: Request) -> Response:
    """Answer with the release's events; the stream ends once the release is final and cleaned up."""
    services: WebServices = request.app.state.services
    release_id: str = request.path_params["id"]
    after = _last_seen(request)
    await run_in_threadpool(services.reading.release, release_id)  # a 404 must come before the stream
    return StreamingResponse(
        _stream(request, release_id, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def settled(release: Release, now: float) -> bool:
    """Tell whether nothing more will happen to a release by itself soon. `now` is in seconds since 1970."""
    if release.unfinished or release.operation is not None:
        return False
    if release.started_at is None or now - (release.finished_at or 0.0) > CLEANING_SECONDS:
        return True
    return release.cleanup is not None and release.cleanup.startswith(_AT_REST)


def event_text(number: int, at: float, body: JSON) -> str:
    """Return one line of a release's history as a server-sent event."""
    data = json.dumps({"at": moment(at), **body}, ensure_ascii=False)
    return f"id: {number}\nevent: {body.get('type', 'note')}\ndata: {data}\n\n"


def end_text(release: Release) -> str:
    """Return the event that says that no more will come."""
    data = json.dumps({"status": release.status, "reason": release.reason}, ensure_ascii=False)
    return f"event: end\ndata: {data}\n\n"


async def _stream(request: Request, release_id: str, after: int) -> AsyncIterator[str]:
    reading = request.app.state.services.reading
    stopping: anyio.Event = request.app.state.stopping
    begun = spoken = time.monotonic()
    yield "retry: 1000\n\n"
    while not stopping.is_set() and time.monotonic() - begun < LONGEST_SECONDS:
        try:
            # The release is read first: what is settled then has all its lines in the history.
            release = await run_in_threadpool(reading.release, release_id)
            lines = await run_in_threadpool(reading.history, release_id, after)
        except StoreAway:
            yield ": the store is away; come back with Last-Event-ID\n\n"
            return
        for line in lines:
            yield event_text(line.number, line.at, line.body)
            after, spoken = line.number, time.monotonic()
        if settled(release, time.time()):
            yield end_text(release)
            return
        if time.monotonic() - spoken > HEARTBEAT_SECONDS:
            yield ": still here\n\n"
            spoken = time.monotonic()
        with anyio.move_on_after(LOOK_SECONDS):
            await stopping.wait()


def _last_seen(request: Request) -> int:
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem(400, "Last-Event-ID is not the number of an event.")
    return int(text)
