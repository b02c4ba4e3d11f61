"""One call to a Git host's API as a value, the paths it may go to, and what came back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

_NEXT: Final = re.compile(r'<([^<>]{1,4000})>\s*;[^,<>]*\brel="?next\b', re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be asked of a Git host. `purpose` completes "could not ..." in messages.

    `hint` is added where the host refuses the token (403): which right the call needs.
    """

    method: str
    path: str
    purpose: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    hint: str = ""

    @property
    def changes(self) -> bool:
        """Tell whether the call can have an effect at all."""
        return self.method != "GET"

    @property
    def target(self) -> str:
        """Path and query, as they go behind the base address."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def asking(self, **query: str | int) -> Call:
        """Return the same call with these parameters added."""
        return replace(self, query=(*self.query, *((name, str(value)) for name, value in query.items())))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def names_pages(self) -> bool:
        """Tell whether the answer says anything of other pages."""
        return "link" in self.headers

    def next_page(self, parameter: str) -> str | None:
        """Return this parameter of the address that the answer names as its next page.

        Only the parameter is used: the address itself is the host's text, and the token goes nowhere but
        to the configured one.
        """
        found = _NEXT.search(self.headers.get("link", ""))
        if found is None:
            return None
        try:
            values = parse_qs(urlsplit(found[1]).query).get(parameter)
        except ValueError:
            return None
        return values[-1] if values else None


def path_of(*segments: str | int) -> str:
    """Join the segments to a path, each percent-encoded with no safe characters.

    A branch `feature/x` stays one segment (`feature%2Fx`); dots alone cannot climb.
    """
    return "".join(f"/{_encoded(str(segment))}" for segment in segments)


def _encoded(segment: str) -> str:
    # A segment of only dots would be resolved away by clients and gateways. Git allows lone surrogates
    # nowhere, but a file may: they are no reason to fail.
    return (
        segment.replace(".", "%2E")
        if segment in {".", ".."}
        else quote(segment, safe="", errors="surrogatepass")
    )
