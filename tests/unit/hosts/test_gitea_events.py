"""Gitea and Forgejo: what their deliveries say. The bodies were written by hand from manuals and code."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hosts.gitea_samples import (
    COMMIT,
    FORGEJO,
    FORK,
    GITEA,
    MERGED,
    NONE,
    ONE,
    PUSH,
    SHOP,
    TAG_OBJECT,
    TWO,
    both,
    read,
)
from workers.hosts.gitea import Gitea
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, Event, RefType

# Pushes


@both
def test_a_push_to_a_branch_is_read(host: Gitea) -> None:
    event = read(host, "push", PUSH | {"ref": "refs/heads/release/2"})
    change = event.changes[0]

    assert (event.kind, event.repository, event.repository_id) == ("push", "acme/shop", "7")
    assert (event.actor, event.clone_url) == ("ada", "https://git.example/acme/shop.git")
    assert (change.ref, change.action, change.before) == ("refs/heads/release/2", "update", ONE)
    assert (change.after, change.commit, change.forced) == (TWO, TWO, None)
    assert (change.message, change.timestamp) == ("Sell hats\n", COMMIT["timestamp"])


@both
def test_a_push_is_shown_under_the_names_of_the_contract(host: Gitea) -> None:
    change = {"ref_type": "branch", "name": "main", "action": "update"}
    change |= {"before": ONE, "after": TWO, "commit": TWO}

    assert event_json(read(host, "push", PUSH)) == {
        "kind": "push",
        "repo": "acme/shop",
        "default_branch": "main",
        "pusher": "ada",
        "changes": [change | {"commits_listed": 1}],
    }


@both
def test_old_versions_do_not_say_the_default_branch(host: Gitea) -> None:
    event = read(host, "push", PUSH | {"repository": {"full_name": "acme/shop"}})

    assert (event.repository_id, event_json(event)["default_branch"]) == (None, None)


def test_a_list_of_commits_that_was_cut_is_told() -> None:
    cut, whole = read(GITEA, "push", PUSH | {"total_commits": 9}), read(GITEA, "push", PUSH)

    assert (cut.changes[0].truncated, whole.changes[0].truncated) == (True, None)


@both
def test_an_annotated_tag_names_the_commit_behind_the_tag_object(host: Gitea) -> None:
    body = PUSH | {"ref": "refs/tags/v2", "before": NONE, "after": TAG_OBJECT, "commits": []}
    change = read(host, "push", body).changes[0]

    assert (change.ref_type, change.name, change.action) == (RefType.TAG, "v2", "create")
    assert (change.before, change.after, change.commit) == (None, TAG_OBJECT, TWO)


def test_a_tag_whose_commit_old_versions_do_not_name_has_nothing_to_release() -> None:
    body = PUSH | {"ref": "refs/tags/v2", "before": NONE, "after": TAG_OBJECT, "head_commit": "missing"}

    assert read(GITEA, "push", body).changes[0].commit is None
    assert read(GITEA, "push", body | {"after": TWO}).changes[0].commit == TWO


@both
def test_a_deleted_tag_has_nothing_to_release(host: Gitea) -> None:
    body = PUSH | {"ref": "refs/tags/v2", "after": NONE, "commits": None, "head_commit": None}
    change = read(host, "push", body).changes[0]

    assert (change.action, change.after, change.commit) == ("delete", None, None)


def test_sha256_repositories_have_longer_names_and_zeros() -> None:
    body = PUSH | {"before": "0" * 64, "after": "a" * 64, "commits": [], "head_commit": None}
    change = read(GITEA, "push", body).changes[0]

    assert (change.action, change.before, change.commit) == ("create", None, "a" * 64)


@both
@given(tip=st.sampled_from(["0", "1", "a"]).flatmap(lambda digit: st.sampled_from([digit * 40, digit * 64])))
def test_a_push_that_moves_nothing_is_a_test(host: Gitea, tip: str) -> None:
    event = read(host, "push", PUSH | {"before": tip, "after": tip})

    assert event_json(event) == {"kind": "ping", "repo": "acme/shop", "default_branch": "main"}
    assert event.changes == ()


@pytest.mark.parametrize("ref", ["refs/pull/3/head", "refs/for/main", "refs/heads/", "refs/tags"])
def test_refs_that_are_no_branch_and_no_tag_are_other_events(ref: str) -> None:
    assert event_json(read(GITEA, "push", PUSH | {"ref": ref})) == {"kind": "other", "repo": "acme/shop"}


@pytest.mark.parametrize("name", ["a/b/c", "fix-#12", "-dash", "über", "refs/heads/main", "a..b"])
def test_names_of_branches_are_kept_whole(name: str) -> None:
    assert read(GITEA, "push", PUSH | {"ref": f"refs/heads/{name}"}).changes[0].name == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", "main"),
        ("ref", "refs/heads/a\nb"),
        ("after", "abc"),
        ("after", ""),
        ("before", None),
        ("commits", {}),
        ("repository", {"full_name": "shop"}),
        ("head_commit", {"id": "--upload-pack=x"}),
        ("after", "missing"),
        ("repository", "missing"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_shown(field: str, value: object) -> None:
    with pytest.raises(BadDelivery, match=f"at {field}") as caught:
        read(GITEA, "push", PUSH | {field: value})
    assert "upload-pack" not in str(caught.value)


# Refs that come and go


@both
@pytest.mark.parametrize(
    ("ref_type", "sent", "sha"),
    [
        ("branch", "missing", None),
        ("branch", "", None),
        ("branch", TWO, TWO),
        ("tag", TAG_OBJECT, TAG_OBJECT),
    ],
)
def test_create_is_no_second_push(host: Gitea, ref_type: str, sent: str, sha: str | None) -> None:
    event = read(host, "create", {"ref": "v2", "ref_type": ref_type, "sha": sent, "secret": "never read"})

    assert (event.kind, event.changes, event.actor) == ("ref_created", (), "grace")
    assert event.facts == {"ref_type": ref_type, "name": "v2", "sha": sha}


@both
def test_a_deleted_branch_is_told_by_delete(host: Gitea) -> None:
    event = read(host, "delete", {"ref": "fix/hats", "ref_type": "branch", "pusher_type": "user"})

    assert (event.kind, event.changes) == ("ref_deleted", ())
    assert event.facts == {"ref_type": "branch", "name": "fix/hats", "sha": None}


def test_refs_of_an_unknown_type_are_other() -> None:
    assert read(GITEA, "create", {"ref": "x", "ref_type": "note"}).kind == "other"


# Pull requests


def pull_request(host: Gitea, action: str = "opened", **changes: Any) -> Event:
    change: dict[str, Any] = {
        "head": {"label": "fix", "ref": "fix", "sha": TWO, "repo_id": 7, "repo": SHOP},
        "base": {"label": "main", "ref": "main", "sha": ONE, "repo_id": 7, "repo": SHOP},
        "merged": False,
        "merge_commit_sha": None,
    }
    for name, value in changes.items():
        change[name] = change[name] | value if isinstance(value, dict) else value
    return read(host, "pull_request", {"action": action, "number": 3, "pull_request": change})


@both
@pytest.mark.parametrize(
    ("action", "merged", "kind"),
    [
        ("opened", False, "change_opened"),
        ("reopened", False, "change_opened"),
        ("synchronized", False, "change_updated"),
        ("edited", False, "change_edited"),
        ("closed", False, "change_closed"),
        ("closed", True, "change_merged"),
        ("synchronize", False, "other"),
        ("label_updated", False, "other"),
        ("reviewed", False, "other"),
    ],
)
def test_a_pull_request_is_told_by_action_and_merge(
    host: Gitea, action: str, merged: bool, kind: str
) -> None:
    event = pull_request(host, action, merged=merged, merge_commit_sha=MERGED)

    assert event.kind == kind
    if kind != "other":
        assert event.facts == {
            "number": 3,
            "head": TWO,
            "head_branch": "fix",
            "base_branch": "main",
            "head_repo": "acme/shop",
            "from_fork": False,
            "merge_commit": MERGED if merged else None,
        }


@both
@pytest.mark.parametrize(
    ("head", "from_fork"),
    [
        ({}, False),
        ({"repo": None}, False),
        ({"repo_id": None}, False),
        ({"repo": SHOP | {"full_name": "Acme/Shop"}}, False),
        ({"repo": FORK, "repo_id": 8}, True),
        ({"repo": FORK}, True),
        ({"repo_id": 8}, True),
        ({"repo": None, "repo_id": -1}, True),
        ({"repo": None, "repo_id": None}, True),
        ({"label": "", "ref": "refs/pull/3/head"}, True),
    ],
)
def test_a_fork_is_told_by_number_and_name_and_doubt_makes_one(
    host: Gitea, head: dict[str, Any], from_fork: bool
) -> None:
    assert pull_request(host, head=head).facts["from_fork"] is from_fork


def test_what_any_reader_may_push_counts_as_from_a_fork() -> None:
    assert pull_request(FORGEJO, flow=1).facts["from_fork"] is True
    assert pull_request(FORGEJO, flow=0).facts["from_fork"] is False


def test_a_head_branch_that_was_deleted_keeps_its_name() -> None:
    event = pull_request(GITEA, "closed", head={"ref": "refs/pull/3/head", "sha": ""})

    assert (event.facts["head_branch"], event.facts["head"], event.facts["from_fork"]) == ("fix", None, False)


def test_a_merge_without_a_commit_names_none() -> None:
    assert pull_request(GITEA, "closed", merged=True, merge_commit_sha="").facts["merge_commit"] is None


# Releases, comments


@both
@pytest.mark.parametrize(
    ("action", "kind"), [("published", "release_published"), ("updated", "release_other")]
)
def test_only_a_published_release_is_one(host: Gitea, action: str, kind: str) -> None:
    release = {"tag_name": "v2", "target_commitish": "main", "draft": False, "prerelease": True}
    event = read(host, "release", {"action": action, "release": release})

    assert event.kind == kind
    assert event.facts == {
        "action": action,
        "tag": "v2",
        "prerelease": True,
        "draft": False,
        "target": "main",
    }


@both
@pytest.mark.parametrize(
    ("is_pull", "mark", "on_change"),
    [("missing", None, False), (False, None, False), (True, None, True), ("missing", {}, True)],
)
def test_a_comment_is_read(host: Gitea, is_pull: object, mark: object, on_change: bool) -> None:
    comment = {"body": "/release\0 now", "user": {"username": "eve"}}
    body = {"action": "edited", "issue": {"number": 4, "pull_request": mark}, "comment": comment}

    assert read(host, "issue_comment", body | {"is_pull": is_pull}).facts == {
        "action": "edited",
        "body": "/release now",
        "number": 4,
        "on_change": on_change,
        "author": "eve",
    }


# Everything else


@both
@pytest.mark.parametrize("event", ["fork", "repository", "wiki", "pull_request_approved", "of_tomorrow"])
def test_unknown_events_are_other(host: Gitea, event: str) -> None:
    assert event_json(read(host, event, {"action": "x"})) == {"kind": "other", "repo": "acme/shop"}
    assert event_json(read(host, event, {"repository": None})) == {"kind": "other"}
