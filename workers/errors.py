"""What can go wrong, sorted by what the caller can do next.

SwitchoverError
+-- PlatformError          a platform, or the web in front of it
|   +-- TryAgain           may work later; says how long to wait and whether the call may have had an effect
|   |   +-- NotYet         ... since what it acts on is not known there yet
|   +-- Refused            will be refused again as long as we ask the same
|   +-- Gone               what we act on no longer exists
+-- StoreAway              Redis cannot be reached; nothing was written
+-- Outdated               a newer version of Switchover wrote the store; this one must not
+-- LeaseLost              another worker holds the release now; stop at once, write nothing
+-- NotAllowed             the status, a freeze, a pin or a lock forbids it; says which (HTTP 409)
+-- NotFound               no such release, delivery, project, ... (HTTP 404)
+-- IllegalMove            a status change that the table does not have: our own fault
"""

from __future__ import annotations

from enum import StrEnum


class SwitchoverError(Exception):
    """Base of all errors that Switchover raises on purpose."""


class Effect(StrEnum):
    """What a failed call may have done to the other side."""

    NONE = "none"
    UNKNOWN = "unknown"


class PlatformError(SwitchoverError):
    """The platform, or the web in front of it, did not do what was asked."""

    def __init__(self, message: str, *, trace_id: str | None = None) -> None:
        super().__init__(message if trace_id is None else f"{message} (trace {trace_id})")
        self.trace_id = trace_id


class TryAgain(PlatformError):
    """May work later.

    `wait` is the platform's own advice in seconds, if it gave one. `effect` says whether a changing
    call may have been carried out although it failed. `doubtful`: the platform is known to answer so, too,
    when the fault is in what it was asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        wait: float | None = None,
        effect: Effect = Effect.UNKNOWN,
        doubtful: bool = False,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(message, trace_id=trace_id)
        self.wait = wait
        self.effect = effect
        self.doubtful = doubtful


class NotYet(TryAgain):
    """What we act on is not there yet as far as the other side knows: a commit that was just pushed."""


class Refused(PlatformError):
    """Will be refused again as long as we ask the same."""


class Asleep(Refused):
    """The workspace is not running, and the call needs it to."""


class Gone(PlatformError):
    """What we act on no longer exists."""


class StoreAway(SwitchoverError):
    """The store cannot be reached. Nothing was written; the caller may try again."""


class Outdated(SwitchoverError):
    """The store was raised to a schema version that this program does not know: upgrade it."""


class LeaseLost(SwitchoverError):
    """The lease has passed to another worker, or the store refused the fence. Write nothing more."""


class NotAllowed(SwitchoverError):
    """The release's status, a freeze, a pin, a hold or a lock forbids what was asked."""


class NotFound(SwitchoverError):
    """There is no such thing."""


class IllegalMove(SwitchoverError):
    """A status change that the table of transitions does not have."""
