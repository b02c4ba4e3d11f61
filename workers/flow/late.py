"""Switch calls that nobody answered: written down as they are sent, recognised when they arrive late. Pure.

A call that was answered has been carried out and cannot come any more. One that was not may arrive whenever
a stopped worker goes on, or the platform gets to it; what it puts was allowed when it was sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers.flow.connections import Routes, in_words, on_paths, same
from workers.flow.turn import Turn
from workers.releases.model import JSON
from workers.releases.sent import KEPT_SECONDS, MOST_KEPT, SentMap, sent_from


def as_sent(turn: Turn, kind: str, whole: Routes) -> SentMap:
    """Return what is written down of a call that puts `whole`."""
    release = turn.release
    routes = {path: list(ids) for path, ids in whole.items()}
    return SentMap(release.id, release.number, release.lane, kind, turn.now, routes)


def sending(target: str, sent: SentMap) -> JSON:
    """Return the effects that write a call down together with its intent."""
    kept = {"target": target, "text": sent.text, "keep": int(KEPT_SECONDS * 1000), "most": MOST_KEPT}
    return {"sends": kept}


def answered(data: JSON) -> JSON:
    """Return the effects of an answer to the call of an intent with this data: it cannot come any more."""
    return {"came": [data["target"], data["sent"], ""]} if "sent" in data else {}


def took_effect(data: JSON) -> JSON:
    """Return the effects of seeing that an unanswered call was carried out."""
    return _arrived(data["target"], data["sent"]) if "sent" in data else {}


def recognised(turn: Turn, current: Routes, target: str | None = None) -> SentMap | None:
    """Return the unanswered call that put what stands on our paths now, or None when it was none of ours.

    `target` is the target's key, where the release has not noted its place yet.
    """
    unanswered = turn.unanswered(target or turn.place.key)
    return among(unanswered, current, turn.project.target.paths)


def among(unanswered: Sequence[SentMap], current: Routes, paths: Sequence[str]) -> SentMap | None:
    """Return the newest of these calls that put `current` on these paths, or None."""
    return next((sent for sent in unanswered if same(on_paths(sent.routes, paths), current)), None)


def standing(turn: Turn) -> Routes | None:
    """Return what should stand on our paths while no release of the lane is at its switch."""
    routes = turn.lane.standing
    return None if routes is None else on_paths(routes, turn.project.target.paths)


def in_sentence(sent: SentMap) -> str:
    """Return what happened, for the history."""
    return f"a switch call of release #{sent.number} that was never answered ({sent.kind}) took effect late"


def put_right(turn: Turn, right: Routes) -> JSON:
    """Return the effects of a late call being put right, where this step noted one (`scratch["late"]`)."""
    text = turn.scratch.get("late")
    if not text:
        return {}
    sent = sent_from(text)
    domain = turn.project.target.domain
    led = in_words(on_paths(sent.routes, turn.project.target.paths))
    told = f"{in_sentence(sent)}: {domain} led {led}, and was put right: it leads {in_words(right)}"
    return {**_arrived(turn.place.key, text), "put_right": told}


def given_up(turn: Turn) -> JSON:
    """Return the effects of a late call that could not be put right: it is not tried without end."""
    text = turn.scratch.get("late")
    return _arrived(turn.place.key, text) if text else {}


def held_for(turn: Turn, workspace_id: int) -> float:
    """Return for how many seconds unanswered calls keep a workspace from being deleted."""
    return max((sent.holds(workspace_id, turn.now) for sent in turn.unanswered(turn.place.key)), default=0.0)


def _arrived(target: str, text: str) -> JSON:
    after = sent_from(text).after_arrival
    return {"came": [target, text, "" if after is None else after.text]}
