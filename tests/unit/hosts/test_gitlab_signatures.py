"""GitLab: secret tokens, signing tokens, and that nobody gets round the latter; ids of deliveries."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.base import Headers
from workers.hosts.gitlab import GitLab
from workers.releases.events import BadDelivery, BadSignature

OLD, NEW = "an old secret of acme", "a new secret with ä, ending in à"
KEY, OTHER_KEY = bytes(range(32)), bytes(range(32, 64))
NOW = 1_793_608_205
ID = "0a6c61f0-0000-4000-8000-000000000001"
BODY = b'{"object_kind": "push"}'


def token(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def signature(key: bytes = KEY, body: bytes = BODY, moment: object = NOW, delivery: str = ID) -> str:
    signed = f"{delivery}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed(
    sent: str | None = None, moment: object = NOW, delivery: str = ID, *more: tuple[str, str]
) -> Headers:
    value = signature(moment=moment, delivery=delivery) if sent is None else sent
    return Headers(
        [
            ("webhook-id", delivery),
            ("webhook-timestamp", str(moment)),
            ("webhook-signature", value),
            *more,
        ]
    )


def with_token(*values: str) -> Headers:
    """Return the headers as they come over the wire: the bytes of the token, read as Latin-1."""
    return Headers.from_raw((b"X-Gitlab-Token", value.encode()) for value in values)


def gitlab(*secrets: str | bytes, now: float = NOW) -> GitLab:
    return GitLab("gitlab", secrets, clock=lambda: now)


PLAIN = gitlab(OLD, NEW)
SIGNED = gitlab(token(OTHER_KEY), token(KEY))


# Secret tokens


@pytest.mark.parametrize(("secret", "index"), [(OLD, 0), (NEW, 1)])
def test_each_secret_token_is_accepted_and_told(secret: str, index: int) -> None:
    assert PLAIN.verify(with_token(secret), BODY) == index


@pytest.mark.parametrize("sent", ["", " ", OLD[:-1], OLD + "x", OLD.upper(), "\u0663", NEW[:-1], "null"])
def test_any_other_token_is_refused(sent: str) -> None:
    with pytest.raises(BadSignature):
        PLAIN.verify(with_token(sent), BODY)


def test_without_a_token_nothing_is_accepted() -> None:
    with pytest.raises(BadSignature, match="X-Gitlab-Token is missing"):
        PLAIN.verify(Headers([]), BODY)


@pytest.mark.parametrize("secrets", [[], [""], [b""]])
def test_without_a_secret_nothing_is_accepted(secrets: Sequence[str | bytes]) -> None:
    with pytest.raises(BadSignature, match=r"hosts\.gitlab\.secrets"):
        gitlab(*secrets).verify(with_token(""), BODY)


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    host = gitlab("", OLD)

    assert host.verify(with_token(OLD), BODY) == 1
    with pytest.raises(BadSignature):
        host.verify(with_token(""), BODY)


def test_two_different_tokens_are_a_bad_delivery() -> None:
    with pytest.raises(BadDelivery, match="X-Gitlab-Token"):
        PLAIN.verify(with_token(OLD, "another"), BODY)


def test_a_signature_does_not_stand_for_a_secret_token() -> None:
    with pytest.raises(BadSignature, match="X-Gitlab-Token is missing"):
        PLAIN.verify(signed(signature(OLD.encode())), BODY)


# Signing tokens


def test_each_signing_token_is_accepted_and_told() -> None:
    assert SIGNED.verify(signed(), BODY) == 1
    assert SIGNED.verify(signed(signature(OTHER_KEY)), BODY) == 0


def test_one_right_signature_in_a_list_suffices() -> None:
    stranger = signature(b"x" * 32)

    assert SIGNED.verify(signed(f"v1a,AAAA {stranger} {signature()} v2,x"), BODY) == 1
    with pytest.raises(BadSignature):
        SIGNED.verify(signed(f"v1a,AAAA {stranger} v2,x"), BODY)


def test_padding_may_be_missing_from_a_signing_token() -> None:
    assert gitlab(token(KEY).rstrip("=")).verify(signed(), BODY) == 0


@pytest.mark.parametrize("away", [-300, -299, 0, 300])
def test_five_minutes_either_way_are_tolerated(away: int) -> None:
    assert gitlab(token(KEY), now=NOW + away).verify(signed(), BODY) == 0


@pytest.mark.parametrize("away", [-1e6, -301, -300.5, 301, 1e6])
def test_a_delivery_of_another_time_is_refused_and_the_clock_is_named(away: float) -> None:
    with pytest.raises(BadSignature, match="more than 300 s from now; compare the clocks"):
        gitlab(token(KEY), now=NOW + away).verify(signed(), BODY)


@pytest.mark.parametrize(
    "sent",
    [
        "v1,",
        "v1",
        signature(b"x" * 32),
        signature(token(KEY).encode()),
        signature(token(KEY).removeprefix("whsec_").encode()),
        signature(body=BODY + b" "),
        signature(moment=NOW + 1),
        signature(delivery=ID + "1"),
        signature().removeprefix("v1,"),
        signature().replace("v1,", "v1a,"),
        signature().replace("v1,", "v1, "),
        signature().lower(),
        signature()[:-1],
        signature() + "=",
        "v1," + "\u00e9" * 44,
        "v1," + "\u0663" * 44,
        "sha256=" + hmac.new(KEY, BODY, hashlib.sha256).hexdigest(),
    ],
)
def test_any_other_signature_is_refused(sent: str) -> None:
    with pytest.raises(BadSignature, match="compare the tokens"):
        SIGNED.verify(signed(sent), BODY)


@pytest.mark.parametrize(
    "moment", ["", "soon", "-1", "1e9", " 1", "1.0", "0x1", "\u0661", "9" * 13, "9" * 5000]
)
def test_a_time_in_another_form_is_refused_though_signed(moment: str) -> None:
    with pytest.raises(BadSignature):
        SIGNED.verify(signed(moment=moment), BODY)


@pytest.mark.parametrize("delivery", ["", "a.b", "a b", "\u00e4", "x" * 257])
def test_an_id_in_another_form_is_refused_though_signed(delivery: str) -> None:
    with pytest.raises(BadSignature):
        SIGNED.verify(signed(delivery=delivery), BODY)


def test_the_bounds_of_id_time_and_body_cannot_be_shifted() -> None:
    body = f"{NOW}.{{}}".encode()
    overheard = signature(body=body, moment=1)

    with pytest.raises(BadSignature):
        SIGNED.verify(signed(overheard, NOW, f"{ID}.1"), b"{}")


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_of_the_signature_is_refused(missing: str) -> None:
    with pytest.raises(BadSignature, match="must all be there"):
        SIGNED.verify(Headers(pair for pair in signed() if pair[0] != missing), BODY)


@pytest.mark.parametrize("twice", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_of_the_signature_that_contradicts_itself_is_a_bad_delivery(twice: str) -> None:
    with pytest.raises(BadDelivery, match=twice):
        SIGNED.verify(Headers([*signed(), (twice, "another")]), BODY)


@given(body=st.binary(max_size=60), flipped=st.integers(min_value=0), delivery=st.uuids())
def test_a_signature_holds_for_its_own_body_and_no_other(body: bytes, flipped: int, delivery: object) -> None:
    sent = signed(signature(body=body, delivery=str(delivery)), delivery=str(delivery))
    place = flipped % (len(body) + 1)
    other = body[:place] + bytes([(body[place] + 1) % 256] if place < len(body) else [0]) + body[place + 1 :]

    assert SIGNED.verify(sent, body) == 1
    with pytest.raises(BadSignature):
        SIGNED.verify(sent, other)


# No way round a signing token


@pytest.mark.parametrize("secrets", [(OLD, token(KEY)), (token(KEY), OLD)])
def test_beside_a_signing_token_no_secret_token_is_looked_at_and_the_error_says_so(
    secrets: tuple[str, str],
) -> None:
    host = gitlab(*secrets)

    assert host.verify(signed(), BODY) == secrets.index(token(KEY))
    with pytest.raises(
        BadSignature, match="X-Gitlab-Token is not looked at, because host gitlab has a signing"
    ):
        host.verify(with_token(OLD), BODY)
    with pytest.raises(BadSignature, match="not looked at"):
        host.verify(Headers([*signed("v1,x"), *with_token(OLD)]), BODY)


def test_the_signing_token_itself_is_no_secret_token() -> None:
    with pytest.raises(BadSignature):
        SIGNED.verify(with_token(token(KEY)), BODY)


def test_while_a_webhook_sends_both_the_signature_decides() -> None:
    both = Headers([*signed(), *with_token("whatever")])

    assert gitlab(OLD, token(KEY)).verify(both, BODY) == 1


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_",
        "whsec_not base64",
        token(KEY[:31]),
        token(KEY + b"x"),
        "whsec_ä",
        token(KEY)[:-2],
        token(KEY)[:9] + "!" + token(KEY)[9:],
    ],
)
def test_a_broken_signing_token_accepts_nothing_and_is_named_by_its_place(secret: str) -> None:
    for sent in (with_token(secret), with_token(OLD), signed(), signed(signature(b""))):
        with pytest.raises(BadSignature, match=r"hosts\.gitlab\.secrets\[1\] is no signing token") as caught:
            gitlab(OLD, secret).verify(sent, BODY)
        assert secret == "whsec_" or secret not in str(caught.value)


def test_beside_a_broken_signing_token_a_good_one_still_works() -> None:
    host = gitlab("whsec_broken", token(KEY))

    assert host.verify(signed(), BODY) == 1
    with pytest.raises(BadSignature, match=r"secrets\[0\] is no signing token"):
        host.verify(signed(signature(OTHER_KEY)), BODY)


def test_no_message_or_repr_shows_a_secret_or_what_was_sent() -> None:
    sent = with_token("what was sent")
    with pytest.raises(BadSignature) as plain:
        PLAIN.verify(sent, BODY)
    with pytest.raises(BadSignature) as by_signature:
        SIGNED.verify(Headers([*signed(signature(b"y" * 32)), *sent]), BODY)

    shown = f"{plain.value} {by_signature.value} {PLAIN!r} {SIGNED!r}"
    assert not [each for each in (OLD, NEW, token(KEY)[6:], "what was sent", signature()) if each in shown]


# Ids of deliveries


def facts_id(host: GitLab, *pairs: tuple[str, str], body: bytes = BODY) -> str:
    return host.facts(Headers([("X-Gitlab-Event", "Push Hook"), *pairs]), body).delivery


def test_the_idempotency_key_is_the_id_so_that_a_second_try_is_known() -> None:
    facts = PLAIN.facts(Headers([("X-Gitlab-Event", "Push Hook"), ("Idempotency-Key", ID)]), BODY)

    assert (facts.host, facts.delivery, facts.event) == ("gitlab", ID, "Push Hook")


def test_the_uuids_of_event_and_webhook_are_no_ids() -> None:
    shared = [("X-Gitlab-Event-UUID", "shared"), ("X-Gitlab-Webhook-UUID", "hook")]

    assert facts_id(PLAIN, *shared) == facts_id(PLAIN)
    assert facts_id(PLAIN, *shared) != facts_id(PLAIN, *shared, body=b"{}")
    assert facts_id(PLAIN, *shared, ("Idempotency-Key", ID)) == ID


def test_of_a_signed_delivery_the_signed_id_counts() -> None:
    assert facts_id(SIGNED, ("webhook-id", ID), ("Idempotency-Key", "forged")) == ID
    assert facts_id(PLAIN, ("webhook-id", "unsigned"), ("Idempotency-Key", ID)) == ID


def test_two_different_ids_are_a_bad_delivery() -> None:
    with pytest.raises(BadDelivery, match="Idempotency-Key"):
        facts_id(PLAIN, ("Idempotency-Key", "1"), ("Idempotency-Key", "2"))


def test_gitlab_signs_its_tests_too() -> None:
    assert not PLAIN.sends_unsigned(Headers([("X-Gitlab-Event", "Push Hook")]))
