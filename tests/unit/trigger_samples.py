"""Rules and events for the tests of triggers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from config.triggers import AnyTrigger, PushTrigger
from workers.flow.triggers import Decision, decide
from workers.releases.events import Change, Event, RefType

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


@dataclass(frozen=True)
class Rules:
    name: str = "shop"
    host: str = "github"
    repository: str = "acme/shop"
    flow: str = "zero-downtime"
    triggers: Sequence[AnyTrigger] = (PushTrigger(branches=("main", "release/*")),)


BRANCH = Change(
    RefType.BRANCH,
    "main",
    "update",
    ONE,
    TWO,
    TWO,
    forced=False,
    message="Show tax\n\nAsked for.",
    pushed_at=5.0,
)
TAG = Change(RefType.TAG, "v2.0.0", "create", None, THREE, TWO, forced=False, commits_listed=0)
PUSH = Event(
    "push", "acme/shop", actor="ada", clone_url="https://git.example/acme/shop.git", changes=(BRANCH,)
)


def with_triggers(*triggers: AnyTrigger, flow: str = "zero-downtime") -> Rules:
    return Rules(triggers=triggers, flow=flow)


def decided(*changes: Change, rules: Rules | None = None) -> Decision:
    (decision,) = decide(replace(PUSH, changes=changes), [rules or Rules()])
    return decision


def one(event: Event, rules: Rules, ids: dict[str, str] | None = None) -> Decision:
    (decision,) = decide(event, [rules], ids or {})
    return decision
