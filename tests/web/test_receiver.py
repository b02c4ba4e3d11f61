"""What becomes of a delivery, over HTTP and with the real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote_plus

import anyio
import anyio.to_thread
import pytest

from tests.web.web import (
    COMMIT,
    NEWER,
    Web,
    change_settings,
    is_envelope,
    open_web,
    push_body,
    settings,
    signed,
)
from workers.errors import StoreAway

pytestmark = pytest.mark.anyio


async def test_a_signed_push_is_answered_202_with_its_release(web: Web) -> None:
    answer = await web.deliver(delivery="d-1")

    assert answer.status_code == 202
    assert answer.json()["delivery"] == "d-1"
    assert answer.json()["verdict"] == "accepted"
    release = web.services.reading.release(answer.json()["releases"][0])
    assert (release.commit, release.ref, release.trigger.delivery) == (COMMIT, "refs/heads/main", "d-1")


async def test_the_same_delivery_again_makes_nothing_and_says_so(web: Web) -> None:
    first = await web.deliver(delivery="d-1")
    second = await web.deliver(delivery="d-1")

    assert (second.status_code, second.json()["verdict"]) == (200, "duplicate")
    assert second.json()["releases"] == first.json()["releases"]
    assert web.services.intake_sync.delivery("d-1")["repeats"] == 1


async def test_the_same_commit_under_another_id_joins_the_first_release(web: Web) -> None:
    first = await web.deliver(delivery="d-1")
    second = await web.deliver(delivery="d-2")

    assert (second.status_code, second.json()["verdict"]) == (200, "duplicate")
    assert second.json()["releases"] == first.json()["releases"]


async def test_a_push_that_no_rule_takes_is_answered_200_with_the_rule(web: Web) -> None:
    answer = await web.deliver(push_body(branch="feature"))

    assert (answer.status_code, answer.json()["verdict"]) == (200, "ignored")
    assert "branch feature matches none of the push patterns main" in answer.json()["reason"]


async def test_a_ping_is_answered_200_as_a_ping(web: Web) -> None:
    answer = await web.deliver(b'{"zen": "Speak like a human."}', event="ping")

    assert (answer.status_code, answer.json()["verdict"]) == (200, "ping")


async def test_a_form_body_is_taken_with_the_signature_over_the_raw_bytes(web: Web) -> None:
    body = b"payload=" + quote_plus(push_body()).encode()
    headers = signed(body) | {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await web.http.post("/webhooks/github", content=body, headers=headers)

    assert answer.status_code == 202


@pytest.mark.parametrize("secret", ["another-secret-altogether", ""])
async def test_a_wrong_signature_is_401_and_writes_nothing(web: Web, secret: str) -> None:
    body = push_body()

    answer = await web.http.post(
        "/webhooks/github", content=body, headers=signed(body, secret=secret, delivery="d-1")
    )

    assert is_envelope(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert web.services.intake_sync.page(limit=10, before=None) == ([], None)


async def test_a_wrong_signature_is_401_before_the_body_is_looked_at(web: Web) -> None:
    answer = await web.http.post(
        "/webhooks/github", content=b"{not json", headers=signed(b"other") | {"Content-Type": "text/csv"}
    )

    assert is_envelope(answer, 401)


async def test_an_unsigned_id_does_not_use_up_the_id_of_the_signed_delivery(web: Web) -> None:
    body = push_body()
    await web.http.post(
        "/webhooks/github", content=body, headers=signed(body, secret="a-stranger-guesses", delivery="d-1")
    )

    answer = await web.deliver(body, delivery="d-1")

    assert answer.json()["verdict"] == "accepted"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"ref": 7}',
        push_body(ref=5),
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
)
async def test_an_authentic_body_that_cannot_be_read_is_400_and_has_a_verdict(web: Web, body: bytes) -> None:
    answer = await web.deliver(body, delivery="d-1")

    assert is_envelope(answer, 400)
    deliveries, _ = web.services.intake_sync.page(limit=10, before=None)
    assert [delivery["verdict"] for delivery in deliveries] == ["refused"]
    assert deliveries[0]["reason"] == answer.json()["message"]


async def test_a_delivery_refused_for_its_media_type_is_taken_when_it_comes_again_mended(web: Web) -> None:
    body = push_body()
    wrong = signed(body, delivery="d-1") | {"Content-Type": "text/plain"}
    first = await web.http.post("/webhooks/github", content=body, headers=wrong)

    second = await web.deliver(body, delivery="d-1")

    assert is_envelope(first, 415)
    assert second.status_code == 202


async def test_a_compressed_body_is_415(web: Web) -> None:
    body = push_body()

    answer = await web.http.post(
        "/webhooks/github", content=body, headers=signed(body) | {"Content-Encoding": "gzip"}
    )

    assert is_envelope(answer, 415)


async def test_an_unknown_host_is_404(web: Web) -> None:
    body = push_body()

    assert is_envelope(await web.http.post("/webhooks/gitlab", content=body, headers=signed(body)), 404)


async def test_a_slash_at_the_end_is_404_and_no_redirect(web: Web) -> None:
    body = push_body()

    assert is_envelope(await web.http.post("/webhooks/github/", content=body, headers=signed(body)), 404)


async def test_another_method_is_405_and_names_the_right_one(web: Web) -> None:
    answer = await web.http.get("/webhooks/github")

    assert is_envelope(answer, 405)
    assert answer.headers["Allow"] == "POST"


async def test_a_body_above_the_cap_is_413_although_its_length_lies(store_url: str) -> None:
    config = settings()
    small = config.model_copy(update={"server": config.server.model_copy(update={"max_body": 2000})})
    async with open_web(store_url, config=small) as web:
        body = push_body(padding="x" * 3000)

        stated = await web.http.post("/webhooks/github", content=body, headers=signed(body))
        lying = await web.http.post(
            "/webhooks/github", content=body, headers=signed(body) | {"Content-Length": "10"}
        )

    assert is_envelope(stated, 413)
    assert is_envelope(lying, 413)


async def test_a_body_is_refused_while_it_streams_and_not_at_its_end(store_url: str) -> None:
    config = settings()
    small = config.model_copy(update={"server": config.server.model_copy(update={"max_body": 2000})})
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += 500
            yield b"x" * 500

    async with open_web(store_url, config=small) as web:
        answer = await web.http.post("/webhooks/github", content=endless(), headers=signed(b""))

    assert is_envelope(answer, 413)
    assert sent <= 3000


async def test_a_store_that_is_away_is_503_with_retry_after() -> None:
    async with open_web("unix:///nonexistent/store.sock") as web:
        answer = await web.deliver()

    assert is_envelope(answer, 503)
    assert answer.headers["Retry-After"] == "5"


async def test_what_was_not_answered_2xx_is_taken_in_full_when_it_comes_again(store_url: str) -> None:
    async with open_web("unix:///nonexistent/store.sock") as web:
        assert (await web.deliver(delivery="d-1")).status_code == 503

    async with open_web(store_url) as web:
        assert web.services.intake_sync.page(limit=10, before=None) == ([], None)
        assert (await web.deliver(delivery="d-1")).json()["verdict"] == "accepted"


async def test_a_large_body_is_verified_and_taken_too(web: Web) -> None:
    answer = await web.deliver(push_body(padding="x" * 500_000))

    assert answer.status_code == 202


async def test_every_verdict_is_counted(web: Web) -> None:
    await web.deliver(delivery="d-1")
    await web.deliver(delivery="d-1")
    await web.http.post("/webhooks/github", content=b"x", headers=signed(b"y"))

    text = (await web.http.get("/metrics")).text

    assert 'switchover_deliveries_total{host="github",verdict="accepted"} 1.0' in text
    assert 'switchover_deliveries_total{host="github",verdict="duplicate"} 1.0' in text
    assert 'switchover_deliveries_total{host="github",verdict="refused"} 1.0' in text


async def test_a_secret_that_a_reload_brought_counts_at_once(web: Web) -> None:
    config = web.services.settings.current
    host = config.hosts["github"].model_copy(
        update={"secrets": (config.access.tokens[0].token,)}  # any SecretStr
    )
    change_settings(web.services, config.model_copy(update={"hosts": {"github": host}}))
    body = push_body()

    old = await web.http.post("/webhooks/github", content=body, headers=signed(body))
    new = await web.http.post(
        "/webhooks/github", content=body, headers=signed(body, secret="viewer-token-of-the-tests")
    )

    assert (old.status_code, new.status_code) == (401, 202)


async def test_two_pushes_of_a_lane_leave_the_newest_queued(web: Web) -> None:
    first = await web.released(commit=COMMIT)
    second = await web.released(commit=NEWER, before=COMMIT, delivery="d-2")

    statuses = [web.services.reading.release(each).status for each in (first, second)]

    assert statuses == ["superseded", "queued"]


async def test_a_body_that_does_not_arrive_is_given_up(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.bodies.BODY_SECONDS", 0.05)
    never = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    answer = await web.http.post("/webhooks/github", content=stalled(), headers=signed(b"{"))

    assert is_envelope(answer, 408)


async def test_after_a_503_the_workers_are_asked_to_look_as_soon_as_the_store_is_back(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps = web.services.sweeps
    taken = sweeps.take(["catch-up github acme/shop"], lease=60.0)
    assert taken is not None
    sweeps.done(taken, 300.0)

    async def away(_: object) -> None:
        raise StoreAway("the store cannot be reached")

    with monkeypatch.context() as outage:
        outage.setattr(web.services.intake, "accept", away)
        assert (await web.deliver()).status_code == 503
    again = None
    with anyio.fail_after(10):
        while again is None:
            again = await anyio.to_thread.run_sync(
                lambda: sweeps.take(["catch-up github acme/shop"], lease=60.0)
            )

    assert again.name == taken.name
