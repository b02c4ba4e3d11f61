"""Who is told what: written by the script that moves the release, once, in order."""

from __future__ import annotations

from config.settings import Settings
from sandbox.scripted.behaviour import Answer, Behaviour, Failure
from tests.flow.conftest import MakeHouse
from tests.flow.house import House, settings


def receivers(**on: list[str]) -> Settings:
    """Return settings with these receivers and the kinds of notices that each wants."""
    config = settings(notify=list(on))
    notices = {name: {"url": "json://127.0.0.1:1", "on": kinds} for name, kinds in on.items()}
    return config.model_copy(update={"notices": Settings.model_validate({"notices": notices}).notices})


def test_each_end_of_a_release_is_told_once_and_in_order(house: House) -> None:
    house.publish("one")
    house.live()
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled(2)
    house.publish("bad in production", Behaviour(production=Answer(500, "down")))
    house.settled(3)
    house.publish("two", Behaviour())
    house.live(4)
    house.rest()

    assert house.notices() == [("live", 1), ("failed", 2), ("rolled_back", 3), ("live", 4)]
    assert house.notices() == []


def test_a_receiver_gets_only_what_it_asked_for(make_house: MakeHouse) -> None:
    house = make_house(receivers(team=["live"], pager=["failed", "rolled_back"]))
    house.publish("one")
    house.live()
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled(2)

    assert house.notices("team") == [("live", 1)]
    assert house.notices("pager") == [("failed", 2)]


def test_a_rollback_by_a_person_is_told(house: House) -> None:
    house.publish("one")
    house.live()
    house.publish("two")
    house.live(2)
    house.operations.rollback(house.release(2).id, actor="ann")
    house.rest(60)

    assert house.notices() == [("live", 1), ("live", 2), ("rolled_back", 2)]


def test_cancelled_and_superseded_releases_are_told_to_nobody(house: House) -> None:
    house.publish("one")
    house.until_step("prepare")
    house.publish("two")
    house.publish("three")
    house.operations.cancel(house.release(1).id, actor="ann")
    house.live(3)

    assert house.notices() == [("live", 3)]


def test_a_notice_names_what_a_person_needs(house: House) -> None:
    commit = house.publish("bad", Behaviour(failures=(Failure("test"),)))
    release = house.settled()

    entry = house.services.outbox.take("team")

    assert entry is not None
    body = entry.body
    assert (body["project"], body["commit"], body["step"]) == ("shop", commit, "test")
    assert body["reason"] == release.reason
