"""Schedules, sweeps and polls: when, and what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.triggers import CatchUpTrigger, PollTrigger, ScheduleTrigger
from workers.flow.triggers import (
    NOTHING_KNOWN,
    Answers,
    DefaultBranch,
    HeadOfBranch,
    catch_up_every,
    next_time,
    poll_every,
    schedule_event,
    schedules_of,
    settle,
)

from .trigger_samples import TWO, Rules, one, with_triggers

BERLIN = "Europe/Berlin"
SIX = ScheduleTrigger(cron="0 6 * * 1-5", zone=BERLIN, branch="main")


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def shown(moment: float, zone: str = BERLIN) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).isoformat(timespec="minutes")


def times(cron: str, after: str, count: int, zone: str = BERLIN) -> list[str]:
    schedule, moment, found = ScheduleTrigger(cron=cron, zone=zone), seconds(after), []
    for _ in range(count):
        moment = next_time(schedule, moment)
        found.append(shown(moment, zone))
    return found


def test_a_schedule_is_meant_in_its_own_zone() -> None:
    assert times("0 6 * * 1-5", "2026-11-20T12:00+01:00", 2) == [
        "2026-11-23T06:00+01:00",
        "2026-11-24T06:00+01:00",
    ]
    assert times("0 6 * * *", "2026-07-01T04:00+00:00", 1) == ["2026-07-02T06:00+02:00"]


def test_the_moment_itself_is_over() -> None:
    assert times("0 6 * * *", "2026-11-20T06:00+01:00", 1) == ["2026-11-21T06:00+01:00"]
    assert times("0 6 * * *", "2026-11-20T05:59:59.999+01:00", 1) == ["2026-11-20T06:00+01:00"]


def test_a_time_that_the_clocks_skip_runs_once_when_they_have_jumped() -> None:
    # On 29 March 2026 the clocks of Berlin go from 2:00 to 3:00.
    assert times("30 2 * * *", "2026-03-28T12:00+01:00", 2) == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
    ]
    assert times("*/20 2,3 * * *", "2026-03-29T00:00+01:00", 3) == [
        "2026-03-29T03:00+02:00",
        "2026-03-29T03:20+02:00",
        "2026-03-29T03:40+02:00",
    ]


def test_a_time_that_the_clocks_repeat_runs_the_first_time_only() -> None:
    # On 25 October 2026 the clocks of Berlin go from 3:00 back to 2:00.
    assert times("30 2 * * *", "2026-10-24T12:00+02:00", 2) == [
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]
    assert times("30 2 * * *", "2026-10-25T02:10+01:00", 1) == ["2026-10-26T02:30+01:00"]


def test_a_day_that_a_country_left_out_runs_on_the_next() -> None:
    # Samoa had no 30 December 2011.
    assert times("0 12 30 12 *", "2011-12-29T12:00-10:00", 1, "Pacific/Apia") == ["2011-12-31T00:00+14:00"]


ZONES = ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]


@settings(deadline=None)  # a loop over minutes, on a machine that may be busy
@given(
    cron=st.sampled_from(["* * * * *", "*/30 * * * *", "30 2 * * *", "0 2 * * 0", "15 1 1-7 * *"]),
    zone=st.sampled_from(ZONES),
    after=st.integers(int(seconds("2026-01-01T00:00+00:00")), int(seconds("2028-01-01T00:00+00:00"))),
)
def test_the_next_time_is_later_fits_the_line_and_leaves_none_out(cron: str, zone: str, after: int) -> None:
    schedule = ScheduleTrigger(cron=cron, zone=zone)
    found = next_time(schedule, after)

    assert found > after
    assert found % 60 == 0
    local = datetime.fromtimestamp(found, ZoneInfo(zone))
    after_a_gap = (local.utcoffset() or timedelta()) > (
        datetime.fromtimestamp(found - 1, ZoneInfo(zone)).utcoffset() or timedelta()
    )
    assert schedule.times.names(local) or after_a_gap
    first = datetime.fromtimestamp(after - after % 60 + 60, UTC)
    for minute in range(3000):
        between = (first + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
        if between.timestamp() >= found:
            break
        assert between.fold == 1 or not schedule.times.names(between)


@settings(deadline=None)  # a loop over minutes, on a machine that may be busy
@given(
    zone=st.sampled_from(ZONES),
    a=st.integers(1_700_000_000, 1_900_000_000),
    b=st.integers(0, 400_000),
)
def test_a_later_start_never_gives_an_earlier_time(zone: str, a: int, b: int) -> None:
    schedule = ScheduleTrigger(cron="30 2 * * *", zone=zone)

    assert next_time(schedule, a) <= next_time(schedule, a + b)


def test_a_schedule_releases_the_head_of_its_branch() -> None:
    rules = with_triggers(SIX)
    asked = one(schedule_event(rules, SIX), rules)
    assert (asked.verdict, asked.questions) == ("ask", (HeadOfBranch("main"),))

    decision = settle(asked, Answers({HeadOfBranch("main"): TWO}))

    (candidate,) = decision.candidates
    assert (candidate.trigger, candidate.ref, candidate.commit) == ("schedule", "refs/heads/main", TWO)
    assert candidate.message == "the schedule 0 6 * * 1-5 has come"


def test_a_schedule_without_a_branch_asks_for_the_default_branch_first() -> None:
    daily = ScheduleTrigger(cron="0 6 * * *")
    rules = with_triggers(daily)
    asked = one(schedule_event(rules, daily), rules)
    assert asked.questions == (DefaultBranch(),)

    then = settle(asked, Answers({DefaultBranch(): "trunk"}))
    assert then.questions == (HeadOfBranch("trunk"),)

    assert settle(then, Answers({HeadOfBranch("trunk"): TWO})).verdict == "release"


@pytest.mark.parametrize(("head", "words"), [({}, "hosts.github.token"), (None, "there is no branch main")])
def test_a_schedule_without_a_head_releases_nothing(head: object, words: str) -> None:
    rules = with_triggers(SIX)
    answers = NOTHING_KNOWN if head == {} else Answers({HeadOfBranch("main"): head})

    decision = settle(one(schedule_event(rules, SIX), rules), answers)

    assert decision.verdict == "ignore"
    assert words in decision.reason


def test_a_schedule_that_was_taken_out_meanwhile_does_nothing() -> None:
    decision = one(schedule_event(Rules(), SIX), Rules())

    assert (decision.verdict, decision.reason) == ("ignore", "project shop no longer has this schedule")
    assert schedules_of(Rules()) == ()
    assert schedules_of(with_triggers(SIX)) == (SIX,)


@pytest.mark.parametrize(
    ("rules", "has_token", "every"),
    [
        (Rules(), True, 300.0),
        (Rules(), False, None),
        (with_triggers(CatchUpTrigger(every=60.0)), True, 60.0),
        (with_triggers(CatchUpTrigger(every=60.0)), False, None),
        (with_triggers(CatchUpTrigger(enabled=False)), True, None),
    ],
)
def test_every_project_is_swept_where_the_host_has_a_token(
    rules: Rules, has_token: bool, every: float | None
) -> None:
    assert catch_up_every(rules, has_token=has_token) == every


@pytest.mark.parametrize(
    ("rules", "has_token", "every"),
    [
        (Rules(), True, None),
        (with_triggers(PollTrigger()), True, 30.0),
        (with_triggers(PollTrigger()), False, None),
    ],
)
def test_a_project_is_polled_only_where_it_says_so(
    rules: Rules, has_token: bool, every: float | None
) -> None:
    assert poll_every(rules, has_token=has_token) == every
