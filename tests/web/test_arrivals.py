"""How deliveries came: kept without secrets, from allowed addresses only, each secret with its last use."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.asgi import make_app
from config.settings import HostSettings, Settings
from tests.web.web import SECRET, Web, is_envelope, open_web, push_body, settings, signed

pytestmark = pytest.mark.anyio

OTHER = "another-secret-of-the-host"
NOTED_SECONDS = 5.0


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def host_with(**changes: Any) -> Settings:
    """Return the usual settings with another github host."""
    host = {"driver": "github", "secrets": [SECRET, OTHER]} | changes
    return settings().model_copy(update={"hosts": {"github": HostSettings.model_validate(host)}})


async def uses_of(web: Web, *, at_least: int) -> dict[str, float]:
    """Return the noted uses of secrets once there are so many; they are written beside the answers."""
    deadline = time.monotonic() + NOTED_SECONDS
    while len(found := web.services.reading.secret_uses("github")) < at_least:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.02)  # the store cannot be waited on
    return found


async def test_a_delivery_is_kept_with_how_it_came_and_without_its_secrets(web: Web) -> None:
    body = push_body()
    headers = signed(body) | {"X-Gitlab-Token": "t-o-k-e-n", "Cookie": "c=1", "X-Request-Thing": "shown"}
    await web.http.post("/webhooks/github", content=body, headers=headers)

    stored = web.services.intake_sync.delivery("d-1")["arrival"]

    assert stored["sha256"] == hashlib.sha256(body).hexdigest()
    assert (stored["size"], stored["sender"]) == (len(body), "127.0.0.1")
    assert stored["signed_by"] == fingerprint(SECRET)
    assert "x-request-thing: shown" in stored["headers"]
    assert "t-o-k-e-n" not in stored["headers"]
    assert headers["X-Hub-Signature-256"] not in stored["headers"]


async def test_a_refused_delivery_is_kept_with_how_it_came_too(web: Web) -> None:
    await web.deliver(b"{", delivery="d-1")

    assert web.services.intake_sync.delivery("d-1~refused")["arrival"]["size"] == 1


async def test_each_decision_names_the_rule_that_decided(web: Web) -> None:
    await web.deliver(delivery="d-1")
    await web.deliver(push_body(branch="feature"), delivery="d-2")
    await web.deliver(push_body(repository="acme/else"), delivery="d-3")

    rules = [
        web.services.intake_sync.delivery(each)["decisions"][0]["rule"] for each in ("d-1", "d-2", "d-3")
    ]

    assert rules == ["triggers[0].push", "triggers", "repository"]


async def test_the_last_use_of_each_secret_is_noted_without_its_value(store_url: str) -> None:
    async with open_web(store_url, config=host_with()) as web:
        await web.deliver(delivery="d-1")
        assert set(await uses_of(web, at_least=1)) == {fingerprint(SECRET)}
        await web.deliver(delivery="d-2", secret=OTHER)
        assert set(await uses_of(web, at_least=2)) == {fingerprint(SECRET), fingerprint(OTHER)}
        assert web.services.reading.last_delivery("github") == "d-2"


async def test_a_wrong_signature_is_no_use_of_a_secret(web: Web) -> None:
    await web.deliver(delivery="d-1", secret="nobody-knows-this-one")
    await web.deliver(delivery="d-2")

    assert set(await uses_of(web, at_least=1)) == {fingerprint(SECRET)}
    assert web.services.reading.last_delivery("github") == "d-2"


async def test_a_delivery_from_elsewhere_is_403_before_its_body_is_read(store_url: str) -> None:
    async with open_web(store_url, config=host_with(senders=["192.0.2.0/24"])) as web:
        read: list[bytes] = []

        async def content() -> AsyncIterator[bytes]:
            read.append(b"x")
            yield push_body()

        body = push_body()
        answer = await web.http.post("/webhooks/github", content=content(), headers=signed(body))

        assert is_envelope(answer, 403)
        assert "hosts.github.senders" in answer.json()["detail"]
        assert read == []
        assert web.services.intake_sync.page(limit=10, before=None) == ([], None)


async def test_a_delivery_from_a_listed_network_is_judged_as_ever(store_url: str) -> None:
    async with open_web(store_url, config=host_with(senders=["192.0.2.0/24"])) as web:
        transport = httpx.ASGITransport(make_app(web.services), client=("192.0.2.9", 4000))
        async with httpx.AsyncClient(transport=transport, base_url="http://bot.test") as http:
            body = push_body()
            good = await http.post("/webhooks/github", content=body, headers=signed(body))
            bad = await http.post("/webhooks/github", content=body, headers=signed(body, secret="x" * 16))

    assert (good.status_code, bad.status_code) == (202, 401)


async def test_a_delivery_that_came_again_says_what_became_of_its_release(web: Web) -> None:
    release_id = await web.released()
    await web.ask("POST", f"/releases/{release_id}/cancel")

    again = (await web.deliver(delivery="d-1")).json()

    assert (again["verdict"], again["releases"]) == ("duplicate", [release_id])
    assert again["reason"] == "this delivery came before and was accepted; release #1 is cancelled"


async def test_a_delivery_that_the_rules_ignored_is_decided_anew_once_they_want_it(store_url: str) -> None:
    body = push_body(branch="feature")
    async with open_web(store_url) as web:
        assert (await web.deliver(body, delivery="d-1")).json()["verdict"] == "ignored"
        assert (await web.deliver(body, delivery="d-1")).json()["verdict"] == "duplicate"
    config = settings()
    shop = config.projects["shop"]
    trigger = shop.triggers[0].model_copy(update={"branches": ("main", "feature")})
    wider = {"shop": shop.model_copy(update={"triggers": (trigger,)})}
    async with open_web(store_url, config=config.model_copy(update={"projects": wider})) as web:
        first = (await web.deliver(body, delivery="d-1")).json()
        second = (await web.deliver(body, delivery="d-1")).json()

    assert first["verdict"] == "accepted"
    assert (second["verdict"], second["releases"]) == ("duplicate", first["releases"])
