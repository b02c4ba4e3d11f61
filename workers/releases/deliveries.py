"""What is kept of a delivery: how its event is written down, how it is read again, and which are looked for.

Pure. A stored delivery is a JSON object: `id, verdict, reason, releases, received_at` (seconds since 1970),
`repeats`, what `facts_from` returns, and `arrival` where it came from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from workers.releases.event_codec import event_document, event_from_document
from workers.releases.events import Event, RefType
from workers.releases.model import JSON

LONGEST_TEXT: Final = 10_000
"""So many characters of a commit's message or of a comment are kept."""
MOST_PATHS: Final = 1_000
"""A push that changed more files is kept without them; a replay then takes any as changed."""

_SHORTEST_COMMIT: Final = 4


def told_json(event: Event) -> JSON:
    """Return the event as it is kept: whole, but for texts and lists beyond all measure."""
    document = event_document(event)
    for change in document.get("changes", ()):
        if len(change.get("message", "")) > LONGEST_TEXT:
            change["message"] = change["message"][:LONGEST_TEXT]
        if len(change.get("paths") or ()) > MOST_PATHS:
            del change["paths"]
    body = event.facts.get("body")
    if isinstance(body, str) and len(body) > LONGEST_TEXT:
        document["facts"] = {**event.facts, "body": body[:LONGEST_TEXT]}
    return document


def event_of(facts: JSON) -> Event:
    """Return the event that a stored delivery told of, for a replay.

    `before` is empty: admission then does not take it for an event that was merely re-sent, and where its
    release ended badly, a person who replays it gets a new one. The host's time still tells old from new.
    """
    event = event_from_document(facts["told"])
    changes = tuple(replace(change, before="") for change in event.changes)
    return replace(event, changes=changes)


def facts_from(stored: JSON) -> JSON:
    """Return the stored facts of a delivery with what people read of its event.

    These are `kind`, `repository`, `actor`, and `changes`: `ref, action, before, commit, message`.
    """
    told = stored.get("told", {"kind": "other"})
    return {
        **stored,
        "kind": told["kind"],
        "repository": told.get("repository"),
        "actor": told.get("actor"),
        "changes": [_change(change) for change in told.get("changes", ())],
    }


def _change(change: JSON) -> JSON:
    prefix = "tags" if change["ref_type"] == RefType.TAG else "heads"
    return {
        "ref": f"refs/{prefix}/{change['name']}",
        "action": change["action"],
        "before": change.get("before"),
        "commit": change.get("commit"),
        "message": change.get("message"),
    }


def headers_of(delivery: JSON) -> list[tuple[str, str]]:
    """Return the headers that a stored delivery came with: names in lower case, secrets masked."""
    lines = delivery.get("arrival", {}).get("headers", "").split("\n")
    pairs = [line.partition(": ") for line in lines]
    return [(name, value) for name, _, value in pairs if name]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries somebody looks for; None asks for nothing.

    `event` is the host's own name or our kind; `ref` a full name or a short one; `commit` a hash or its first
    four or more digits; `words` are all found somewhere, in any case; `since` and `until` (excluded) are
    seconds since 1970.
    """

    host: str | None = None
    project: str | None = None
    repository: str | None = None
    verdict: str | None = None
    event: str | None = None
    ref: str | None = None
    commit: str | None = None
    words: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None

    def takes(self, delivery: JSON) -> bool:
        """Tell whether a stored delivery is one of these; its time is left to who reads the index."""
        return (
            self.host in (None, delivery["host"])
            and self.verdict in (None, delivery["verdict"])
            and self.event in (None, delivery["event"], delivery["kind"])
            and (self.repository is None or _same(self.repository, delivery["repository"]))
            and (self.project is None or _concerns(delivery, self.project))
            and (self.ref is None or any(_names(self.ref, each["ref"]) for each in delivery["changes"]))
            and (self.commit is None or _has_commit(delivery, self.commit))
            and self._says(delivery)
        )

    def _says(self, delivery: JSON) -> bool:
        if not self.words:
            return True
        text = _text_of(delivery)
        return all(word.casefold() in text for word in self.words)


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.casefold() == other.casefold()


def _concerns(delivery: JSON, project: str) -> bool:
    """Tell whether the delivery was about the project, not merely of its host."""
    return any(each["project"] == project and each["rule"] != "repository" for each in delivery["decisions"])


def _names(wanted: str, ref: str) -> bool:
    return wanted in (ref, ref.removeprefix("refs/heads/"), ref.removeprefix("refs/tags/"))


def _has_commit(delivery: JSON, commit: str) -> bool:
    if len(commit) < _SHORTEST_COMMIT:
        return False
    told = delivery.get("told", {}).get("facts", {})
    known = [each["commit"] for each in delivery["changes"]]
    known += [told.get(name) for name in ("commit", "head", "merge_commit")]
    return any(isinstance(each, str) and each.startswith(commit.lower()) for each in known)


def _text_of(delivery: JSON) -> str:
    """Return everything in a delivery that a person could look for."""
    arrival = delivery.get("arrival", {})
    parts = [delivery["id"], delivery["host"], delivery["event"], delivery["kind"], delivery["verdict"]]
    parts += [delivery["reason"], delivery["repository"], delivery["actor"], delivery.get("replayed_by")]
    parts += [arrival.get("sender"), arrival.get("sha256"), *delivery["releases"]]
    parts += [value for _, value in headers_of(delivery)]
    parts += [value for value in delivery.get("told", {}).get("facts", {}).values() if isinstance(value, str)]
    for change in delivery["changes"]:
        parts += [change["ref"], change["commit"], change["message"]]
    for decision in delivery["decisions"]:
        parts += [decision["project"], decision["reason"], decision["rule"]]
    return "\n".join(part for part in parts if part).casefold()
