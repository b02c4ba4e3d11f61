"""verify: only a version that answers well on its own address goes on to the switch."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour
from tests.flow.conftest import MakeHouse
from tests.flow.house import House, settings
from workers.releases.model import Cause
from workers.releases.status import Status

OWN_ADDRESS = r"[0-9]+-3000\..*"


def broken(status: int, body: str = "") -> Behaviour:
    return Behaviour(answer=Answer(status, body))


@pytest.mark.parametrize("status", [502, 404, 301, 204])
def test_a_version_that_answers_wrongly_never_reaches_production(house: House, status: int) -> None:
    good = house.publish()
    house.live()
    house.publish("bad", broken(status))

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert (release.failure.step, release.failure.cause) == ("verify", Cause.APPLICATION)
    assert f"answered {status}, not 200" in release.reason
    house.rest()
    assert house.served() == good
    assert house.workspaces() == [house.release(1).workspace_id]


def test_a_version_without_the_wanted_text_never_reaches_production(make_house: MakeHouse) -> None:
    house = make_house(settings(verify={"path": "/health", "contains": "all well"}))
    house.publish("bad", Behaviour(answers={"/health": Answer(200, "not so well")}))

    release = house.settled()

    assert release.status is Status.FAILED
    assert "without the text 'all well'" in release.reason
    assert house.connections() == {}


def test_the_wanted_status_and_text_let_a_version_through(make_house: MakeHouse) -> None:
    house = make_house(settings(verify={"path": "/health", "status": 203, "contains": "all well"}))
    house.publish("good", Behaviour(answers={"/health": Answer(203, "we are all well here")}))

    house.live()


def test_a_version_that_is_slow_to_listen_goes_live(house: House) -> None:
    commit = house.publish("slow", Behaviour(listens_after=60.0))

    house.live()

    assert house.served() == commit


def test_a_version_that_is_too_slow_to_listen_fails(house: House) -> None:
    house.publish("slow", Behaviour(listens_after=600.0))

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.reason.startswith("verify did not end within 2m")


def test_good_answers_must_come_in_a_row(make_house: MakeHouse) -> None:
    house = make_house(settings(verify={"successes": 3}))
    for skip in (2, 5, 8):
        house.sandbox.faults.add(Fault(where="gateway", path=OWN_ADDRESS, skip=skip, status=503))
    house.publish()

    house.live()

    asked = [answer.status for answer in house.sandbox.served if "-3000." in answer.host]
    assert asked[-3:] == [200, 200, 200]
    assert len(asked) == 9  # besides the three faulty answers, which the gateway never saw


def test_the_key_of_a_restricted_workspace_never_travels_in_clear(make_house: MakeHouse) -> None:
    house = make_house(settings(workspace={"restricted": True}))
    commit = house.publish()

    release = house.settled()

    assert release.status is Status.FAILED
    assert "is restricted, and its address is not https" in release.reason
    assert commit not in str(house.connections())


def test_a_restricted_workspace_goes_live_where_the_key_is_safe(make_house: MakeHouse) -> None:
    config = settings(workspace={"restricted": True})
    platform = config.platforms["codesphere"].model_copy(update={"workspace_url": "https://{dev_domain}"})
    config.platforms["codesphere"] = platform
    house = make_house(config)
    commit = house.publish()

    house.live()

    assert house.served() == commit


def test_a_page_that_says_starting_is_no_good_answer_where_a_text_is_wanted(make_house: MakeHouse) -> None:
    house = make_house(settings(verify={"contains": "Hello"}))
    house.sandbox.quirks.starting_page = True
    commit = house.publish()
    house.until_step("verify")
    house.rest(20)
    still = house.release().step
    house.sandbox.quirks.starting_page = False

    house.live()

    assert still == "verify"
    assert house.served() == commit


def test_a_gateway_that_locks_visitors_out_is_left_alone_for_a_while(house: House) -> None:
    house.sandbox.quirks.too_many_requests = True
    house.publish()

    release = house.settled()

    assert release.status is Status.FAILED
    assert "answered 429" in release.reason
    assert len([answer for answer in house.sandbox.served if answer.status == 429]) <= 5


def test_a_workspace_whose_number_holds_429_is_asked_as_often_as_any_other(house: House) -> None:
    house.sandbox.platform.last_id = 64_290 - 1
    house.publish("slow", Behaviour(listens_after=3.0))

    release = house.live()

    verify = release.record("verify")
    assert (verify.finished_at or 0.0) - (verify.started_at or 0.0) < 10


def test_a_stage_that_moves_head_is_caught(house: House) -> None:
    house.commit("base")
    house.publish()
    release = house.until_step("verify")
    clone = house.sandbox.platform.workspaces[release.workspace_id or 0].home.clone  # type: ignore[attr-defined]  # scripted
    clone.checkout(house.repository.commits[clone.sha].parents[0])

    release = house.settled()

    assert release.status is Status.FAILED
    assert "a stage moved it" in release.reason
    assert house.connections() == {}
