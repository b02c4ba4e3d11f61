"""switch: read, modify, verify the production domain's connections. The intent is the point of no return."""

from __future__ import annotations

from dataclasses import dataclass, replace

from config.projects import ProjectSettings
from workers.flow import late
from workers.flow.connections import Routes, in_words, on_paths, same, with_ours
from workers.flow.outcomes import Call, Done, Fail, Note, Outcome, Settled, Wait
from workers.flow.turn import Turn
from workers.releases.codec import dumps
from workers.releases.model import JSON, Cause
from workers.releases.probing import ProbeSpec
from workers.releases.sent import SentMap

CONNECT_SECONDS = 2.0
"""Time-out of the switch's own call; shorter than the lease, so that it ends before the lease can pass on."""
SETTLE_SECONDS = 15.0
"""A connect call without an answer may still be carried out for so long."""
GOOD_PROBES = 5
"""So many good probes in a row must come before the PUT where anything was live."""
UNHEALTHY_BEFORE_SECONDS = 10.0
"""Production that was not well for so long before the switch does not keep a fix away."""
PUT_TRIES = 3


@dataclass(frozen=True, slots=True)
class Switch:
    """Watch production, lock the target, read the domain afresh, put our workspace on our paths, verify."""

    name: str = "switch"

    def timeout(self, project: ProjectSettings) -> float:
        """Return five minutes: everything here is quick, or blocked, or a platform that is away."""
        return 300.0

    def look(self, turn: Turn) -> Outcome:
        """Do the next of: watch, wait for good probes, lock, put, confirm."""
        if not turn.scratch.get("watched"):
            return Note(scratch={"watched": True}, effects={"watch": probe_spec(turn.project).to_json()})
        if turn.scratch.get("put"):
            return _confirm(turn)
        unready = _unready(turn)
        if unready is not None:
            return unready
        if not turn.scratch.get("locked"):
            return Note(scratch={"locked": True}, effects={"lock": turn.place.key})
        return _put(turn)

    def settle(self, turn: Turn) -> Outcome:
        """Find out by a read whether the PUT took effect."""
        current = connections_now(turn)
        if same(current, turn.intent.data["to"]):
            return Settled(scratch={"put": True}, effects=late.took_effect(turn.intent.data))
        if not same(current, turn.intent.data["from"]):
            sent = late.recognised(turn, current)
            return _foreign(turn, current) if sent is None else Settled(text=late.in_sentence(sent))
        if turn.may_still_take_effect:
            return Wait("the switch call went unanswered; reading the domain until it is settled")
        return Settled(text="the unanswered switch call took no effect; switching again")

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Fail; where a PUT may have gone out, nobody knows what production leads to: hold the lane."""
        unknown = turn.release.intent is not None or bool(turn.scratch.get("put"))
        return Fail(
            cause,
            f"switch did not end within 5m; last seen: {last}",
            hold=f"what {turn.project.target.domain} leads to is unknown since the switch of release "
            f"#{turn.release.number}: check it, then release the hold"
            if unknown
            else None,
            effects=over(turn),
        )


def over(turn: Turn) -> JSON:
    """Return the effects that end every switch, well or badly."""
    return {"unlock": turn.place.key, "unwatch": True}


def probe_spec(project: ProjectSettings) -> ProbeSpec:
    """Return how production is probed."""
    return ProbeSpec(
        url=project.target.public_url.rstrip("/") + project.verify.path,
        status=project.verify.status,
        every=project.observe.every,
        timeout=2.0,
        failures=project.observe.failures,
    )


def connections_now(turn: Turn) -> dict[str, list[int]]:
    """Read what the domain has on our paths now."""
    domain = turn.platform.domain(turn.place.team_id, turn.project.target.domain)
    return on_paths(domain.connections, turn.project.target.paths)


def ours_of(turn: Turn) -> dict[str, list[int]]:
    """Return what shall stand on our paths: the release's workspace on each."""
    return {path: [turn.workspace.id] for path in turn.project.target.paths}


