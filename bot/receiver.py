"""`POST /webhooks/{host}`: a delivery is verified, decided upon, and written down before it is answered.

An ASGI application of its own, without Starlette's layers: it is called more often than all else together.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Final

import structlog
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from bot.arrival import is_from
from bot.bodies import read_capped
from bot.envelope import REQUEST_ID, Problem, envelope, problem_of
from bot.intake import ANSWERED_TEST, Refusal, judge
from bot.metrics import Metrics
from bot.reminding import Reminder
from bot.secret_uses import SecretUses
from bot.tracing import HEADER, RequestIds
from config.settings import Settings
from workers.errors import StoreAway
from workers.releases.intake import Intake, Verdict
from workers.wiring import Headers, Host, WebServices, hosts_of

log = structlog.get_logger("switchover.receiver")
_stdlib_log = logging.getLogger("switchover.receiver")
_NOT_IN_THE_STORE: Final = frozenset({"refused", "unanswered"})

_TAKEN: Final = frozenset({"accepted", "asking"})
"""Verdicts of which more comes than this answer."""

WEBHOOKS: Final = "/webhooks/"

_LARGE_BODY: Final = 128 * 1024
"""A larger body is verified and read in a thread, so that it does not hold up the others."""


class Receiver:
    """Takes deliveries in. One round trip to the store writes delivery, verdict and releases together."""

    def __init__(self, services: WebServices, metrics: Metrics, reminder: Reminder) -> None:
        self._services = services
        self._reminder = reminder
        self._metrics = metrics
        self._settings = services.settings.current
        self._hosts: Mapping[str, Host] = services.hosts
        self._senders = _senders_of(self._settings)
        self._uses = SecretUses(services.intake)
        self._id_of = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery as the contract says: 202, 200, or a refusal in the envelope."""
        request_id = scope[REQUEST_ID] = self._id_of(scope)
        try:
            verdict = await self._take(scope, receive, request_id)
        except ClientDisconnect:
            return  # nobody is there to read an answer
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:
                log.exception("request failed", request_id=request_id, path=scope["path"])
            answer = envelope(problem, request_id)
            answer.headers["X-Request-Id"] = request_id
            await answer(scope, receive, send)
            return
        await _send_verdict(send, *verdict, request_id)

    async def _take(self, scope: Scope, receive: Receive, request_id: str) -> tuple[str, Verdict]:
        name = scope["path"].removeprefix(WEBHOOKS)
        host = self._hosts_now().get(name)
        if host is None:
            raise Problem(404, "There is no host of this name; the configuration's hosts: has the names.")
        client = scope.get("client")
        sender: str = client[0] if client else ""
        if name in self._senders and not is_from(sender, self._senders[name]):
            raise self._from_elsewhere(host, sender, request_id)
        headers = Headers.from_raw(scope["headers"])
        stated = headers.one("Content-Length")
        body = await read_capped(receive, stated, self._settings.server.max_body)
        begun = time.perf_counter()
        ids = self._services.identities.of(self._settings.projects)
        if len(body) > _LARGE_BODY:
            judged = await run_in_threadpool(judge, host, headers, body, self._settings, ids, sender=sender)
        else:
            judged = judge(host, headers, body, self._settings, ids, sender=sender)
        if judged is ANSWERED_TEST:
            return "", Verdict("ignored", ANSWERED_TEST.reason, ())
        if isinstance(judged, Refusal):
            raise await self._refusal(host, judged, request_id, begun)
        verdict = await self._accept(host, judged, request_id, begun)
        self._uses.note(name, judged.facts["arrival"]["signed_by"])
        return judged.delivery, verdict

    def _hosts_now(self) -> Mapping[str, Host]:
        """Return the hosts of the configuration in force, whose secrets may have been exchanged."""
        current = self._services.settings.current
        if current is not self._settings:
            self._settings, self._hosts = current, hosts_of(current.hosts)
            self._senders = _senders_of(current)
        return self._hosts

    def _from_elsewhere(self, host: Host, sender: str, request_id: str) -> Problem:
        """Refuse a delivery that is not from the host's networks, whatever it carries; nothing is read."""
        reason = f"it came from {sender or 'nowhere'}, which is not in hosts.{host.name}.senders"
        self._told(host, "refused", request_id, time.perf_counter(), reason=reason, status=403)
        return Problem(
            403,
            f"Deliveries of host {host.name} are not taken from {sender or 'an unknown address'}.",
            detail=f"hosts.{host.name}.senders has the networks; behind a proxy set server.trusted_proxies.",
        )

    async def _accept(self, host: Host, intake: Intake, request_id: str, begun: float) -> Verdict:
        try:
            verdict = await self._services.intake.accept(intake)
        except StoreAway:
            self._reminder.missed()
            self._told(host, "unanswered", request_id, begun, delivery=intake.delivery, reason="store away")
            raise
        self._told(
            host,
            verdict.verdict,
            request_id,
            begun,
            delivery=intake.delivery,
            reason=verdict.reason,
            releases=verdict.releases,
        )
        return verdict

    async def _refusal(self, host: Host, refusal: Refusal, request_id: str, begun: float) -> Problem:
        if refusal.intake is not None:
            await self._services.intake.accept(refusal.intake)
            self._uses.note(host.name, refusal.intake.facts["arrival"]["signed_by"])
        self._told(host, "refused", request_id, begun, reason=refusal.reason, status=refusal.status)
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
        return Problem(refusal.status, refusal.reason, headers=headers)

    def _told(
        self, host: Host, verdict: str, request_id: str, begun: float, **more: str | int | Sequence[str]
    ) -> None:
        seconds = time.perf_counter() - begun
        self._metrics.delivery(host.name, verdict, seconds)
        # What was written down can be read there; a line for each would take a quarter of the time.
        loud = verdict in _NOT_IN_THE_STORE
        if not loud and not _stdlib_log.isEnabledFor(logging.DEBUG):
            return
        (log.warning if loud else log.debug)(
            "delivery",
            host=host.name,
            verdict=verdict,
            ms=round(seconds * 1000, 1),
            request_id=request_id,
            **more,
        )


def _senders_of(settings: Settings) -> dict[str, tuple[IPv4Network | IPv6Network, ...]]:
    return {name: host.senders for name, host in settings.hosts.items() if host.senders}


async def _send_verdict(send: Send, delivery: str, verdict: Verdict, request_id: str) -> None:
    content = {
        "delivery": delivery,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "releases": verdict.releases,
    }
    body = to_json(content)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (HEADER, request_id.encode()),
    ]
    status = 202 if verdict.verdict in _TAKEN else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
