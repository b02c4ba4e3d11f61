"""How often a caller may ask.

Sources: docs.github.com, "Rate limits for the REST API"; docs.gitlab.com, "User and IP rate limits".
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Quota:
    """Where a caller stands: so many of `limit` are used; a new count begins at `reset` (epoch seconds)."""

    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        """Calls that are left."""
        return max(0, self.limit - self.used)

    @property
    def is_spent(self) -> bool:
        """Whether the call that was just counted was one too many."""
        return self.used > self.limit


@dataclass
class Limits:
    """Calls counted per caller in windows of `window` seconds; `anonymous` is for those without a token.

    `blocked_until` is a secondary limit: until then (epoch seconds) every call is refused.
    """

    clock: Callable[[], float]
    limit: int = 5000
    anonymous: int = 60
    window: float = 3600
    blocked_until: float = 0
    _counts: dict[str, tuple[float, int]] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def spend(self, caller: str) -> Quota:
        """Count a call; the empty caller is anonymous."""
        with self._lock:
            begun, used = self._window(caller)
            self._counts[caller] = (begun, used + 1)
            return self._quota(caller, begun, used + 1)

    def look(self, caller: str) -> Quota:
        """Where the caller stands, without a call."""
        return self._quota(caller, *self._window(caller))

    def give_back(self, caller: str) -> Quota:
        """Take a call back that does not count."""
        with self._lock:
            begun, used = self._window(caller)
            self._counts[caller] = (begun, max(0, used - 1))
        return self.look(caller)

    def exhaust(self, caller: str) -> None:
        """Use up all that the caller has left; its next call is refused."""
        begun, _ = self._window(caller)
        self._counts[caller] = (begun, self.limit if caller else self.anonymous)

    def block(self, seconds: float) -> None:
        """Refuse every call for so long, as a secondary limit does."""
        self.blocked_until = self.clock() + seconds

    @property
    def retry_after(self) -> int:
        """Whole seconds until a secondary limit ends; 0 when there is none."""
        return max(0, math.ceil(self.blocked_until - self.clock()))

    def _window(self, caller: str) -> tuple[float, int]:
        now = self.clock()
        begun, used = self._counts.get(caller, (now, 0))
        return (now, 0) if now >= begun + self.window else (begun, used)

    def _quota(self, caller: str, begun: float, used: int) -> Quota:
        return Quota(self.limit if caller else self.anonymous, used, math.ceil(begun + self.window))
