"""What looks at Git hosts go by: turns, and what a project was told of its refs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

CATCH_UP: Final = "catch-up"
"""The kind of look that finds lost pushes; the names of its turns begin with it."""


class Taken(NamedTuple):
    """A look whose turn somebody has. `lease_end` is the store's time (ms) at which it is due again."""

    name: str
    lease_end: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a project knows of its refs, each by its full name.

    `accepted` are the commits that were last accepted, `kept_back` those that its rules kept from being
    released since. `repository` and `patterns` are those with which it was last looked after, None: never.
    """

    accepted: Mapping[str, str]
    kept_back: Mapping[str, str]
    repository: str | None
    patterns: str | None

    def heard(self, ref: str) -> str | None:
        """Return the commit that the ref was last told to be at, or None where nothing was ever told."""
        return self.kept_back.get(ref) or self.accepted.get(ref)

    def is_told(self, ref: str, commit: str) -> bool:
        """Tell whether nothing is missing when the ref is at the commit."""
        return commit in (self.accepted.get(ref), self.kept_back.get(ref))
