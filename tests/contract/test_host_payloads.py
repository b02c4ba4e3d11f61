"""The hosts' own payloads and published signatures, where the reference data lies beside the checkout."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from workers.hosts.base import Headers, Host
from workers.hosts.registry import DRIVERS, host_of
from workers.releases.event_json import event_json
from workers.releases.events import BadSignature

PAYLOADS: Final = Path(__file__).parents[2].parent / "shared" / "reference" / "payloads"

NOT_GIT_HOSTS: Final = {"slack"}
"""Senders in the reference that are no Git hosts: people's chats."""

DRIVER_OF: Final = {"ghes": "github"}
"""Hosts of the reference whose driver has another name than theirs."""

DECOYS: Final = ("another secret entirely", "whsec_YW5vdGhlciBzZWNyZXQgZW50aXJlbHksIDMyIEIuLi4=")
"""Secrets that made no signature. They stand first, so that the verdict must name the right one."""

pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the reference payloads are not beside the checkout"
)

Vector = Mapping[str, Any]


def one_header(vector: Vector) -> Headers:
    """Return the headers of a scheme whose signature is all that it sends."""
    media_type = vector.get("content_type", "application/json")
    return Headers([("Content-Type", media_type), (vector["header"], vector["value"])])


def timed_headers(vector: Vector) -> Headers:
    """Return the headers of a scheme that signs an id and a time with the body."""
    return Headers(
        [
            ("Content-Type", "application/json"),
            ("webhook-id", vector["id"]),
            ("webhook-timestamp", vector["timestamp"]),
            (vector["header"], vector["value"]),
        ]
    )


SCHEMES: Final[Mapping[str, tuple[Callable[[Vector], Headers], str | None]]] = {
    # scheme: how its headers are sent, and the decoy that has the form of its secrets.
    # Without a decoy the scheme is too weak: its signatures are refused, also the right ones.
    "hmac-sha256-hex": (one_header, DECOYS[0]),
    "hmac-sha1-hex": (one_header, None),
    "standard-webhooks": (timed_headers, DECOYS[1]),
}


def driver_of(sender: str) -> str:
    return DRIVER_OF.get(sender, sender)


def everything(name: str) -> list[dict[str, Any]]:
    path = PAYLOADS / name
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return [entry for entry in found if entry["host"] not in NOT_GIT_HOSTS]


def ours(name: str) -> list[dict[str, Any]]:
    return [entry for entry in everything(name) if driver_of(entry["host"]) in DRIVERS]


def body_of(vector: Vector) -> bytes:
    named = vector.get("body_file")
    return (PAYLOADS / named).read_bytes() if named else str(vector["body"]).encode()


def host_for(vector: Vector, *secrets: str) -> Host:
    driver = driver_of(vector["host"])
    return host_of(driver, driver, secrets, clock=lambda: float(vector.get("timestamp", 0)))


@pytest.mark.parametrize("entry", [pytest.param(each, id=each["body"]) for each in ours("INDEX.json")])
def test_every_payload_says_what_it_should(entry: dict[str, Any]) -> None:
    headers = Headers.from_mapping(json.loads((PAYLOADS / entry["headers"]).read_text()))

    event = host_for(entry).read(headers, (PAYLOADS / entry["body"]).read_bytes())

    assert event_json(event) == entry["expect"]


@pytest.mark.parametrize(
    "vector", ours("vectors.json"), ids=lambda vector: f"{vector['host']}-{vector['value'][:20]}"
)
def test_every_published_signature_is_judged_rightly(vector: dict[str, Any]) -> None:
    send, decoy = SCHEMES[vector["scheme"]]
    host = host_for(vector, decoy or DECOYS[0], vector["secret"])

    if vector["valid"] and decoy is not None:
        assert host.verify(send(vector), body_of(vector)) == 1
    else:
        with pytest.raises(BadSignature):
            host.verify(send(vector), body_of(vector))


@pytest.mark.parametrize("vector", [each for each in ours("vectors.json") if each["valid"]])
def test_no_published_signature_holds_for_another_body_or_secret(vector: dict[str, Any]) -> None:
    send, decoy = SCHEMES[vector["scheme"]]

    with pytest.raises(BadSignature):
        host_for(vector, vector["secret"]).verify(send(vector), body_of(vector) + b" ")
    with pytest.raises(BadSignature):
        host_for(vector, decoy or DECOYS[0]).verify(send(vector), body_of(vector))


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_driver_meets_payloads_of_the_reference(driver: str) -> None:
    assert [entry for entry in ours("INDEX.json") if driver_of(entry["host"]) == driver]


def test_nothing_in_the_reference_is_left_out() -> None:
    senders = {entry["host"] for name in ("INDEX.json", "vectors.json") for entry in everything(name)}
    missing = {driver_of(sender) for sender in senders} - set(DRIVERS)

    assert missing == set(), "drivers that the reference has payloads for"
    assert {vector["scheme"] for vector in everything("vectors.json")} <= set(SCHEMES)
    assert ours("INDEX.json") == everything("INDEX.json")
    assert ours("vectors.json") == everything("vectors.json")
    assert len(everything("INDEX.json")) >= 84
