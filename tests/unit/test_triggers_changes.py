"""Published releases and merged changes."""

from __future__ import annotations

from typing import Any

import pytest

from config.triggers import MergedTrigger, ReleaseTrigger
from workers.flow.triggers import NOTHING_KNOWN, Answers, CommitOfTag, HeadOfBranch, settle
from workers.releases.events import Event

from .trigger_samples import ONE, TWO, one, with_triggers

RELEASES = with_triggers(ReleaseTrigger(tags=("v*", "!v0*")))
MERGES = with_triggers(MergedTrigger(branches=("main", "release/*")))
TAG, HEAD = CommitOfTag("v1.0"), HeadOfBranch("main")


def published(**facts: Any) -> Event:
    known = {"action": "published", "tag": "v1.0", "draft": False, "prerelease": False, "target": "main"}
    return Event("release_published", "acme/shop", actor="ada", facts=known | facts)


def merged(**facts: Any) -> Event:
    known = {"number": 9, "head": ONE, "base_branch": "main", "merge_commit": TWO, "from_fork": False}
    return Event("change_merged", "acme/shop", actor="ada", facts=known | facts)


def test_a_published_release_is_the_commit_behind_its_tag() -> None:
    asked = one(published(), RELEASES)
    assert (asked.verdict, asked.questions) == ("ask", (TAG,))

    (candidate,) = settle(asked, Answers({TAG: TWO})).candidates
    assert (candidate.ref, candidate.commit, candidate.trigger) == ("refs/tags/v1.0", TWO, "release")
    assert (candidate.actor, candidate.message) == ("ada", "release v1.0")


def test_a_host_that_tells_the_commit_is_not_asked() -> None:
    assert one(published(commit=TWO), RELEASES).candidates[0].commit == TWO
    assert one(published(commit=TWO[:12]), RELEASES).verdict == "ask"


@pytest.mark.parametrize(
    ("answers", "words"),
    [(NOTHING_KNOWN, "set hosts.github.token"), (Answers({TAG: None}), "there is no such tag")],
)
def test_a_tag_of_no_known_commit_releases_nothing(answers: Answers, words: str) -> None:
    decision = settle(one(published(), RELEASES), answers)

    assert decision.verdict == "ignore"
    assert words in decision.reason


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"tag": "1.0"}, "matches none of the release patterns v*, !v0*"),
        ({"tag": "v0.9"}, "matches none"),
        ({"tag": None}, "names no tag"),
        ({"draft": True}, "drafts never count"),
        ({"prerelease": True}, "does not say prereleases: true"),
    ],
)
def test_other_releases_are_ignored(facts: dict[str, Any], words: str) -> None:
    decision = one(published(**facts), RELEASES)

    assert decision.verdict == "ignore"
    assert words in decision.reason


def test_pre_releases_count_where_the_trigger_says_so_and_drafts_never() -> None:
    rules = with_triggers(ReleaseTrigger(tags=("v*",), prereleases=True))

    assert one(published(prerelease=True, commit=TWO), rules).verdict == "release"
    assert one(published(prerelease=True, draft=True, commit=TWO), rules).verdict == "ignore"


def test_a_merged_change_releases_its_merge_commit() -> None:
    (candidate,) = one(merged(), MERGES).candidates

    assert (candidate.ref, candidate.commit, candidate.trigger) == ("refs/heads/main", TWO, "merged")
    assert candidate.message == "merge of change 9"


def test_a_change_of_a_fork_is_the_projects_own_once_it_is_merged() -> None:
    assert one(merged(from_fork=True), MERGES).candidates[0].commit == TWO


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"merge_commit": None}, "its merge commit is not known; the push to main will name it"),
        ({"base_branch": "develop"}, "went into develop, which matches none of the merged patterns"),
        ({"base_branch": None}, "does not say into which branch"),
    ],
)
def test_other_merges_are_ignored(facts: dict[str, Any], words: str) -> None:
    decision = one(merged(**facts), MERGES)

    assert decision.verdict == "ignore"
    assert words in decision.reason


def test_a_merge_commit_that_is_cut_short_must_be_the_head_of_the_branch() -> None:
    asked = one(merged(merge_commit=TWO[:12]), MERGES)
    assert asked.questions == (HEAD,)

    assert settle(asked, Answers({HEAD: TWO})).candidates[0].commit == TWO
    for answers in (Answers({HEAD: ONE}), Answers({HEAD: None}), NOTHING_KNOWN):
        decision = settle(asked, answers)
        assert decision.verdict == "ignore"
        assert "only a part of its merge commit is known" in decision.reason
