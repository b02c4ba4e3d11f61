"""The words of an inquiry: what has to be found out before one project's decision on a delivery is made."""

from __future__ import annotations

from dataclasses import dataclass

from workers.releases.event_codec import event_document, event_from_document
from workers.releases.events import DeliveryFacts, Event
from workers.releases.model import JSON


def inquiry_id(delivery: str, project: str) -> str:
    """Return the name of the inquiry of a delivery and a project. No delivery's id has a slash."""
    return f"{delivery}/{project}"


@dataclass(frozen=True, slots=True)
class OpenInquiry:
    """An inquiry that a worker has taken. Times are the store's, in seconds."""

    id: str
    document: JSON
    asked_at: float
    now: float
    errors: int
    """How often in a row the host could not be asked."""
    lost: int
    """How often in a row it was taken and nothing came of it."""

    @property
    def project(self) -> str:
        """Return the name of the project."""
        return self.id.partition("/")[2]

    @property
    def waited(self) -> float:
        """Return the seconds since it was asked first."""
        return max(0.0, self.now - self.asked_at)

    @property
    def facts(self) -> DeliveryFacts:
        """Return what the delivery's headers said."""
        return DeliveryFacts(
            str(self.document["host"]), self.id.partition("/")[0], str(self.document["event_name"])
        )

    @property
    def event(self) -> Event:
        """Return the event; ValueError when it cannot be read."""
        return event_from_document(self.document["event"])


def inquiry_document(facts: DeliveryFacts, event: Event) -> JSON:
    """Return what is written down of an inquiry: all that the decision is made of again."""
    return {"host": facts.host, "event_name": facts.event, "event": event_document(event)}
