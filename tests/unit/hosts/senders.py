"""Senders of signed deliveries: every way of signing, done here once more.

A sender has one body that holds the fields of all its events at once, so that damage done to it meets
every shape.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workers.hosts.base import Host
from workers.hosts.registry import host_of

NOW: Final = 1_793_608_205
ONE, TWO, ZEROS = "1" * 40, "2" * 40, "0" * 40
TEXT_SECRET, TEXT_DECOY = "a secret of acme with ä", "another secret entirely"
KEY, KEY_DECOY = ("whsec_" + b64encode(letter * 32).decode() for letter in (b"k", b"d"))

Pairs = list[tuple[str, str]]
Sign = Callable[[str, bytes], Pairs]


def hub(header: str, prefix: str = "sha256=") -> Sign:
    """Sign with HMAC-SHA-256 over the body, in hexadecimal digits."""
    return lambda secret, body: [
        (header, prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())
    ]


def timed(secret: str, body: bytes) -> Pairs:
    key = b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"msg_1.{NOW}.".encode() + body, hashlib.sha256).digest()
    sent = ("webhook-signature", f"v1,{b64encode(made).decode()}")
    return [sent, ("webhook-id", "msg_1"), ("webhook-timestamp", str(NOW))]


def basic(secret: str, _: bytes) -> Pairs:
    return [("Authorization", "Basic " + b64encode(f"whoever:{secret}".encode()).decode())]


def token(secret: str, _: bytes) -> Pairs:
    return [("X-Gitlab-Token", secret.encode().decode("latin-1"))]


@dataclass(frozen=True)
class Sender:
    """How one host sends: its signature, its events (with what they mean and need), its fields.

    `sign` puts the credential first. A secret that is sent as it is holds for every body.
    """

    name: str
    driver: str
    sign: Sign
    events: Mapping[str, tuple[str, Mapping[str, Any]]]
    fields: Mapping[str, Any]
    event_header: str = ""
    event_field: str = ""
    more_headers: Pairs = field(default_factory=list)
    secret: str = TEXT_SECRET
    decoy: str = TEXT_DECOY
    signs_the_body: bool = True

    def host(self) -> Host:
        return host_of(self.driver, self.name, [self.decoy, self.secret], clock=lambda: float(NOW))

    def document(self, event: str) -> dict[str, Any]:
        whole = {**self.fields, **self.events[event][1]}
        if self.event_field:
            whole[self.event_field] = event
        copy: dict[str, Any] = json.loads(json.dumps(whole))
        return copy

    def headers(self, event: str, body: bytes, *, secret: str = "") -> Pairs:
        named = [(self.event_header, event)] if self.event_header else []
        media = ("Content-Type", "application/json")
        return [*self.sign(secret or self.secret, body), media, *named, *self.more_headers]
