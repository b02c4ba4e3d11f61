"""Who is asking: tokens of the configuration, and the temporary ones made from them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from bot.envelope import Problem
from config.settings import Role, TokenSettings
from workers.wiring import WebServices

COOKIE: Final = "switchover_session"
SESSION_SECONDS: Final = 8 * 3600.0
TEMPORARY: Final = "swt_"
"""What a temporary token begins with, so that it is known by sight."""

RANKS: Final = {"viewer": 0, "operator": 1, "admin": 2}
_LONGEST: Final = 512
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Identity:
    """A known token: its name in the configuration, and what it may do."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Tell whether this role includes the other one."""
        return RANKS[self.role] >= RANKS[role]

    def must(self, role: Role, what: str) -> None:
        """Raise `Problem` 403 unless this role includes the other one."""
        if not self.may(role):
            raise Problem(403, f"{what} needs the role {role}; the token {self.name} is a {self.role}'s.")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request showed, and whether only a temporary token may stand there."""

    value: str
    only_temporary: bool
    from_cookie: bool = False

    def __repr__(self) -> str:
        return "Credential(...)"


async def identify(request: Request, services: WebServices) -> Identity:
    """Return who asks; `Problem` 401 for unknown, 402 for suspended, 403 for a foreign page's request."""
    credential = credential_of(request)
    if credential is None:
        raise unknown("This address needs a token: send it as Authorization: Bearer.")
    if credential.from_cookie:
        _refuse_foreign_pages(request)
    return await recognise(credential, services)


async def recognise(credential: Credential, services: WebServices) -> Identity:
    """Return whose credential it is; `Problem` 401 or 402."""
    tokens = services.settings.current.access.tokens
    found = None
    if credential.value.startswith(TEMPORARY):
        found = await run_in_threadpool(_behind_temporary, credential.value, tokens, services)
    elif not credential.only_temporary:
        found = matching(credential.value, tokens)
    if found is None:
        raise unknown(
            "The token is not known, or has expired."
            if not credential.only_temporary
            else "Only a temporary token from /api/v1/auth/login works here, and this is none that is valid."
        )
    if found.suspended:
        raise Problem(402, f"The token {found.name} is suspended; ask an administrator.")
    return Identity(found.name, found.role)


def credential_of(request: Request) -> Credential | None:
    """Return the first credential of the request: Bearer, then `?token=`, then the session cookie."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise unknown("The Authorization header is not of the form: Bearer <token>.")
        return Credential(value.strip()[:_LONGEST], only_temporary=False)
    query = request.query_params.get("token")
    if query is not None:
        return Credential(query[:_LONGEST], only_temporary=True)
    cookie = request.cookies.get(COOKIE)
    if cookie:
        return Credential(cookie[:_LONGEST], only_temporary=True, from_cookie=True)
    return None


def matching(value: str, tokens: Sequence[TokenSettings]) -> TokenSettings | None:
    """Return the configured token with this value. Every token is compared, in constant time."""
    shown = _sha256(value)
    hits = [token for token in tokens if hmac.compare_digest(_sha256(token.token.get_secret_value()), shown)]
    return hits[0] if hits else None


@dataclass(frozen=True, slots=True)
class Session:
    """A temporary token that was just made. `seconds` is how long it is good for."""

    value: str
    seconds: float

    def __repr__(self) -> str:
        return "Session(...)"


def open_session(token: TokenSettings, services: WebServices) -> Session:
    """Make a temporary token for a configured one. The store gets its digest only."""
    value = TEMPORARY + secrets.token_urlsafe(32)
    facts = {"name": token.name, "proof": _proof(value, token)}
    services.sessions.open(digest_of(value), facts, SESSION_SECONDS)
    return Session(value, SESSION_SECONDS)


def close_session(value: str, services: WebServices) -> None:
    """Make a temporary token worthless at once."""
    if value.startswith(TEMPORARY):
        services.sessions.open(digest_of(value), {}, 0.001)


def digest_of(value: str) -> str:
    """Return the name under which the store keeps a temporary token."""
    return hashlib.sha256(value.encode()).hexdigest()


def unknown(message: str) -> Problem:
    """Return the refusal of a request whose sender is not known."""
    return Problem(401, message, headers={"WWW-Authenticate": "Bearer"})


def _behind_temporary(
    value: str, tokens: Iterable[TokenSettings], services: WebServices
) -> TokenSettings | None:
    facts = services.sessions.find(digest_of(value))
    if not facts:
        return None
    for token in tokens:
        # A token that was exchanged or removed takes its sessions with it; the proof needs the session's
        # own value, so what the store keeps does not help to guess the token.
        if token.name == facts.get("name") and hmac.compare_digest(
            _proof(value, token), str(facts.get("proof"))
        ):
            return token
    return None


def _proof(value: str, token: TokenSettings) -> str:
    return hmac.digest(value.encode(), token.token.get_secret_value().encode(), "sha256").hex()


def _sha256(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def _refuse_foreign_pages(request: Request) -> None:
    """A browser sends the cookie by itself, so a change must come from a page of ours."""
    origin = request.headers.get("origin")
    if request.method in _SAFE_METHODS or origin is None:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "A page of another site may not do this with your session.")
