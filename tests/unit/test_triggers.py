"""Which projects release on an event, and the reasons that people read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.projects import ProjectSettings
from config.triggers import ManualTrigger, PushTrigger
from workers.flow.triggers import Decision, decide
from workers.releases.events import Change, Event, RefType

from .trigger_samples import BRANCH, ONE, PUSH, TAG, TWO, Rules, decided


def test_a_push_to_a_wanted_branch_is_a_candidate_with_all_that_admission_needs() -> None:
    decision = decided(BRANCH)
    (candidate,) = decision.candidates

    assert (decision.project, decision.verdict) == ("shop", "release")
    assert decision.reason == "branch main matches the push patterns main, release/*"
    assert (candidate.project, candidate.ref, candidate.commit) == ("shop", "refs/heads/main", TWO)
    assert (candidate.before, candidate.forced, candidate.host_time) == (ONE, False, 5.0)
    assert (candidate.actor, candidate.message) == ("ada", "Show tax")
    assert (candidate.clone_url, candidate.moved_back) == ("https://git.example/acme/shop.git", "release")


def test_a_push_to_another_branch_is_ignored_with_the_patterns() -> None:
    decision = decided(replace(BRANCH, name="feature/x"))

    assert decision.verdict == "ignore"
    assert decision.reason == "branch feature/x matches none of the push patterns main, release/*"


@pytest.mark.parametrize(("name", "verdict"), [("release/2", "release"), ("release/2/fix", "ignore")])
def test_a_star_stays_within_a_segment(name: str, verdict: str) -> None:
    assert decided(replace(BRANCH, name=name)).verdict == verdict


def test_an_exclamation_mark_takes_away() -> None:
    rules = Rules(triggers=(PushTrigger(branches=("release/**", "!release/old")),))

    assert decided(replace(BRANCH, name="release/new"), rules=rules).verdict == "release"
    assert decided(replace(BRANCH, name="release/old"), rules=rules).verdict == "ignore"


def test_a_push_without_commits_is_released() -> None:
    assert decided(replace(BRANCH, action="create", before=None, commits_listed=0)).verdict == "release"


def test_an_annotated_tag_releases_the_commit_behind_it() -> None:
    (candidate,) = decided(TAG, rules=Rules(triggers=(PushTrigger(tags=("v*",)),))).candidates

    assert (candidate.ref, candidate.commit) == ("refs/tags/v2.0.0", TWO)


def test_a_tag_that_has_the_name_of_a_wanted_branch_is_not_that_branch() -> None:
    decision = decided(replace(TAG, name="main"))

    assert (decision.verdict, decision.reason) == (
        "ignore",
        "tag main: project shop has no push patterns for tags",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (replace(BRANCH, action="delete", after=None, commit=None), "the branch main was deleted"),
        (
            replace(BRANCH, before=TWO),
            "the push did not move the branch main; hosts send such pushes as a test",
        ),
        (replace(TAG, commit=None), "the tag v2.0.0 does not name a commit"),
    ],
)
def test_deletions_test_pushes_and_tags_of_no_commit_never_release(change: Change, reason: str) -> None:
    everything = Rules(triggers=(PushTrigger(branches=("**",), tags=("**",)),))
    decision = decided(change, rules=everything)

    assert (decision.verdict, decision.reason, decision.candidates) == ("ignore", reason, ())


def test_names_of_repositories_are_compared_without_case() -> None:
    assert decided(BRANCH, rules=Rules(repository="Acme/SHOP")).verdict == "release"


def test_the_settings_of_a_project_are_rules() -> None:
    written = {
        "name": "shop",
        "host": "github",
        "repository": "acme/shop",
        "triggers": [{"push": {"branches": ["main"]}}],
        "target": {"platform": "codesphere", "team": 35, "plan": 8, "domain": "shop.example.com"},
    }

    assert decide(PUSH, [ProjectSettings.model_validate(written)])[0].verdict == "release"


def test_another_repository_is_named() -> None:
    (decision,) = decide(replace(PUSH, repository="acme/other"), [Rules()])

    reason = "project shop follows acme/shop, not acme/other"
    assert decision == Decision("shop", "ignore", reason, rule="repository")


def test_each_project_decides_for_itself_in_order() -> None:
    projects = [
        Rules(),
        Rules("docs", repository="acme/docs"),
        Rules("tags", triggers=(PushTrigger(tags=("v*",)),)),
    ]

    assert [(each.project, each.verdict) for each in decide(PUSH, projects)] == [
        ("shop", "release"),
        ("docs", "ignore"),
        ("tags", "ignore"),
    ]
    assert decide(PUSH, []) == ()


def test_a_project_that_only_people_start_says_so() -> None:
    reason = decided(BRANCH, rules=Rules(triggers=(ManualTrigger(),))).reason

    assert reason == "branch main: project shop has no push patterns for branches"


def test_the_first_trigger_that_takes_the_ref_says_what_a_move_back_does() -> None:
    triggers = (PushTrigger(branches=("release/*",)), PushTrigger(branches=("main",), forced="ignore"))
    (candidate,) = decided(replace(BRANCH, forced=True), rules=Rules(triggers=triggers)).candidates

    assert (candidate.forced, candidate.moved_back) == (True, "ignore")


def test_several_refs_in_one_push_are_judged_one_by_one() -> None:
    other = replace(BRANCH, name="feature/x")

    mixed = decided(other, BRANCH)
    assert (mixed.verdict, [each.ref for each in mixed.candidates]) == ("release", ["refs/heads/main"])
    assert decided(other, replace(BRANCH, name="y")).reason.count("matches none") == 2
    assert decided().reason == "the push moved no branch and no tag"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event("ping"), "a ping only asks whether somebody listens"),
        (Event("other", "acme/shop"), "no rule uses this kind of event"),
        (Event("push", changes=(BRANCH,)), "the push event names no repository"),
        (Event("deployment", "acme/shop"), "project shop has no trigger for deployment events"),
        (Event("release_published", "acme/shop"), "project shop has no trigger for release_published events"),
        (Event("change_merged", "acme/shop"), "project shop has no trigger for change_merged events"),
        (Event("comment", "acme/shop"), "project shop has no trigger for comment events"),
        (
            Event("ci_status", "acme/shop"),
            "project shop has no trigger for ci_status events; a push trigger may say when: ci",
        ),
    ],
)
def test_other_events_are_ignored_with_their_reason(event: Event, reason: str) -> None:
    (decision,) = decide(event, [Rules()])

    assert (decision.verdict, decision.reason, decision.candidates) == ("ignore", reason, ())


@given(
    name=st.text(min_size=1, max_size=20),
    before=st.sampled_from([None, ONE, TWO]),
    after=st.sampled_from([None, ONE, TWO]),
    ref_type=st.sampled_from(RefType),
)
def test_every_decision_has_a_reason_and_candidates_only_for_a_release(
    name: str, before: str | None, after: str | None, ref_type: RefType
) -> None:
    everything = Rules(triggers=(PushTrigger(branches=("**",), tags=("**",)),))
    decision = decided(Change(ref_type, name, "update", before, after, after), rules=everything)

    assert decision.reason
    assert (
        (decision.verdict == "release")
        == bool(decision.candidates)
        == (after is not None and before != after)
    )
