"""GitHub: signatures, ids, events. The sample bodies were written by hand from GitHub's documentation."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers
from workers.hosts.github import GitHub
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, Event, RefType, UnsupportedMedia

SAMPLES = Path(__file__).parents[2] / "samples" / "github"
OLD, NEW = "an old secret of acme", "a new secret with ä"
GITHUB = GitHub("github", [OLD, NEW])
ONE, TWO, TAG_OBJECT = "1" * 40, "2" * 40, "3" * 40
REPOSITORY = {"id": 4711, "full_name": "acme/shop", "default_branch": "main"}


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(event: str = "push", *more: tuple[str, str]) -> Headers:
    return Headers([("Content-Type", "application/json"), ("X-GitHub-Event", event), *more])


def read(event: str, body: bytes | dict[str, Any]) -> Event:
    return GITHUB.read(headers(event), body if isinstance(body, bytes) else json.dumps(body).encode())


def pushed(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sample("push_branch"))
    return {key: value for key, value in (body | changes).items() if value != "missing"}


# Signatures


@pytest.mark.parametrize(("secret", "index"), [(OLD, 0), (NEW, 1)])
def test_each_configured_secret_is_accepted_and_told(secret: str, index: int) -> None:
    body = sample("push_branch")

    assert GITHUB.verify(headers("push", ("X-Hub-Signature-256", signature(secret, body))), body) == index


def test_the_hex_digits_may_be_upper_case() -> None:
    sent = "sha256=" + signature(OLD, b"{}").removeprefix("sha256=").upper()

    assert GITHUB.verify(headers("push", ("X-Hub-Signature-256", sent)), b"{}") == 0


def test_a_form_is_signed_as_it_came() -> None:
    body = b"payload=" + quote_plus(sample("push_branch")).encode()
    form = Headers(
        [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("X-GitHub-Event", "push"),
            ("X-Hub-Signature-256", signature(OLD, body)),
        ]
    )

    assert GITHUB.verify(form, body) == 0
    assert GITHUB.read(form, body) == read("push", sample("push_branch"))


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "sha256=",
        signature("another secret entirely", b"{}"),
        signature(OLD, b"{ }"),
        signature(OLD, b"{}")[:-1],
        signature(OLD, b"{}") + "0",
        signature(OLD, b"{}").removeprefix("sha256="),
        "sha1=" + hmac.new(OLD.encode(), b"{}", hashlib.sha1).hexdigest(),
        "sha256=" + "\u00e9" * 64,
        "sha256=" + "\u0663" * 64,
        f"{signature(OLD, b'{}')}, {signature(OLD, b'{}')}",
    ],
)
def test_any_other_signature_is_refused(sent: str) -> None:
    with pytest.raises(BadSignature):
        GITHUB.verify(headers("push", ("X-Hub-Signature-256", sent)), b"{}")


def test_the_old_sha1_header_alone_is_refused() -> None:
    sent = "sha1=" + hmac.new(OLD.encode(), b"{}", hashlib.sha1).hexdigest()

    with pytest.raises(BadSignature, match="missing"):
        GITHUB.verify(headers("push", ("X-Hub-Signature", sent)), b"{}")


@pytest.mark.parametrize("secrets", [[], [""], [b""]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str | bytes]) -> None:
    sent = signature("", b"{}")

    with pytest.raises(BadSignature, match=r"hosts\.github\.secrets"):
        GitHub("github", secrets).verify(headers("push", ("X-Hub-Signature-256", sent)), b"{}")


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    host = GitHub("github", ["", NEW])

    assert host.verify(headers("push", ("X-Hub-Signature-256", signature(NEW, b"{}"))), b"{}") == 1
    with pytest.raises(BadSignature):
        host.verify(headers("push", ("X-Hub-Signature-256", signature("", b"{}"))), b"{}")


def test_two_different_signatures_are_a_bad_delivery() -> None:
    right, wrong = signature(OLD, b"{}"), signature("another secret entirely", b"{}")
    both = headers("push", ("X-Hub-Signature-256", right), ("x-hub-signature-256", wrong))

    with pytest.raises(BadDelivery):
        GITHUB.verify(both, b"{}")


def test_no_message_or_repr_shows_a_secret() -> None:
    with pytest.raises(BadSignature) as caught:
        GITHUB.verify(headers("push", ("X-Hub-Signature-256", "sha256=" + "0" * 64)), b"{}")

    assert OLD not in str(caught.value) + repr(GITHUB)
    assert "0000" not in str(caught.value)


# Facts of the headers


def test_a_redelivery_keeps_its_id() -> None:
    facts = GITHUB.facts(headers("push", ("X-GitHub-Delivery", "0a6c-1")), b"{}")

    assert (facts.host, facts.delivery, facts.event) == ("github", "0a6c-1", "push")


def test_two_different_ids_are_a_bad_delivery() -> None:
    with pytest.raises(BadDelivery, match="X-GitHub-Delivery"):
        GITHUB.facts(headers("push", ("X-GitHub-Delivery", "1"), ("X-GitHub-Delivery", "2")), b"{}")


def test_without_an_id_the_body_tells_deliveries_apart() -> None:
    assert GITHUB.facts(headers(), b"{}").delivery == GITHUB.facts(headers(), b"{}").delivery
    assert GITHUB.facts(headers(), b"{}").delivery != GITHUB.facts(headers(), b"[]").delivery


# Pushes


def test_a_push_to_a_branch_is_read() -> None:
    event = read("push", sample("push_branch"))
    change = event.changes[0]

    assert (event.kind, event.repository, event.repository_id) == ("push", "acme/shop", "4711")
    assert (event.actor, event.clone_url) == ("ada", "https://github.example/acme/shop.git")
    assert (change.ref, change.action, change.before, change.commit) == (
        "refs/heads/release/2",
        "update",
        ONE,
        TWO,
    )
    assert (change.forced, change.commits_listed, change.pushed_at) == (False, 1, 1793608205.0)


def test_a_push_is_shown_under_the_names_of_the_contract() -> None:
    assert event_json(read("push", sample("push_branch"))) == {
        "kind": "push",
        "repo": "acme/shop",
        "default_branch": "main",
        "pusher": "ada",
        "changes": [
            {
                "ref_type": "branch",
                "name": "release/2",
                "action": "update",
                "before": ONE,
                "after": TWO,
                "commit": TWO,
                "forced": False,
                "commits_listed": 1,
            }
        ],
    }


def test_an_annotated_tag_names_the_commit_behind_the_tag_object() -> None:
    change = read("push", sample("push_annotated_tag")).changes[0]

    assert (change.ref_type, change.name, change.action) == (RefType.TAG, "v2.0.0", "create")
    assert (change.before, change.after, change.commit) == (None, TAG_OBJECT, TWO)


def test_a_deletion_has_nothing_to_release() -> None:
    change = read("push", sample("push_branch_deleted")).changes[0]

    assert (change.action, change.before, change.after, change.commit) == ("delete", TWO, None, None)


def test_a_tag_of_no_commit_has_nothing_to_release() -> None:
    body = json.loads(sample("push_annotated_tag")) | {"head_commit": None}

    assert read("push", body).changes[0].commit is None


def test_sha256_repositories_have_longer_names_and_zeros() -> None:
    change = read("push", pushed(before="0" * 64, after="a" * 64)).changes[0]

    assert (change.action, change.before, change.commit) == ("create", None, "a" * 64)


def test_a_push_without_commits_still_has_its_tip() -> None:
    change = read("push", pushed(commits=[])).changes[0]

    assert (change.commit, change.commits_listed) == (TWO, 0)


@pytest.mark.parametrize("name", ["a/b/c", "fix-#12", "-dash", "über", "heads/main", "a..b"])
def test_names_of_branches_are_kept_whole(name: str) -> None:
    assert read("push", pushed(ref=f"refs/heads/{name}")).changes[0].name == name


@pytest.mark.parametrize("ref", ["refs/pull/3/head", "refs/notes/commits", "refs/heads/", "refs/tags"])
def test_refs_that_are_no_branch_and_no_tag_are_other_events(ref: str) -> None:
    assert event_json(read("push", pushed(ref=ref))) == {"kind": "other", "repo": "acme/shop"}


@pytest.mark.parametrize(
    ("pushed_at", "seconds"),
    [
        ("2026-11-02T08:30:05Z", 1793608205.0),
        (1793608205, 1793608205.0),
        ("soon", None),
        (None, None),
        (10**15, None),
        (-5, None),
    ],
)
def test_the_host_time_may_be_a_number_or_a_text(pushed_at: object, seconds: float | None) -> None:
    assert (
        read("push", pushed(repository=REPOSITORY | {"pushed_at": pushed_at})).changes[0].pushed_at == seconds
    )


def test_nul_is_taken_out_of_texts() -> None:
    change = read("push", pushed(head_commit={"id": TWO, "message": "a\0b"})).changes[0]

    assert change.message == "ab"


@pytest.mark.parametrize("field", ["ref", "before", "after", "repository"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(BadDelivery, match=f"at {field}: Field required"):
        read("push", pushed(**{field: "missing"}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", 7),
        ("ref", "main"),
        ("ref", "refs/heads/a\nb"),
        ("ref", "refs/heads/a\0"),
        ("after", "abc"),
        ("after", None),
        ("before", "g" * 40),
        ("deleted", "false"),
        ("forced", 1),
        ("commits", {}),
        ("repository", []),
        ("repository", {"full_name": "shop"}),
        ("repository", {"full_name": 3}),
        ("head_commit", {"id": "--upload-pack=x"}),
    ],
)
def test_a_field_of_the_wrong_type_is_named_and_its_value_is_not_shown(field: str, value: object) -> None:
    with pytest.raises(BadDelivery, match=f"at {field}") as caught:
        read("push", pushed(**{field: value}))
    assert "upload-pack" not in str(caught.value)


# Other events


def test_a_ping_of_an_organisation_has_no_repository() -> None:
    assert event_json(read("ping", sample("ping_organization"))) == {
        "kind": "ping",
        "repo": None,
        "default_branch": None,
    }


@pytest.mark.parametrize("event", ["star", "team_add", "an_event_of_tomorrow"])
def test_unknown_events_are_other(event: str) -> None:
    assert event_json(read(event, {"repository": REPOSITORY})) == {"kind": "other", "repo": "acme/shop"}
    assert event_json(read(event, {"organization": {}})) == {"kind": "other"}


@pytest.mark.parametrize(
    ("action", "merged", "kind"),
    [
        ("opened", False, "change_opened"),
        ("reopened", False, "change_opened"),
        ("ready_for_review", False, "change_opened"),
        ("synchronize", False, "change_updated"),
        ("edited", False, "change_edited"),
        ("closed", False, "change_closed"),
        ("closed", True, "change_merged"),
        ("labeled", False, "other"),
    ],
)
def test_a_pull_request_is_told_by_action_and_merge(action: str, merged: bool, kind: str) -> None:
    change = {
        "head": {"ref": "fix", "sha": TWO, "repo": {"full_name": "Acme/Shop"}},
        "base": {"ref": "main", "sha": ONE, "repo": {"full_name": "acme/shop"}},
        "merged": merged,
        "merge_commit_sha": TAG_OBJECT,
    }
    event = read(
        "pull_request", {"action": action, "number": 3, "pull_request": change, "repository": REPOSITORY}
    )

    assert event.kind == kind
    if kind != "other":
        assert event.facts["from_fork"] is False
        assert event.facts["merge_commit"] == (TAG_OBJECT if merged else None)


def test_a_pull_request_whose_fork_is_gone_comes_from_a_fork() -> None:
    change = {
        "head": {"ref": "fix", "sha": TWO, "repo": None},
        "base": {"ref": "main", "repo": {"full_name": "acme/shop"}},
    }
    event = read(
        "pull_request", {"action": "opened", "number": 3, "pull_request": change, "repository": REPOSITORY}
    )

    assert (event.facts["head_repo"], event.facts["from_fork"]) == (None, True)


@pytest.mark.parametrize(("conclusion", "success"), [("success", True), ("neutral", False), (None, False)])
def test_only_the_word_success_is_success(conclusion: str | None, success: bool) -> None:
    run = {"name": "lint", "conclusion": conclusion, "head_sha": TWO, "check_suite": {"head_branch": None}}
    event = read("check_run", {"action": "completed", "check_run": run, "repository": REPOSITORY})

    assert (event.kind, event.facts["success"], event.facts["name"]) == ("ci_finished", success, "lint")


@pytest.mark.parametrize("event", ["check_suite", "check_run", "workflow_run"])
def test_checks_that_are_not_over_are_other(event: str) -> None:
    run = {"name": "lint", "event": "push", "head_sha": TWO}

    assert read(event, {"action": "requested", event: run, "repository": REPOSITORY}).kind == "other"


def test_a_comment_on_an_issue_is_on_no_change() -> None:
    comment = {"body": "hello", "user": {"login": "ada"}, "author_association": "OWNER"}
    body = {"action": "created", "issue": {"number": 4}, "comment": comment, "repository": REPOSITORY}

    assert read("issue_comment", body).facts["on_change"] is False


def test_a_repository_that_was_not_renamed_is_other() -> None:
    assert read("repository", {"action": "publicized", "repository": REPOSITORY}).kind == "other"


# Hostile bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"not json",
        b"\xff\xfe{\x00}\x00",
        b'{"ref": "\xc3\x28"}',
        b"\xef\xbb\xbf{}",
        b'{"ref": "\\ud800"}',
        b'{"ref": "refs/heads/\\udfff"}',
        b'{"x": ' + b"9" * 100_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"repository": {"id": 1e400, "full_name": "a/b"}}',
    ],
)
@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_a_hostile_body_is_a_bad_delivery(event: str, body: bytes) -> None:
    with pytest.raises(BadDelivery):
        read(event, body)


@pytest.mark.parametrize("event", ["push", "ping", "star"])
@pytest.mark.parametrize(("levels", "fits"), [(199, True), (201, False), (100_000, False)])
def test_two_hundred_levels_are_the_bound(event: str, levels: int, fits: bool) -> None:
    extra = b', "deep": ' + b"[" * levels + b"]" * levels + b"}"
    body = sample("push_branch").rstrip()[:-1] + extra

    if fits:
        assert read(event, body).repository == "acme/shop"
    else:
        with pytest.raises(BadDelivery, match="recursion limit"):
            read(event, body)


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    body = sample("push_branch").rstrip()[:-1] + b', "ref": "refs/heads/last"}'

    assert read("push", body).changes[0].name == "last"


@pytest.mark.parametrize("event", ["", "push\x01", "x" * 101])
def test_a_missing_or_odd_event_header_is_a_bad_delivery(event: str) -> None:
    with pytest.raises(BadDelivery, match="X-GitHub-Event"):
        read(event, sample("push_branch"))


EVENTS = ["push", "ping", "release", "pull_request", "check_suite", "check_run", "workflow_run", "status"]
EVENTS += ["issue_comment", "deployment", "deployment_status", "repository", "other", ""]
NAMES = ["Content-Type", "Content-Encoding", "X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256"]
VALUES = ["application/json", "application/x-www-form-urlencoded", "identity", *EVENTS]
KEYS = [
    "ref",
    "before",
    "after",
    "repository",
    "id",
    "full_name",
    "head_commit",
    "action",
    "commits",
    "number",
]

odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ONE, "refs/heads/x", "a/b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=80)), max_size=6
    ),
    body=st.binary(max_size=200) | odd_values.map(lambda value: json.dumps(value).encode()),
)
def test_whatever_comes_only_the_named_errors_come_out(pairs: list[tuple[str, str]], body: bytes) -> None:
    odd = Headers(pairs)
    for ask in (GITHUB.verify, GITHUB.facts, GITHUB.payload, GITHUB.read):
        with suppress(BadSignature, BadDelivery, UnsupportedMedia):
            ask(odd, body)


@given(
    event=st.sampled_from(EVENTS[:-1]),
    name=st.sampled_from(["push_branch", "push_annotated_tag", "push_branch_deleted", "ping_organization"]),
    fields=st.dictionaries(st.sampled_from(KEYS), odd_values, max_size=3),
)
def test_a_damaged_body_is_read_or_refused(event: str, name: str, fields: dict[str, object]) -> None:
    try:
        found = read(event, json.dumps(json.loads(sample(name)) | fields).encode())
    except BadDelivery:
        return
    json.dumps(event_json(found))