def connect(
    turn: Turn,
    kind: str,
    why: str,
    current: Routes,
    wanted: Routes,
    whole: Routes,
    *,
    effects: JSON,
    over: SentMap | None = None,
    noted: str = "put",
) -> Call:
    """Return the call that puts `wanted` on our paths; `whole` is the map as it was just read.

    `over` is the late call that put what stands there now, `noted` what the step calls its own success.
    """
    sent = late.as_sent(turn, kind, with_ours(whole, turn.project.target.paths, wanted))
    place, target = turn.place, turn.project.target
    merged = {path: tuple(ids) for path, ids in with_ours(whole, target.paths, wanted).items()}

    def send() -> JSON:
        answer = turn.platform.connect(place.team_id, target.domain, merged, timeout=CONNECT_SECONDS)
        # Only an answered call counts as a try: a busy platform is asked again until the step's deadline.
        puts = int(turn.scratch.get("puts", 0)) + 1
        return {"scratch": {noted: same(on_paths(answer.connections, target.paths), wanted), "puts": puts}}

    return Call(
        kind,
        why,
        send=send,
        settle_seconds=SETTLE_SECONDS,
        data={"from": current, "to": wanted, "target": place.key, "sent": sent.text},
        scratch={} if over is None else {"late": over.text},
        effects={**effects, **late.sending(place.key, sent)},
        at_most=CONNECT_SECONDS,
    )


def _unready(turn: Turn) -> Wait | None:
    """Wait for good probes where anything is live, but not for ever: the release may be the cure."""
    if not turn.memory.get("snapshot"):
        return None
    tally = turn.tally
    if tally is None or tally.first_at is None:
        return Wait("waiting for the first probe of production", after=0.2)
    if tally.good_in_a_row >= GOOD_PROBES or turn.now - tally.first_at >= UNHEALTHY_BEFORE_SECONDS:
        return None
    return Wait(f"{tally.good_in_a_row} of {GOOD_PROBES} good probes of production", after=0.2)


def _put(turn: Turn) -> Outcome:
    target = turn.project.target
    whole = turn.platform.domain(turn.place.team_id, target.domain).connections
    current, ours = on_paths(whole, target.paths), ours_of(turn)
    if same(current, ours):
        return _put_already(turn)
    known = [turn.memory["snapshot"]]
    if turn.lane.connections is not None:
        known.append(on_paths(turn.lane.connections, target.paths))
    sent: SentMap | None = None
    if not any(same(current, expected) for expected in known):
        sent = late.recognised(turn, current)
        if sent is None:
            return _foreign(turn, current)
    if int(turn.scratch.get("puts", 0)) >= PUT_TRIES:
        return Fail(
            Cause.REFUSED,
            f"the platform took the connections of {target.domain} {PUT_TRIES} times and does not show them",
            effects=over(turn),
        )
    why = f"switching {target.domain} to {in_words(ours)}"
    if sent is not None:
        why = f"{why}; {late.in_sentence(sent)}"
    effects: JSON = {"switch": turn.place.key, "by_person": turn.release.by_person}
    call = connect(turn, "connect", why, current, ours, whole, effects=effects, over=sent)
    former = current if sent is None else _former(turn)
    return replace(call, memory={"former": former}, refused=lambda why: _refused(turn, why))


def _former(turn: Turn) -> Routes:
    """Return what stood on our paths before a late call came over it."""
    former: Routes | None = turn.memory.get("former")
    if former is None:
        former = late.standing(turn)
    return turn.memory["snapshot"] if former is None else former


def _put_already(turn: Turn) -> Note:
    """Only this release knows its workspace: the store failed over to an older copy and lost our own PUT."""
    if turn.memory.get("former") is not None:
        return Note(scratch={"put": True})
    return Note(
        scratch={"put": True},
        memory={"former": turn.memory["snapshot"]},
        text=f"{turn.project.target.domain} leads to this release already; the store has lost the switch",
        effects={"switch": turn.place.key, "by_person": turn.release.by_person},
    )


def _refused(turn: Turn, why: str) -> Fail:
    """The platform refused the switch itself, so production leads where it led before."""
    return Fail(Cause.REFUSED, why, effects=over(turn))


def _confirm(turn: Turn) -> Outcome:
    current, ours, former = connections_now(turn), ours_of(turn), turn.memory.get("former", {})
    if same(current, ours):
        return Done(
            f"{turn.project.target.domain} leads {in_words(ours)}",
            memory={"switched_at": turn.now},
            effects={"connections": dumps(ours), **late.put_right(turn, ours)},
        )
    if same(current, former):
        return Note(
            scratch={"put": False}, text="the platform took the switch but shows the former connections"
        )
    sent = late.recognised(turn, current)
    if sent is not None:
        return Note(scratch={"put": False}, text=late.in_sentence(sent))
    return _foreign(turn, current)


def _foreign(turn: Turn, current: Routes) -> Fail:
    """Somebody else changed our paths: their change stands, ours stops."""
    return Fail(
        Cause.CONFIGURATION,
        f"somebody changed {turn.project.target.domain} meanwhile: it leads {in_words(current)}, and this "
        f"release began from {in_words(turn.memory['snapshot'])}; retry it to start from what is there now",
        effects={**over(turn), "drift": dumps(current)},
    )
