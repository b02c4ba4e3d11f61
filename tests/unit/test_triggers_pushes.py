"""What keeps a push to a wanted branch from being released: phrases, paths, refs of the host, forks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.globs import matches
from config.triggers import PushTrigger
from workers.flow.triggers import NOTHING_KNOWN, Answers, ChangedPaths, decide, same_repository, settle
from workers.releases.events import Change, Event, RefType
from workers.releases.origin import Comparison, Relation

from .trigger_samples import BRANCH, ONE, PUSH, TAG, TWO, Rules, decided, one, with_triggers

SHOP = ("services/shop/**", "!**/*.md")
MONOREPO = with_triggers(PushTrigger(branches=("main",), tags=("v*",), paths=SHOP))
QUESTION = ChangedPaths(ONE, TWO, SHOP)


def compared(*paths: str, complete: bool = True) -> Answers:
    return Answers({QUESTION: Comparison(Relation.AHEAD, paths, complete)})


@pytest.mark.parametrize(
    "message", ["Tidy [skip release]", "Tidy\n\nBody [SKIP Release]", "[Release Skip]", "x [no release]"]
)
def test_a_phrase_in_the_message_keeps_a_push_back_and_is_named(message: str) -> None:
    decision = decided(replace(BRANCH, message=message))

    assert decision.verdict == "ignore"
    assert decision.reason.startswith("branch main: the message of its head commit says [")
    assert decision.reason.rpartition("says ")[2].casefold() in message.casefold()


@pytest.mark.parametrize("message", ["skip release", "[skip  release]", "[skip ci]", "", None])
def test_other_messages_do_not(message: str | None) -> None:
    assert decided(replace(BRANCH, message=message)).verdict == "release"


def test_the_phrases_are_the_projects_own() -> None:
    rules = with_triggers(PushTrigger(branches=("main",), skip=("#later",)))

    assert decided(replace(BRANCH, message="x [skip release]"), rules=rules).verdict == "release"
    assert decided(replace(BRANCH, message="x #LATER"), rules=rules).reason.endswith("says #later")
    nothing = with_triggers(PushTrigger(branches=("main",), skip=()))
    assert decided(replace(BRANCH, message="x [skip release]"), rules=nothing).verdict == "release"


def test_a_changed_path_that_fits_releases_and_is_named() -> None:
    decision = decided(replace(BRANCH, paths=("docs/a.md", "services/shop/app.py")), rules=MONOREPO)

    assert decision.verdict == "release"
    assert decision.reason.endswith("services/shop/app.py fits the paths services/shop/**, !**/*.md")


def test_a_push_that_changed_other_paths_is_ignored_and_nobody_is_asked() -> None:
    decision = decided(replace(BRANCH, paths=("docs/a.md", "services/shop/README.md")), rules=MONOREPO)

    assert (decision.verdict, decision.questions) == ("ignore", ())
    assert "none of 2 changed paths fits services/shop/**, !**/*.md" in decision.reason


def test_paths_that_the_host_did_not_list_are_asked_for() -> None:
    asked = decided(BRANCH, rules=MONOREPO)
    assert (asked.verdict, asked.questions, asked.candidates) == ("ask", (QUESTION,), ())

    assert settle(asked, compared("services/shop/app.py")).verdict == "release"
    assert settle(asked, compared("docs/a.md")).verdict == "ignore"
    assert settle(asked, compared()).verdict == "ignore"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (NOTHING_KNOWN, "set hosts.github.token"),
        (Answers({QUESTION: None}), "cannot compare"),
        (compared("docs/a.md", complete=False), "lists only some"),
    ],
)
def test_where_paths_stay_unknown_everything_may_have_changed(answers: Answers, words: str) -> None:
    decision = settle(decided(BRANCH, rules=MONOREPO), answers)

    assert decision.verdict == "release"
    assert [each.commit for each in decision.candidates] == [TWO]
    assert words in decision.reason


def test_new_branches_and_tags_are_released_whatever_changed() -> None:
    fresh = decided(replace(BRANCH, action="create", before=None), rules=MONOREPO)

    assert (fresh.verdict, "the branch is new" in fresh.reason) == ("release", True)
    moved = decided(replace(TAG, action="update", before=ONE), rules=MONOREPO)
    assert (moved.verdict, moved.reason) == ("release", "tag v2.0.0 matches the push patterns v*")


@given(st.lists(st.sampled_from(["a/x", "a/x.md", "b/y", "c"]), unique=True).map(tuple))
def test_listed_and_asked_paths_give_the_same_verdict(paths: tuple[str, ...]) -> None:
    patterns = ("a/**", "c", "!**/*.md")
    rules = with_triggers(PushTrigger(branches=("main",), paths=patterns))
    answers = Answers({ChangedPaths(ONE, TWO, patterns): Comparison(Relation.AHEAD, paths, complete=True)})

    listed = decided(replace(BRANCH, paths=paths), rules=rules)
    asked = settle(decided(BRANCH, rules=rules), answers)

    assert listed.verdict == asked.verdict
    assert (listed.verdict == "release") == any(matches(patterns, path) for path in paths)
    assert listed.candidates == asked.candidates


def test_while_one_ref_of_a_push_has_a_question_the_others_wait_for_it() -> None:
    asked = decided(BRANCH, TAG, replace(BRANCH, name="x"), rules=MONOREPO)
    assert (asked.verdict, asked.questions) == ("ask", (QUESTION,))

    settled = settle(asked, compared("docs/a.md"))

    assert [each.ref for each in settled.candidates] == ["refs/tags/v2.0.0"]


@pytest.mark.parametrize(
    "name", ["gh-readonly-queue/main/pr-7-abc", "refs/pull/7/head", "refs/notes/commits"]
)
def test_refs_that_the_host_makes_for_itself_need_a_pattern_that_names_them(name: str) -> None:
    everything = with_triggers(PushTrigger(branches=("**",)))
    own = name.partition("/")[0] + "/**"

    decision = decided(replace(BRANCH, name=name), rules=everything)
    assert decision.verdict == "ignore"
    assert "the host's own" in decision.reason
    assert (
        decided(replace(BRANCH, name=name), rules=with_triggers(PushTrigger(branches=(own,)))).verdict
        == "release"
    )


@pytest.mark.parametrize("kind", ["push", "ci_finished", "ci_status", "release_published"])
def test_what_comes_from_a_fork_is_never_released(kind: str) -> None:
    event = replace(PUSH, kind=kind, facts={"from_fork": True, "success": True, "commit": TWO, "tag": "v1"})

    assert (
        one(event, Rules()).reason == "the commit comes from a fork, which never gets this project's secrets"
    )


def test_one_repository_feeds_several_projects_each_by_its_own_paths() -> None:
    shop = Rules("shop", triggers=(PushTrigger(branches=("main",), paths=("shop/**",)),))
    docs = Rules("docs", triggers=(PushTrigger(branches=("main",), paths=("docs/**",)),))
    event = replace(PUSH, changes=(replace(BRANCH, paths=("docs/index.md",)),))

    assert [(each.project, each.verdict) for each in decide(event, [shop, docs])] == [
        ("shop", "ignore"),
        ("docs", "release"),
    ]


def test_one_hook_of_an_organisation_feeds_projects_of_several_repositories() -> None:
    projects = [Rules("shop"), Rules("blog", repository="acme/blog"), Rules("wiki", repository="acme/wiki")]

    for repository, project in [("acme/shop", "shop"), ("ACME/Blog", "blog")]:
        decisions = decide(replace(PUSH, repository=repository), projects)
        assert [each.project for each in decisions if each.verdict == "release"] == [project]


def test_branches_are_environments() -> None:
    production = Rules("production", triggers=(PushTrigger(branches=("main",)),))
    staging = Rules("staging", triggers=(PushTrigger(branches=("develop", "release/*")),))
    trial = Rules("trial", triggers=(PushTrigger(branches=("**", "!main", "!develop", "!release/*")),))

    for branch, project in [
        ("main", "production"),
        ("develop", "staging"),
        ("release/2", "staging"),
        ("feature/x", "trial"),
    ]:
        decisions = decide(
            replace(PUSH, changes=(replace(BRANCH, name=branch),)), [production, staging, trial]
        )
        assert [each.project for each in decisions if each.verdict == "release"] == [project]


# Renamed and transferred repositories


def test_a_renamed_repository_is_known_by_its_id() -> None:
    moved = replace(PUSH, repository="newco/store", repository_id="7")

    assert one(moved, Rules(), {"shop": "7"}).verdict == "release"
    assert one(moved, Rules(), {"shop": "8"}).reason == "project shop follows acme/shop, not newco/store"
    assert one(moved, Rules()).reason == "project shop follows acme/shop, not newco/store"


def test_a_repository_that_took_a_former_name_is_refused_with_both_ids() -> None:
    decision = one(replace(PUSH, repository_id="9"), Rules(), {"shop": "7"})

    assert decision.verdict == "ignore"
    assert decision.reason.startswith("acme/shop has the id 9, but the repository of project shop has 7")


@pytest.mark.parametrize(("sent", "ids"), [(None, {"shop": "7"}), ("9", {}), ("9", {"other": "7"})])
def test_where_an_id_is_not_known_the_name_decides(sent: str | None, ids: dict[str, str]) -> None:
    assert one(replace(PUSH, repository_id=sent), Rules(), ids).verdict == "release"


def test_an_event_that_names_only_the_id_is_matched_by_it() -> None:
    nameless = replace(PUSH, repository=None, repository_id="7")

    assert one(nameless, Rules(), {"shop": "7"}).verdict == "release"
    assert "not the repository with the id 7" in one(nameless, Rules(), {"shop": "8"}).reason


@given(names=st.tuples(st.text(), st.text()), ids=st.tuples(*[st.none() | st.sampled_from("12")] * 2))
def test_ids_decide_where_both_are_known_and_names_elsewhere(
    names: tuple[str, str], ids: tuple[str | None, str | None]
) -> None:
    same = same_repository(*names, one_id=ids[0], other_id=ids[1])

    assert same == same_repository(*names[::-1], one_id=ids[1], other_id=ids[0])
    if None in ids:
        assert same == (names[0].casefold() == names[1].casefold())
    else:
        assert same == (ids[0] == ids[1])


def test_what_a_sweep_or_a_poll_found_says_so() -> None:
    found = Event("push", "acme/shop", changes=(Change(RefType.BRANCH, "main", "update", ONE, TWO, TWO),))

    assert one(replace(found, facts={"found_by": "catch-up"}), Rules()).candidates[0].trigger == "catch-up"
    assert one(found, Rules()).candidates[0].trigger == "push"


def test_a_settled_decision_stays_as_it_is() -> None:
    decision = decided(BRANCH)

    assert settle(decision, NOTHING_KNOWN) is decision
