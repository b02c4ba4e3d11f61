"""What a look at a release can come to. Steps return one; the engine turns it into a move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from workers.releases.model import JSON, Cause
from workers.releases.status import Status


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again later. `after` is in seconds; None: by the time already waited in this step.

    `scratch` is noted for this step only and forgotten when it ends.
    """

    why: str
    after: float | None = None
    scratch: JSON = field(default_factory=dict)
    effects: JSON = field(default_factory=dict)
    new_attempt: bool = False
    """Begin the step's time anew: the last attempt ran out of it because the platform was away."""


@dataclass(frozen=True, slots=True)
class Note:
    """Write something down and look again at once."""

    memory: JSON = field(default_factory=dict)
    scratch: JSON = field(default_factory=dict)
    text: str | None = None
    """A line for the history, where people should read of it."""
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """The step has succeeded."""

    detail: str
    memory: JSON = field(default_factory=dict)
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skip:
    """The step has nothing to do."""

    detail: str


@dataclass(frozen=True, slots=True)
class Fail:
    """The release cannot go on. `hold` stops the lane until a person acts, and says why."""

    cause: Cause
    message: str
    log: tuple[str, ...] = ()
    hold: str | None = None
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """Somebody asked the release to end: `to` is cancelled or superseded."""

    to: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Enter:
    """A queued release begins, if its lane lets it."""

    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The former connections stand again after the new version failed in production."""

    message: str
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """Make a changing call: its intent is written first, then it is sent, then its outcome is written.

    `send` returns what to note in the release's memory. Until `settle_seconds` after the sending, a call
    without an answer may still take effect. `refused` says what a refusal means, where it is not a failure.
    """

    kind: str
    why: str
    send: Callable[[], JSON]
    settle_seconds: float
    data: JSON = field(default_factory=dict)
    memory: JSON = field(default_factory=dict)
    scratch: JSON = field(default_factory=dict)
    effects: JSON = field(default_factory=dict)
    refused: Callable[[str], Outcome] | None = None
    at_most: float | None = None
    """So many seconds after the last look at the lease nothing of it is sent any more.

    A worker that is paused in between finds the time over, wherever in the call it goes on.
    """


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the open intent is known now; look again at once."""

    memory: JSON = field(default_factory=dict)
    scratch: JSON = field(default_factory=dict)
    text: str | None = None
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CleanedUp:
    """Nothing is left to do for this release; `state` says what became of its workspace."""

    state: str
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a person asked for is done: the release is not live any more."""

    reason: str
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """What a person asked for could not be done; the release stays live."""

    reason: str
    effects: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PutRight:
    """The connections are what they should be: a switch call of ours that came late is put right, or was."""

    effects: JSON = field(default_factory=dict)


Outcome = (
    Wait
    | Note
    | Done
    | Skip
    | Fail
    | End
    | Enter
    | TakenBack
    | Call
    | Settled
    | CleanedUp
    | RolledBack
    | OperationFailed
    | PutRight
)


def with_effects(outcome: Outcome, effects: JSON) -> Outcome:
    """Return an outcome with more effects; those without any (a skipped step, an end) stay as they are."""
    if isinstance(outcome, Skip | End) or not effects:
        return outcome
    return replace(outcome, effects={**outcome.effects, **effects})
