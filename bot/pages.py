"""The pages for people: the dashboard, and the API's description with a page to try it."""

from __future__ import annotations

import json
import secrets
from functools import cache
from importlib.metadata import version
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.api.endpoint import Endpoint
from bot.api.openapi import document
from bot.api.table import ENDPOINTS
from bot.auth import Identity, identify
from bot.dashboard.docs import docs_page
from bot.dashboard.home import home_page, login_page
from bot.dashboard.state import State, state_of
from bot.envelope import Problem
from workers.wiring import WebServices

HTML: Final = "text/html; charset=utf-8"


async def openapi(request: Request) -> Response:
    """Answer the description."""
    del request
    return Response(_description(), media_type="application/json")


async def docs(request: Request) -> Response:
    """Answer the page that lists the API's operations and lets one try them."""
    del request
    nonce = secrets.token_urlsafe(16)
    return _page(docs_page(nonce), nonce)


async def dashboard(request: Request) -> Response:
    """Answer the dashboard to whoever is logged in, else the form to log in."""
    services: WebServices = request.app.state.services
    nonce = secrets.token_urlsafe(16)
    try:
        identity = await identify(request, services)
    except Problem as problem:
        if problem.status not in (401, 402):
            raise
        return _page(login_page(nonce, problem.message if problem.status == 402 else None), nonce)
    state = await run_in_threadpool(_state, services, identity)
    return _page(home_page(state, nonce), nonce)


def _state(services: WebServices, identity: Identity) -> State:
    return state_of(services, identity)


def _page(text: str, nonce: str) -> Response:
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(text, headers=headers, media_type=HTML)


PAGES: Final = (
    Endpoint("GET", "/api/openapi.json", "This description", "pages", None, raw=openapi),
    Endpoint("GET", "/api/docs", "A page to try the API", "pages", None, raw=docs, media="text/html"),
    Endpoint("GET", "/", "The dashboard", "pages", None, raw=dashboard, media="text/html"),
)


@cache
def _description() -> bytes:
    return json.dumps(document((*ENDPOINTS, *PAGES), version=version("switchover"))).encode()
