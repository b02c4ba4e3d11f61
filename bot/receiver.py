"""`POST /webhooks/{host}`: a delivery is verified, decided upon, and written down before it is answered."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot.bodies import read_capped
from bot.envelope import Problem, trace_id_of
from bot.intake import ANSWERED_TEST, Refusal, judge
from bot.metrics import Metrics
from workers.errors import StoreAway
from workers.releases.intake import Intake, Verdict
from workers.wiring import Headers, Host, WebServices, hosts_of

log = structlog.get_logger("switchover.receiver")
_stdlib_log = logging.getLogger("switchover.receiver")
_NOT_IN_THE_STORE: Final = frozenset({"refused", "unanswered"})

_LARGE_BODY: Final = 128 * 1024
"""A larger body is verified and read in a thread, so that it does not hold up the others."""

_MEDIA: Final = "application/json"


class Receiver:
    """Takes deliveries in. One round trip to the store writes delivery, verdict and releases together."""

    def __init__(self, services: WebServices, metrics: Metrics) -> None:
        self._services = services
        self._metrics = metrics
        self._settings = services.settings.current
        self._hosts: Mapping[str, Host] = services.hosts

    async def receive(self, request: Request) -> Response:
        """Answer one delivery as the contract says: 202, 200, or a refusal in the envelope."""
        host = self._hosts_now().get(request.path_params["host"])
        if host is None:
            raise Problem(404, "There is no host of this name; the configuration's hosts: has the names.")
        try:
            body = await read_capped(request, self._services.settings.current.server.max_body)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        begun = time.perf_counter()
        judged = await self._judge(host, request, body)
        if judged is ANSWERED_TEST:
            return _answer("", Verdict("ignored", ANSWERED_TEST.reason, ()))
        if isinstance(judged, Refusal):
            raise await self._refusal(host, judged, request, begun)
        return await self._accept(host, judged, request, begun)

    def _hosts_now(self) -> Mapping[str, Host]:
        """Return the hosts of the configuration in force, whose secrets may have been exchanged."""
        current = self._services.settings.current
        if current is not self._settings:
            self._settings, self._hosts = current, hosts_of(current.hosts)
        return self._hosts

    async def _judge(self, host: Host, request: Request, body: bytes) -> Intake | Refusal:
        headers = Headers.from_raw(request.scope["headers"])
        settings = self._services.settings.current
        if len(body) > _LARGE_BODY:
            return await run_in_threadpool(judge, host, headers, body, settings)
        return judge(host, headers, body, settings)

    async def _accept(self, host: Host, intake: Intake, request: Request, begun: float) -> Response:
        try:
            verdict = await self._write(intake)
        except StoreAway:
            self._told(host, "unanswered", request, begun, delivery=intake.delivery, reason="store away")
            raise
        self._told(
            host,
            verdict.verdict,
            request,
            begun,
            delivery=intake.delivery,
            reason=verdict.reason,
            releases=list(verdict.releases),
        )
        return _answer(intake.delivery, verdict)

    async def _refusal(self, host: Host, refusal: Refusal, request: Request, begun: float) -> Problem:
        if refusal.intake is not None:
            await self._write(refusal.intake)
        self._told(host, "refused", request, begun, reason=refusal.reason, status=refusal.status)
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
        return Problem(refusal.status, refusal.reason, headers=headers)

    async def _write(self, intake: Intake) -> Verdict:
        return await self._services.intake.accept(intake)

    def _told(
        self, host: Host, verdict: str, request: Request, begun: float, **more: str | int | Sequence[str]
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
            request_id=trace_id_of(request),
            **more,
        )


def _answer(delivery: str, verdict: Verdict) -> Response:
    content = {
        "delivery": delivery,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "releases": verdict.releases,
    }
    status = 202 if verdict.verdict == "accepted" else 200
    return Response(json.dumps(content, ensure_ascii=False), status, media_type=_MEDIA)
