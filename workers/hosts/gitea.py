"""Gitea and Forgejo (Codeberg is one): repository, organisation and system webhooks.

Source: docs.gitea.com and forgejo.org, "Webhooks", and Gitea's own code (how deliveries are signed, which
events are sent). Both also send the headers of the hosts that they follow, Gogs and GitHub; only their own
are looked at here.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Final

from workers.hosts import gitea_events as events
from workers.hosts.base import Headers, delivery_id, event_name, json_text
from workers.hosts.forms import unquoted
from workers.releases.events import BadDelivery, BadSignature, DeliveryFacts, Event

_SIGNATURE_FORM: Final = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_FIELD: Final = b"payload="


class Gitea:
    """One Gitea under the name that the configuration gives it."""

    driver: ClassVar[str] = "gitea"
    reads: ClassVar[tuple[str, ...]] = (
        "push",
        "ref_created",
        "ref_deleted",
        "release_published",
        "release_other",
        "change_opened",
        "change_updated",
        "change_edited",
        "change_merged",
        "change_closed",
        "ci_finished",
        "ci_status",
        "comment",
        "ping",
    )
    """The kinds of events that it tells apart, beside `other`."""
    product: ClassVar[str] = "Gitea"
    readers: ClassVar[Mapping[str, events.Reader]] = events.GITEA

    def __init__(self, name: str, secrets: Iterable[str | bytes]) -> None:
        self.name = name
        self._secrets = tuple(secret.encode() if isinstance(secret, str) else secret for secret in secrets)

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the secret whose HMAC-SHA-256 over the JSON text is in the host's own header.

        A form holds the JSON text, which is what these hosts sign; a signature over the whole form, as
        their manual says, is taken, too. `BadSignature` also when no secret is configured, and for the
        empty header that a webhook without a secret sends; `BadDelivery` when two different ones came.
        """
        signature = self._header("Signature")
        sent = headers.one(signature)
        if not any(self._secrets):
            raise BadSignature(f"Host {self.name} has no webhook secret; set hosts.{self.name}.secrets.")
        if not sent:
            raise BadSignature(
                f"The header {signature} is missing or empty; set the webhook's secret on {self.product}."
            )
        if _SIGNATURE_FORM.fullmatch(sent) is None:
            raise BadSignature(f"The header {signature} is not 64 hexadecimal digits.")
        return self._signer(sent.lower().encode(), body)

    def sends_unsigned(self, headers: Headers) -> bool:
        """Return False: the test button sends a push, signed like every other."""
        return False

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the delivery's id (made from event and body where none was sent) and event name.

        A delivery that was sent again by hand has a new id, on Gogs the old one. `BadDelivery` when two
        different ids, events or signatures came.
        """
        headers.one(self._header("Signature"))
        event = event_name(headers, self._header("Event"))
        delivery = delivery_id(self.name, headers.one(self._header("Delivery")), event, body)
        return DeliveryFacts(host=self.name, delivery=delivery, event=event)

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the JSON text of a JSON body, or of a form that starts with it."""
        text = json_text(headers, body)
        if text is not body and not body.startswith(_FIELD):
            # A signed JSON body, sent again as a form, must not be read at a place that a stranger chose.
            raise BadDelivery(f"A form of {self.product} starts with its field payload; this one does not.")
        return text

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; an event or action that no rule uses has kind `other`."""
        event = event_name(headers, self._header("Event"))
        if not event:
            raise BadDelivery(f"The header {self._header('Event')} is missing or malformed.")
        return self.readers.get(event, events.other)(self.payload(headers, body), event)

    def _header(self, name: str) -> str:
        return f"X-{self.product}-{name}"

    def _signer(self, sent: bytes, body: bytes) -> int:
        matching = {
            index
            for reading in _signed_readings(body)
            for index, made in enumerate(self._signatures(reading))
            # An empty secret would make everybody's signature right. All secrets are tried, always.
            if hmac.compare_digest(made, sent) and self._secrets[index]
        }
        if not matching:
            raise BadSignature(f"No secret of host {self.name} made this signature; compare the two secrets.")
        return min(matching)

    def _signatures(self, pieces: Iterable[bytes]) -> list[bytes]:
        makers = [hmac.new(secret, digestmod="sha256") for secret in self._secrets]
        for piece in pieces:
            for maker in makers:
                maker.update(piece)
        return [maker.hexdigest().encode() for maker in makers]


class Forgejo(Gitea):
    """One Forgejo under the name that the configuration gives it."""

    driver: ClassVar[str] = "forgejo"
    reads: ClassVar[tuple[str, ...]] = (
        "push",
        "ref_created",
        "ref_deleted",
        "release_published",
        "release_other",
        "change_opened",
        "change_updated",
        "change_edited",
        "change_merged",
        "change_closed",
        "ci_finished",
        "comment",
        "ping",
    )
    """The kinds of events that it tells apart, beside `other`."""
    product: ClassVar[str] = "Forgejo"
    readers: ClassVar[Mapping[str, events.Reader]] = events.FORGEJO


def _signed_readings(body: bytes) -> Iterator[Iterable[bytes]]:
    yield (body,)
    if body.startswith(_FIELD) and b"&" not in body:
        yield unquoted(memoryview(body)[len(_FIELD) :])
