"""The web application: receiver, API and pages on one set of services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.api.table import ENDPOINTS, routes_of
from bot.envelope import HANDLED, answer_error
from bot.metrics import Metrics
from bot.pages import PAGES
from bot.receiver import WEBHOOKS, Receiver
from bot.reminding import Reminder
from bot.tracing import Tracing
from workers.wiring import WebServices

THREADS = 64
"""Calls of the API that may wait for the store at once; streams of events take part in it."""


class Application(Starlette):
    """Starlette, with deliveries taken past its layers: those cost as much as judging a delivery does."""

    receiver: Receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(WEBHOOKS):
            await self.receiver(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(services: WebServices) -> Application:
    """Return the application. Its lifespan closes what belongs to the loop; who built the rest closes it."""
    metrics = Metrics(services)
    reminder = Reminder(services.sweeps.nudge)
    app = Application(
        routes=[
            Route(f"{WEBHOOKS}{{host}}", Receiver(services, metrics, reminder), methods=["POST"]),
            *routes_of((*ENDPOINTS, *PAGES)),
        ],
        middleware=[Middleware(Tracing)],
        exception_handlers=dict.fromkeys(HANDLED, answer_error),
        lifespan=_lifespan,
    )
    # One exact address each: senders of webhooks drop the body when they are redirected.
    app.router.redirect_slashes = False
    app.receiver = Receiver(services, metrics, reminder)
    app.state.services = services
    app.state.metrics = metrics
    app.state.reminder = reminder
    app.state.stopping = anyio.Event()
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    # Nobody listened before: what was pushed meanwhile should not wait for the usual sweep.
    app.state.reminder.missed()
    yield
    app.state.reminder.stop()
    app.state.stopping.set()
    await app.state.services.close_async()
