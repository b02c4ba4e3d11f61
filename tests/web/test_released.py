"""The API beside a bot at work: what failed, what is live, and its history as events."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.house import House
from tests.web.web import Web, is_envelope, open_web, push_body

pytestmark = pytest.mark.anyio

BROKEN = Behaviour(failures=(Failure("test", lines=("assertion failed: price is 0",)),))


@pytest.fixture
async def beside(house: House, store_url: str) -> AsyncIterator[Web]:
    """Return the application beside the bot, on its clock."""
    async with open_web(store_url, offset=house.offset) as opened:
        yield opened


async def test_a_failed_release_stands_in_the_queue_with_cause_step_and_log(
    house: House, beside: Web
) -> None:
    house.push(house.commit(behaviour=BROKEN))
    house.settled()

    [failed] = (await beside.ask("GET", "/queue/failed")).json()["releases"]

    assert failed["failure"]["step"] == "test"
    assert failed["failure"]["cause"] == "application"
    assert any("price is 0" in line for line in failed["failure"]["log"])


async def test_a_retry_takes_a_release_out_of_the_queue(house: House, beside: Web) -> None:
    house.push(house.commit(behaviour=BROKEN))
    failed = house.settled()

    answer = await beside.ask("POST", f"/queue/failed/{failed.id}/retry", "operator")

    assert (answer.status_code, answer.json()["retry_of"]) == (202, failed.id)
    assert (await beside.ask("GET", "/queue/failed")).json()["releases"] == []


async def test_retrying_all_takes_only_the_cause_that_was_named(house: House, beside: Web) -> None:
    house.push(house.commit(behaviour=BROKEN))
    failed = house.settled()

    none = await beside.ask("POST", "/queue/failed/retry", json={"cause": "transient"})
    one = await beside.ask("POST", "/queue/failed/retry", json={"cause": "application", "project": "shop"})

    assert (none.status_code, none.json()["releases"]) == (202, [])
    assert [release["retry_of"] for release in one.json()["releases"]] == [failed.id]


async def test_a_failed_release_is_discarded_by_an_admin_only(house: House, beside: Web) -> None:
    house.push(house.commit(behaviour=BROKEN))
    path = f"/queue/failed/{house.settled().id}"

    assert is_envelope(await beside.ask("DELETE", path, "operator"), 403)
    assert (await beside.ask("DELETE", path)).status_code == 204
    assert is_envelope(await beside.ask("DELETE", path), 404)


async def test_a_rollback_pins_the_lane_until_its_author_or_an_admin_unpins(
    house: House, beside: Web
) -> None:
    first = house.commit("one")
    house.push(first)
    house.live()
    house.push(house.commit("two"), before=first)
    second = house.live(2)

    asked = await beside.ask("POST", f"/releases/{second.id}/rollback", json={"reason": "too slow"})
    house.run(lambda: house.release(2).status == "rolled_back")
    [target] = (await beside.ask("GET", "/targets")).json()["targets"]

    assert asked.status_code == 202
    assert target["lanes"][0]["live"]["number"] == 1
    assert target["lanes"][0]["pin"]["author"] == "admin"
    assert is_envelope(await beside.ask("DELETE", "/projects/shop/pin", "operator"), 403)
    assert (await beside.ask("DELETE", "/projects/shop/pin")).status_code == 204


async def test_a_live_release_shows_its_steps_and_its_downtime(house: House, beside: Web) -> None:
    first = house.commit("one")
    house.push(first)
    house.live()
    house.push(house.commit("two"), before=first)
    release_id = house.live(2).id

    release = (await beside.ask("GET", f"/releases/{release_id}")).json()

    assert release["downtime"]["failed"] == 0
    assert {step["status"] for step in release["steps"]} <= {"done", "skipped"}
    ledger = (await beside.ask("GET", "/workspaces")).json()["workspaces"]
    assert str(release["workspace_id"]) in [workspace["id"] for workspace in ledger]


def events_of(text: str) -> list[dict[str, str]]:
    """Return the events in a stream's text."""
    return [
        dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        for block in text.strip().split("\n\n")
        if "data: " in block
    ]


async def test_events_tell_a_release_from_its_start_and_end_with_it(house: House, beside: Web) -> None:
    house.push(house.commit(behaviour=BROKEN))
    release = house.settled()
    house.run()

    answer = await beside.ask("GET", f"/releases/{release.id}/events", "viewer")

    events = events_of(answer.text)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [event["id"] for event in events[:-1]] == [str(number) for number in range(1, len(events))]
    assert '"status": "queued"' in events[0]["data"]
    assert events[-1]["event"] == "end"
    assert '"status": "failed"' in events[-1]["data"]


async def test_events_go_on_behind_the_last_one_that_was_seen(house: House, beside: Web) -> None:
    house.push(house.commit(behaviour=BROKEN))
    release = house.settled()
    house.run()
    path = f"/releases/{release.id}/events"
    whole = events_of((await beside.ask("GET", path)).text)

    rest = events_of((await beside.ask("GET", path, headers={"Last-Event-ID": "3"})).text)

    assert rest == whole[3:]


async def test_events_of_nobody_are_404_and_a_wrong_last_event_is_400(house: House, beside: Web) -> None:
    house.push(house.commit())
    release_id = house.release().id

    assert is_envelope(await beside.ask("GET", "/releases/nobody/events"), 404)
    wrong = await beside.ask("GET", f"/releases/{release_id}/events", headers={"Last-Event-ID": "x"})
    assert is_envelope(wrong, 400)


async def test_the_dashboard_shows_targets_releases_and_failures_and_escapes_them(
    house: House, beside: Web
) -> None:
    nasty = Behaviour(failures=(Failure("test", lines=("<script>alert(1)</script>",)),))
    house.push(house.commit(behaviour=nasty))
    house.settled()
    login = await beside.http.post("/api/v1/auth/login", json={"token": "admin-token-of-the-tests"})

    page = await beside.http.get("/", headers={"Authorization": f"Bearer {login.json()['value']}"})

    assert page.status_code == 200
    assert "shop.example.com" in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert f"id='release-{house.release().id}'" in page.text  # where commit statuses lead


async def test_a_delivery_of_a_failed_release_sent_again_runs_nothing_and_says_how_to_try_again(
    house: House, beside: Web
) -> None:
    body = push_body(house.commit(behaviour=BROKEN))
    await beside.deliver(body, delivery="d-1")
    failed = house.settled()

    again = (await beside.deliver(body, delivery="d-1")).json()
    renamed = (await beside.deliver(body, delivery="d-2")).json()
    replayed = (await beside.ask("POST", "/deliveries/d-1/replay", "operator")).json()

    assert (again["verdict"], again["releases"]) == ("duplicate", [failed.id])
    assert f"release #1 is failed (to try again: switchover releases retry {failed.id})" in again["reason"]
    assert (renamed["verdict"], renamed["releases"]) == ("duplicate", [failed.id])
    assert replayed["verdict"] == "accepted"
    assert replayed["releases"] != [failed.id]
