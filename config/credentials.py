"""Which keys hold credentials, for readers that need none of them."""

import base64
import hashlib
import re

_PLACES = re.compile(
    r"redis\.url|access\.tokens\.\d+\.token|hosts\.[^.]+\.(?:secrets\.\d+|token)|platforms\.[^.]+\.token"
    r"|notices\.[^.]+\.url|(?:defaults|projects\.[^.]+)\.workspace\.env\.[^.]+"
)


def is_credential(path: str) -> bool:
    """Tell whether the value at this path is a credential, or one that the application gets in production."""
    return _PLACES.fullmatch(path) is not None


def stand_in(path: str) -> str | None:
    """Return what stands for a credential that is not there; None for every other key.

    Each is different, has the form of a signing key, which fits everywhere, and is no credential of anybody.
    """
    if not is_credential(path):
        return None
    if path == "redis.url":
        return ""
    return "whsec_" + base64.b64encode(hashlib.sha256(path.encode()).digest()).decode()
