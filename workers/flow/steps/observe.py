"""observe: watch production after the switch; put the former connections back when it fails."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from config.projects import ProjectSettings
from workers.errors import PlatformError
from workers.flow import late
from workers.flow.connections import Routes, in_words, on_paths, same
from workers.flow.outcomes import Done, Fail, Note, Outcome, Settled, TakenBack, Wait
from workers.flow.steps.switch import connect, connections_now, ours_of, over
from workers.flow.turn import Turn
from workers.releases.codec import dumps
from workers.releases.model import Cause

GRACE_SECONDS = 120.0
"""On top of the configured time: for a prober that died to be replaced, or connections to be put back."""
RECENT_SECONDS = 2.0
"""Observing ends well only while somebody is looking: a good probe must not be older than this."""
ANSWER_SECONDS = 5.0
FIRST_ANSWER_SECONDS = 30.0
"""A domain that led nowhere may take so long to answer for the first time."""


@dataclass(frozen=True, slots=True)
class Observe:
    """Live after so long without trouble; otherwise back, verified."""

    name: str = "observe"

    def timeout(self, project: ProjectSettings) -> float:
        """Return the configured time and some grace."""
        return project.observe.duration + GRACE_SECONDS

    def look(self, turn: Turn) -> Outcome:
        """Judge what the probes saw since the switch."""
        if turn.scratch.get("put"):
            return _confirm_return(turn)
        trouble = turn.scratch.get("trouble") or _trouble(turn)
        if trouble:
            return _take_back(turn, str(trouble))
        return _well(turn)

    def settle(self, turn: Turn) -> Outcome:
        """Find out by a read whether the return took effect."""
        current = connections_now(turn)
        if same(current, turn.intent.data["to"]):
            back = {"put": True} if turn.intent.kind == "return" else {}
            return Settled(scratch=back, effects=late.took_effect(turn.intent.data))
        if not same(current, turn.intent.data["from"]):
            sent = late.recognised(turn, current)
            if sent is not None:
                return Settled(text=late.in_sentence(sent))
            return _changed(turn, current)
        if turn.may_still_take_effect:
            return Wait(f"the call to {turn.intent.kind} went unanswered; reading the domain", after=0.5)
        return Settled(text="the unanswered call took no effect; calling again")

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Nobody could prove the new version in time: what cannot be observed is taken back, once."""
        if turn.scratch.get("trouble"):
            message = f"the former connections could not be put back in time; last seen: {last}"
            return _failed(turn, message, cause)
        if turn.scratch.get("put") or turn.release.intent is not None:
            return _failed(turn, f"observe did not end in time; last seen: {last}", cause)
        trouble = "nobody could watch production in time"
        if cause is Cause.TRANSIENT:
            trouble = f"the platform did not confirm the switch in time; last seen: {last}"
        return Note(scratch={"trouble": trouble, "patience_from": turn.now})


def _trouble(turn: Turn) -> str | None:
    if turn.tally is None:
        return None
    since = turn.memory["switched_at"]
    # Where nothing stood before, no old version answers while the gateway still follows.
    never_answered = not turn.memory.get("former") and not turn.tally.good_since(since)
    if never_answered and turn.now - since < FIRST_ANSWER_SECONDS:
        return None
    failed = turn.tally.failed_in_a_row_since(since)
    if failed < turn.project.observe.failures:
        return None
    return f"{failed} probes of production failed in a row after the switch ({turn.tally.last_failure})"


def _well(turn: Turn) -> Outcome:
    observe, since = turn.project.observe, turn.memory["switched_at"]
    left = since + observe.duration - turn.now
    if left > 0:
        with suppress(PlatformError):  # what cannot be read now is read at the end
            astray = _astray(turn)
            if astray is not None:
                return astray
        return Wait(f"watching production for {observe.duration:g}s", after=min(left, 1.0))
    recent = max(since, turn.now - max(RECENT_SECONDS, 5 * observe.every))
    if turn.tally is None or not turn.tally.good_since(recent):
        return Wait("waiting for a good probe of production", after=0.2)
    if failing := turn.tally.failed_in_a_row_since(since):
        # Whether these are too many is not known yet: the time must not end while it is being decided.
        return Wait(f"the last probes of production failed ({failing}); watching on", after=0.2)
    astray = _astray(turn)
    if astray is not None:
        return astray
    current = connections_now(turn)
    if not same(current, ours_of(turn)):
        return _changed(turn, current)
    good = turn.tally.good_since(since)
    return Done(f"{good} good answers from production since the switch", effects=over(turn))


