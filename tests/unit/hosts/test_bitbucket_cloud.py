"""Bitbucket Cloud: events. The sample bodies were written by hand from Bitbucket's documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers
from workers.hosts.bitbucket_cloud import BitbucketCloud
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, Event, RefType

CLOUD = BitbucketCloud("cloud", ["a secret of acme's hook"])
ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
SHORT, MERGE = "2b2b2b2b2b2b", "3c3c3c3c3c3c"
REPOSITORY = {"uuid": "{5f1e}", "full_name": "acme/shop", "name": "Shop"}
ADA = {"display_name": "Ada", "account_id": "12:34", "uuid": "{ada}"}


def read(event: str, **body: Any) -> Event:
    headers = Headers([("Content-Type", "application/json"), ("X-Event-Key", event)])
    whole = {"repository": REPOSITORY, "actor": ADA} | body
    return CLOUD.read(headers, json.dumps(whole).encode())


def ref(sha: str, name: str = "main", kind: str = "branch") -> dict[str, Any]:
    target = {"hash": sha, "type": "commit", "message": "Add a till\n", "date": "2026-11-02T08:30:00+00:00"}
    return {"type": kind, "name": name, "target": target}


def moved(old: dict[str, Any] | None, new: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    flags = {"created": old is None, "closed": new is None, "forced": False, "truncated": False}
    return {"old": old, "new": new, "commits": [{}, {}]} | flags | more


def pushed(*changes: dict[str, Any]) -> Event:
    return read("repo:push", push={"changes": list(changes)})


def change(**more: Any) -> dict[str, Any]:
    source = {
        "branch": {"name": "fix/till"},
        "commit": {"hash": SHORT},
        "repository": {"full_name": "Acme/Shop", "uuid": "{5f1e}"},
    }
    merge = {"merge_commit": {"hash": MERGE}}
    base = {"branch": {"name": "main"}, "commit": {"hash": "1a1a1a1a1a1a"}}
    return {"id": 7, "state": "OPEN", "source": source, "destination": base} | merge | more


# Pushes


def test_a_push_is_shown_under_the_names_of_the_contract() -> None:
    assert event_json(pushed(moved(ref(ONE), ref(TWO)))) == {
        "kind": "push",
        "repo": "acme/shop",
        "default_branch": None,
        "changes": [
            {
                "ref_type": "branch",
                "name": "main",
                "action": "update",
                "before": ONE,
                "after": TWO,
                "commit": TWO,
                "forced": False,
                "commits_listed": 2,
                "truncated": False,
            }
        ],
    }


def test_a_push_keeps_the_repository_by_id_and_the_words_of_the_head() -> None:
    event = pushed(moved(ref(ONE), ref(TWO), forced=True, truncated=True))
    found = event.changes[0]

    assert (event.repository_id, event.clone_url) == ("{5f1e}", None)
    assert (found.message, found.timestamp) == ("Add a till\n", "2026-11-02T08:30:00+00:00")
    assert (found.forced, found.truncated, found.pushed_at) == (True, True, None)


def test_every_ref_of_a_delivery_is_told_in_order() -> None:
    event = pushed(
        moved(ref(ONE), ref(TWO)),
        moved(ref(ONE, "old"), None),
        moved(None, ref(THREE, "v2", "tag")),
    )

    assert [(each.ref, each.action, each.commit) for each in event.changes] == [
        ("refs/heads/main", "update", TWO),
        ("refs/heads/old", "delete", None),
        ("refs/tags/v2", "create", THREE),
    ]


def test_a_deletion_may_come_without_commits() -> None:
    body = moved(ref(TWO), None)
    del body["commits"]
    found = pushed(body).changes[0]

    assert (found.before, found.after, found.commits_listed) == (TWO, None, 0)


def test_a_tag_names_its_commit_also_when_it_is_annotated() -> None:
    tag = ref(TWO, "v2.0.0", "tag") | {"message": "Two", "tagger": {"raw": "Ada"}}
    found = pushed(moved(None, tag)).changes[0]

    assert (found.ref_type, found.name, found.commit) == (RefType.TAG, "v2.0.0", TWO)


@pytest.mark.parametrize("name", ["a/b/c", "fix-#12", "-dash", "über", "heads/main", "a..b"])
def test_names_are_kept_whole(name: str) -> None:
    assert pushed(moved(None, ref(TWO, name))).changes[0].name == name


@pytest.mark.parametrize("kind", ["bookmark", "named_branch", "something new"])
def test_what_is_no_branch_and_no_tag_is_left_out_and_the_rest_is_kept(kind: str) -> None:
    odd = moved(None, ref(ONE, "x", kind))

    assert event_json(pushed(odd)) == {"kind": "other", "repo": "acme/shop"}
    assert [each.name for each in pushed(odd, moved(ref(ONE), ref(TWO))).changes] == ["main"]


def test_a_push_that_moved_nothing_has_no_changes() -> None:
    assert (pushed().kind, pushed().changes) == ("push", ())
    assert pushed(moved(None, None)).kind == "other"


@given(digits=st.integers(0, 70), place=st.sampled_from(["old", "new"]))
def test_only_a_full_hash_is_ever_released(digits: int, place: str) -> None:
    refs = {"old": ref(ONE), "new": ref(TWO)} | {place: ref("a" * digits)}
    if digits in {40, 64}:
        assert pushed(moved(refs["old"], refs["new"])).changes[0].commit == refs["new"]["target"]["hash"]
    else:
        with pytest.raises(BadDelivery, match=rf"push\.changes\.0\.{place}\.target\.hash"):
            pushed(moved(refs["old"], refs["new"]))


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("push", {"push": None}),
        (r"push\.changes", {"push": {}}),
        (r"push\.changes\.0\.new", {"push": {"changes": [{"old": None}]}}),
        (r"push\.changes\.0\.old", {"push": {"changes": [{"new": None}]}}),
        (r"push\.changes\.0\.forced", {"push": {"changes": [moved(None, ref(ONE), forced=1)]}}),
        (r"push\.changes\.0\.new\.name", {"push": {"changes": [moved(None, ref(ONE, "a b"))]}}),
        (r"repository\.full_name", {"repository": {"full_name": "shop"}, "push": {"changes": []}}),
    ],
)
def test_a_missing_or_wrong_field_is_named(place: str, body: dict[str, Any]) -> None:
    with pytest.raises(BadDelivery, match=f"at {place}"):
        read("repo:push", **body)


# Pull requests


@pytest.mark.parametrize(
    ("event", "state", "kind"),
    [
        ("created", "OPEN", "change_opened"),
        ("updated", "OPEN", "change_updated"),
        ("fulfilled", "MERGED", "change_merged"),
        ("rejected", "DECLINED", "change_closed"),
    ],
)
def test_a_pull_request_is_told_by_its_event(event: str, state: str, kind: str) -> None:
    found = read(f"pullrequest:{event}", pullrequest=change(state=state))

    assert event_json(found) == {
        "kind": kind,
        "repo": "acme/shop",
        "default_branch": None,
        "number": 7,
        "head": SHORT,
        "head_branch": "fix/till",
        "base_branch": "main",
        "head_repo": "Acme/Shop",
        "from_fork": False,
        "merge_commit": MERGE if kind == "change_merged" else None,
    }
    assert (found.actor, found.changes) == ("{ada}", ())


@pytest.mark.parametrize(
    "event", ["approved", "changes_request_created", "comment_updated", "comment_deleted"]
)
def test_what_no_rule_uses_is_other(event: str) -> None:
    assert event_json(read(f"pullrequest:{event}", pullrequest={})) == {"kind": "other", "repo": "acme/shop"}
    assert event_json(read(f"issue:{event}", repository=None)) == {"kind": "other"}


@pytest.mark.parametrize("state", ["OPEN", "DECLINED", "SUPERSEDED"])
def test_a_header_cannot_make_an_open_pull_request_a_merged_one(state: str) -> None:
    with pytest.raises(BadDelivery, match="not MERGED"):
        read("pullrequest:fulfilled", pullrequest=change(state=state))


@pytest.mark.parametrize("repository", [{"full_name": "eve/shop"}, None])
def test_another_repository_or_none_is_a_fork(repository: dict[str, str] | None) -> None:
    source = change()["source"] | {"repository": repository, "commit": None}
    facts = read("pullrequest:created", pullrequest=change(source=source)).facts

    assert (facts["from_fork"], facts["head"]) == (True, None)


def test_a_comment_is_told_with_its_pull_request_and_who_wrote_it() -> None:
    comment = {"id": 1, "content": {"raw": "/release\0 now", "html": "<p>"}, "user": ADA}
    found = read("pullrequest:comment_created", pullrequest=change(), comment=comment)

    assert (found.kind, found.actor, found.facts["number"]) == ("comment", "{ada}", 7)
    assert (found.facts["body"], found.facts["on_change"]) == ("/release now", True)


@pytest.mark.parametrize(("kind", "by_bot"), [("user", None), (None, None), ("app_user", True)])
def test_a_comment_of_a_program_is_told(kind: str | None, by_bot: bool | None) -> None:
    body = {"comment": {"content": {"raw": "/release"}}, "actor": ADA | {"type": kind}}

    assert read("pullrequest:comment_created", pullrequest=change(), **body).facts.get("by_bot") is by_bot


# Commit statuses


def status(**more: Any) -> Event:
    body = {"state": "SUCCESSFUL", "key": "build", "refname": "main", "commit": {"hash": TWO}}
    return read("repo:commit_status_updated", commit_status=body | more)


@pytest.mark.parametrize(
    ("state", "success"),
    [("SUCCESSFUL", True), ("FAILED", False), ("INPROGRESS", False), ("STOPPED", False), ("success", False)],
)
def test_only_the_word_successful_is_success(state: str, success: bool) -> None:
    assert event_json(status(state=state)) == {
        "kind": "ci_status",
        "repo": "acme/shop",
        "default_branch": None,
        "state": state,
        "success": success,
        "commit": TWO,
        "branch": "main",
        "context": "build",
    }


@given(digits=st.integers(7, 64), linked=st.sampled_from([None, SHORT, THREE, f"{THREE}?x", ""]))
def test_a_status_names_a_full_hash_or_none(digits: int, linked: str | None) -> None:
    links = {} if linked is None else {"links": {"commit": {"href": f"https://bb.example/commit/{linked}"}}}
    commit = status(commit={"hash": "a" * digits}, **links).facts["commit"]

    named = "a" * digits if digits in {40, 64} else None
    assert commit == (named or (THREE if linked == THREE else None))


def test_a_status_without_a_branch_still_names_its_commit_by_the_link() -> None:
    facts = status(commit=None, refname=None, links={"commit": {"href": f"https://bb.example/{ONE}"}}).facts

    assert (facts["commit"], facts["branch"]) == (ONE, None)


# Repositories


def test_a_renamed_repository_is_told_under_its_new_name_with_the_same_id() -> None:
    changes = {"name": {"old": "Shop", "new": "Store"}}
    changes |= {"full_name": {"old": "acme/shop", "new": "acme/store"}}
    event = read("repo:updated", changes=changes)

    assert (event.kind, event.repository, event.repository_id) == (
        "repository_renamed",
        "acme/store",
        "{5f1e}",
    )
    assert (event.facts["old_name"], event.facts["old_repo"]) == ("shop", "acme/shop")


@pytest.mark.parametrize("changes", [None, {}, {"description": {"old": "", "new": "x"}}])
def test_a_repository_that_kept_its_full_name_is_other(changes: object) -> None:
    assert read("repo:updated", changes=changes).kind == "other"


def test_bitbucket_cloud_signs_everything() -> None:
    assert not CLOUD.sends_unsigned(Headers([("X-Event-Key", "diagnostics:ping")]))
