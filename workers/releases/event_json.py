"""An event as `explain` and the contract show it: one shape for all hosts."""

from __future__ import annotations

from typing import Any

from workers.releases.events import Change, Event


def event_json(event: Event) -> dict[str, Any]:
    """Return the event under the names of the contract.

    What a host never says is left out; what it says to be nothing is null. A host puts into
    `event.facts` what its kinds have beyond the common names; facts win over the common names.
    """
    document: dict[str, Any] = {"kind": event.kind}
    if event.repository is not None:
        document["repo"] = event.repository
    if event.default_branch is not None:
        document["default_branch"] = event.default_branch
    if event.kind == "push":
        document |= _push(event)
    return document | event.facts


def _push(event: Event) -> dict[str, Any]:
    changes = [_change(change) for change in event.changes]
    if event.actor is None:
        return {"changes": changes}
    return {"pusher": event.actor, "changes": changes}


def _change(change: Change) -> dict[str, Any]:
    optional = {
        "forced": change.forced,
        "commits_listed": change.commits_listed,
        "truncated": change.truncated,
    }
    return {
        "ref_type": change.ref_type.value,
        "name": change.name,
        "action": change.action,
        "before": change.before,
        "after": change.after,
        "commit": change.commit,
    } | {key: value for key, value in optional.items() if value is not None}
