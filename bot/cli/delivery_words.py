"""A delivery told in plain words: what came, from where, what was decided and why, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_VERDICTS: Final[Mapping[str, str]] = {
    "accepted": "It was accepted",
    "ignored": "It was ignored",
    "duplicate": "It brought nothing new",
    "ping": "It only asked whether somebody listens",
    "refused": "It was refused",
    "asking": "It is not decided yet, the host is being asked",
}
_DECISIONS: Final[Mapping[str, str]] = {"release": "releases", "ignore": "does nothing", "ask": "asks first"}


def told(delivery: Mapping[str, Any], releases: Mapping[str, Mapping[str, Any] | None]) -> Iterator[str]:
    """Yield the lines for a delivery as the API gives it.

    `releases` are its releases by id, None for one that was forgotten meanwhile.
    """
    yield from _what_came(delivery)
    yield f"{_VERDICTS.get(delivery['verdict'], delivery['verdict'])}: {delivery['reason']}"
    for decision in delivery["decisions"]:
        yield from _decided(decision)
    for release_id, release in releases.items():
        yield f"  release {release_id}: {_stands(release)}"
    yield from _what_to_do(delivery, releases)


def _what_came(delivery: Mapping[str, Any]) -> Iterator[str]:
    about = delivery["repository"] or "no repository"
    event = delivery["event"] or "an unnamed event"
    yield f"{delivery['id']}: {event} of {about}, from host {delivery['host']}"
    for change in delivery["changes"]:
        commit = f" to {change['commit'][:12]}" if change["commit"] else ""
        message = f" ({change['message'].splitlines()[0][:80]})" if change.get("message") else ""
        yield f"  {change['action']} {change['ref']}{commit}{message}"
    actor = f" by {delivery['actor']}" if delivery["actor"] else ""
    yield f"  received {delivery['received_at']}{actor}{_origin(delivery)}"
    if delivery["repeats"]:
        times = "once more" if delivery["repeats"] == 1 else f"{delivery['repeats']} times more"
        yield f"  the host sent it {times}"


def _origin(delivery: Mapping[str, Any]) -> str:
    if delivery["replay_of"]:
        return f", a replay of {delivery['replay_of']}"
    if delivery["sender"] is None:
        return ", found by Switchover itself"
    return (
        f" from {delivery['sender'] or 'an unknown address'}: {delivery['size']} bytes, "
        f"SHA-256 {delivery['sha256']}, signed with secret {delivery['signed_by']}"
    )


def _decided(decision: Mapping[str, Any]) -> Iterator[str]:
    verb = _DECISIONS.get(decision["verdict"], decision["verdict"])
    rule = f"projects.{decision['project']}.{decision['rule']}" if decision["rule"] else "a built-in rule"
    yield f"  {decision['project']} {verb}: {decision['reason']}"
    yield f"    decided by {rule}"


def _stands(release: Mapping[str, Any] | None) -> str:
    if release is None:
        return "forgotten, its retention is over"
    return f"{release['project']} #{release['number']} is {release['status']} ({release['reason']})"


def _what_to_do(
    delivery: Mapping[str, Any], releases: Mapping[str, Mapping[str, Any] | None]
) -> Iterator[str]:
    if delivery["verdict"] == "refused":
        yield "What to do: mend what it says, then have the host send it again; its id is still free."
        return
    for release_id, release in releases.items():
        if release is not None and release["status"] in ("failed", "rolled_back"):
            yield f"What to do: try again with: switchover releases retry {release_id}"
    if delivery["verdict"] in ("ignored", "duplicate"):
        yield f"If the rules have changed, replay it with: switchover deliveries replay {delivery['id']}"
