"""Logging in and out: a temporary token for pages and links."""

from __future__ import annotations

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import SessionView, moment
from bot.api.requests import Login
from bot.auth import COOKIE, SESSION_SECONDS, close_session, credential_of, matching, open_session, unknown
from bot.envelope import Problem


def login(call: Call) -> Reply:
    """Give a temporary token for a configured one, and set it as the session's cookie."""
    tokens = call.services.settings.current.access.tokens
    found = matching(call.body_as(Login).token.get_secret_value(), tokens)
    if found is None:
        raise unknown("The token is not known.")
    if found.suspended:
        raise Problem(402, f"The token {found.name} is suspended; ask an administrator.")
    session = open_session(found, call.services)
    expires_at = moment(call.services.store.now() + session.seconds)
    return Reply(
        SessionView(value=session.value, expires_at=expires_at),
        {"Set-Cookie": _cookie(call, session.value, SESSION_SECONDS), "Cache-Control": "no-store"},
    )


def logout(call: Call) -> Reply:
    """Make the temporary token worthless and take the cookie away."""
    credential = credential_of(call.request)
    if credential is not None:
        close_session(credential.value, call.services)
    return Reply(headers={"Set-Cookie": _cookie(call, "", 0)})


def _cookie(call: Call, value: str, seconds: float) -> str:
    public_url = call.services.settings.current.server.public_url or ""
    secure = call.request.url.scheme == "https" or public_url.startswith("https:")
    text = f"{COOKIE}={value}; Path=/; Max-Age={seconds:.0f}; HttpOnly; SameSite=Strict"
    return f"{text}; Secure" if secure else text


ENDPOINTS = (
    Endpoint(
        "POST", "/api/v1/auth/login", "Exchange a token for a temporary one", "access", None, login,
        answer=SessionView, body=Login, refusals=(400, 401, 402, 413, 415, 422),
    ),
    Endpoint(
        "POST", "/api/v1/auth/logout", "End the session", "access", "viewer", logout, status=204,
        refusals=(401, 402, 403),
    ),
)  # fmt: skip
