"""What all hosts share: headers, ids, media types, depth."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from workers.hosts.base import MAX_ENTRIES, Entries, Headers, Payload, Texts, delivery_id, json_text, parse
from workers.releases.events import BadDelivery, UnsupportedMedia

JSON = Headers([("Content-Type", "application/json")])
FORM = Headers([("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def height(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((height(inner) for inner in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((height(inner) for inner in value), default=0)
    return 0


@pytest.mark.parametrize("name", ["X-GitHub-Event", "x-github-event", "X-GITHUB-EVENT"])
def test_headers_are_found_in_any_case(name: str) -> None:
    headers = Headers.from_raw([(b"X-Github-Event", b" push ")])

    assert headers.one(name) == "push"


def test_a_header_repeated_with_one_value_is_one_header() -> None:
    assert Headers([("A", "x"), ("a", "x")]).one("A") == "x"


def test_a_header_with_two_values_is_a_bad_delivery() -> None:
    headers = Headers.from_mapping({"A": ["x", "y"]})

    assert headers.all("a") == ("x", "y")
    with pytest.raises(BadDelivery, match="header A came 2 times"):
        headers.one("A")


def test_the_repr_of_headers_shows_no_value() -> None:
    assert repr(Headers([("X-Token", "hunter2")])) == "Headers(['x-token'])"


def test_a_url_safe_id_is_kept_and_another_is_hashed() -> None:
    assert delivery_id("github", "0a6c-1", "push", b"{}") == "0a6c-1"
    assert len(delivery_id("github", "../<x>", "push", b"{}")) == 64
    assert delivery_id("github", "../<x>", "push", b"{}") == delivery_id("github", "../<x>", "ping", b"[]")


def test_an_id_that_no_socket_could_bring_is_hashed_too() -> None:
    assert len(delivery_id("github", "\ud800", "push", b"{}")) == 64


@pytest.mark.parametrize("sent", [None, ""])
def test_a_missing_id_is_made_of_host_event_and_body(sent: str | None) -> None:
    made = delivery_id("github", sent, "push", b"{}")

    assert made == delivery_id("github", sent, "push", b"{}")
    assert (
        len({made, delivery_id("ghes", sent, "push", b"{}"), delivery_id("github", sent, "ping", b"{}")}) == 3
    )
    assert made != delivery_id("github", sent, "push", b"{ }")


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;"]
)
def test_a_json_body_is_its_own_text(media_type: str) -> None:
    assert json_text(Headers([("content-type", media_type)]), b'{"a": 1}') == b'{"a": 1}'


@given(json_values)
def test_a_form_carries_the_same_text(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    body = f"a=1&payload={quote_plus(text, errors='surrogatepass')}&b=".encode()

    assert json_text(FORM, body) == text.encode(errors="surrogatepass")


@pytest.mark.parametrize("body", [b"", b"a=1", b"payload=1&payload=2", b"PAYLOAD=1"])
def test_a_form_needs_exactly_one_payload(body: bytes) -> None:
    with pytest.raises(BadDelivery, match="exactly one"):
        json_text(FORM, body)


@pytest.mark.parametrize(
    "headers",
    [
        Headers([]),
        Headers([("Content-Type", "text/plain")]),
        Headers([("Content-Type", "multipart/form-data; boundary=x")]),
        Headers([*JSON, ("Content-Encoding", "gzip")]),
        Headers([*FORM, ("Content-Encoding", "br")]),
    ],
)
def test_other_media_types_and_encodings_are_not_taken(headers: Headers) -> None:
    with pytest.raises(UnsupportedMedia):
        json_text(headers, b"{}")


def test_the_identity_encoding_is_none() -> None:
    assert json_text(Headers([*JSON, ("Content-Encoding", "Identity")]), b"{}") == b"{}"


@pytest.mark.parametrize("levels", [201, 100_000])
def test_a_text_that_nests_too_deep_is_refused_wherever_it_does(levels: int) -> None:
    with pytest.raises(BadDelivery, match="recursion limit"):
        parse(Payload, b'{"unread": ' + b"[" * levels + b"]" * levels + b"}", "push")


@pytest.mark.parametrize("before", [b'{"comment": "x', b' \n["x'])
def test_a_text_within_a_signed_json_body_does_not_become_an_event_when_it_is_called_a_form(
    before: bytes,
) -> None:
    with pytest.raises(BadDelivery, match="is JSON"):
        json_text(FORM, before + b'&payload=%7B%22ref%22%3A1%7D&"}')


class Inner(Payload):
    text: str
    name: Annotated[str, Field(pattern=r"^[^\x00]*$")] = ""


class Outer(Payload):
    entries: Entries[Inner]
    texts: Texts | None = None


@pytest.mark.parametrize(("sent", "kept"), [("a\0b\0", "ab"), ("\\u0000", "\\u0000"), ("\\\0", "\\")])
def test_texts_come_without_nul_wherever_they_stand(sent: str, kept: str) -> None:
    found = parse(Outer, json.dumps({"entries": [{"text": sent}], "texts": [sent]}).encode(), "push")

    assert found == Outer(entries=[Inner(text=kept)], texts=[kept])


def test_nul_is_a_fault_in_a_text_of_a_given_form() -> None:
    with pytest.raises(BadDelivery, match=r"entries\.0\.name"):
        parse(Outer, b'{"entries": [{"text": "", "name": "a\\u0000"}]}', "push")


def test_a_list_takes_a_bounded_number_of_objects_and_any_number_of_texts() -> None:
    def listed(entries: int) -> bytes:
        return json.dumps({"entries": [{"text": ""}] * entries, "texts": [""] * 20_000}).encode()

    assert len(parse(Outer, listed(MAX_ENTRIES), "push").entries) == MAX_ENTRIES
    with pytest.raises(BadDelivery, match="at entries"):
        parse(Outer, listed(MAX_ENTRIES + 1), "push")
