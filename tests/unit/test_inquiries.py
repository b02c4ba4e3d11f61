"""How an inquiry goes on: rounds of questions, hosts that fail, and when to look again. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.triggers import CommentTrigger, PushTrigger, ReleaseTrigger
from tests.unit.trigger_samples import BRANCH, TWO, decided, one, with_triggers
from workers.errors import Gone, Refused, TryAgain
from workers.flow.inquiries import PATIENCE_SECONDS, Later, NobodyToAsk, Over, find_out, next_look_at_ci
from workers.flow.triggers import Decision, Question, without_answers
from workers.releases.events import Event
from workers.releases.origin import Check, CheckState, Comparison, OpenChange, Permission, Relation

WAITING = with_triggers(PushTrigger(branches=("main",), when="ci", paths=("web/**",)))
NO_PATHS = with_triggers(PushTrigger(branches=("main",), when="ci"))
COMMENT = Event(
    "comment",
    "acme/shop",
    actor="ada",
    facts={"author": "ada", "body": "/release", "on_change": True, "number": 7, "action": "created"},
)
ANSWERS: dict[str, Any] = {
    "ChangedPaths": Comparison(Relation.AHEAD, ("web/a",), complete=True),
    "Green": (Check("build", CheckState.SUCCESS),),
    "MayRelease": Permission.ADMIN,
    "HeadOfChange": OpenChange(7, TWO, "topic", "main", from_fork=False, author="ada"),
    "DefaultBranch": "main",
    "HeadOfBranch": TWO,
    "CommitOfTag": TWO,
}
DECISIONS = {
    "push": decided(BRANCH, rules=WAITING),
    "comment": one(COMMENT, with_triggers(CommentTrigger())),
    "release": one(
        Event("release_published", "acme/shop", facts={"tag": "v1"}), with_triggers(ReleaseTrigger())
    ),
}


def answer(question: Question[Any]) -> object:
    return ANSWERS[type(question).__name__]


def found(decision: Decision, ask: Any, *, waited: float = 0.0, errors: int = 0) -> Later | Over:
    return find_out(decision, ask, waited=waited, errors=errors, jitter=0.5)


@pytest.mark.parametrize("name", sorted(DECISIONS))
def test_questions_that_follow_from_one_another_are_asked_in_one_look(name: str) -> None:
    result = found(DECISIONS[name], answer)

    assert isinstance(result, Over)
    assert result.decision.verdict == "release", result.decision.reason


@pytest.mark.parametrize("name", sorted(DECISIONS))
@pytest.mark.parametrize("error", [Refused("no"), Gone("gone"), NobodyToAsk("nobody")])
def test_where_nobody_answers_the_end_is_the_same_as_without_asking(name: str, error: Exception) -> None:
    def ask(_: Question[Any]) -> object:
        raise error

    result = found(DECISIONS[name], ask)

    assert isinstance(result, Over)
    plain = without_answers(DECISIONS[name])
    assert result.decision.verdict == plain.verdict
    assert result.decision.reason.startswith(plain.reason)
    assert ("gave no answer" in result.decision.reason) == (not isinstance(error, NobodyToAsk))


@given(
    st.sampled_from(sorted(DECISIONS)),
    st.lists(st.sampled_from(["answer", "again", "refused", "pending"]), min_size=1, max_size=8),
    st.floats(0, 10_000),
    st.integers(0, 5),
)
def test_every_look_ends_or_names_a_time_before_patience_is_over(
    name: str, script: list[str], waited: float, errors: int
) -> None:
    turns = iter(script * 10)

    def ask(question: Question[Any]) -> object:
        match next(turns):
            case "again":
                raise TryAgain("away", wait=3.0)
            case "refused":
                raise Refused("no")
            case "pending" if type(question).__name__ == "Green":
                return (Check("build", CheckState.PENDING),)
        return answer(question)

    result = found(DECISIONS[name], ask, waited=waited, errors=errors)

    if isinstance(result, Over):
        assert result.decision.verdict != "ask"
    else:
        assert result.decision.verdict == "ask"
        assert result.wait > 0
        longest = 7200.0 if "Green" in str(result.decision.questions) else PATIENCE_SECONDS
        assert waited < longest
        assert waited + result.wait <= longest + 0.1


def test_the_advice_of_the_host_is_followed() -> None:
    def ask(_: Question[Any]) -> object:
        raise TryAgain("slow down", wait=120.0)

    result = found(decided(BRANCH, rules=NO_PATHS), ask)

    assert isinstance(result, Later)
    assert (result.wait, result.errors, result.trouble) == (120.0, 1, "slow down")


@pytest.mark.parametrize(
    ("waited", "wait"), [(0.0, 5.0), (100.0, 5.0), (600.0, 30.0), (3000.0, 60.0), (7190.0, 10.0)]
)
def test_ci_is_looked_at_after_a_twentieth_of_the_time_waited(waited: float, wait: float) -> None:
    assert next_look_at_ci(decided(BRANCH, rules=NO_PATHS), waited) == pytest.approx(wait)


def test_a_question_is_asked_once_in_a_look() -> None:
    asked: list[Question[Any]] = []

    def ask(question: Question[Any]) -> object:
        asked.append(question)
        return () if type(question).__name__ == "Green" else answer(question)

    assert isinstance(found(DECISIONS["push"], ask), Later)
    assert len(asked) == len(set(asked)) == 2
