"""The application with a client, and deliveries signed as GitHub signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from bot.asgi import make_app
from config.settings import AccessSettings, Settings, TokenSettings
from tests.flow import house
from workers.wiring import LiveSettings, WebServices, build_web

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECRET = "x" * 20
TOKENS = {
    "viewer": "viewer-token-of-the-tests",
    "operator": "operator-token-of-the-tests",
    "admin": "admin-token-of-the-tests",
    "gone": "suspended-token-of-the-tests",
}
COMMIT, OLDER, NEWER = "2" * 40, "1" * 40, "3" * 40


def settings() -> Settings:
    """Return the settings of the flow tests, with tokens."""
    tokens = [
        TokenSettings.model_validate(
            {
                "name": name,
                "role": "operator" if name == "gone" else name,
                "token": value,
                "suspended": name == "gone",
            }
        )
        for name, value in TOKENS.items()
    ]
    return house.settings().model_copy(update={"access": AccessSettings(tokens=tuple(tokens))})


def push_body(
    commit: str = COMMIT,
    *,
    before: str = OLDER,
    branch: str = "main",
    repository: str = "acme/shop",
    **more: Any,
) -> bytes:
    """Return what GitHub says of a push; `more` replaces whole fields."""
    document = {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": commit,
        "deleted": False,
        "forced": False,
        "commits": [{"id": commit}],
        "head_commit": {"id": commit, "message": "Show the price", "timestamp": "2026-11-02T09:30:00Z"},
        "repository": {
            "id": 4711,
            "full_name": repository,
            "default_branch": "main",
            "clone_url": f"https://github.com/{repository}.git",
        },
        "pusher": {"name": "ann"},
        "sender": {"login": "ann"},
    }
    return json.dumps(document | more).encode()


def signed(
    body: bytes, *, event: str = "push", delivery: str = "d-1", secret: str = SECRET
) -> dict[str, str]:
    """Return the headers that GitHub sends with this body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={digest}",
    }


@dataclass(frozen=True)
class Web:
    """The application and a client without a token."""

    services: WebServices
    http: httpx.AsyncClient

    async def deliver(self, body: bytes | None = None, **headers: str) -> httpx.Response:
        """Deliver a signed body (a push to main, when none is given)."""
        sent = push_body() if body is None else body
        return await self.http.post("/webhooks/github", content=sent, headers=signed(sent, **headers))

    async def ask(self, method: str, path: str, role: str = "admin", **more: Any) -> httpx.Response:
        """Call the API under /api/v1 with the token of a role."""
        headers = {"Authorization": f"Bearer {TOKENS[role]}"} | dict(more.pop("headers", {}))
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **more)

    async def released(self, **more: Any) -> str:
        """Deliver a push and return the id of its release."""
        delivery = more.pop("delivery", "d-1")
        answer = await self.deliver(push_body(**more), delivery=delivery)
        release_id: str = answer.json()["releases"][0]
        return release_id


@asynccontextmanager
async def open_web(store_url: str, *, config: Settings | None = None, **more: Any) -> AsyncIterator[Web]:
    """Open the application on a store; `more` goes to `build_web`."""
    services = build_web(config or settings(), redis_url=store_url, **more)
    transport = httpx.ASGITransport(make_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as http:
        try:
            yield Web(services, http)
        finally:
            await services.close_async()
            services.close()


def is_envelope(answer: httpx.Response, status: int) -> bool:
    """Tell whether an answer is the contract's error of this status."""
    document: Mapping[str, Any] = answer.json()
    return (
        answer.status_code == status
        and set(document) == {"status", "message", "title", "detail", "trace_id"}
        and document["status"] == status
        and document["trace_id"] == answer.headers["X-Request-Id"]
        and bool(document["message"])
    )


def change_settings(services: WebServices, settings: Settings) -> None:
    """Put other settings in force, as a reload does."""
    live = LiveSettings(settings, lambda: settings)
    object.__setattr__(services, "settings", live)
