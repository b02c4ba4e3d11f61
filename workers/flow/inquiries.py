"""Carrying inquiries out: decide again, ask, settle; and look again later where the answer is not there yet.

Nothing is remembered between two looks but what the store has, so that any worker may do the next one, and
two at once do no harm: the script that ends an inquiry ends it once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from config.projects import ProjectSettings
from workers.errors import Gone, Refused, TryAgain
from workers.flow.admission import REMEMBER_SECONDS, candidates_of, said_of
from workers.flow.asking import ask_host
from workers.flow.ports import GitHost
from workers.flow.remembering import checks_of, ids_of, named_ref, waits_of
from workers.flow.triggers import (
    Answers,
    Decision,
    Green,
    NamedBy,
    NamedRef,
    Question,
    decide,
    settle,
    without_answers,
)
from workers.flow.waiting import back_off
from workers.releases.events import Event
from workers.releases.inquiries import OpenInquiry
from workers.releases.model import JSON

TERM_SECONDS = 60.0
"""An inquiry whose worker died is looked at again after this."""
PATIENCE_SECONDS = 900.0
"""How long a host that does not answer is asked again; CI has the time that its trigger gives it."""
PENDING_SECONDS: Final = (5.0, 60.0)
"""The shortest and the longest time between two looks at CI; between them, 5 % of the time waited."""
MOST_ROUNDS = 4
"""So many questions may follow from one another: a right, a change, its branch, the head of that."""
MOST_LOST = 5
"""An inquiry that was taken so often in a row without any end kills its workers, and is given up."""
MOST_AT_ONCE = 4
"""So many are carried out at once by a process: a host that hangs must not keep releases waiting."""

log = logging.getLogger(__name__)

_COMES_WITH_THE_DELIVERY: Final = frozenset({"push", "release_published", "change_merged"})
"""Kinds of events that name the commit, so that its place among others is that of the delivery."""


class Inquiries(Protocol):
    """Where inquiries stand; every method may raise `StoreAway`."""

    def take(self, inquiry: str, term: float, *, only_called: bool = True) -> OpenInquiry | None:
        """Take an inquiry for `term` seconds; None when it is over, or nobody called for it."""
        ...

    def postpone(
        self,
        inquiry: str,
        wait: float,
        *,
        errors: int,
        reason: str,
        said: str,
        waits: Sequence[JSON],
        keep_seconds: float,
    ) -> bool:
        """Look again in `wait` seconds; False when it is over."""
        ...

    def settle(
        self,
        inquiry: str,
        verdict: str,
        *,
        reason: str,
        said: str,
        candidates: Sequence[JSON],
        remember_seconds: float,
    ) -> tuple[str, ...] | None:
        """End an inquiry and admit its candidates; None when it is over already."""
        ...

    def named(self, project: str, commit: str) -> Sequence[JSON]:
        """Return what pushes set to the commit, newest first."""
        ...

    def green(self, project: str, commit: str) -> tuple[str, ...]:
        """Return the checks that events told to be green."""
        ...

    def tips(self, project: str, refs: Sequence[str]) -> Mapping[str, str]:
        """Return the newest commit of each ref on which CI is awaited."""
        ...


class KnownIds(Protocol):
    """Where the ids of repositories stand."""

    def all(self) -> Mapping[str, str]:
        """Return every id by its field."""
        ...


@dataclass(frozen=True, slots=True)
class Later:
    """The answer is not there yet: look again in `wait` seconds."""

    decision: Decision
    wait: float
    errors: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Over:
    """The decision is made."""

    decision: Decision


class NobodyToAsk(Refused):
    """The settings name no token for the host, or its driver cannot ask; the rules say so themselves."""


Ask = Callable[[Question[Any]], object]
"""Asks a question; raises `TryAgain`, `Refused`, `Gone`, `NobodyToAsk`."""


def find_out(decision: Decision, ask: Ask, *, waited: float, errors: int, jitter: float) -> Later | Over:
    """Ask what the decision asks, round by round, and say what it comes to. Nothing but `ask` acts.

    `waited` is how long (seconds) it was asked about, `errors` how often in a row the host failed.
    """
    known: dict[Question[Any], object] = {}
    troubles: list[str] = []
    for _ in range(MOST_ROUNDS):
        if decision.verdict != "ask":
            break
        for question in decision.questions:
            if question in known or (errors and waited >= patience(question)):
                continue
            try:
                known[question] = ask(question)
            except TryAgain as error:
                if waited < patience(question):
                    left = patience(question) - waited
                    wait = min(back_off(errors + 1, error.wait, jitter), left)
                    return Later(decision, wait, errors + 1, str(error))
                troubles.append(str(error))
            except (Refused, Gone) as error:
                troubles += [] if isinstance(error, NobodyToAsk) else [str(error)]
        late = any(isinstance(each, Green) and waited >= patience(each) for each in decision.questions)
        decision = settle(decision, Answers(known), late=late)
        if decision.verdict == "ask" and all(question in known for question in decision.questions):
            return Later(decision, next_look_at_ci(decision, waited))
    return Over(_with(troubles, without_answers(decision)))


def patience(question: Question[Any]) -> float:
    """Return for how long (seconds) an answer is waited for."""
    return question.within if isinstance(question, Green) else PATIENCE_SECONDS


def next_look_at_ci(decision: Decision, waited: float) -> float:
    """Return the seconds until CI is looked at again; the last look is when its time is over."""
    shortest, longest = PENDING_SECONDS
    left = min(patience(question) for question in decision.questions) - waited
    return max(min(max(waited * 0.05, shortest), longest, left), 0.1)


def _with(troubles: Sequence[str], decision: Decision) -> Decision:
    if not troubles:
        return decision
    said = "; ".join(dict.fromkeys(troubles))
    return replace(decision, reason=f"{decision.reason} (asked, the host gave no answer: {said})")


class Inquirer:
    """Carries inquiries out. One look makes a few calls of the host, and none when it cannot be asked."""

    def __init__(
        self,
        *,
        store: Inquiries,
        ids: KnownIds,
        hosts: Callable[[str], GitHost | None],
        projects: Callable[[], Mapping[str, ProjectSettings]],
        drivers: Callable[[], Mapping[str, str]],
        api_urls: Callable[[], Mapping[str, str | None]],
        keep_seconds: Callable[[], float],
        jitter: Callable[[], float],
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._store = store
        self._ids = ids
        self._hosts = hosts
        self._projects = projects
        self._drivers = drivers
        self._api_urls = api_urls
        self._keep_seconds = keep_seconds
        self._jitter = jitter
        self._turns = threading.BoundedSemaphore(most_at_once)

    def look(self, inquiry: str, *, only_called: bool = True) -> None:
        """Carry an inquiry on as far as it goes now; raises `StoreAway`. It is due again by itself."""
        if not self._turns.acquire(blocking=False):
            return
        try:
            taken = self._store.take(inquiry, TERM_SECONDS, only_called=only_called)
            if taken is not None:
                self._carry_on(taken)
        finally:
            self._turns.release()

    def _carry_on(self, taken: OpenInquiry) -> None:
        project = self._projects().get(taken.project)
        if taken.lost >= MOST_LOST:
            return self._give_up(taken, f"it was begun {taken.lost} times and never came to an end")
        if project is None or project.host != taken.facts.host:
            return self._give_up(taken, f"project {taken.project} is no longer configured for this host")
        try:
            event = taken.event
        except ValueError as error:
            return self._give_up(taken, f"{error}; have the host send it again")
        self._look_at(taken, project, event)
        return None

    def _give_up(self, taken: OpenInquiry, reason: str) -> None:
        self._end(taken, Decision(taken.project, "ignore", reason), [])

    def _look_at(self, taken: OpenInquiry, project: ProjectSettings, event: Event) -> None:
        left, overtaken = self._not_overtaken(event, project)
        if overtaken and not left.changes:
            return self._give_up(taken, overtaken)
        known_id = ids_of(self._ids.all(), [project])
        named: list[NamedRef] = []

        def ask(question: Question[Any]) -> object:
            if isinstance(question, NamedBy):
                green = self._store.green(project.name, question.commit)
                documents = self._store.named(project.name, question.commit)
                named.extend(named_ref(each, now=taken.now, green=green) for each in documents)
                return tuple(named)
            host = self._host(project.host)
            repository = left.repository_id or known_id.get(project.name) or left.repository
            return ask_host(host, repository or project.repository, question)

        told = checks_of(left, [project], known_id)
        if told and told[0]["name"] not in self._store.green(project.name, told[0]["commit"]):
            return self._give_up(taken, f"{told[0]['name']} was a success, but is none any more")
        (decision,) = decide(left, [project], known_id)
        found = find_out(decision, ask, waited=taken.waited, errors=taken.errors, jitter=self._jitter())
        if overtaken:
            reason = f"{found.decision.reason}; {overtaken}"
            found = replace(found, decision=replace(found.decision, reason=reason))
        if isinstance(found, Later):
            return self._postpone(taken, left, found)
        candidates = candidates_of(
            found.decision,
            project,
            taken.facts,
            left,
            driver=self._drivers().get(project.host, ""),
            api_url=self._api_urls().get(project.host),
        )
        self._end(taken, found.decision, _placed(candidates, taken, left, named))
        return None

    def _not_overtaken(self, event: Event, project: ProjectSettings) -> tuple[Event, str]:
        """Return the push without what newer pushes replaced while CI was awaited, and the words for that."""
        refs = [change.ref for change in event.changes]
        tips = self._store.tips(project.name, refs) if refs and event.kind == "push" else {}
        old = [each for each in event.changes if tips.get(each.ref, each.commit) != each.commit]
        if not old:
            return event, ""
        words = [
            f"{each.ref}: {(each.commit or '')[:12]} gave way, since the newer {tips[each.ref][:12]} "
            "came before its CI was green"
            for each in old
        ]
        left = tuple(each for each in event.changes if each not in old)
        return replace(event, changes=left), "; ".join(words)

    def _host(self, name: str) -> GitHost:
        try:
            host = self._hosts(name)
        except ValueError as error:
            raise Refused(f"hosts.{name} cannot be asked: {error}") from None
        if host is None:
            raise NobodyToAsk(f"hosts.{name} has no token, or its driver cannot ask")
        return host

    def _postpone(self, taken: OpenInquiry, event: Event, found: Later) -> None:
        decision = found.decision
        if found.trouble:
            words = (
                f"{decision.reason}; asked again in {found.wait:.0f} s, as the host failed: {found.trouble}"
            )
            decision = replace(decision, reason=words)
        self._store.postpone(
            taken.id,
            found.wait,
            errors=found.errors,
            reason=decision.reason,
            said=said_of(decision),
            # Before the host told that CI is under way, its events are inquiries of their own.
            waits=[] if found.trouble else waits_of(event, found.decision),
            keep_seconds=self._keep_seconds(),
        )

    def _end(self, taken: OpenInquiry, decision: Decision, candidates: Sequence[JSON]) -> None:
        self._store.settle(
            taken.id,
            decision.verdict,
            reason=decision.reason,
            said=said_of(decision),
            candidates=candidates,
            remember_seconds=REMEMBER_SECONDS,
        )
        log.debug("inquiry %s: %s: %s", taken.id, decision.verdict, decision.reason)


def _placed(
    candidates: Sequence[JSON], taken: OpenInquiry, event: Event, named: Sequence[NamedRef]
) -> list[JSON]:
    """Give each candidate whose commit came with a delivery the moment (ms) at which that came."""
    ages = {each.ref: each.age for each in reversed(named) if each.age is not None}
    placed = []
    for each in candidates:
        arrived = taken.asked_at if event.kind in _COMES_WITH_THE_DELIVERY else None
        if each["ref"] in ages:
            arrived = taken.now - ages[each["ref"]]
        placed.append(each if arrived is None else each | {"arrived": f"{arrived * 1000:.0f}"})
    return placed
