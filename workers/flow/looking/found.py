"""Writing down what a look found: a delivery of its own, which passes the same rules and admission."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from config.projects import ProjectSettings
from config.settings import Settings
from workers.errors import Refused
from workers.flow.admission import Stood, intake_of
from workers.flow.asking import ask_host
from workers.flow.ports import GitHost
from workers.flow.remembering import ids_of
from workers.flow.triggers import (
    Answers,
    ChangedPaths,
    Decision,
    DefaultBranch,
    HeadOfBranch,
    Question,
    decide,
    settle,
)
from workers.releases.events import DeliveryFacts, Event
from workers.releases.intake import Intake, Verdict

MOST_ROUNDS = 4
"""A decision asks at most three times in a row."""
_OWN = (ChangedPaths, DefaultBranch, HeadOfBranch)


Ids = Callable[[], Mapping[str, str]]
"""Tells the ids of the projects' repositories, by field; `StoreAway`."""


class Admitting(Protocol):
    """Where deliveries are written down (`workers.store.intake.IntakeStore`)."""

    def accept(self, intake: Intake) -> Verdict:
        """Write a delivery and its releases down; one that came before is a duplicate."""
        ...


def delivery_id(kind: str, host: str, *parts: str) -> str:
    """Return the id of what a look found: the same find has the same id, whoever makes it."""
    text = "\0".join((host, *parts))
    return f"{kind}~{host}~{hashlib.sha256(text.encode()).hexdigest()[:32]}"


class Admission:
    """From an event that a look made to its verdict."""

    def __init__(self, settings: Callable[[], Settings], store: Admitting, ids: Ids) -> None:
        self._settings = settings
        self._store = store
        self._ids = ids

    def admit(
        self,
        facts: DeliveryFacts,
        event: Event,
        projects: Sequence[ProjectSettings],
        *,
        stood: Stood,
        host: GitHost | None,
    ) -> Verdict:
        """Decide for these projects, ask the host what it can answer at once, and write it all down.

        `stood` is what was last accepted on the refs, read before the host was asked where they are. Raises
        what the host raises when it may answer later (`TryAgain`), or the repository is gone (`Gone`).
        """
        settings = self._settings()
        # Another repository may have taken the name.
        ids = ids_of(self._ids(), projects)
        decisions = [
            answered(decision, host, event.repository or "") for decision in decide(event, projects, ids)
        ]
        own = settings.hosts.get(facts.host)
        return self._store.accept(
            intake_of(
                facts,
                event,
                decisions,
                {project.name: project for project in projects},
                keep_seconds=settings.retention.deliveries,
                driver=own.driver if own else "",
                api_url=own.api_url if own else None,
                ids=ids,
                stood=stood,
            )
        )


def answered(decision: Decision, host: GitHost | None, repository: str) -> Decision:
    """Return the decision with what the host answers at once; CI, which may take hours, stays a question."""
    for _ in range(MOST_ROUNDS):
        if not decision.questions or not all(isinstance(each, _OWN) for each in decision.questions):
            break
        decision = settle(decision, Answers(_answers(decision.questions, host, repository)))
    return decision


def _answers(
    questions: Sequence[Question[Any]], host: GitHost | None, repository: str
) -> dict[Question[Any], object]:
    found: dict[Question[Any], object] = {}
    if host is None:
        return found
    for question in questions:
        try:
            found[question] = ask_host(host, repository, question)
        except Refused:  # nobody can answer it, and the decision takes the safe way
            continue
    return found
