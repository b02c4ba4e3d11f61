"""Standard Webhooks: signatures, times, and the types of message that are ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers
from workers.hosts.standard_webhooks import StandardWebhooks
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, Event, RefType, UnsupportedMedia

NOW = 1_793_608_205.0
OLD, NEW = ("whsec_" + b64encode(letter * 25).decode() for letter in (b"o", b"n"))
SENDER = StandardWebhooks("ci", [OLD, NEW], clock=lambda: NOW)
ONE, TWO, THREE, NONE = "1" * 40, "2" * 40, "3" * 40, "0" * 40
JSON = ("Content-Type", "application/json")


def signature(secret: str, body: bytes, sent: str = "msg_1", moment: str = str(int(NOW))) -> str:
    key = b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{sent}.{moment}.".encode() + body, hashlib.sha256)
    return "v1," + b64encode(made.digest()).decode()


def headers(sign: str, sent: str = "msg_1", moment: str = str(int(NOW))) -> Headers:
    return Headers([JSON, ("webhook-id", sent), ("Webhook-Timestamp", moment), ("WEBHOOK-SIGNATURE", sign)])


def read(kind: str, data: object, **more: Any) -> Event:
    body = json.dumps({"type": kind, "timestamp": "2026-11-02T08:30:05.5Z", "data": data} | more)
    return SENDER.read(Headers([JSON, ("webhook-id", "msg_1")]), body.encode())


def pushed(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "repository": "acme/shop",
        "default_branch": "main",
        "actor": "ada",
        "changes": list(changes),
    } | more


def moved(ref: str = "refs/heads/main", before: str | None = ONE, after: str | None = TWO) -> dict[str, Any]:
    return {"ref": ref, "before": before, "after": after}


# Signatures


@pytest.mark.parametrize(("secret", "index"), [(OLD, 0), (NEW, 1)])
def test_each_configured_secret_is_accepted_and_told(secret: str, index: int) -> None:
    assert SENDER.verify(headers(signature(secret, b"{}")), b"{}") == index


def test_the_padding_and_prefix_of_a_secret_may_be_missing() -> None:
    assert OLD.endswith("=")
    for secret in (OLD.rstrip("="), OLD.removeprefix("whsec_")):
        host = StandardWebhooks("ci", [secret], clock=lambda: NOW)
        assert host.verify(headers(signature(OLD, b"{}")), b"{}") == 0


def test_one_right_signature_among_several_is_enough() -> None:
    several = f"v1a,{b64encode(bytes(64)).decode()} v1,AAAA v9,x v1 , {signature(NEW, b'{}')}"

    assert SENDER.verify(headers(several), b"{}") == 1


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "v1,",
        signature("whsec_" + b64encode(b"x" * 25).decode(), b"{}"),
        signature(OLD, b"{ }"),
        signature(OLD, b"{}", sent="msg_2"),
        signature(OLD, b"{}", moment=str(int(NOW) + 1)),
        signature(OLD, b"{}").removeprefix("v1,"),
        signature(OLD, b"{}").replace("v1,", "v1a,"),
        signature(OLD, b"{}").replace("v1,", "v2,"),
        signature(OLD, b"{}").swapcase(),
        signature(OLD, b"{}")[:-2],
        "v1,\u00e9\u0663\ud800",
    ],
)
def test_any_other_signature_is_refused(sent: str) -> None:
    with pytest.raises(BadSignature):
        SENDER.verify(headers(sent), b"{}")


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_of_the_three_headers_is_needed(missing: str) -> None:
    kept = [pair for pair in headers(signature(OLD, b"{}")) if pair[0] != missing]

    with pytest.raises(BadSignature, match="must all be there"):
        SENDER.verify(Headers(kept), b"{}")


@pytest.mark.parametrize(("off", "taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_five_minutes_are_the_bound_both_ways(off: int, taken: bool) -> None:
    moment = str(int(NOW) + off)
    sent = headers(signature(OLD, b"{}", moment=moment), moment=moment)

    if taken:
        assert SENDER.verify(sent, b"{}") == 0
    else:
        with pytest.raises(BadSignature, match="300 s"):
            SENDER.verify(sent, b"{}")


@pytest.mark.parametrize("moment", ["soon", "-1", "1e9", "1793608205.0", "\u0663" * 10, "9" * 5000])
def test_a_time_that_is_none_is_refused(moment: str) -> None:
    with pytest.raises(BadSignature):
        SENDER.verify(headers(signature(OLD, b"{}", moment=moment), moment=moment), b"{}")


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        [""],
        ["whsec_"],
        ["not base64, surely!"],
        ["whsec_" + b64encode(b"k" * 23).decode()],
        ["whsec_" + b64encode(b"k" * 65).decode()],
    ],
)
def test_without_a_usable_secret_nothing_is_accepted(secrets: list[str]) -> None:
    host = StandardWebhooks("ci", secrets, clock=lambda: NOW)

    for key in ("", *secrets):
        try:
            sent = signature(key, b"{}")
        except ValueError:
            continue
        with pytest.raises(BadSignature, match=r"hosts\.ci\.secrets"):
            host.verify(headers(sent), b"{}")


def test_a_broken_secret_beside_a_good_one_keeps_its_place() -> None:
    host = StandardWebhooks("ci", ["not base64, surely!", NEW], clock=lambda: NOW)

    assert host.verify(headers(signature(NEW, b"{}")), b"{}") == 1


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_two_different_values_of_one_header_are_a_bad_delivery(name: str) -> None:
    both = Headers([*headers(signature(OLD, b"{}")), (name, "7")])

    for ask in (SENDER.verify, SENDER.facts):
        with pytest.raises(BadDelivery, match=name):
            ask(both, b"{}")


def test_no_message_or_repr_shows_a_secret() -> None:
    with pytest.raises(BadSignature) as caught:
        SENDER.verify(headers("v1,AAAA"), b"{}")

    assert OLD not in str(caught.value) + repr(SENDER)
    assert "AAAA" not in str(caught.value)


@given(key=st.binary(min_size=24, max_size=64), body=st.binary(max_size=100))
def test_whatever_is_signed_is_accepted_and_nothing_near_it(key: bytes, body: bytes) -> None:
    secret = "whsec_" + b64encode(key).decode()
    host = StandardWebhooks("ci", [secret], clock=lambda: NOW)

    assert host.verify(headers(signature(secret, body)), body) == 0
    with pytest.raises(BadSignature):
        host.verify(headers(signature(secret, body)), body + b" ")


# Facts


def test_a_message_keeps_its_id_and_tells_its_type() -> None:
    found = SENDER.facts(headers("v1,x"), b'{"type": "git.push"}')

    assert (found.host, found.delivery, found.event) == ("ci", "msg_1", "git.push")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"type": 7}', b'{"type": "a b"}', b"\xff"])
def test_a_body_that_cannot_be_read_has_no_type(body: bytes) -> None:
    assert SENDER.facts(headers("v1,x"), body).event == ""


# Messages


def test_a_push_of_ours_is_shown_under_the_names_of_the_contract() -> None:
    event = read("git.push", pushed(moved(), moved("refs/pull/3/head")))

    assert event_json(event) == {
        "kind": "push",
        "repo": "acme/shop",
        "default_branch": "main",
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
    assert event.changes[0].pushed_at == 1793608205.5


@pytest.mark.parametrize("nothing", [None, NONE, "0" * 64])
def test_null_and_zeros_say_that_nothing_is_there(nothing: str | None) -> None:
    event = read("git.push", pushed(moved(before=nothing), moved(after=nothing)))

    assert [(each.action, each.before, each.after, each.commit) for each in event.changes] == [
        ("create", None, TWO, TWO),
        ("delete", ONE, None, None),
    ]


def test_an_annotated_tag_names_its_commit() -> None:
    found = read("git.push", pushed(moved("refs/tags/v2", None, THREE) | {"commit": TWO, "message": "a\0b"}))
    change = found.changes[0]

    assert (change.ref_type, change.name, change.after) == (RefType.TAG, "v2", THREE)
    assert (change.commit, change.message) == (TWO, "ab")


def test_a_push_of_no_branch_and_no_tag_is_another_event() -> None:
    assert read("git.push", pushed(moved("refs/notes/x"))) == Event(kind="other", repository="acme/shop")


def test_finished_checks_tell_commit_branch_and_name() -> None:
    data = {
        "repository": "acme/shop",
        "success": True,
        "commit": TWO,
        "branch": "refs/heads/a/b",
        "name": "ci",
    }

    assert event_json(read("git.ci_finished", data)) == {
        "kind": "ci_finished",
        "repo": "acme/shop",
        "success": True,
        "commit": TWO,
        "branch": "a/b",
        "name": "ci",
    }


def test_a_published_release_tells_its_tag() -> None:
    event = read("git.release_published", {"repository": "acme/shop", "tag": "refs/tags/v2", "commit": TWO})

    assert (event.kind, event.repository) == ("release_published", "acme/shop")
    assert event.facts == {"tag": "v2", "prerelease": False, "commit": TWO}


def test_a_ping_is_answered_whatever_it_holds() -> None:
    assert read("git.ping", [1]) == Event(kind="ping")


@pytest.mark.parametrize("data", [None, [], {"repository": 7}, "text"])
def test_any_other_type_is_an_event_that_no_rule_uses(data: object) -> None:
    assert event_json(read("invoice.paid", data)) == {"kind": "event", "type": "invoice.paid", "id": "msg_1"}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (None, "data"),
        (pushed(repository="shop"), "data.repository"),
        (pushed(changes=None), "data.changes"),
        (pushed(moved("main")), "data.changes.0.ref"),
        (pushed(moved(after="--upload-pack=x")), "data.changes.0.after"),
        (pushed(moved() | {"forced": "no"}), "data.changes.0.forced"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_shown(data: object, place: str) -> None:
    with pytest.raises(BadDelivery, match=f"at {place}") as caught:
        read("git.push", data)

    assert "upload-pack" not in str(caught.value)


def test_no_form_hides_in_a_signed_body() -> None:
    body = b'{"type": "git.ping", "data": "&payload=%7B%22type%22%3A%22git.push%22%7D&"}'
    as_form = Headers([("Content-Type", "application/x-www-form-urlencoded"), ("webhook-id", "msg_1")])

    for ask in (SENDER.payload, SENDER.read):
        with pytest.raises(UnsupportedMedia):
            ask(as_form, body)
    assert SENDER.facts(as_form, body).event == ""
