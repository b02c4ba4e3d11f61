"""What the Git host shows of a release: commit statuses and deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.githost import Fault
from sandbox.scripted.behaviour import Answer, Behaviour, Failure
from tests.flow.told_host import PAGE, TOKEN, ToldHouse, told_settings
from workers.store.keyspace import key

MakeTold = Callable[..., ToldHouse]


@pytest.fixture
def make_told(store_url: str) -> Iterator[MakeTold]:
    made: list[ToldHouse] = []

    def make(**changes: Any) -> ToldHouse:
        made.append(ToldHouse(store_url, told_settings(**changes)))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(make_told: MakeTold) -> ToldHouse:
    return make_told()


def test_the_commit_shows_each_step_once_and_then_success(house: ToldHouse) -> None:
    commit = house.publish("one")
    house.live()
    house.rest(60)

    shown = house.statuses(commit)
    assert shown[0] == ("pending", "Release #1 is queued")
    assert shown[-1] == ("success", "Release #1 went live")
    assert [state for state, _ in shown[:-1]] == ["pending"] * (len(shown) - 1)
    assert len(set(shown)) == len(shown) <= 11
    assert {each.context for each in house.repo.statuses} == {"switchover/shop"}
    assert {each.target_url for each in house.repo.statuses} == {f"{PAGE}/#release-{house.release().id}"}


def test_the_deployment_is_in_progress_and_then_a_success_that_leads_to_production(
    house: ToldHouse,
) -> None:
    commit = house.publish("one")
    house.live()
    house.rest(60)

    assert house.deployed(commit) == ["in_progress", "success"]
    [deployment] = house.deployments()
    assert deployment.environment == "production"
    assert deployment.production
    assert deployment.statuses[-1].environment_url == "http://shop.example.com"


def test_a_failed_release_says_where_and_why_in_one_line(house: ToldHouse) -> None:
    commit = house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled()
    house.rest(60)

    state, line = house.statuses(commit)[-1]
    assert state == "failure"
    assert line.startswith("Release #1 failed at test: ")
    assert "\n" not in line
    assert len(line) <= 140
    assert house.deployed(commit) == ["in_progress", "failure"]


def test_a_release_that_is_cancelled_while_it_runs_is_no_success_and_no_failure(house: ToldHouse) -> None:
    commit = house.publish("one")
    house.until_step("prepare")
    house.operations.cancel(house.release().id, actor="ann")
    house.settled()
    house.rest(60)

    assert house.statuses(commit)[-1] == ("error", "Release #1 was cancelled: cancelled by ann")
    assert house.deployed(commit) == ["in_progress", "error"]


def test_releases_that_end_while_queued_are_told_and_have_no_deployment(house: ToldHouse) -> None:
    house.publish("one")
    house.until_step("prepare")
    second = house.publish("two")
    house.tell()
    third = house.publish("three")
    house.tell()
    house.operations.cancel(house.release(3).id, actor="ann")
    house.live()
    house.rest(60)

    assert house.statuses(second)[-1][0] == "error"
    assert "superseded: release #3 of the same lane is newer" in house.statuses(second)[-1][1]
    assert house.statuses(third)[-1] == ("error", "Release #3 was cancelled: cancelled by ann")
    assert house.deployments(second) == house.deployments(third) == []


def test_the_replaced_release_stays_a_success_and_its_deployment_is_inactive(house: ToldHouse) -> None:
    first = house.publish("one")
    house.live()
    second = house.publish("two")
    house.live(2)
    house.rest(60)

    assert house.state(first) == house.state(second) == "success"
    assert house.deployed(first) == ["in_progress", "success", "inactive"]
    assert house.deployed(second) == ["in_progress", "success"]


def test_a_rollback_by_a_person_is_a_failure_and_the_former_deployment_is_active_again(
    house: ToldHouse,
) -> None:
    first = house.publish("one")
    house.live()
    second = house.publish("two")
    house.live(2)
    house.operations.rollback(house.release(2).id, actor="ann")
    house.rest(120)

    assert house.statuses(second)[-1][0] == "failure"
    assert house.statuses(second)[-1][1].startswith("Release #2 was rolled back: ")
    assert house.deployed(second)[-1] == "failure"
    assert house.state(first) == "success"
    assert house.deployed(first)[-1] == "success"


def test_an_automatic_return_is_a_failure_and_leaves_the_former_deployment_alone(house: ToldHouse) -> None:
    first = house.publish("one")
    house.live()
    second = house.publish("bad", Behaviour(production=Answer(500, "down")))
    house.settled(2)
    house.rest(60)

    assert house.state(second) == "failure"
    assert house.deployed(second) == ["in_progress", "failure"]
    assert house.deployed(first) == ["in_progress", "success"]


def test_without_a_token_nothing_is_written_and_no_host_is_called(make_told: MakeTold) -> None:
    house = make_told(token=None)
    house.publish("one")
    house.live()
    house.publish("two")
    house.live(2)
    house.rest(60)

    assert len(house.service.calls) == 0
    assert not house.client.exists(key("outbox", "report:shop"))
    assert house.client.zrange(key("outbox_due"), 0, -1) == ["team"]


@pytest.mark.parametrize(
    ("report", "statuses", "deployments"),
    [
        ({"status": False}, False, True),
        ({"deployment": False}, True, False),
        ({"status": False, "deployment": False}, False, False),
    ],
)
def test_each_kind_of_report_can_be_switched_off(
    make_told: MakeTold, report: dict[str, bool], statuses: bool, deployments: bool
) -> None:
    house = make_told(report=report)
    commit = house.publish("one")
    house.live()
    house.rest(60)

    assert bool(house.statuses(commit)) is statuses
    assert bool(house.deployments()) is deployments


def test_the_environment_has_the_name_that_the_settings_say(make_told: MakeTold) -> None:
    house = make_told(report={"environment": "staging"})
    house.publish("one")
    house.live()
    house.rest(60)

    assert [each.environment for each in house.deployments()] == ["staging"]


def test_a_host_that_was_away_hears_how_things_stand_now(house: ToldHouse) -> None:
    house.service.fails(times=None)
    first = house.publish("one")
    house.live()
    second = house.publish("two")
    house.live(2)
    house.rest(600)
    assert house.statuses(first) == []
    house.service.faults.clear()
    house.rest(900)

    assert house.statuses(first) == [("success", "Release #1 went live")]
    assert house.statuses(second) == [("success", "Release #2 went live")]
    assert house.deployed(second)[-1] == "success"


def test_a_host_that_is_away_or_refuses_does_not_hold_up_the_chat(house: ToldHouse) -> None:
    house.service.fails(times=None)
    house.publish("one")
    house.live()
    house.rest(60)

    assert house.notices() == [("live", 1)]


def test_a_refusal_is_logged_once_an_hour_and_later_releases_go_on(
    house: ToldHouse, caplog: pytest.LogCaptureFixture
) -> None:
    house.githost.grant(house.repo, "bot", "read")
    house.publish("one")
    house.live()
    house.rest(60)
    assert len([each for each in caplog.records if "is not told" in each.getMessage()]) == 1

    house.githost.grant(house.repo, "bot", "write")
    second = house.publish("two")
    house.live(2)
    house.rest(60)

    assert house.state(second) == "success"
    assert not house.client.exists(key("outbox", "report:shop"))
    assert TOKEN not in caplog.text


def test_a_commit_that_the_host_does_not_know_yet_is_told_when_it_does(house: ToldHouse) -> None:
    commit = house.commit("one")
    house.lag(commit, times=4)
    house.push(commit)
    house.live()
    house.rest(60)

    assert house.state(commit) == "success"
    assert house.deployed(commit)[-1] == "success"


def test_a_commit_that_the_host_never_knows_is_given_up_after_about_a_minute(
    house: ToldHouse, caplog: pytest.LogCaptureFixture
) -> None:
    commit = house.commit("one")
    house.lag(commit, times=None)
    house.push(commit)
    house.live()
    house.rest(600)

    tries = [each.at for each in house.service.calls if "/statuses/" in each.path]
    assert "given up after 7 tries" in caplog.text
    assert 60 <= tries[6] - tries[0] <= 70
    assert not house.client.exists(key("outbox", "report:shop"))


def test_a_rate_limit_is_respected(house: ToldHouse) -> None:
    house.service.github_limits.block(120)
    commit = house.publish("one")
    house.tell()
    due: Any = house.client.zscore(key("outbox_due"), "report:shop")
    assert 110 < due / 1000 - house.clock() <= 121
    house.live()
    house.rest(10)
    asked = len(house.service.calls)
    house.rest(20)
    house.begin()  # our own clock of the quiet does not jump ahead with the store's
    house.rest(300)

    assert asked == 1
    assert house.state(commit) == "success"


class Killed(BaseException):
    """The process ends here."""


def test_whoever_dies_between_telling_and_noting_tells_again_and_keeps_the_order(
    house: ToldHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = house.publish("one")
    with monkeypatch.context() as patched:
        memory = house.services.reporter._memory  # the moment between answer and note has no other handle
        patched.setattr(memory, "note", _die)
        with pytest.raises(Killed):
            house.drain.drain("report:shop")
    house.begin()
    house.jump(61)
    house.tell()
    house.live()
    house.rest(60)

    shown = [state for state, _ in house.statuses(commit)]
    assert shown[:2] == ["pending", "pending"]
    assert shown[2:].count("success") == 1
    assert shown[-1] == "success"


def _die(*_: object, **__: object) -> None:
    raise Killed


def test_a_lost_answer_to_a_new_deployment_leaves_no_second_one(house: ToldHouse) -> None:
    house.service.faults.add(Fault("/repos/acme/shop/deployments", "POST", broken="reset", after=True))
    commit = house.publish("one")
    house.live()
    house.rest(60)

    assert house.deployed(commit) == ["in_progress", "success"]


def test_a_repository_that_was_renamed_is_told_under_its_new_name(house: ToldHouse) -> None:
    commit = house.publish("one")
    house.until_step("prepare")
    house.githost.rename(house.repo, "acme/store")
    house.live()
    house.rest(60)

    assert house.state(commit) == "success"
    assert house.deployed(commit)[-1] == "success"


def test_gitlab_shows_the_same(make_told: MakeTold) -> None:
    house = make_told(driver="gitlab")
    first = house.publish("one")
    house.live()
    second = house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled(2)
    third = house.publish("two", Behaviour())
    house.live(3)
    house.rest(60)

    assert (house.state(first), house.state(second), house.state(third)) == ("success", "failed", "success")
    ends = [set(house.deployed(commit)) for commit in (first, second, third)]
    assert ends == [{"running", "success"}, {"running", "failed"}, {"running", "success"}]


def test_a_report_costs_the_store_two_commands_and_none_without_a_token(
    make_told: MakeTold,
) -> None:
    counted: dict[str | None, int] = {}
    for token in (None, TOKEN):
        house = make_told(token=token)
        house.client.flushdb()
        house.client.config_resetstat()
        commit = house.commit("one")
        house.push(commit)
        stats = house.client.info("commandstats")
        counted[token] = sum(
            stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("rpush", "zadd", "hset")
        )

    assert counted[TOKEN] - counted[None] == 2
