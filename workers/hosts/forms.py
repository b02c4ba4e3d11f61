"""Forms, as browsers and some hosts send them: found and decoded in little memory, whatever is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

_PIECE: Final = 16 * 1024
_PAYLOAD: Final = re.compile(rb"(?:\A|&)payload(?:=([^&]*))?(?=&|\Z)")


def payload_fields(body: bytes) -> list[bytes]:
    """Return the field `payload` of a form, not yet decoded; two entries where it is there more often."""
    return [found[1] or b"" for found in islice(_PAYLOAD.finditer(body), 2)]


def unquoted(field: bytes | memoryview, piece: int = _PIECE) -> Iterator[bytes]:
    """Decode a form's field in pieces of about so many bytes (at least 3).

    Whoever sends it need not have signed it: decoding a large field as a whole takes many times its size.
    """
    start = 0
    while start < len(field):
        part = bytes(field[start : start + piece])
        cut = part.rfind(b"%", -2)
        if cut > 0 and start + len(part) < len(field):
            # An escape has three bytes; what may be its beginning belongs to the next piece.
            part = part[:cut]
        start += len(part)
        yield unquote_to_bytes(part.replace(b"+", b" "))
