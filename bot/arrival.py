"""How a delivery arrived: who sent it, with which headers, and what its body was. Pure.

What says who somebody is, or that they may, is masked by the header's name before it is written down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from workers.releases.model import JSON
from workers.wiring import Headers

MASK: Final = "(masked)"
LONGEST_VALUE: Final = 1_000
LONGEST_HEAD: Final = 16_000
"""So many characters are kept of one header, and of all."""

_SECRET_WORDS: Final = (
    "token", "secret", "signature", "password", "passwd", "authorization", "cookie", "credential",
    "api-key", "apikey", "access-key", "session", "jwt", "assertion", "oidc",
)  # fmt: skip
_MOST_KNOWN: Final = 1_000
_known_plain: Final[set[str]] = set()
"""Names of headers that were found to be no secrets: senders use the same few in each delivery."""


def is_secret(name: str) -> bool:
    """Tell whether a header may hold a secret: by its name, in any case, never by its value."""
    lower = name.lower()
    return any(word in lower for word in _SECRET_WORDS)


def arrival_json(headers: Headers, body: bytes, sender: str, signed_by: str) -> JSON:
    """Return what is kept of how a delivery came.

    `headers` is one text of lines `name: value`, which is stored in half the time of a list. `signed_by`
    is the fingerprint of the secret that verified it, `sha256` the digest of the raw body, to compare
    with `sha256sum` of a file, and `size` the body's length in bytes.
    """
    return {
        "sender": sender,
        "headers": head_of(headers),
        "sha256": hashlib.sha256(body).hexdigest(),
        "size": len(body),
        "signed_by": signed_by,
    }


def head_of(headers: Headers) -> str:
    """Return the headers as they are kept: one to a line, secrets masked, long ones cut."""
    plain = _known_plain
    lines = [f"{name}: {value}" if name in plain else _line(name, value) for name, value in headers]
    text = "\n".join(lines)
    if len(text) <= LONGEST_HEAD:
        return text
    return "\n".join(line[:LONGEST_VALUE] for line in lines)[:LONGEST_HEAD].rpartition("\n")[0]


def _line(name: str, value: str) -> str:
    if is_secret(name):
        return f"{name}: {MASK}"
    if len(_known_plain) < _MOST_KNOWN and len(name) < LONGEST_VALUE:
        _known_plain.add(name)
    return f"{name}: {value}"


def is_from(sender: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Tell whether an address lies in one of the networks; one that is no IP address lies in none."""
    try:
        address = ip_address(sender)
    except ValueError:
        return False
    # A socket for both families shows IPv4 senders as ::ffff:192.0.2.1.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