def _astray(turn: Turn) -> Outcome | None:
    """Return what puts a late call of ours right; None when none stands there.

    What somebody else put there is judged at the end: they may be about to take it back.
    """
    target, ours = turn.project.target, ours_of(turn)
    whole = turn.platform.domain(turn.place.team_id, target.domain).connections
    current = on_paths(whole, target.paths)
    if same(current, ours):
        told = late.put_right(turn, ours)
        return Note(scratch={"late": None}, effects=told) if told else None
    sent = late.recognised(turn, current)
    if sent is None:
        return None
    why = f"{late.in_sentence(sent)}; putting {target.domain} right: {in_words(ours)}"
    lock = {"lock": turn.place.key}
    return connect(turn, "repair", why, current, ours, whole, effects=lock, over=sent, noted="repaired")


def _changed(turn: Turn, current: Routes) -> Fail:
    failed = _failed(turn, f"somebody changed {turn.project.target.domain}: it leads {in_words(current)}")
    return replace(failed, effects={**failed.effects, "drift": dumps(current)})


def _take_back(turn: Turn, trouble: str) -> Outcome:
    if not turn.scratch.get("trouble"):
        return Note(scratch={"trouble": trouble}, text=trouble)
    former: Routes = turn.memory.get("former", {})
    if not turn.project.observe.rollback:
        return _failed(turn, f"{trouble}; observe.rollback is off, so the new version stays connected")
    if not former:
        return _failed(turn, f"{trouble}; nothing stood there before, so there is nothing to go back to")
    whole = turn.platform.domain(turn.place.team_id, turn.project.target.domain).connections
    current = on_paths(whole, turn.project.target.paths)
    if same(current, former):
        return Note(scratch={"put": True})
    sent = None if same(current, ours_of(turn)) else late.recognised(turn, current)
    if sent is None and not same(current, ours_of(turn)):
        return _failed(turn, f"{trouble}; somebody changed the domain since: it leads {in_words(current)}")
    silent = _silent(turn, former)
    if silent is not None:
        return _failed(turn, f"{trouble}; the former version does not answer either ({silent})")
    why, lock = f"putting back {in_words(former)}", {"lock": turn.place.key}
    return connect(turn, "return", why, current, former, whole, effects=lock, over=sent)


def _silent(turn: Turn, former: Routes) -> str | None:
    """Return why no former workspace can serve, or None when one answers on its own address.

    A sign-in page of a restricted workspace is an answer: what stood there before was served through the
    domain, not through that address.
    """
    fault = "it has no workspace"
    for workspace_id in dict.fromkeys(id_ for ids in former.values() for id_ in ids):
        try:
            address = turn.platform.workspace(workspace_id).address
            if address is None:
                return None
            answer = turn.web.get(address.rstrip("/") + turn.project.verify.path, timeout=ANSWER_SECONDS)
        except PlatformError as error:
            fault = str(error)
            continue
        if answer.status < 500 and answer.status not in (404, 429):
            return None
        fault = f"workspace {workspace_id} answered {answer.status}"
    return fault


def _confirm_return(turn: Turn) -> Outcome:
    former: Routes = turn.memory.get("former", {})
    current = connections_now(turn)
    if not same(current, former):
        return Note(scratch={"put": False}, text="the platform took the return but does not show it yet")
    return TakenBack(
        f"{turn.scratch.get('trouble')}; {turn.project.target.domain} leads {in_words(former)} again",
        effects={
            **over(turn),
            "connections": dumps(former),
            "bar": turn.release.commit,
            **late.put_right(turn, former),
        },
    )


def _failed(turn: Turn, message: str, cause: Cause = Cause.APPLICATION) -> Fail:
    return Fail(
        cause,
        message,
        hold=f"release #{turn.release.number} failed in production and was not taken back: {message}",
        effects=over(turn),
    )
