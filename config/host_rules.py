"""Faults of hosts that only show when a driver and its secrets are held together."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from config.reporting import Found, Place

SIGNING_KEYS = {"gitlab": range(32, 33), "standard-webhooks": range(24, 65)}
"""Drivers with keys in place of passphrases, and how many bytes such a key has."""

_PREFIX = "whsec_"


def host_faults(hosts: Mapping[str, Any]) -> Iterator[Found]:
    """Check the entries of `hosts`; they may be faulty, what is unfit is passed over."""
    for name, host in hosts.items():
        if isinstance(host, Mapping):
            yield from _unfit_keys(("hosts", name), host)


def _unfit_keys(place: Place, host: Mapping[str, Any]) -> Iterator[Found]:
    driver, secrets = host.get("driver"), host.get("secrets")
    sizes = SIGNING_KEYS.get(driver) if isinstance(driver, str) else None
    if sizes is None or not isinstance(secrets, list):
        return
    size = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    for index, secret in enumerate(secrets):
        if not isinstance(secret, str) or not secret:
            continue
        # GitLab also takes secret tokens, which are any text; what begins like a key is meant as one.
        if (driver != "gitlab" or secret.startswith(_PREFIX)) and not is_key(secret, sizes):
            yield (
                (*place, "secrets", index),
                f"is no signing key, so that no delivery would be believed: after {_PREFIX} comes base64 of "
                f"{size} bytes; copy it whole from the webhook, or make one with: "
                f'echo "{_PREFIX}$(openssl rand -base64 32)"',
            )


def is_key(secret: str, sizes: range) -> bool:
    """Tell whether a secret is a signing key of one of these sizes (bytes): base64, `whsec_` before it."""
    text = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) in sizes
