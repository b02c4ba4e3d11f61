"""What is kept of how a delivery came, and where it may come from."""

from __future__ import annotations

import hashlib
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.arrival import LONGEST_HEAD, MASK, arrival_json, head_of, is_from
from workers.releases.deliveries import headers_of
from workers.wiring import Headers


def kept(**headers: str) -> dict[str, str]:
    pairs = Headers([(name.replace("_", "-"), value) for name, value in headers.items()])
    return dict(headers_of({"arrival": {"headers": head_of(pairs)}}))


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "X-Gitlab-Token", "X-Switchover-Secret", "X-Hub-Signature-256", "X-Gitea-Signature",
        "webhook-signature", "Cookie", "Proxy-Authorization", "X-Some-Password", "My-SECRET-thing",
        "X-Api-Key", "Cf-Access-Jwt-Assertion",
    ],
)  # fmt: skip
def test_a_header_whose_name_says_secret_is_masked(name: str) -> None:
    head = head_of(Headers([(name, "hidden-value")] * 2))

    assert "hidden-value" not in head
    assert head == f"{name.lower()}: {MASK}\n{name.lower()}: {MASK}"


def test_other_headers_are_kept_as_they_came() -> None:
    assert kept(X_GitHub_Event="push", X_Event_Key="repo:push", User_Agent="a: b") == {
        "x-github-event": "push",
        "x-event-key": "repo:push",
        "user-agent": "a: b",
    }


def test_very_long_headers_are_cut_and_nothing_masked_comes_to_light() -> None:
    head = head_of(Headers([("x-long", "a" * 9_000), ("x-token", "hidden"), ("x-other", "b" * 9_000)]))

    assert len(head) <= LONGEST_HEAD
    assert "hidden" not in head


@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(max_size=2_000)), max_size=60))
def test_whatever_headers_come_what_is_kept_is_bounded(pairs: list[tuple[str, str]]) -> None:
    assert len(head_of(Headers(pairs))) <= LONGEST_HEAD


def test_the_digest_is_that_of_the_raw_body() -> None:
    arrival = arrival_json(Headers([]), b"{}", "192.0.2.1", "1a2b3c4d")

    assert arrival["sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert (arrival["size"], arrival["sender"], arrival["signed_by"]) == (2, "192.0.2.1", "1a2b3c4d")


@pytest.mark.parametrize(
    ("sender", "inside"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_only_addresses_inside_the_networks_are_from_there(sender: str, *, inside: bool) -> None:
    assert is_from(sender, [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")]) is inside
