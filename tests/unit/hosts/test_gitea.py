"""Gitea, Forgejo and Gogs: signatures, headers, hostile deliveries. The bodies were written by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
import tracemalloc
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers
from workers.hosts.forms import unquoted
from workers.hosts.gitea import Forgejo, Gitea
from workers.hosts.gogs import Gogs
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, UnsupportedMedia

OLD, NEW = "an old secret of acme", "a new secret with ä"
HOSTS = [kind(kind.driver, [OLD, NEW]) for kind in (Gitea, Forgejo, Gogs)]
every_host = pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.driver)

ONE, TWO = "1" * 40, "2" * 40
PUSH = {
    "ref": "refs/heads/main",
    "before": ONE,
    "after": TWO,
    "commits": [{"id": TWO, "message": "Say 50 % & more = über", "timestamp": "2026-11-02T09:30:05+01:00"}],
    "repository": {"id": 7, "full_name": "acme/shop", "default_branch": "main"},
    "pusher": {"login": "ada"},
}
BODY = json.dumps(PUSH, indent=2, ensure_ascii=False).encode()
FORM = b"payload=" + quote_plus(BODY).encode()


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(host: Gitea, *more: tuple[str, str], form: bool = False) -> Headers:
    media_type = "application/x-www-form-urlencoded" if form else "application/json"
    return Headers([("Content-Type", media_type), (f"X-{host.product}-Event", "push"), *more])


def signed(host: Gitea, sent: str, *, form: bool = False) -> Headers:
    return headers(host, (f"X-{host.product}-Signature", sent), form=form)


# Signatures


@every_host
@pytest.mark.parametrize(("secret", "index"), [(OLD, 0), (NEW, 1)])
def test_each_configured_secret_is_accepted_and_told(host: Gitea, secret: str, index: int) -> None:
    assert host.verify(signed(host, signature(secret, BODY)), BODY) == index


@every_host
def test_of_two_equal_secrets_the_first_is_told(host: Gitea) -> None:
    assert type(host)("code", [NEW, OLD, OLD]).verify(signed(host, signature(OLD, BODY)), BODY) == 1


@every_host
def test_the_hex_digits_may_be_upper_case(host: Gitea) -> None:
    assert host.verify(signed(host, signature(OLD, BODY).upper()), BODY) == 0


@every_host
def test_a_form_is_signed_over_the_json_in_it(host: Gitea) -> None:
    form = signed(host, signature(NEW, BODY), form=True)

    assert host.verify(form, FORM) == 1
    assert host.payload(form, FORM) == BODY
    assert host.read(form, FORM) == host.read(headers(host), BODY)


@every_host
def test_a_form_may_be_signed_as_it_came_too(host: Gitea) -> None:
    assert host.verify(signed(host, signature(NEW, FORM), form=True), FORM) == 1


@every_host
@pytest.mark.parametrize("extra", [b"&payload=%7B%7D", b"&more=1", b"%7D", b"+"])
def test_a_form_with_more_in_it_than_was_signed_is_refused(host: Gitea, extra: bytes) -> None:
    with pytest.raises(BadSignature):
        host.verify(signed(host, signature(OLD, BODY), form=True), FORM + extra)


@every_host
def test_a_form_that_cuts_the_signed_text_is_refused(host: Gitea) -> None:
    cut = FORM.replace(b"%26", b"&")

    assert cut != FORM
    with pytest.raises(BadSignature):
        host.verify(signed(host, signature(OLD, BODY), form=True), cut)


@every_host
def test_a_signed_json_body_is_not_read_as_a_form(host: Gitea) -> None:
    """Else whoever writes a commit message that is a form could choose what is read."""
    lure = quote_plus(json.dumps(PUSH | {"after": "6" * 40}))
    body = json.dumps(PUSH | {"commits": [{"id": TWO, "message": f"&payload={lure}&"}]}).encode()
    again = signed(host, signature(OLD, body), form=True)

    assert host.verify(again, body) == 0
    for ask in (host.payload, host.read):
        with pytest.raises(BadDelivery, match="starts with its field payload"):
            ask(again, body)


@every_host
@pytest.mark.parametrize(
    "sent",
    [
        "",
        " ",
        "sha256=",
        signature("another secret entirely", BODY),
        signature(OLD, BODY + b" "),
        signature(OLD, BODY)[:-1],
        signature(OLD, BODY) + "0",
        "sha256=" + signature(OLD, BODY),
        hmac.new(OLD.encode(), BODY, hashlib.sha1).hexdigest(),
        "\u00e9" * 64,
        "\u0663" * 64,
        f"{signature(OLD, BODY)}, {signature(OLD, BODY)}",
    ],
)
def test_any_other_signature_is_refused(host: Gitea, sent: str) -> None:
    with pytest.raises(BadSignature):
        host.verify(signed(host, sent), BODY)


@every_host
def test_what_a_webhook_without_a_secret_sends_is_refused(host: Gitea) -> None:
    empty = headers(
        host,
        ("X-Forgejo-Signature", ""),
        ("X-Gitea-Signature", ""),
        ("X-Gogs-Signature", ""),
        ("X-Hub-Signature", "sha1="),
        ("X-Hub-Signature-256", "sha256="),
    )

    with pytest.raises(BadSignature, match=f"missing or empty; set the webhook's secret on {host.product}"):
        host.verify(empty, BODY)


@every_host
def test_only_the_hosts_own_signature_counts(host: Gitea) -> None:
    right = signature(OLD, BODY)
    others = [(f"X-{other.product}-Signature", right) for other in HOSTS if other is not host]
    sha1 = hmac.new(OLD.encode(), BODY, hashlib.sha1).hexdigest()
    hub = [("X-Hub-Signature-256", f"sha256={right}"), ("X-Hub-Signature", f"sha1={sha1}")]

    with pytest.raises(BadSignature, match=f"X-{host.product}-Signature is missing"):
        host.verify(headers(host, *others, *hub), BODY)


@every_host
@pytest.mark.parametrize("secrets", [[], [""], [b""]])
def test_without_a_secret_nothing_is_accepted(host: Gitea, secrets: list[str | bytes]) -> None:
    with pytest.raises(BadSignature, match=r"hosts\.code\.secrets"):
        type(host)("code", secrets).verify(signed(host, signature("", BODY)), BODY)


@every_host
def test_an_empty_secret_beside_a_good_one_opens_nothing(host: Gitea) -> None:
    both = type(host)("code", ["", NEW])

    assert both.verify(signed(host, signature(NEW, BODY)), BODY) == 1
    for body in (BODY, FORM):
        with pytest.raises(BadSignature):
            both.verify(signed(host, signature("", body)), body)


@every_host
def test_two_different_signatures_are_a_bad_delivery(host: Gitea) -> None:
    name = f"X-{host.product}-Signature"
    both = headers(host, (name, signature(OLD, BODY)), (name.lower(), signature(NEW, BODY)))

    for ask in (host.verify, host.facts):
        with pytest.raises(BadDelivery, match=name):
            ask(both, BODY)


@every_host
def test_no_message_or_repr_shows_a_secret(host: Gitea) -> None:
    with pytest.raises(BadSignature) as caught:
        host.verify(signed(host, "0" * 64), BODY)

    assert OLD not in str(caught.value) + repr(host)
    assert "0000" not in str(caught.value)


@every_host
def test_a_large_form_of_a_stranger_costs_little_memory(host: Gitea) -> None:
    body = b"payload=" + b"%41" * 1_000_000
    strange = signed(host, signature("a stranger's", b"A" * 1_000_000), form=True)
    tracemalloc.start()
    try:
        with pytest.raises(BadSignature):
            host.verify(strange, body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < len(body) / 2
    assert host.verify(signed(host, signature(OLD, b"A" * 1_000_000), form=True), body) == 0


@given(
    field=st.lists(st.sampled_from([b"%", b"4", b"1", b"%41", b"%c3%A4", b"+", b"x", b"%%"]), max_size=30),
    piece=st.integers(3, 9),
)
def test_a_form_decoded_in_pieces_is_what_it_is_as_a_whole(field: list[bytes], piece: int) -> None:
    whole = b"".join(field)

    assert b"".join(unquoted(whole, piece)) == unquote_to_bytes(whole.replace(b"+", b" "))


@given(body=st.binary(max_size=200), media_type=st.sampled_from(["json", "x-www-form-urlencoded"]))
def test_no_body_is_accepted_with_a_signature_of_another_secret(body: bytes, media_type: str) -> None:
    for host in HOSTS:
        sent = Headers(
            [
                ("Content-Type", f"application/{media_type}"),
                (f"X-{host.product}-Signature", signature("another secret entirely", body)),
            ]
        )
        with pytest.raises(BadSignature):
            host.verify(sent, body)


# Facts of the headers


@every_host
def test_the_hosts_own_headers_tell_id_and_event(host: Gitea) -> None:
    strange = [
        (f"X-{name}-{what}", "strange")
        for name in ("GitHub", *(other.product for other in HOSTS if other is not host))
        for what in ("Delivery", "Event", "Event-Type")
    ]
    facts = host.facts(headers(host, *strange, (f"X-{host.product}-Delivery", "f6266f16-1bf3")), BODY)

    assert (facts.host, facts.delivery, facts.event) == (host.driver, "f6266f16-1bf3", "push")


@every_host
def test_two_different_ids_are_a_bad_delivery(host: Gitea) -> None:
    name = f"X-{host.product}-Delivery"

    with pytest.raises(BadDelivery, match=name):
        host.facts(headers(host, (name, "1"), (name, "2")), BODY)


@every_host
def test_without_an_id_the_body_tells_deliveries_apart(host: Gitea) -> None:
    assert host.facts(headers(host), BODY).delivery == host.facts(headers(host), BODY).delivery
    assert host.facts(headers(host), BODY).delivery != host.facts(headers(host), b"[]").delivery


@every_host
def test_a_delivery_of_another_host_names_no_event(host: Gitea) -> None:
    github = Headers([("Content-Type", "application/json"), ("X-GitHub-Event", "push")])

    with pytest.raises(BadDelivery, match=f"X-{host.product}-Event is missing"):
        host.read(github, BODY)


@every_host
def test_every_delivery_is_signed_tests_too(host: Gitea) -> None:
    assert host.sends_unsigned(headers(host)) is False


@every_host
@pytest.mark.parametrize(
    ("media_type", "encoding"), [("text/plain", "identity"), ("application/json", "gzip")]
)
def test_other_media_and_encodings_are_not_taken(host: Gitea, media_type: str, encoding: str) -> None:
    odd = Headers(
        [
            ("Content-Type", media_type),
            ("Content-Encoding", encoding),
            (f"X-{host.product}-Event", "push"),
            (f"X-{host.product}-Signature", signature(OLD, BODY)),
        ]
    )

    assert host.verify(odd, BODY) == 0
    with pytest.raises(UnsupportedMedia):
        host.read(odd, BODY)


# Hostile bodies


@every_host
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b'{"ref": "\xc3\x28"}',
        b'{"ref": "refs/heads/\\udfff"}',
        b'{"x": ' + b"9" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        BODY.rstrip()[:-1] + b', "deep": ' + b"[" * 201 + b"]" * 201 + b"}",
    ],
)
def test_a_hostile_body_is_a_bad_delivery(host: Gitea, body: bytes) -> None:
    with pytest.raises(BadDelivery):
        host.read(headers(host), body)


EVENTS = ["push", "create", "delete", "pull_request", "issue_comment", "release", "status", "workflow_run"]
EVENTS += ["action_run_success", "action_run_failure", "repository", ""]
KEYS = ["ref", "before", "after", "repository", "full_name", "id", "head_commit", "commits", "action", "run"]
KEYS += ["pull_request", "head", "base", "number", "issue", "comment", "release", "workflow_run", "sha"]
NAMES = ["Content-Type", "Content-Encoding"]
NAMES += [f"X-{host.product}-{what}" for host in HOSTS for what in ("Event", "Delivery", "Signature")]
VALUES = ["application/json", "application/x-www-form-urlencoded", "identity", *EVENTS]

odd_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from([ONE, "refs/heads/x", "a/b", "closed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)


@given(
    pairs=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=80))),
    body=st.binary(max_size=200) | odd_values.map(lambda value: json.dumps(value).encode()),
)
def test_whatever_comes_only_the_named_errors_come_out(pairs: list[tuple[str, str]], body: bytes) -> None:
    odd = Headers(pairs)
    for host in HOSTS:
        for ask in (host.verify, host.facts, host.payload, host.read):
            with suppress(BadSignature, BadDelivery, UnsupportedMedia):
                ask(odd, body)


@given(event=st.sampled_from(EVENTS), fields=st.dictionaries(st.sampled_from(KEYS), odd_values, max_size=4))
def test_a_damaged_body_is_read_or_refused(event: str, fields: dict[str, object]) -> None:
    body = json.dumps(PUSH | fields).encode()
    for host in HOSTS:
        named = Headers([("Content-Type", "application/json"), (f"X-{host.product}-Event", event)])
        with suppress(BadDelivery):
            json.dumps(event_json(host.read(named, body)))
