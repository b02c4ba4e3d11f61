"""What both Bitbuckets share: signatures, ids, and bodies that nobody should send."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers, Host
from workers.hosts.bitbucket_cloud import BitbucketCloud
from workers.hosts.bitbucket_dc import BitbucketDataCenter
from workers.hosts.registry import host_of
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, UnsupportedMedia

OLD, NEW = "an old secret of acme", "a new secret with ä"
CLOUD = BitbucketCloud("cloud", [OLD, NEW])
DATA_CENTER = BitbucketDataCenter("house", [OLD, NEW])
BOTH: list[Host] = [CLOUD, DATA_CENTER]
ONE = "1" * 40

each_host = pytest.mark.parametrize("host", BOTH, ids=lambda host: host.driver)


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(event: str, *more: tuple[str, str]) -> Headers:
    return Headers([("Content-Type", "application/json; charset=utf-8"), ("X-Event-Key", event), *more])


def signed(sent: str, event: str = "repo:push") -> Headers:
    return headers(event, ("X-Hub-Signature", sent))


# Signatures


@each_host
@pytest.mark.parametrize(("secret", "index"), [(OLD, 0), (NEW, 1)])
def test_each_configured_secret_is_accepted_and_told(host: Host, secret: str, index: int) -> None:
    assert host.verify(signed(signature(secret, b'{"a": 1}')), b'{"a": 1}') == index


@each_host
def test_the_hex_digits_may_be_upper_case(host: Host) -> None:
    sent = "sha256=" + signature(OLD, b"{}").removeprefix("sha256=").upper()

    assert host.verify(signed(sent), b"{}") == 0


@each_host
@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_a_signature_holds_for_exactly_the_bytes_that_were_signed(
    host: Host, body: bytes, other: bytes
) -> None:
    assert host.verify(signed(signature(OLD, body)), body) == 0
    if other != body:
        with pytest.raises(BadSignature):
            host.verify(signed(signature(OLD, body)), other)


@each_host
@pytest.mark.parametrize(
    "sent",
    [
        "",
        "sha256=",
        signature("another secret entirely", b"{}"),
        signature(OLD, b"{}")[:-1],
        signature(OLD, b"{}") + "0",
        signature(OLD, b"{}").removeprefix("sha256="),
        "sha1=" + hmac.new(OLD.encode(), b"{}", hashlib.sha1).hexdigest(),
        "sha256=" + "\u00e9" * 64,
        "sha256=" + "\u0663" * 64,
        f"{signature(OLD, b'{}')}, {signature(OLD, b'{}')}",
    ],
)
def test_any_other_signature_is_refused(host: Host, sent: str) -> None:
    with pytest.raises(BadSignature):
        host.verify(signed(sent), b"{}")


@each_host
def test_a_delivery_without_a_signature_is_refused(host: Host) -> None:
    with pytest.raises(BadSignature, match="X-Hub-Signature is missing"):
        host.verify(headers("repo:push"), b"{}")


@pytest.mark.parametrize("driver", ["bitbucket-cloud", "bitbucket-dc"])
@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_accepted(driver: str, secrets: list[str]) -> None:
    with pytest.raises(BadSignature, match=r"hosts\.bb\.secrets"):
        host_of(driver, "bb", secrets).verify(signed(signature("", b"{}")), b"{}")


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    host = BitbucketCloud("cloud", ["", NEW])

    assert host.verify(signed(signature(NEW, b"{}")), b"{}") == 1
    with pytest.raises(BadSignature):
        host.verify(signed(signature("", b"{}")), b"{}")


@each_host
def test_two_different_signatures_are_a_bad_delivery(host: Host) -> None:
    both = headers("repo:push", ("X-Hub-Signature", signature(OLD, b"{}")), ("x-hub-signature", "sha256="))

    with pytest.raises(BadDelivery):
        host.verify(both, b"{}")
    with pytest.raises(BadDelivery):
        host.facts(both, b"{}")


@each_host
def test_no_message_or_repr_shows_a_secret(host: Host) -> None:
    with pytest.raises(BadSignature) as caught:
        host.verify(signed("sha256=" + "0" * 64), b"{}")

    assert OLD not in str(caught.value) + repr(host)
    assert "0000" not in str(caught.value)


# Facts of the headers


@pytest.mark.parametrize(("host", "name"), [(CLOUD, "X-Request-UUID"), (DATA_CENTER, "X-Request-Id")])
def test_the_request_is_the_delivery(host: Host, name: str) -> None:
    first = headers("repo:push", (name, "77-aa"), ("X-Hook-UUID", "of-the-hook"), ("X-Attempt-Number", "1"))
    again = headers("repo:push", (name, "77-aa"), ("X-Hook-UUID", "of-the-hook"), ("X-Attempt-Number", "2"))

    assert host.facts(first, b"{}") == host.facts(again, b"{}")
    assert (host.facts(first, b"{}").delivery, host.facts(first, b"{}").event) == ("77-aa", "repo:push")
    with pytest.raises(BadDelivery, match=name):
        host.facts(headers("repo:push", (name, "77-aa"), (name, "77-ab")), b"{}")


@each_host
def test_the_uuid_of_the_hook_is_no_delivery_id(host: Host) -> None:
    one, other = headers("repo:push", ("X-Hook-UUID", "h")), headers("repo:push", ("X-Hook-UUID", "i"))

    assert host.facts(one, b"{}").delivery == host.facts(other, b"{}").delivery
    assert host.facts(one, b"{}").delivery != host.facts(one, b"[]").delivery


@each_host
@pytest.mark.parametrize("event", ["", "push\x01", "x" * 101])
def test_a_missing_or_odd_event_key_is_a_bad_delivery(host: Host, event: str) -> None:
    with pytest.raises(BadDelivery, match="X-Event-Key"):
        host.read(headers(event), b"{}")


@each_host
@pytest.mark.parametrize("pair", [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")])
def test_only_plain_json_is_taken(host: Host, pair: tuple[str, str]) -> None:
    pairs = {"Content-Type": "application/json", "X-Event-Key": "repo:push"} | dict([pair])

    with pytest.raises(UnsupportedMedia):
        host.payload(Headers(pairs.items()), b"{}")
    assert host.payload(headers("repo:push"), b"{}") == b"{}"


# Hostile bodies

CLOUD_EVENTS = ["repo:push", "repo:updated", "repo:commit_status_created", "pullrequest:created"]
CLOUD_EVENTS += ["pullrequest:fulfilled", "pullrequest:comment_created", "issue:created"]
DC_EVENTS = ["repo:refs_changed", "repo:modified", "pr:opened", "pr:merged", "pr:comment:added"]
DC_EVENTS += ["diagnostics:ping", "pr:reviewer:approved"]
EVERY_EVENT = [(CLOUD, event) for event in CLOUD_EVENTS] + [(DATA_CENTER, event) for event in DC_EVENTS]


@pytest.mark.parametrize(("host", "event"), EVERY_EVENT)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b'{"repository": "\xc3\x28"}',
        b"\xef\xbb\xbf{}",
        b'{"repository": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"repository": {"id": 1e400}, "changes": 7}',
        b'{"repository": [], "pullRequest": 3, "test": false}',
    ],
    ids=range(12),
)
def test_a_hostile_body_is_a_bad_delivery(host: Host, event: str, body: bytes) -> None:
    with pytest.raises(BadDelivery):
        host.read(headers(event), body)


KEYS = ["repository", "full_name", "uuid", "push", "changes", "new", "old", "target", "hash", "name", "type"]
KEYS += ["project", "key", "slug", "id", "ref", "fromHash", "toHash", "toCommit", "pullRequest", "fromRef"]
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ONE, "a/b", "ADD"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)
NAMES = ["Content-Type", "X-Event-Key", "X-Request-UUID", "X-Request-Id", "X-Hub-Signature"]
VALUES = ["application/json", *CLOUD_EVENTS, *DC_EVENTS]


@each_host
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=80)), max_size=6
    ),
    body=st.binary(max_size=200) | odd_values.map(lambda value: json.dumps(value).encode()),
)
def test_whatever_comes_only_the_named_errors_come_out(
    host: Host, pairs: list[tuple[str, str]], body: bytes
) -> None:
    odd = Headers(pairs)
    host.sends_unsigned(odd)
    for ask in (host.verify, host.facts, host.payload, host.read):
        with suppress(BadSignature, BadDelivery, UnsupportedMedia):
            ask(odd, body)


@given(where=st.sampled_from(EVERY_EVENT), fields=st.dictionaries(st.sampled_from(KEYS), odd_values))
def test_an_odd_body_is_read_or_refused(where: tuple[Host, str], fields: dict[str, object]) -> None:
    host, event = where
    with suppress(BadDelivery):
        json.dumps(event_json(host.read(headers(event), json.dumps(fields).encode())))
