"""Release when CI is green: pushes that wait for it, and events that tell of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.triggers import PushTrigger
from workers.flow.triggers import (
    NOTHING_KNOWN,
    Answers,
    ChangedPaths,
    Decision,
    Green,
    NamedBy,
    NamedRef,
    decide_ci,
    settle,
)
from workers.flow.triggers.green import Light, light_of
from workers.releases.events import Event
from workers.releases.origin import Check, CheckState, Comparison, Relation

from .trigger_samples import BRANCH, ONE, TAG, TWO, Rules, decided, one, with_triggers

OK, RED, OPEN, OVER = CheckState.SUCCESS, CheckState.FAILURE, CheckState.PENDING, CheckState.NEUTRAL
ANY = with_triggers(PushTrigger(branches=("main",), when="ci"))
TWO_CHECKS = with_triggers(
    PushTrigger(branches=("main",), when="ci", checks=("build", "test"), within=3600.0)
)
WHOLE, NAMED = Green(TWO, (), 7200.0), Green(TWO, ("build", "test"), 3600.0)
MAIN = NamedRef("refs/heads/main", before=ONE, forced=False, host_time=5.0, actor="ada", message="Show tax")


def checks(**states: CheckState) -> tuple[Check, ...]:
    return tuple(Check(name, state) for name, state in states.items())


def green(**facts: Any) -> Event:
    known = {"success": True, "commit": TWO, "branch": "main", "trigger": "push", "name": "build"}
    return Event("ci_finished", "acme/shop", facts=known | facts)


def told(event: Event, rules: Rules, *named: NamedRef) -> Decision:
    (decision,) = decide_ci(event, [rules], named)
    return decision


# A push that waits


def test_a_push_that_waits_for_ci_asks_whether_it_is_green() -> None:
    asked = decided(BRANCH, rules=ANY)

    assert (asked.verdict, asked.questions, asked.candidates) == ("ask", (WHOLE,), ())
    assert asked.reason.endswith(f"it waits until CI is green for {TWO[:12]}")
    assert decided(BRANCH, rules=TWO_CHECKS).questions == (NAMED,)


def test_green_releases_what_the_push_would_have_released() -> None:
    plain = decided(BRANCH, rules=with_triggers(PushTrigger(branches=("main",))))
    settled = settle(decided(BRANCH, rules=ANY), Answers({WHOLE: checks(build=OK, lint=OVER)}))

    assert settled.verdict == "release"
    assert settled.candidates == plain.candidates
    assert settled.reason.endswith("CI is green: build succeeded")


@pytest.mark.parametrize(
    "found", [checks(), checks(build=OPEN), checks(build=OK, test=OPEN), checks(lint=OVER)]
)
def test_while_ci_is_under_way_the_same_is_asked_again_until_it_is_late(found: tuple[Check, ...]) -> None:
    waiting = decided(BRANCH, rules=ANY)
    for _ in range(5):
        waiting = settle(waiting, Answers({WHOLE: found}))
        assert (waiting.verdict, waiting.questions) == ("ask", (WHOLE,))

    late = settle(waiting, Answers({WHOLE: found}), late=True)
    assert late.verdict == "ignore"
    assert "CI took longer than 2h" in late.reason
    assert settle(waiting, Answers({WHOLE: checks(build=OK)})).verdict == "release"


def test_red_is_final() -> None:
    decision = settle(decided(BRANCH, rules=ANY), Answers({WHOLE: checks(build=OK, test=RED, lint=OPEN)}))

    assert (decision.verdict, decision.reason.endswith("but CI is red: test failed")) == ("ignore", True)


def test_without_a_token_an_event_of_ci_has_to_tell() -> None:
    decision = settle(decided(BRANCH, rules=ANY), NOTHING_KNOWN)

    assert decision.verdict == "ignore"
    assert "in an event of its CI" in decision.reason
    assert "hosts.github.token" in decision.reason


def test_paths_are_asked_before_ci() -> None:
    rules = with_triggers(PushTrigger(branches=("main",), paths=("shop/**",), when="ci"))
    paths = ChangedPaths(ONE, TWO, ("shop/**",))
    asked = decided(BRANCH, rules=rules)
    assert asked.questions == (paths,)

    fits = settle(asked, Answers({paths: Comparison(Relation.AHEAD, ("shop/a",), complete=True)}))
    assert fits.questions == (WHOLE,)
    assert settle(fits, Answers({WHOLE: checks(build=OK)})).verdict == "release"
    assert (
        settle(asked, Answers({paths: Comparison(Relation.AHEAD, ("x",), complete=True)})).verdict == "ignore"
    )


def test_skipped_pushes_do_not_wait() -> None:
    assert decided(replace(BRANCH, message="x [skip release]"), rules=ANY).verdict == "ignore"


states = st.sampled_from(CheckState)


@given(st.dictionaries(st.sampled_from(["build", "test", "lint", "switchover/shop"]), states), st.booleans())
def test_green_needs_every_named_check_or_else_nothing_open_or_failed(
    found: dict[str, CheckState], named: bool
) -> None:
    wanted = ("build", "test") if named else ()
    light, words = light_of(checks(**found), wanted)
    counting = {name: state for name, state in found.items() if name != "switchover/shop"}

    assert words
    if named:
        assert (light is Light.GREEN) == (found.get("build") is found.get("test") is OK)
    else:
        assert (light is Light.GREEN) == (
            OK in counting.values() and not {RED, OPEN} & set(counting.values())
        )
    if light is Light.RED:
        assert RED in counting.values()


def test_a_check_that_is_there_twice_must_succeed_twice() -> None:
    assert light_of((Check("build", OK), Check("build", OPEN)), ("build",))[0] is Light.PENDING
    assert light_of((Check("build", OK), Check("build", RED)), ())[0] is Light.RED


# An event of CI


def test_an_event_of_ci_asks_which_push_named_its_commit() -> None:
    asked = one(green(), ANY)

    assert (asked.verdict, asked.questions) == ("ask", (NamedBy(TWO),))
    assert [each.asked_of for each in asked.questions] == ["store"]


def test_without_a_token_a_success_releases_what_a_push_named() -> None:
    decision = settle(told(green(), ANY, MAIN), NOTHING_KNOWN)

    (candidate,) = decision.candidates
    assert (candidate.ref, candidate.commit, candidate.before) == ("refs/heads/main", TWO, ONE)
    assert (candidate.actor, candidate.message, candidate.host_time) == ("ada", "Show tax", 5.0)
    assert "only a token could tell" in decision.reason


def test_with_a_token_the_host_is_asked_for_all_of_ci() -> None:
    asked = told(green(), ANY, MAIN)
    assert asked.questions == (WHOLE,)

    assert settle(asked, Answers({WHOLE: checks(build=OK, test=OK)})).verdict == "release"
    assert settle(asked, Answers({WHOLE: checks(build=OK, test=RED)})).verdict == "ignore"
    early = settle(asked, Answers({WHOLE: checks(build=OK, test=OPEN)}))
    assert (early.verdict, "not through yet" in early.reason) == ("ignore", True)


def test_named_checks_are_proven_by_their_own_events() -> None:
    lone = with_triggers(PushTrigger(branches=("main",), when="ci", checks=("build",)))
    assert told(green(), lone, MAIN).verdict == "release"
    assert told(green(name=None, context="build"), lone, MAIN).verdict == "release"

    half = told(green(), TWO_CHECKS, MAIN)
    assert half.questions == (NAMED,)
    assert "whether test succeeded is not known" in settle(half, NOTHING_KNOWN).reason
    assert settle(half, Answers({NAMED: checks(build=OK, test=OK)})).verdict == "release"
    assert told(green(), TWO_CHECKS, replace(MAIN, green=("test",))).verdict == "release"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"success": False}, "only a success releases"),
        ({"success": None}, "only a success releases"),
        ({"commit": TWO[:12]}, "whole commit"),
        ({"commit": None}, "whole commit"),
        ({"trigger": "pull_request"}, "because of pull_request"),
        ({"trigger": "schedule"}, "because of schedule"),
        ({"from_fork": True}, "from a fork"),
        ({"name": "switchover/shop"}, "our own"),
        ({"name": "lint"}, "none of the checks that are waited for: build, test"),
    ],
)
def test_other_events_of_ci_are_ignored_before_the_store_is_asked(facts: dict[str, Any], words: str) -> None:
    decision = one(green(**facts), TWO_CHECKS)

    assert decision.verdict == "ignore"
    assert words in decision.reason


@pytest.mark.parametrize("facts", [{"trigger": None}, {"trigger": ""}, {"name": None}, {"branch": None}])
def test_what_a_host_does_not_say_is_no_reason_to_ignore(facts: dict[str, Any]) -> None:
    assert settle(told(green(**facts), ANY, MAIN), NOTHING_KNOWN).verdict == "release"


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ((), "no push that is still remembered named"),
        ((replace(MAIN, ref="refs/heads/feature/x"),), "matches none of the push patterns"),
        ((replace(MAIN, ref="refs/tags/v1"),), "no push patterns for tags"),
        ((replace(MAIN, message="x [skip release]"),), "says [skip release]"),
        ((replace(MAIN, age=7201.0),), "CI took longer than 2h after the push"),
    ],
)
def test_a_commit_that_no_wanted_push_named_is_not_released(named: tuple[NamedRef, ...], words: str) -> None:
    decision = told(green(), ANY, *named)

    assert decision.verdict == "ignore"
    assert words in decision.reason


def test_every_ref_that_fits_is_released() -> None:
    rules = with_triggers(PushTrigger(branches=("main",), tags=("v*",), when="ci", checks=("build",)))
    named = [MAIN, NamedRef("refs/tags/v1"), NamedRef("refs/heads/x")]

    assert [each.ref for each in told(green(), rules, *named).candidates] == [
        "refs/heads/main",
        "refs/tags/v1",
    ]


def test_a_push_that_was_released_at_once_is_not_released_again() -> None:
    both = with_triggers(PushTrigger(branches=("main",)), PushTrigger(branches=("rel/*",), when="ci"))

    assert "whatever CI says" in told(green(), both, MAIN).reason


def test_a_project_that_does_not_wait_for_ci_says_so() -> None:
    assert "a push trigger may say when: ci" in told(green(), Rules(), MAIN).reason
    assert decided(TAG, rules=Rules()).verdict == "ignore"


def test_paths_that_are_no_longer_known_are_asked_for_then_too() -> None:
    trigger = PushTrigger(branches=("main",), when="ci", checks=("build",), paths=("shop/**",))
    asked = told(green(), with_triggers(trigger), MAIN)

    assert asked.questions == (ChangedPaths(ONE, TWO, ("shop/**",)),)
    assert told(green(), with_triggers(trigger), replace(MAIN, paths=("shop/a",))).verdict == "release"
    assert told(green(), with_triggers(trigger), replace(MAIN, paths=("docs/a",))).verdict == "ignore"
