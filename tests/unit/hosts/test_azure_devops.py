"""Azure DevOps: passwords, ids, media types."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hosts.azure_samples import AZURE, JSON, NEW, OLD, basic, body_of, custom
from workers.hosts.azure_devops import AzureDevOps
from workers.hosts.base import Headers
from workers.releases.events import BadDelivery, BadSignature, UnsupportedMedia

# Passwords


@pytest.mark.parametrize(("secret", "index"), [(OLD, 0), (NEW, 1)])
@pytest.mark.parametrize("sent", [basic, custom, lambda secret: basic(secret, user="", scheme="BASIC")])
def test_each_secret_opens_as_password_and_as_header(sent: Any, secret: str, index: int) -> None:
    assert AZURE.verify(Headers([sent(secret)]), b"anything") == index


def test_both_headers_may_come_when_both_are_right() -> None:
    assert AZURE.verify(Headers([basic(NEW), custom(OLD)]), b"") == 1


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [basic("")],
        [custom("")],
        [basic(OLD[:-1])],
        [basic(OLD + " ")],
        [basic(OLD.upper())],
        [("Authorization", f"Basic {b64encode(OLD.encode()).decode()}")],
        [("Authorization", f"Bearer {OLD}")],
        [("Authorization", OLD)],
        [("Authorization", "")],
        [("Authorization", "Basic ")],
        [("Authorization", "Basic a")],
        [("Authorization", "Basic \u00e9\u00e9\u00e9\u00e9")],
        [("Authorization", "Basic \u0663\ud800")],
        [custom("another secret entirely")],
        [("X-Switchover-Secret", "\ud800\u0663")],
        [basic("another secret entirely"), custom(OLD)],
        [basic(OLD), custom("another secret entirely")],
    ],
)
def test_anything_else_is_refused(sent: list[tuple[str, str]]) -> None:
    with pytest.raises(BadSignature):
        AZURE.verify(Headers(sent), b"{}")


@pytest.mark.parametrize("secrets", [[], [""], [b""]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str | bytes]) -> None:
    for sent in (basic(""), custom("")):
        with pytest.raises(BadSignature, match=r"hosts\.azure\.secrets"):
            AzureDevOps("azure", secrets).verify(Headers([sent]), b"{}")


def test_an_empty_secret_beside_a_good_one_opens_nothing() -> None:
    host = AzureDevOps("azure", ["", OLD])

    assert host.verify(Headers([basic(OLD)]), b"{}") == 1
    with pytest.raises(BadSignature):
        host.verify(Headers([basic("")]), b"{}")


@pytest.mark.parametrize("sent", [basic, custom])
def test_two_different_values_of_one_header_are_a_bad_delivery(sent: Any) -> None:
    both = Headers([sent(OLD), sent(NEW)])

    for ask in (AZURE.verify, AZURE.facts):
        with pytest.raises(BadDelivery):
            ask(both, b"{}")


def test_no_message_or_repr_shows_a_secret_or_what_was_sent() -> None:
    with pytest.raises(BadSignature) as caught:
        AZURE.verify(Headers([basic("hunter2 hunter2")]), b"{}")

    assert "hunter2" not in str(caught.value)
    assert OLD not in str(caught.value) + repr(AZURE)


# Ids


def facts_of(**more: Any) -> tuple[str, str]:
    found = AZURE.facts(Headers([JSON]), body_of("git.push", {}, **more))
    return found.delivery, found.event


def test_a_delivery_is_known_by_subscription_and_notification() -> None:
    assert facts_of(subscriptionId="4c-1", notificationId=7) == ("4c-1-7", "git.push")


@pytest.mark.parametrize("more", [{}, {"subscriptionId": "4c-1"}, {"notificationId": 7}])
def test_without_them_it_is_known_by_the_id_of_the_event(more: dict[str, Any]) -> None:
    assert facts_of(**more) == ("e1", "git.push")


def test_without_any_id_it_is_known_by_its_body() -> None:
    first, again, other = facts_of(id=None), facts_of(id=None), facts_of(id=None, scope="all")

    assert first == again
    assert first[0] != other[0]
    assert len(first[0]) == 64


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"eventType": 7}', b'{"eventType": "a b\\n"}', b"\xff"])
def test_a_body_that_cannot_be_read_has_an_id_and_no_event(body: bytes) -> None:
    found = AZURE.facts(Headers([JSON]), body)

    assert (len(found.delivery), found.event) == (64, "")


def test_an_odd_id_is_hashed() -> None:
    assert len(facts_of(id="../<x>")[0]) == 64


@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_only_json_is_taken(media: str) -> None:
    for ask in (AZURE.payload, AZURE.read):
        with pytest.raises(UnsupportedMedia):
            ask(Headers([("Content-Type", media)]), b"payload={}")


@given(st.text())
def test_every_password_opens_when_it_is_a_secret_and_only_then(secret: str) -> None:
    raw = secret.encode(errors="surrogatepass")
    host = AzureDevOps("azure", [raw])

    if raw:
        assert host.verify(Headers([basic(raw)]), b"") == 0
    with pytest.raises(BadSignature):
        host.verify(Headers([basic(raw + b"x")]), b"")
