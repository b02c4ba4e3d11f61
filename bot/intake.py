"""From the bytes of a delivery to what is written down: verify, read, decide. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from config.settings import Settings
from workers.flow.admission import REMEMBER_SECONDS, intake_of
from workers.flow.triggers import decide
from workers.releases.events import (
    BadDelivery,
    BadSignature,
    Change,
    DeliveryFacts,
    Event,
    RefType,
    UnsupportedMedia,
)
from workers.releases.identity import new_release_id
from workers.releases.intake import Intake
from workers.releases.model import JSON
from workers.wiring import Headers, Host

NO_IDS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A delivery that is not taken: the status, the reason, and what is written down of it.

    `intake` is None unless the delivery is authentic: strangers write nothing.
    """

    status: int
    reason: str
    event: str
    intake: Intake | None = None


ANSWERED_TEST = Refusal(
    200, "a connection test, which this host never signs: nothing was believed, nothing written down", "ping"
)
"""Not taken, and yet answered well, as the host's test button asks."""


def judge(
    host: Host, headers: Headers, body: bytes, settings: Settings, ids: Mapping[str, str] = NO_IDS
) -> Intake | Refusal:
    """Return what to write down for a delivery of this host, or why it is refused.

    `ids` are the host's ids of the projects' repositories, as far as they are known, by project.
    """
    try:
        host.verify(headers, body)
    except BadSignature as error:
        return ANSWERED_TEST if host.sends_unsigned(headers) else Refusal(401, str(error), "")
    except BadDelivery as error:
        return Refusal(400, str(error), "")
    try:
        facts = host.facts(headers, body)
    except BadDelivery as error:
        return Refusal(400, str(error), "")
    try:
        event = host.read(headers, body)
    except BadDelivery as error:
        return _refused(400, str(error), facts, settings)
    except UnsupportedMedia as error:
        return _refused(415, str(error), facts, settings)
    return intake_from(facts, event, settings, ids)


def intake_from(
    facts: DeliveryFacts, event: Event, settings: Settings, ids: Mapping[str, str] = NO_IDS
) -> Intake:
    """Return what to write down for what a delivery says, as the projects of its host decide."""
    projects = {name: project for name, project in settings.projects.items() if project.host == facts.host}
    decisions = decide(event, projects.values(), ids)
    host = settings.hosts.get(facts.host)
    return intake_of(
        facts,
        event,
        decisions,
        projects,
        keep_seconds=settings.retention.deliveries,
        driver=host.driver if host else "",
        ids=ids,
        api_url=host.api_url if host else None,
    )


def replayed(delivery_id: str, facts: JSON, settings: Settings, *, actor: str) -> Intake:
    """Return what to write down when a person has a stored delivery decided once more.

    It is a delivery of its own, decided by the rules of today, under an id made of the first one's.
    """
    again = DeliveryFacts(str(facts["host"]), f"{delivery_id}~{new_release_id()}"[-128:], str(facts["event"]))
    intake = intake_from(again, event_from(facts), settings)
    return replace(intake, facts={**intake.facts, "replay_of": delivery_id, "replayed_by": actor})


def event_from(facts: JSON) -> Event:
    """Return the event that a stored delivery tells of, for a replay."""
    origin: Mapping[str, JSON] = facts.get("origin") or {}
    changes = [
        _change_from(change, more)
        for change, more in zip(facts["changes"], origin.get("changes") or facts["changes"], strict=False)
    ]
    return Event(
        kind=facts["kind"],
        repository=facts["repository"],
        clone_url=_text(origin.get("clone_url")),
        actor=facts["actor"],
        changes=tuple(changes),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _change_from(change: JSON, more: JSON) -> Change:
    kind, _, name = str(change["ref"]).removeprefix("refs/").partition("/")
    return Change(
        ref_type=RefType.TAG if kind == "tags" else RefType.BRANCH,
        name=name,
        action=change["action"],
        # Empty, admission does not take the event for one that was merely re-sent: where its release
        # ended badly, a person who replays it gets a new one. The host's time still tells old from new.
        before="",
        after=more.get("after", change["commit"]),
        commit=change["commit"],
        forced=more.get("forced"),
        pushed_at=more.get("pushed_at"),
    )


def _refused(status: int, reason: str, facts: DeliveryFacts, settings: Settings) -> Refusal:
    """Refuse an authentic delivery; its own id stays free, as the host may send it again, mended."""
    intake = Intake(
        delivery=f"{facts.delivery}~refused",
        facts={"host": facts.host, "event": facts.event, "kind": "other", "repository": None, "actor": None}
        | {"changes": [], "decisions": []},
        candidates=(),
        verdict="refused",
        reason=reason,
        keep_seconds=settings.retention.deliveries,
        remember_seconds=REMEMBER_SECONDS,
    )
    return Refusal(status, reason, facts.event, intake)
