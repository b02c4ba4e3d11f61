"""Whatever comes to whichever host: it is read or refused by name, quickly, in bounded memory, if signed."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import unquote_plus

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.thoroughness import one_in
from tests.unit.hosts import damage
from tests.unit.hosts.known_senders import SENDERS
from tests.unit.hosts.senders import Pairs, Sender
from workers.hosts.base import Headers
from workers.hosts.registry import DRIVERS
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, BadSignature, UnsupportedMedia

NAMED: Final = (BadSignature, BadDelivery, UnsupportedMedia)

SIZE: Final = 512 * 1024
MOST_SECONDS: Final = 3.0
"""Of one processor, for one question about a body of `SIZE`."""

MOST_MEMORY: Final = 12
"""Times the size of the body, for one question; the reading of JSON itself takes it beside Python."""

every_sender = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
often = settings(
    max_examples=120 // one_in(3),
    deadline=None,  # other tests share the machine; bodies are bounded, and time is measured below
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def good(sender: Sender, event: str) -> bytes:
    return json.dumps(sender.document(event)).encode()


def refused(sender: Sender, pairs: Pairs, body: bytes) -> bool:
    try:
        sender.host().verify(Headers(pairs), body)
    except (BadSignature, BadDelivery):
        return True
    return False


def test_every_registered_driver_has_a_sender_here() -> None:
    assert {sender.driver for sender in SENDERS} == set(DRIVERS)


@every_sender
def test_the_deliveries_that_are_damaged_here_are_good_before(sender: Sender) -> None:
    for event, (kind, _) in sender.events.items():
        body = good(sender, event)
        headers = Headers(sender.headers(event, body))

        assert sender.host().verify(headers, body) == 1
        assert sender.host().read(headers, body).kind == kind


@every_sender
@often
@given(data=st.data())
def test_only_the_named_errors_come_out(sender: Sender, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(sender.events)))
    body = data.draw(damage.bodies(sender.document(event)))
    pairs = data.draw(damage.headers(sender.headers(event, body), sorted(sender.events)))
    host, headers = sender.host(), Headers(pairs)

    assert host.sends_unsigned(headers) in (True, False)
    with suppress(BadSignature, BadDelivery):
        host.verify(headers, body)
    with suppress(BadDelivery, UnsupportedMedia):
        assert isinstance(host.payload(headers, body), bytes)
    with suppress(BadDelivery):
        facts = host.facts(headers, body)
        assert facts.delivery.isascii()
        assert 1 <= len(facts.delivery) <= 128
        assert (facts.event.isascii(), len(facts.event) <= 100) == (True, True)
    with suppress(BadDelivery, UnsupportedMedia):
        found = host.read(headers, body)
        json.dumps(event_json(found), ensure_ascii=False).encode()
        assert "\\u0000" not in json.dumps(asdict(found))


@every_sender
def test_every_field_may_hold_anything(sender: Sender) -> None:
    host = sender.host()
    for event in sender.events:
        headers, document = Headers(sender.headers(event, b"")), sender.document(event)
        for body in damage.each_place(document, one_in=6 * one_in(6)):
            host.facts(headers, body)
            with suppress(BadDelivery):
                assert "\\u0000" not in json.dumps(asdict(host.read(headers, body)))


# Nothing is accepted that was not signed


@pytest.mark.parametrize(
    "sender", [each for each in SENDERS if each.signs_the_body], ids=lambda sender: sender.name
)
@often
@given(data=st.data())
def test_a_signature_holds_for_no_other_body(sender: Sender, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(sender.events)))
    signed, sent = good(sender, event), data.draw(damage.bodies(sender.document(event)))
    # The JSON in a form is what some hosts sign.
    assume(signed not in (sent, unquote_plus(sent.removeprefix(b"payload=").decode("latin-1")).encode()))

    assert refused(sender, sender.headers(event, signed), sent)


@every_sender
@often
@given(data=st.data())
def test_a_signature_of_a_stranger_opens_nothing(sender: Sender, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(sender.events)))
    body = data.draw(damage.bodies(sender.document(event)))
    stranger = sender.decoy[:-3] + data.draw(st.sampled_from(["abc", "AAA", "xyz"]))
    pairs = data.draw(damage.headers(sender.headers(event, body, secret=stranger), sorted(sender.events)))

    assert refused(sender, pairs, body)


def _spoilt(name: str, value: str, odd: str) -> list[Pairs]:
    return [
        [],
        [(name, "")],
        [(name, odd)],
        [(name, value[:-1])],
        [(name, value[1:])],
        [(name, value + "0")],
        [(name, value.partition(" ")[0].partition(",")[0].partition("=")[0] + odd)],
        [(name, value.replace(value[-6:], "\u0663\ud800"))],
        [(name, value[::-1])],
        [(name, value), (name.upper(), value[::-1])],
        [(name, odd), (name.lower(), value)],
        [(f"{name}\0", value)],
    ]


@every_sender
@often
@given(odd=damage.odd_texts, data=st.data())
def test_a_spoilt_credential_opens_nothing(sender: Sender, odd: str, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(sender.events)))
    body = good(sender, event)
    (name, value), *others = sender.headers(event, body)
    for pairs in _spoilt(name, value, odd):
        if [sent.strip(" \t") for _, sent in pairs] == [value]:
            continue  # the odd text put back what it took, or is blank
        assert refused(sender, [*pairs, *others], body), pairs
        assert refused(sender, [*others, *pairs], body), pairs


# Size


def _around(sender: Sender, event: str, what: bytes) -> bytes:
    return good(sender, event)[:-1] + b', "more": ' + what + b"}"


def _lists(sender: Sender, event: str, entry: bytes) -> bytes:
    """Fill every list of the body with so many entries that it has the size."""
    emptied, number = _without_entries(sender.document(event))
    count = SIZE // (len(entry) + 1) // max(1, number)
    return json.dumps(emptied).encode().replace(b'"@list@"', b"[" + b",".join([entry] * count) + b"]")


def _without_entries(value: Any) -> tuple[Any, int]:
    """Return the value with a mark for each list, and their number."""
    if isinstance(value, list):
        return "@list@", 1
    if not isinstance(value, dict):
        return value, 0
    inner = {key: _without_entries(each) for key, each in value.items()}
    return {key: each for key, (each, _) in inner.items()}, sum(number for _, number in inner.values())


HUGE: Final[dict[str, Callable[[Sender, str], bytes]]] = {
    "a long text": lambda sender, event: _around(sender, event, b'"' + b"x" * SIZE + b'"'),
    "a text of escapes": lambda sender, event: _around(sender, event, b'"' + b"\\u00e9" * (SIZE // 6) + b'"'),
    "many digits": lambda sender, event: _around(sender, event, b"9" * SIZE),
    "many numbers": lambda sender, event: _around(sender, event, b"[" + b"1," * (SIZE // 2) + b"1]"),
    "many keys": lambda sender, event: _around(
        sender, event, b"{" + b",".join(b'"%d":0' % n for n in range(SIZE // 10)) + b"}"
    ),
    "nested arrays": lambda sender, event: _around(sender, event, b"[" * (SIZE // 2) + b"]" * (SIZE // 2)),
    "open arrays": lambda sender, event: _around(sender, event, b"[" * SIZE),
    "shallow arrays": lambda sender, event: _around(sender, event, b"[" + b"[]," * (SIZE // 3) + b"[]]"),
    "brackets in texts": lambda sender, event: _around(sender, event, b'"' + b'[{\\"' * (SIZE // 4) + b'"'),
    "lists of empty objects": lambda sender, event: _lists(sender, event, b"{}"),
    "lists of nulls": lambda sender, event: _lists(sender, event, b"null"),
    "not JSON": lambda *_: b"\xff" * SIZE,
    "a form of escapes": lambda *_: b"payload=" + b"%7B" * (SIZE // 3),
    "a form of fields": lambda *_: b"&" * SIZE,
}


@every_sender
@pytest.mark.parametrize("what", HUGE)
def test_a_huge_body_takes_bounded_time_and_memory(sender: Sender, what: str) -> None:
    for event in list(sender.events)[:: one_in(100)]:
        body = HUGE[what](sender, event)
        pairs = sender.headers(event, body)
        if body.startswith((b"payload", b"&")):
            pairs = [pair for pair in pairs if pair[0] != "Content-Type"]
            pairs.append(("Content-Type", "application/x-www-form-urlencoded"))
        host, headers = sender.host(), Headers(pairs)
        for ask in (host.verify, host.facts, host.payload, host.read):
            tracemalloc.start()
            begun = time.thread_time()
            with suppress(*NAMED):
                ask(headers, body)
            spent, peak = time.thread_time() - begun, tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert spent < MOST_SECONDS, (event, ask)
            assert peak < MOST_MEMORY * len(body), (event, ask)
