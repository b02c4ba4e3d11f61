"""GitLab: whatever a body holds, it is read or refused by name."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hosts.gitlab_samples import GITLAB, JSON_BODY, ONE, SAMPLES, SIGNED, read, sample
from workers.hosts.base import Headers
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, UnsupportedMedia

NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
KINDS = ["push", "tag_push", "merge_request", "note", "pipeline", "build", "deployment", "release", "other"]
HEADERS = ["Content-Type", "Content-Encoding", "X-Gitlab-Event", "X-Gitlab-Token", "Idempotency-Key"]
HEADERS += ["webhook-id", "webhook-timestamp", "webhook-signature"]
VALUES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "identity",
    "v1,AAAA",
    "1793608205",
    "id-1",
]
KEYS = ["object_kind", "event_name", "ref", "before", "after", "project", "project_id", "id", "iid", "user"]
KEYS += ["path_with_namespace", "object_attributes", "action", "commits", "merge_request", "source", "status"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"not json",
        b"\xff\xfe{\x00}\x00",
        b'{"object_kind": "\xc3\x28"}',
        b"\xef\xbb\xbf{}",
        b'{"object_kind": "\\ud800"}',
        b'{"object_kind": 7}',
        b'{"object_kind": "push", "ref": "refs/heads/\\udfff"}',
        b'{"x": ' + b"9" * 100_000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"project": {"id": 1e400, "path_with_namespace": "a/b"}}',
        b'{"object_kind": "other", "project": "acme/shop"}',
    ],
)
def test_a_hostile_body_is_a_bad_delivery(body: bytes) -> None:
    with pytest.raises(BadDelivery):
        read(body)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("levels", "fits"), [(199, True), (201, False)])
def test_two_hundred_levels_are_the_bound(name: str, levels: int, fits: bool) -> None:
    body = sample(name).rstrip()[:-1] + b', "deep": ' + b"[" * levels + b"]" * levels + b"}"

    if fits:
        assert read(body) == read(sample(name))
    else:
        with pytest.raises(BadDelivery, match="recursion limit"):
            read(body)


def test_of_a_key_that_comes_twice_the_last_counts_for_the_kind_and_for_the_rest() -> None:
    body = sample("push_branch").rstrip()[:-1] + b', "ref": "refs/heads/last"}'

    assert read(body).changes[0].name == "last"
    assert read(body[:-1] + b', "object_kind": "wiki_page"}').kind == "other"


def test_no_text_of_the_body_comes_into_a_message() -> None:
    with pytest.raises(BadDelivery) as caught:
        read(b'{"object_kind": "<script>", "project": "<script>"}')

    assert "script" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ([("Content-Type", "text/plain")], "text/plain"),
        ([("Content-Type", "application/x-www-form-urlencoded")], "form-urlencoded"),
        ([], "application/json"),
        ([*JSON_BODY, ("Content-Encoding", "gzip")], "gzip"),
    ],
)
def test_another_media_type_or_encoding_is_not_taken(headers: list[tuple[str, str]], named: str) -> None:
    with pytest.raises(UnsupportedMedia, match=named):
        GITLAB.read(Headers(headers), sample("push_branch"))


odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ONE, "refs/heads/x", "a/b", *KINDS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | st.text(max_size=80)), max_size=8
    ),
    body=st.binary(max_size=200) | odd_values.map(lambda value: json.dumps(value).encode()),
)
def test_whatever_comes_only_the_named_errors_come_out_and_nothing_is_verified(
    pairs: list[tuple[str, str]], body: bytes
) -> None:
    odd = Headers(pairs)
    for host in (GITLAB, SIGNED):
        with pytest.raises((BadSignature, BadDelivery)):
            host.verify(odd, body)
        for ask in (host.facts, host.payload, host.read):
            with suppress(BadDelivery, UnsupportedMedia):
                ask(odd, body)


@given(
    name=st.sampled_from(NAMES),
    fields=st.dictionaries(st.sampled_from(KEYS), odd_values, max_size=3),
    inside=st.dictionaries(st.sampled_from(KEYS), odd_values, max_size=3),
)
def test_a_damaged_body_is_read_or_refused(
    name: str, fields: dict[str, object], inside: dict[str, object]
) -> None:
    body = json.loads(sample(name))
    if "object_attributes" in body:
        body["object_attributes"] |= inside
    try:
        found = read(json.dumps(body | fields).encode())
    except BadDelivery:
        return
    json.dumps(event_json(found))
