"""Bitbucket Data Center: events. The sample bodies were written by hand from Atlassian's documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers
from workers.hosts.bitbucket_dc import BitbucketDataCenter
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, Event, RefType

HOUSE = BitbucketDataCenter("house", ["a secret of acme's hook"])
ONE, TWO, TAG_OBJECT, NONE = "1" * 40, "2" * 40, "3" * 40, "0" * 40
ADA = {"name": "ada", "displayName": "Ada", "id": 1}


def repository(slug: str = "shop", key: str = "ACME", number: int = 12, **more: Any) -> dict[str, Any]:
    return {"id": number, "slug": slug, "name": "Shop", "project": {"key": key, "id": 3}} | more


def read(event: str, **body: Any) -> Event:
    headers = Headers([("Content-Type", "application/json; charset=utf-8"), ("X-Event-Key", event)])
    whole = {"eventKey": event, "date": "2026-11-02T09:30:05+0100", "actor": ADA} | body
    return HOUSE.read(headers, json.dumps(whole).encode())


def moved(ref: str = "refs/heads/main", before: str = ONE, after: str = TWO) -> dict[str, Any]:
    kind = "ADD" if before == NONE else "DELETE" if after == NONE else "UPDATE"
    word = "TAG" if ref.startswith("refs/tags/") else "BRANCH"
    shown = ref.split("/", 2)[-1]
    return {
        "ref": {"id": ref, "displayId": shown, "type": word},
        "refId": ref,
        "fromHash": before,
        "toHash": after,
        "type": kind,
    }


def pushed(*changes: dict[str, Any], **more: Any) -> Event:
    return read("repo:refs_changed", **{"repository": repository(), "changes": list(changes)} | more)


def change(source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    head = {"id": "refs/heads/fix/till", "displayId": "fix/till", "latestCommit": TWO}
    base = {"id": "refs/heads/main", "displayId": "main", "latestCommit": ONE, "repository": repository()}
    both = {"fromRef": head | {"repository": source}, "toRef": base}
    return {"id": 7, "createdDate": 1793608205000, "updatedDate": "2026-11-02T09:30:05+0100"} | both | more


# The connection's test


@pytest.mark.parametrize(
    ("pairs", "answered"),
    [
        ([("X-Event-Key", "diagnostics:ping")], True),
        ([("x-event-key", "diagnostics:ping"), ("X-Request-Id", "7")], True),
        ([("X-Event-Key", "diagnostics:ping"), ("X-Hub-Signature", "sha256=" + "0" * 64)], False),
        ([("X-Event-Key", "diagnostics:ping"), ("X-Hub-Signature", "")], False),
        ([("X-Event-Key", "diagnostics:ping"), ("X-Event-Key", "repo:refs_changed")], False),
        ([("X-Event-Key", "repo:refs_changed")], False),
        ([], False),
    ],
)
def test_only_a_ping_without_a_signature_is_answered_unsigned(
    pairs: list[tuple[str, str]], answered: bool
) -> None:
    assert HOUSE.sends_unsigned(Headers(pairs)) is answered


def test_a_ping_is_never_verified_and_says_nothing() -> None:
    ping = Headers([("Content-Type", "application/json"), ("X-Event-Key", "diagnostics:ping")])

    with pytest.raises(BadSignature):
        HOUSE.verify(ping, b'{"test": true}')
    assert len(HOUSE.facts(ping, b'{"test": true}').delivery) == 64
    assert event_json(HOUSE.read(ping, b'{"test": true}')) == {"kind": "ping", "repo": None}


@pytest.mark.parametrize("body", [b"{}", b'{"test": false}', b'{"test": "true"}'])
def test_a_ping_of_another_shape_is_a_bad_delivery(body: bytes) -> None:
    ping = Headers([("Content-Type", "application/json"), ("X-Event-Key", "diagnostics:ping")])

    with pytest.raises(BadDelivery, match="at test"):
        HOUSE.read(ping, body)


# Pushes


def test_a_push_is_shown_under_the_names_of_the_contract() -> None:
    assert event_json(pushed(moved())) == {
        "kind": "push",
        "repo": "ACME/shop",
        "pusher": "ada",
        "changes": [
            {
                "ref_type": "branch",
                "name": "main",
                "action": "update",
                "before": ONE,
                "after": TWO,
                "commit": TWO,
            }
        ],
    }


def test_every_ref_of_a_delivery_is_told_in_order() -> None:
    event = pushed(
        moved(),
        moved("refs/heads/old", TWO, NONE),
        moved("refs/heads/new/one", NONE, TWO),
        moved("refs/notes/commits"),
        moved("refs/tags/v2", NONE, TAG_OBJECT),
    )

    assert [(each.ref, each.action, each.commit) for each in event.changes] == [
        ("refs/heads/main", "update", TWO),
        ("refs/heads/old", "delete", None),
        ("refs/heads/new/one", "create", TWO),
        ("refs/tags/v2", "create", None),
    ]


def test_a_push_keeps_the_repository_by_id_also_a_persons_own() -> None:
    event = pushed(moved(), repository=repository(key="~ada"))

    assert (event.repository, event.repository_id, event.default_branch) == ("~ada/shop", "12", None)


def test_a_tag_may_be_an_object_of_its_own_until_the_host_names_the_commit() -> None:
    tag = moved("refs/tags/v2", NONE, TAG_OBJECT)
    bare, told = pushed(tag).changes[0], pushed(tag, toCommit={"id": TWO, "message": "Two"}).changes[0]

    assert (bare.ref_type, bare.after, bare.commit) == (RefType.TAG, TAG_OBJECT, None)
    assert (told.after, told.commit, told.message) == (TAG_OBJECT, TWO, "Two")


def test_the_one_head_commit_of_a_push_is_not_taken_for_another_refs() -> None:
    tag, light = moved("refs/tags/v2", NONE, TAG_OBJECT), moved("refs/tags/v1", NONE, TWO)
    event = pushed(tag, light, moved(after=ONE), toCommit={"id": TWO, "message": "Two"}, commits=[{}])

    assert [(each.commit, each.message) for each in event.changes] == [
        (None, None),
        (TWO, "Two"),
        (ONE, None),
    ]
    assert {each.commits_listed for each in event.changes} == {None}


def test_newer_versions_list_commits() -> None:
    found = pushed(moved(), toCommit={"id": TWO, "message": "a\0b"}, commits=[{}, {}]).changes[0]

    assert (found.commits_listed, found.message) == (2, "ab")


def test_a_deleted_ref_has_nothing_to_release_whatever_the_hash_says() -> None:
    body = moved() | {"type": "DELETE"}
    found = pushed(body, toCommit={"id": TWO, "message": "x"}).changes[0]

    assert (found.action, found.after, found.commit, found.message) == ("delete", None, None, None)


@given(zeros=st.sampled_from([40, 64]), sha=st.text("0123456789abcdef", min_size=40, max_size=40))
def test_all_zeros_and_nothing_else_mean_no_commit(zeros: int, sha: str) -> None:
    found = pushed(moved(before="0" * zeros, after=sha) | {"type": "ADD"}).changes[0]

    assert (found.before, found.after) == (None, sha if sha != NONE else None)
    assert found.commit == found.after


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("2026-11-02T09:30:05+0100", 1793608205.0),
        ("2026-11-02T08:30:05.250Z", 1793608205.25),
        (1793608205250, 1793608205.25),
        ("soon", None),
        (None, None),
        (-5, None),
        (10**400, None),
    ],
)
def test_the_host_time_may_be_a_text_or_milliseconds(date: object, seconds: float | None) -> None:
    assert pushed(moved(), date=date).changes[0].pushed_at == seconds


def test_a_push_of_no_branch_and_no_tag_is_other_and_an_empty_one_has_no_changes() -> None:
    assert event_json(pushed(moved("refs/notes/commits"))) == {"kind": "other", "repo": "ACME/shop"}
    assert (pushed().kind, pushed().changes) == ("push", ())


@pytest.mark.parametrize(
    ("href", "taken"),
    [
        ("https://git.acme.example/scm/acme/shop.git", "https://git.acme.example/scm/acme/shop.git"),
        ("https://ada@git.acme.example/scm/acme/shop.git", "https://git.acme.example/scm/acme/shop.git"),
        ("https://ada:pass@word@git.acme.example/x.git", "https://git.acme.example/x.git"),
        ("http://git.acme.example/a@b.git", "http://git.acme.example/a@b.git"),
        ("file:///etc", None),
        ("https://git.acme.example/a b", None),
    ],
)
def test_the_http_address_is_taken_without_a_persons_name(href: str, taken: str | None) -> None:
    clone = [{"name": "ssh", "href": "ssh://git@x/y.git"}, {"name": "http", "href": href}]

    assert pushed(moved(), repository=repository(links={"clone": clone})).clone_url == taken


@pytest.mark.parametrize(
    ("place", "body"),
    [
        (r"changes", {"changes": None}),
        (r"changes\.0\.toHash", {"changes": [moved(after="abc")]}),
        (r"changes\.0\.fromHash", {"changes": [moved() | {"fromHash": None}]}),
        (r"changes\.0\.ref\.id", {"changes": [moved("main")]}),
        (r"repository\.id", {"repository": repository(number=-1)}),
        (r"repository\.slug", {"repository": repository(slug="a/b")}),
        (r"repository\.project", {"repository": {"id": 1, "slug": "shop"}}),
    ],
)
def test_a_missing_or_wrong_field_is_named(place: str, body: dict[str, Any]) -> None:
    with pytest.raises(BadDelivery, match=f"at {place}"):
        pushed(moved(), **body)


# Pull requests


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("pr:opened", "change_opened"),
        ("pr:from_ref_updated", "change_updated"),
        ("pr:modified", "change_edited"),
        ("pr:merged", "change_merged"),
        ("pr:declined", "change_closed"),
        ("pr:deleted", "change_closed"),
    ],
)
def test_a_pull_request_is_told_by_its_event(event: str, kind: str) -> None:
    merge = {"properties": {"mergeCommit": {"id": TAG_OBJECT, "displayId": "33333333333"}}}

    assert event_json(read(event, pullRequest=change(repository(), **merge))) == {
        "kind": kind,
        "repo": "ACME/shop",
        "number": 7,
        "head": TWO,
        "head_branch": "fix/till",
        "base_branch": "main",
        "head_repo": "ACME/shop",
        "from_fork": False,
        "merge_commit": TAG_OBJECT if kind == "change_merged" else None,
    }


@pytest.mark.parametrize(
    ("source", "head_repo", "from_fork"),
    [
        (repository(), "ACME/shop", False),
        (repository(number=99), "ACME/shop", True),
        (repository(key="~eve", number=99), "~eve/shop", True),
        (None, None, True),
    ],
)
def test_a_fork_is_told_by_its_id(
    source: dict[str, Any] | None, head_repo: str | None, from_fork: bool
) -> None:
    facts = read("pr:opened", pullRequest=change(source)).facts

    assert (facts["head_repo"], facts["from_fork"]) == (head_repo, from_fork)


def test_a_merge_may_come_without_its_commit() -> None:
    assert read("pr:merged", pullRequest=change(repository())).facts["merge_commit"] is None


def test_a_comment_is_told_with_its_pull_request_and_author() -> None:
    event = read("pr:comment:added", pullRequest=change(repository()), comment={"id": 1, "text": "/release"})

    assert (event.kind, event.actor, event.facts["author"]) == ("comment", "ada", "ada")
    assert (event.facts["body"], event.facts["on_change"], event.facts["number"]) == ("/release", True, 7)


@pytest.mark.parametrize(("kind", "by_bot"), [("NORMAL", None), (None, None), ("SERVICE", True)])
def test_a_comment_of_a_program_is_told(kind: str | None, by_bot: bool | None) -> None:
    body = {"comment": {"text": "/release"}, "actor": ADA | {"type": kind}}
    event = read("pr:comment:added", pullRequest=change(repository()), **body)

    assert event.facts.get("by_bot") is by_bot


# Other events


@pytest.mark.parametrize("event", ["repo:refs_changed", "pr:opened", "pr:merged", "pr:reviewer:approved"])
def test_a_header_that_says_another_event_than_the_signed_body_is_refused(event: str) -> None:
    body = {"repository": repository(), "changes": [], "pullRequest": change(repository())}

    with pytest.raises(BadDelivery, match="another event"):
        read(event, **body, eventKey="pr:declined")


@pytest.mark.parametrize("event", ["pr:reviewer:approved", "pr:comment:edited", "repo:forked"])
def test_what_no_rule_uses_is_other_with_its_repository(event: str) -> None:
    named = {"kind": "other", "repo": "ACME/shop"}

    assert event_json(read(event, pullRequest=change())) == named
    assert event_json(read(event, repository=repository())) == named
    assert event_json(read(event)) == {"kind": "other"}


@pytest.mark.parametrize("old", [repository("store"), repository(key="OLD")])
def test_a_renamed_or_moved_repository_is_told_with_the_same_id(old: dict[str, Any]) -> None:
    event = read("repo:modified", old=old, new=repository())

    assert (event.kind, event.repository, event.repository_id) == ("repository_renamed", "ACME/shop", "12")
    assert event.facts == {"old_name": old["slug"], "old_repo": f"{old['project']['key']}/{old['slug']}"}


def test_a_repository_that_kept_its_full_name_is_other() -> None:
    assert read("repo:modified", old=repository(), new=repository(name="The shop")).kind == "other"
