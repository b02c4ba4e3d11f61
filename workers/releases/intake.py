"""What is written down for one delivery, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workers.releases.model import JSON


@dataclass(frozen=True, slots=True)
class Intake:
    """What is written for one delivery. `candidates` are what `accept.lua` takes."""

    delivery: str
    facts: JSON
    """What is kept of the delivery beside its verdict."""
    candidates: Sequence[JSON]
    verdict: str
    reason: str
    keep_seconds: float
    """How long the delivery is kept, so that a late second one is recognised."""
    remember_seconds: float
    """How long the commits of a ref are remembered."""
    inquiries: Sequence[JSON] = ()
    """What has to be found out first, one per project, as `accept.lua` takes them."""
    named: Sequence[JSON] = ()
    """What pushes named, for the events of CI that come later."""
    checks: Sequence[JSON] = ()
    """Checks that an event of CI told of."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """The host's ids of repositories that were matched by name, as the store names them."""
    kept_back: Sequence[tuple[str, str, str]] = ()
    """Project, full ref and commit of what was told and is not, or not yet, to be released."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a delivery came to."""

    verdict: str
    reason: str
    releases: tuple[str, ...]
