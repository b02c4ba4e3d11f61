"""Deliveries: read with their verdicts, and decided again."""

from __future__ import annotations

import pytest

from tests.web.web import COMMIT, RFC_3339, Web, is_envelope

pytestmark = pytest.mark.anyio


async def test_deliveries_are_listed_with_their_verdicts_newest_first(web: Web) -> None:
    await web.deliver(delivery="d-1")
    await web.deliver(b'{"zen": "x"}', event="ping", delivery="d-2")

    listed = (await web.ask("GET", "/deliveries", "viewer")).json()["deliveries"]
    one = (await web.ask("GET", "/deliveries/d-1")).json()

    assert {each["id"]: each["verdict"] for each in listed} == {"d-1": "accepted", "d-2": "ping"}
    assert one["decisions"][0]["project"] == "shop"
    assert one["changes"][0]["commit"] == COMMIT
    assert RFC_3339.fullmatch(one["received_at"])


async def test_a_replayed_delivery_is_decided_anew_and_leads_to_the_first_release(web: Web) -> None:
    release_id = await web.released()

    answer = await web.ask("POST", "/deliveries/d-1/replay", "operator")

    assert (answer.status_code, answer.json()["verdict"]) == (202, "duplicate")
    assert answer.json()["releases"] == [release_id]
    replayed = (await web.ask("GET", f"/deliveries/{answer.json()['delivery']}")).json()
    assert replayed["replay_of"] == "d-1"


async def test_a_replay_releases_again_what_ended_badly(web: Web) -> None:
    release_id = await web.released()
    await web.ask("POST", f"/releases/{release_id}/cancel")

    answer = (await web.ask("POST", "/deliveries/d-1/replay")).json()

    assert answer["verdict"] == "accepted"
    [again] = answer["releases"]
    assert again != release_id
    assert web.services.reading.release(again).commit == COMMIT


async def test_a_refused_delivery_cannot_be_replayed(web: Web) -> None:
    await web.deliver(b"{", delivery="d-1")

    assert is_envelope(await web.ask("POST", "/deliveries/d-1~refused/replay"), 409)
