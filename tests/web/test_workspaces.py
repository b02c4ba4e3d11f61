"""The ledger over the API and the command line: why each workspace stands, and letting one go early."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow import house as houses
from tests.flow.house import House
from tests.web.web import RFC_3339, Web, is_envelope, open_web, settings
from workers.releases.identity import mark_of

pytestmark = pytest.mark.anyio

BROKEN = Behaviour(failures=(Failure("test"),))


@pytest.fixture
def keeping_house(store_url: str) -> Iterator[House]:
    """Return a bot that keeps failed workspaces for two hours."""
    made = House(store_url, houses.settings(workspace={"keep_failed": "2h"}))
    yield made
    made.close()


@pytest.fixture
async def beside(house: House) -> AsyncIterator[Web]:
    """Return the application on the store and the clock of `house`."""
    async with open_web(house.store_url, offset=house.offset) as opened:
        yield opened


async def listed(web: Web) -> dict[str, Any]:
    """Return what the API lists, by the workspace's id."""
    answer = await web.ask("GET", "/workspaces", "viewer")
    assert answer.status_code == 200
    return {each["id"]: each for each in answer.json()["workspaces"]}


async def retired(web: Web, workspace: int | None, role: str = "operator") -> Any:
    """Ask for a workspace to go."""
    return await web.ask("DELETE", f"/workspaces/{workspace}", role)


async def test_each_workspace_says_why_it_stands(house: House, beside: Web) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    second = house.live(2)
    house.publish("three")
    third = house.until_step("test", 3)

    found = await listed(beside)

    parked, live, busy = (found[str(each.workspace_id)] for each in (first, second, third))
    assert [parked["state"], live["state"], busy["state"]] == ["parked", "live", "in work"]
    assert [each["number"] for each in (parked, live, busy)] == [1, 2, 3]
    assert (parked["project"], parked["lane"]) == ("shop", first.lane)
    assert parked["commit"] == first.commit
    assert all(RFC_3339.fullmatch(each["since"]) for each in (parked, live, busy))
    assert parked["until"][11:] == parked["since"][11:]  # a day later, by park.for
    assert live["until"] is None


async def test_a_parked_workspace_goes_when_an_operator_asks(house: House, beside: Web) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    second = house.live(2)

    answer = await retired(beside, first.workspace_id)
    going = (await listed(beside))[str(first.workspace_id)]
    house.run(lambda: house.release().cleanup == "gone", seconds=120)

    assert (answer.status_code, answer.content) == (204, b"")
    assert (going["state"], going["why"]) == ("retiring", "it goes: asked by operator")
    assert house.workspaces() == [second.workspace_id]
    assert list(await listed(beside)) == [str(second.workspace_id)]


async def test_a_workspace_kept_for_inspection_goes_when_an_operator_asks(keeping_house: House) -> None:
    house = keeping_house
    house.publish("bad", BROKEN)
    failed = house.settled()
    house.run(seconds=60)

    async with open_web(house.store_url, offset=house.offset) as web:
        kept = (await listed(web))[str(failed.workspace_id)]
        answer = await retired(web, failed.workspace_id)
        house.run(lambda: not house.workspaces(), seconds=120)

        assert kept["state"] == "kept"
        assert "workspace.keep_failed" in kept["why"]
        assert kept["until"] > kept["since"]
        assert answer.status_code == 204
        assert await listed(web) == {}


async def test_what_is_live_or_in_work_stays_and_says_why(house: House, beside: Web) -> None:
    house.publish("one")
    live = house.live()
    house.publish("two")
    busy = house.until_step("test", 2)

    answers = [await retired(beside, each.workspace_id) for each in (live, busy)]

    assert all(is_envelope(answer, 409) for answer in answers)
    assert "release #1 is live" in answers[0].json()["message"]
    assert "release #2 is running; cancel it" in answers[1].json()["message"]


async def test_what_a_domain_names_stays_and_says_which(house: House, beside: Web) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    house.live(2)
    house.sandbox.add_domain("old.example.com", {"/": [first.workspace_id or 0]})
    house.jump(60)
    house.services.reconciler.run()

    found = (await listed(beside))[str(first.workspace_id)]
    answer = await retired(beside, first.workspace_id)

    assert found["state"] == "named"
    assert is_envelope(answer, 409)
    assert "old.example.com/" in answer.json()["message"]
    assert house.release().retire_asked is None


async def test_what_a_rollback_returns_to_stays(house: House, beside: Web) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    house.operations.rollback(house.live(2).id, actor="ann")

    answer = await retired(beside, first.workspace_id)

    assert is_envelope(answer, 409)
    assert "a rollback to release #1 is under way" in answer.json()["message"]


async def test_leftovers_are_shown_once_they_were_found(house: House, beside: Web) -> None:
    house.publish("bad", BROKEN)
    house.settled()
    house.rest(60)
    twin = house.foreign(welcomeMessage=mark_of(house.release().id))
    stranger = house.foreign(welcomeMessage=mark_of("0123456789abcdef"))
    foreign = house.foreign()
    house.services.reconciler.run()

    found = await listed(beside)
    answers = [await retired(beside, each) for each in (twin, stranger, foreign)]
    house.run(seconds=60)

    assert {name: each["state"] for name, each in found.items()} == {
        str(twin): "leftover",
        str(stranger): "unknown",
    }
    assert [answer.status_code for answer in answers] == [204, 409, 404]
    assert "does not know" in answers[1].json()["message"]
    assert house.workspaces() == [stranger, foreign]


@pytest.mark.parametrize("name", ["99999", "nonsense", "..%2f..", "0"])
async def test_an_unknown_workspace_is_404(web: Web, name: str) -> None:
    assert is_envelope(await web.ask("DELETE", f"/workspaces/{name}"), 404)


async def test_a_viewer_may_not_retire(web: Web) -> None:
    assert is_envelope(await web.ask("DELETE", "/workspaces/1", "viewer"), 403)


async def test_a_workspace_taken_over_by_a_retry_is_told_under_the_retry(keeping_house: House) -> None:
    house = keeping_house
    house.publish("bad", BROKEN)
    failed = house.settled()
    house.run(seconds=60)
    house.operations.retry(failed.id, actor="ann")
    house.settled(2)
    house.run(seconds=60)

    async with open_web(house.store_url, config=settings(), offset=house.offset) as web:
        found = (await listed(web))[str(failed.workspace_id)]
        answer = await retired(web, failed.workspace_id)
        house.run(lambda: not house.workspaces(), seconds=120)

        assert (found["number"], found["state"]) == (2, "kept")
        assert answer.status_code == 204
