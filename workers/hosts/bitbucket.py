"""What Bitbucket Cloud and Bitbucket Data Center have in common: signature, event key, forms of names.

Source: support.atlassian.com, "Manage webhooks"; confluence.atlassian.com, "Manage webhooks" of Data Center.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from typing import Annotated, ClassVar, Final

from pydantic import Field

from workers.hosts.base import Headers, delivery_id, event_name, json_text
from workers.releases.events import BadDelivery, BadSignature, DeliveryFacts

SIGNATURE: Final = "X-Hub-Signature"
EVENT_KEY: Final = "X-Event-Key"

NamePart = Annotated[str, Field(pattern=r"^[^/\x00-\x20\x7f]+$", max_length=200)]
"""A project's key, a workspace or a repository's slug."""
Id = Annotated[int, Field(ge=0, lt=2**63)]

_SIGNATURE_FORM: Final = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII | re.IGNORECASE)


class Bitbucket:
    """The part of a Bitbucket that does not depend on the body: who signed, which event, which id."""

    driver: ClassVar[str]
    id_header: ClassVar[str]
    """The header that names one delivery. `X-Hook-UUID` does not: it names the hook."""

    def __init__(self, name: str, secrets: Iterable[str | bytes]) -> None:
        self.name = name
        self._secrets = tuple(secret.encode() if isinstance(secret, str) else secret for secret in secrets)

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the secret whose HMAC-SHA-256 over the raw body is in the header.

        `BadSignature` also when no secret is configured; `BadDelivery` when two different signatures came.
        """
        sent = headers.one(SIGNATURE)
        if not any(self._secrets):
            raise BadSignature(f"Host {self.name} has no webhook secret; set hosts.{self.name}.secrets.")
        if not sent:
            raise BadSignature(f"The header {SIGNATURE} is missing; set the webhook's secret on Bitbucket.")
        form = _SIGNATURE_FORM.fullmatch(sent)
        if form is None:
            raise BadSignature(f"The header {SIGNATURE} is not sha256= and 64 hexadecimal digits.")
        return self._signer(form[1].lower().encode(), body)

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the delivery's id (made from event and body where Bitbucket sent none) and event key.

        `BadDelivery` when two different ids, event keys or signatures came.
        """
        headers.one(SIGNATURE)
        event = event_name(headers, EVENT_KEY)
        delivery = delivery_id(self.name, headers.one(self.id_header), event, body)
        return DeliveryFacts(host=self.name, delivery=delivery, event=event)

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the JSON text of the body."""
        return json_text(headers, body)

    def _signer(self, sent: bytes, body: bytes) -> int:
        matching = [
            index
            for index, secret in enumerate(self._secrets)
            # An empty secret would make everybody's signature right. All secrets are tried, always.
            if hmac.compare_digest(hmac.digest(secret, body, "sha256").hex().encode(), sent) and secret
        ]
        if not matching:
            raise BadSignature(f"No secret of host {self.name} made this signature; compare the two secrets.")
        return matching[0]


def event_key(headers: Headers) -> str:
    """Return the event key; `BadDelivery` where it is missing or malformed."""
    event = event_name(headers, EVENT_KEY)
    if not event:
        raise BadDelivery(f"The header {EVENT_KEY} is missing or malformed.")
    return event
