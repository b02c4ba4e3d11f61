"""What the host is asked before a release, what a sweep found, and what needs a token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.triggers import (
    CommentTrigger,
    ManualTrigger,
    MergedTrigger,
    PollTrigger,
    PushTrigger,
    ReleaseTrigger,
    ScheduleTrigger,
)
from workers.flow.triggers import at_tag, lost_pushes, needs_token, on_branch
from workers.releases.origin import Comparison, Relation

from .trigger_samples import ONE, THREE, TWO, Rules, one, with_triggers


def compared(relation: Relation) -> Comparison:
    return Comparison(relation, (), complete=True)


@pytest.mark.parametrize(
    ("head", "comparison", "stands", "words"),
    [
        (ONE, None, True, "is the head of main"),
        (TWO, compared(Relation.AHEAD), True, "is on main, whose head is 222222222222 by now"),
        (
            TWO,
            compared(Relation.DIVERGED),
            False,
            "111111111111 is not on main, whose head is 222222222222 now: a force push",
        ),
        (TWO, compared(Relation.BEHIND), False, "main was moved back to 222222222222"),
        (TWO, None, False, "the host no longer has 111111111111"),
        (None, None, False, "main was deleted"),
    ],
)
def test_a_commit_is_released_only_while_it_is_on_its_branch(
    head: str | None, comparison: Comparison | None, stands: bool, words: str
) -> None:
    standing = on_branch("main", ONE, head, comparison)

    assert standing.stands is stands
    assert words in standing.reason


@pytest.mark.parametrize(
    ("named", "stands", "words"),
    [(ONE, True, "names"), (TWO, False, "was moved from"), (None, False, "deleted")],
)
def test_a_tag_must_still_name_its_commit(named: str | None, stands: bool, words: str) -> None:
    standing = at_tag("v1", ONE, named)

    assert standing.stands is stands
    assert words in standing.reason


heads = st.dictionaries(st.sampled_from(["main", "release/1", "x"]), st.sampled_from([ONE, TWO, THREE]))


@given(heads, heads)
def test_a_sweep_finds_exactly_the_heads_that_were_not_seen(
    now: dict[str, str], seen: dict[str, str]
) -> None:
    event = lost_pushes("acme/shop", now, seen, "catch-up")

    found = {} if event is None else {change.name: (change.before, change.commit) for change in event.changes}
    assert found == {name: (seen.get(name), head) for name, head in now.items() if seen.get(name) != head}
    assert (event is None) == (not found)


def test_what_a_sweep_found_is_decided_like_a_push() -> None:
    event = lost_pushes("acme/shop", {"main": TWO, "x": TWO}, {"main": ONE}, "poll")
    assert event is not None

    (candidate,) = one(event, Rules()).candidates

    assert (candidate.ref, candidate.before, candidate.commit) == ("refs/heads/main", ONE, TWO)
    assert candidate.trigger == "poll"


def test_what_needs_a_token_is_told_once_each() -> None:
    push = PushTrigger(branches=("main",), paths=("a/**",), when="ci")
    schedule = ScheduleTrigger(cron="0 6 * * *")
    rules = with_triggers(push, push, ReleaseTrigger(), CommentTrigger(), schedule, schedule, PollTrigger())

    assert [each.partition(":")[0] for each in needs_token(rules)] == [
        "push.paths",
        "push.when",
        "release",
        "comment",
        "schedule",
        "poll",
    ]


def test_plain_triggers_need_none() -> None:
    plain = with_triggers(PushTrigger(branches=("main",)), MergedTrigger(branches=("main",)), ManualTrigger())

    assert needs_token(plain) == ()
