"""Schedules: the head of a branch, once per time, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.triggers import ScheduleTrigger
from tests.flow.conftest import MakeGitHouse
from tests.flow.git_house import GitHouse, git_settings
from tests.flow.house import project
from workers import wiring
from workers.flow.looking.scheduler import LATE_SECONDS, due_time

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def make_house(make_git_house: MakeGitHouse) -> Callable[..., GitHouse]:
    """Return a way to make a house with one schedule, which begins to count at once."""

    def make(schedule: dict[str, Any], **more: Any) -> GitHouse:
        house = make_git_house(shop=project(triggers=[{"schedule": schedule}]), **more)
        house.services.scheduler.run()
        return house

    return make


def until(house: GitHouse, moment: datetime) -> None:
    house.jump(moment.timestamp() - house.clock())


def next_at(house: GitHouse, hour: int, minute: int = 0) -> datetime:
    """Return the next day's moment at that time, UTC."""
    day = datetime.fromtimestamp(house.clock(), UTC) + timedelta(days=1)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def test_the_head_is_released_when_the_time_comes_and_once(make_house: Callable[..., GitHouse]) -> None:
    house = make_house({"cron": "0 6 * * *", "branch": "main"})
    head = house.pushed("one")
    until(house, next_at(house, 5, 59))
    house.services.scheduler.run()
    early = house.made()

    for _ in range(30):
        house.jump(5)
        house.services.scheduler.run()

    assert early == []
    assert house.commits() == [head]
    release = house.live()
    assert (release.trigger.kind, release.trigger.event) == ("schedule", "schedule")
    [delivery] = house.deliveries("schedule")
    assert delivery["verdict"] == "accepted"


def test_without_a_branch_it_is_the_default_one(make_house: Callable[..., GitHouse]) -> None:
    house = make_house({"cron": "0 6 * * *"})
    house.git_repo.default_branch = "trunk"
    head = house.pushed("one", branch="trunk")
    until(house, next_at(house, 6, 0) + timedelta(seconds=2))
    house.services.scheduler.run()

    assert house.commits() == [head]


def test_a_head_that_was_released_is_not_released_again(make_house: Callable[..., GitHouse]) -> None:
    house = make_house({"cron": "0 * * * *", "branch": "main"})
    house.pushed("one")
    begin = next_at(house, 6)
    for hour in range(3):
        until(house, begin + timedelta(hours=hour, seconds=1))
        house.services.scheduler.run()
        house.settled()

    assert len(house.made()) == 1
    verdicts = [delivery["verdict"] for delivery in house.deliveries("schedule")]
    assert verdicts == ["accepted", "duplicate", "duplicate"]


@pytest.mark.parametrize(
    ("away", "released"), [(timedelta(minutes=50), 1), (timedelta(minutes=90), 0), (timedelta(days=3), 1)]
)
def test_of_the_times_that_were_missed_the_latest_counts_within_the_hour(
    make_house: Callable[..., GitHouse], away: timedelta, released: int
) -> None:
    cron = "0 6 * * *" if away < timedelta(days=1) else "*/10 * * * *"
    house = make_house({"cron": cron, "branch": "main"})
    house.pushed("one")
    until(house, next_at(house, 6) + away)
    for _ in range(3):
        house.services.scheduler.run()
        house.jump(5)

    assert len(house.made()) == released
    assert len(house.deliveries("schedule")) == released


def test_two_workers_release_it_once(make_house: Callable[..., GitHouse], store_url: str) -> None:
    house = make_house({"cron": "0 6 * * *", "branch": "main"})
    other = wiring.build(house.settings, redis_url=store_url, offset=house.offset, transport=house.transport)
    house.pushed("one")
    until(house, next_at(house, 6, 0) + timedelta(seconds=1))
    house.services.scheduler.run()
    other.scheduler.run()
    other.close()

    assert len(house.made()) == 1
    [delivery] = house.deliveries("schedule")
    assert delivery["repeats"] == 0


def test_a_host_that_is_away_is_asked_again_and_a_restart_does_not_double(
    make_house: Callable[..., GitHouse],
) -> None:
    house = make_house({"cron": "0 6 * * *", "branch": "main"})
    head = house.pushed("one")
    house.service.fails(status=502, times=None)
    until(house, next_at(house, 6, 0) + timedelta(seconds=1))
    house.services.scheduler.run()
    house.begin()
    none = house.made()
    house.service.faults.clear()
    for _ in range(20):
        house.jump(5)
        house.services.scheduler.run()
        house.begin()

    assert none == []
    assert house.commits() == [head]


def test_a_push_while_the_host_is_asked_is_not_overtaken(make_house: Callable[..., GitHouse]) -> None:
    house = make_house({"cron": "0 6 * * *", "branch": "main"})
    house.settings = git_settings(
        shop=project(
            triggers=[{"push": {"branches": ["main"]}}, {"schedule": {"cron": "0 6 * * *", "branch": "main"}}]
        )
    )
    house.begin()
    house.lost("one")
    pushed: list[str] = []
    house.while_asked(lambda: pushed.append(house.pushed("two")))
    until(house, next_at(house, 6, 0) + timedelta(seconds=1))
    house.services.scheduler.run()

    assert house.commits() == pushed


@pytest.mark.parametrize("missing", ["token", "branch"])
def test_what_keeps_a_schedule_from_releasing_can_be_read_with_the_deliveries(
    make_house: Callable[..., GitHouse], missing: str
) -> None:
    more = {"token": None} if missing == "token" else {}
    house = make_house({"cron": "0 6 * * *", "branch": "main"}, **more)
    until(house, next_at(house, 6, 0) + timedelta(seconds=1))
    house.services.scheduler.run()

    assert house.made() == []
    [delivery] = house.deliveries("schedule")
    assert delivery["verdict"] == "ignored"
    expected = "hosts.github.token" if missing == "token" else "no branch main"
    assert expected in delivery["reason"]


@pytest.mark.parametrize(
    ("day", "cron", "local"),
    [
        ((2027, 3, 28), "30 2 * * *", (3, 0)),  # the clocks skip from 2:00 to 3:00
        ((2027, 10, 31), "30 2 * * *", (2, 30)),  # the clocks show 2:30 twice
        ((2027, 6, 1), "30 2 * * *", (2, 30)),
    ],
)
def test_a_time_counts_once_also_on_days_that_change_the_clocks(
    day: tuple[int, int, int], cron: str, local: tuple[int, int]
) -> None:
    schedule = ScheduleTrigger(cron=cron, zone="Europe/Berlin", branch="main")
    begin = datetime(*day, tzinfo=BERLIN).timestamp()
    handled, found = begin, []
    for minute in range(24 * 60):
        now = begin + minute * 60 + 7
        time = due_time(schedule, handled, now)
        if time is not None:
            handled = time
            found.append(datetime.fromtimestamp(time, BERLIN))
            assert now - time < 60

    assert [(each.hour, each.minute, each.fold) for each in found] == [(*local, 0)]


def test_a_time_that_is_long_gone_is_let_go() -> None:
    schedule = ScheduleTrigger(cron="0 6 * * *")
    six = datetime(2027, 1, 1, 6, tzinfo=UTC).timestamp()

    assert due_time(schedule, six - 86400, six + LATE_SECONDS - 1) == six
    assert due_time(schedule, six - 86400, six + LATE_SECONDS) is None
    assert due_time(schedule, six, six + 10) is None
