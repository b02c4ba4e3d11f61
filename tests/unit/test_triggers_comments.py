"""Commands in comments: what is heard, who may, and what is released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.triggers import CommentTrigger
from workers.flow.triggers import (
    NOTHING_KNOWN,
    Answers,
    Decision,
    DefaultBranch,
    HeadOfBranch,
    HeadOfChange,
    MayRelease,
    Question,
    settle,
)
from workers.flow.triggers.commands import command_in
from workers.releases.events import Event
from workers.releases.origin import OpenChange, Permission

from .trigger_samples import ONE, TWO, Rules, one, with_triggers

FACTS = {"action": "created", "body": "/release", "number": 9, "on_change": True, "author": "ada"}
COMMENT = Event("comment", "acme/shop", default_branch="main", actor="ada", facts=FACTS)
CHANGE = OpenChange(9, TWO, "fix", "main", from_fork=False, author="bob")
RIGHT, CHANGE_ASKED, HEAD = MayRelease("ada", Permission.WRITE), HeadOfChange(9), HeadOfBranch("main")
PRODUCTION = with_triggers(CommentTrigger())
PREVIEW = with_triggers(CommentTrigger(), flow="preview")
ALLOWED: dict[Question[Any], object] = {
    RIGHT: Permission.WRITE,
    CHANGE_ASKED: CHANGE,
    HEAD: ONE,
    DefaultBranch(): "main",
}


def saying(**facts: Any) -> Event:
    return replace(COMMENT, facts=FACTS | facts)


def through(
    event: Event, rules: Rules = PRODUCTION, known: Mapping[Question[Any], object] = ALLOWED
) -> Decision:
    """Answer the questions as they come, as a worker does; at most three times in a row."""
    decision = one(event, rules)
    for _ in range(4):
        if decision.verdict != "ask":
            return decision
        decision = settle(
            decision, Answers({each: known[each] for each in decision.questions if each in known})
        )
    raise AssertionError(f"still asks: {decision}")


# What is heard


@pytest.mark.parametrize(
    "body",
    [
        "/release",
        "  /release  ",
        "/Release",
        "Looks good.\r\n\r\n/release\r\nThanks!",
        "> shall we?\n\n/release",
        "```\ncode\n```\n/release",
        "~~~~\n~~~\n~~~~\n/release",
        "``` not a fence ` here\n/release",
        "<!-- a note -->\n/release",
        "<!-- a\nnote -->\n/release",
        "> <!-- quoted\n\n/release",
    ],
)
def test_a_command_alone_on_a_line_is_heard(body: str) -> None:
    assert command_in(body, ["/release"]) == "/release"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "please /release",
        "/release now",
        "/releases",
        "`/release`",
        "> /release",
        "  > /release",
        "> quoted\n/release",
        "```\n/release\n```",
        "```sh\n/release",
        "~~~\n```\n/release\n~~~",
        "````\n```\n/release\n````",
        "    /release",
        "\t/release",
        "<!--\n/release\n-->",
        "<!-- /release -->",
        "text\u2028/release",
    ],
)
def test_elsewhere_it_is_not(body: str) -> None:
    assert command_in(body, ["/release"]) is None


lines = st.lists(st.sampled_from(["/release", "text", "", "/other", "a ` b"]), max_size=6)


@given(lines, lines, st.sampled_from(["```", "~~~~", "`````sh"]))
def test_what_stands_between_fences_changes_nothing(around: list[str], within: list[str], fence: str) -> None:
    closing = fence.removesuffix("sh")
    body = "\n".join([*around, fence, *within, closing])

    assert command_in(body, ["/release"]) == ("/release" if "/release" in around else None)


@given(lines)
def test_no_quote_holds_a_command(quoted: list[str]) -> None:
    assert command_in("\n".join(f"> {line}" for line in quoted), ["/release", "/other"]) is None


@given(st.text("`~> \t\n\r/release<!-", max_size=60))
def test_any_text_holds_a_command_or_none(body: str) -> None:
    assert command_in(body, ["/release"]) in {None, "/release"}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"action": "edited"}, "only new comments"),
        ({"action": "update"}, "only new comments"),
        ({"action": "deleted"}, "only new comments"),
        ({"deleted": True}, "only new comments"),
        ({"author": "renovate[bot]"}, "is a bot"),
        ({"author": "project_12_bot_a1b2"}, "is a bot"),
        ({"author": "ada", "by_bot": True}, "is a bot"),
        ({"body": "nothing"}, "no line that is only /release"),
        ({"body": None}, "no line that is only /release"),
        ({"on_change": False}, "on: anywhere"),
    ],
)
def test_other_comments_are_ignored_before_anybody_is_asked(facts: dict[str, Any], words: str) -> None:
    decision = one(saying(**facts), PRODUCTION)

    assert decision.verdict == "ignore"
    assert words in decision.reason


def test_a_comment_of_nobody_is_ignored() -> None:
    decision = one(replace(saying(author=None), actor=None), PRODUCTION)

    assert "does not say who" in decision.reason


@pytest.mark.parametrize("action", ["created", "create", None])
def test_hosts_have_several_words_for_a_new_comment(action: str | None) -> None:
    assert one(saying(action=action), PRODUCTION).verdict == "ask"


# Who may


@pytest.mark.parametrize(
    ("by", "has", "verdict"),
    [
        ("write", Permission.WRITE, "release"),
        ("write", Permission.READ, "ignore"),
        ("write", Permission.NONE, "ignore"),
        ("maintain", Permission.WRITE, "ignore"),
        ("maintain", Permission.ADMIN, "release"),
        ("admin", Permission.MAINTAIN, "ignore"),
    ],
)
def test_the_right_is_asked_first(by: str, has: Permission, verdict: str) -> None:
    rules = with_triggers(CommentTrigger.model_validate({"by": by}))
    question = MayRelease("ada", Permission[by.upper()])
    assert one(COMMENT, rules).questions == (question,)

    assert through(COMMENT, rules, {**ALLOWED, question: has}).verdict == verdict


def test_without_an_answer_nobody_has_the_right() -> None:
    decision = settle(one(COMMENT, PRODUCTION), NOTHING_KNOWN)

    assert decision.verdict == "ignore"
    assert "set hosts.github.token" in decision.reason


# What is released


def test_in_production_it_is_the_head_of_the_branch_that_the_change_goes_into() -> None:
    decision = through(COMMENT)

    (candidate,) = decision.candidates
    assert (candidate.ref, candidate.commit, candidate.trigger) == ("refs/heads/main", ONE, "comment")
    assert (candidate.actor, candidate.message) == ("ada", "ada wrote /release")
    assert decision.reason == f"ada wrote /release; the head of main is {ONE[:12]}"


def test_a_change_that_is_closed_by_now_still_releases_the_default_branch() -> None:
    assert through(COMMENT, known={**ALLOWED, CHANGE_ASKED: None}).candidates[0].ref == "refs/heads/main"


def test_a_change_into_another_branch_needs_a_trigger_that_names_it() -> None:
    known = {**ALLOWED, CHANGE_ASKED: replace(CHANGE, base_branch="develop"), HeadOfBranch("develop"): TWO}

    refused = through(COMMENT, known=known)
    assert "goes into develop, not into main; add branches: [develop]" in refused.reason

    named = with_triggers(CommentTrigger(branches=("develop",)))
    assert through(COMMENT, named, known).candidates[0].commit == TWO
    assert "matches none" in through(COMMENT, named).reason


def test_a_host_that_tells_the_branch_is_not_asked_for_it() -> None:
    assert (
        through(saying(base_branch="main"), known={RIGHT: Permission.ADMIN, HEAD: ONE}).verdict == "release"
    )


def test_a_default_branch_that_the_event_does_not_tell_is_asked() -> None:
    event = replace(saying(on_change=False, number=None), default_branch=None)
    rules = with_triggers(CommentTrigger(on="anywhere"))

    assert through(event, rules).candidates[0].ref == "refs/heads/main"
    assert "default branch is not known" in through(event, rules, {RIGHT: Permission.ADMIN}).reason


def test_a_preview_is_of_the_head_of_the_change() -> None:
    (candidate,) = through(COMMENT, PREVIEW).candidates

    assert (candidate.ref, candidate.commit) == ("refs/heads/fix", TWO)


def test_a_head_that_is_cut_short_is_asked_by_its_branch() -> None:
    known = {**ALLOWED, CHANGE_ASKED: replace(CHANGE, head=TWO[:12]), HeadOfBranch("fix"): TWO}

    assert through(COMMENT, PREVIEW, known).candidates[0].commit == TWO


def test_no_preview_of_what_comes_from_a_fork() -> None:
    fork = {**ALLOWED, CHANGE_ASKED: replace(CHANGE, from_fork=True)}

    assert "comes from a fork" in through(saying(from_fork=True), PREVIEW).reason
    assert "comes from a fork" in through(COMMENT, PREVIEW, fork).reason


@pytest.mark.parametrize("change", [None, "no answer"])
def test_no_preview_of_a_change_that_is_not_open(change: object) -> None:
    known = {key: value for key, value in ALLOWED.items() if key != CHANGE_ASKED}
    if change is None:
        known[CHANGE_ASKED] = None

    assert "no open change 9 is known" in through(COMMENT, PREVIEW, known).reason


def test_no_preview_of_an_issue() -> None:
    rules = with_triggers(CommentTrigger(on="anywhere"), flow="preview")

    assert "this is none" in through(saying(on_change=False), rules).reason


@given(
    missing=st.sets(st.sampled_from(sorted(ALLOWED, key=str))),
    flow=st.sampled_from(["preview", "in-place"]),
    right=st.sampled_from(Permission),
    from_fork=st.booleans(),
)
def test_nobody_without_the_right_releases_and_every_inquiry_ends(
    missing: set[Question[Any]], flow: str, right: Permission, from_fork: bool
) -> None:
    known = {**ALLOWED, RIGHT: right, CHANGE_ASKED: replace(CHANGE, from_fork=from_fork)}
    decision = through(
        COMMENT,
        with_triggers(CommentTrigger(), flow=flow),
        {key: value for key, value in known.items() if key not in missing},
    )

    if right < Permission.WRITE or RIGHT in missing or (flow == "preview" and from_fork):
        assert decision.verdict == "ignore"
    assert (decision.verdict == "release") == bool(decision.candidates)
