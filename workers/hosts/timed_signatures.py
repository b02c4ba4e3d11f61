"""Signatures over an id, a time and the body: Standard Webhooks, which GitLab's signing tokens follow, too.

Source: the Standard Webhooks specification 1.0; docs.gitlab.com, "Webhooks", on signing tokens.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from typing import Final

from workers.hosts.base import Headers
from workers.releases.events import BadSignature

TOLERANCE_SECONDS: Final = 300
"""So far may the time of sending be from ours, before or after."""

SECRET_PREFIX: Final = b"whsec_"
"""What a secret of this scheme begins with."""

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

# A dot would let the bounds between id, time and body be shifted without changing what was signed.
_ID_FORM: Final = re.compile(r"[!-\-/-~]{1,256}", re.ASCII)
_TIMESTAMP_FORM: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


def signing_key(secret: bytes, sizes: range) -> bytes | None:
    """Return the key in a secret: the base64 after `whsec_`, decoded. Its padding may be missing.

    None where it is no base64, or not as many bytes as one of `sizes`.
    """
    text = secret.removeprefix(SECRET_PREFIX).rstrip(b"=")
    try:
        key = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
    return key if len(key) in sizes else None


def signer(keys: Sequence[bytes | None], headers: Headers, body: bytes, *, host: str, now: float) -> int:
    """Return the index of the key that signed these bytes with HMAC-SHA-256, as the first that fits.

    A key that is None fits nothing. `now` is in seconds since 1970. `BadSignature` for headers that are
    missing or malformed, a signature of another key, and a time too far off; `BadDelivery` when a header
    came with different values.
    """
    delivery, moment, sent = headers.one(ID), headers.one(TIMESTAMP), headers.one(SIGNATURE)
    if not delivery or not moment or not sent:
        raise BadSignature(
            f"Host {host} expects signed deliveries: {ID}, {TIMESTAMP} and {SIGNATURE} must all be there; "
            "set the signing token on the webhook."
        )
    if not _ID_FORM.fullmatch(delivery) or not _TIMESTAMP_FORM.fullmatch(moment):
        raise BadSignature(f"The header {ID} or {TIMESTAMP} has a form that no sender gives it.")
    head = f"{delivery}.{moment}.".encode()
    matching = [index for index, key in enumerate(keys) if key and _fits(_signature(key, head, body), sent)]
    if not matching:
        raise BadSignature(
            f"No signing token of host {host} made a signature in {SIGNATURE}; compare the tokens."
        )
    # Only now, so that whoever reads this can trust that the sender's clock is meant.
    if abs(now - int(moment)) > TOLERANCE_SECONDS:
        raise BadSignature(
            f"The delivery was signed more than {TOLERANCE_SECONDS} s from now; compare the clocks, "
            "or send it again if it is old."
        )
    return matching[0]


def _signature(key: bytes, head: bytes, body: bytes) -> bytes:
    # In two parts, so that a long body is not copied for each key.
    made = hmac.new(key, head, "sha256")
    made.update(body)
    return b"v1," + base64.b64encode(made.digest())


def _fits(ours: bytes, sent: str) -> bool:
    """Tell whether one of the signatures in the list that came is ours."""
    theirs = (each.encode("utf-8", "surrogatepass") for each in sent.split(" "))
    return any(hmac.compare_digest(ours, each) for each in theirs)
