"""What a switch call sent, for as long as it was answered by nobody: it may still arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workers.releases.codec import dumps
from workers.releases.model import Lane

KEPT_SECONDS = 24 * 3600.0
"""An unanswered call is remembered for so long: a stopped process or a platform may sleep for a night."""
MOST_KEPT = 50
"""So many are remembered for a target, the newest; five minutes without any answer make about twenty."""
ARRIVALS = 2
"""One call explains so many arrivals: proxies may repeat what is idempotent. Any further is somebody's."""
HOLDS_SECONDS = 360.0
"""So long a call that was not seen to arrive keeps the workspaces that it names from being deleted.

Proxies close a silent connection after less (350 s is the longest we know); afterwards the platform itself
refuses a map that names a workspace which is gone.
"""


@dataclass(frozen=True, slots=True)
class SentMap:
    """A map of connections that was sent and not answered. `at` is in seconds by the store's clock."""

    release: str
    number: int
    lane: str
    kind: str
    at: float
    routes: Mapping[str, Sequence[int]]
    """The domain's whole map, as it was sent."""
    came: int = 0
    """How often it was seen to have arrived."""

    @property
    def text(self) -> str:
        """Return it as the store has it."""
        return dumps({name: getattr(self, name) for name in self.__slots__})

    @property
    def after_arrival(self) -> SentMap | None:
        """Return it once it was seen to arrive one more time, or None when that was the last."""
        return replace(self, came=self.came + 1) if self.came + 1 < ARRIVALS else None

    def holds(self, workspace_id: int, now: float) -> float:
        """Return for how many seconds it keeps a workspace from being deleted; 0 when it does not."""
        if self.came or not any(workspace_id in ids for ids in self.routes.values()):
            return 0.0
        return max(self.at + HOLDS_SECONDS - now, 0.0)


@dataclass(frozen=True, slots=True)
class Watched:
    """A lane on whose target unanswered calls (newest first) may still arrive, with nobody at its switch."""

    lane: Lane
    target: str
    unanswered: tuple[SentMap, ...]


def sent_from(text: str) -> SentMap:
    """Decode what the store has."""
    return SentMap(**json.loads(text))
