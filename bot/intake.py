"""From the bytes of a delivery to what is written down: verify, read, decide. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from bot.arrival import arrival_json
from config.settings import Settings
from workers.flow.admission import REMEMBER_SECONDS, intake_of
from workers.flow.triggers import decide
from workers.releases.deliveries import event_of
from workers.releases.events import BadDelivery, BadSignature, DeliveryFacts, Event, UnsupportedMedia
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
    host: Host,
    headers: Headers,
    body: bytes,
    settings: Settings,
    ids: Mapping[str, str] = NO_IDS,
    *,
    sender: str = "",
) -> Intake | Refusal:
    """Return what to write down for a delivery of this host, or why it is refused.

    `ids` are the host's ids of the projects' repositories, as far as they are known, by project; `sender`
    is the address that the delivery came from.
    """
    try:
        signer = host.verify(headers, body)
    except BadSignature as error:
        return ANSWERED_TEST if host.sends_unsigned(headers) else Refusal(401, str(error), "")
    except BadDelivery as error:
        return Refusal(400, str(error), "")
    try:
        facts = host.facts(headers, body)
    except BadDelivery as error:
        return Refusal(400, str(error), "")
    arrival = arrival_json(headers, body, sender, settings.hosts[host.name].fingerprints[signer])
    try:
        event = host.read(headers, body)
    except BadDelivery as error:
        return _refused(400, str(error), facts, arrival, settings)
    except UnsupportedMedia as error:
        return _refused(415, str(error), facts, arrival, settings)
    intake = intake_from(facts, event, settings, ids)
    intake.facts["arrival"] = arrival
    return intake


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


def replayed(
    delivery_id: str, facts: JSON, settings: Settings, *, actor: str, ids: Mapping[str, str] = NO_IDS
) -> Intake:
    """Return what to write down when a person has a stored delivery decided once more.

    It is a delivery of its own, decided by the rules of today, under an id made of the first one's.
    """
    again = DeliveryFacts(str(facts["host"]), f"{delivery_id}~{new_release_id()}"[-128:], str(facts["event"]))
    intake = intake_from(again, event_of(facts), settings, ids)
    return replace(intake, facts={**intake.facts, "replay_of": delivery_id, "replayed_by": actor})


def _refused(status: int, reason: str, facts: DeliveryFacts, arrival: JSON, settings: Settings) -> Refusal:
    """Refuse an authentic delivery; its own id stays free, as the host may send it again, mended."""
    intake = Intake(
        delivery=f"{facts.delivery}~refused",
        facts={"host": facts.host, "event": facts.event, "decisions": [], "arrival": arrival},
        candidates=(),
        verdict="refused",
        reason=reason,
        keep_seconds=settings.retention.deliveries,
        remember_seconds=REMEMBER_SECONDS,
    )
    return Refusal(status, reason, facts.event, intake)
