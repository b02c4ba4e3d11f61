"""Deliveries: writing them down together with what they make, and reading them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import redis
import redis.asyncio
from pydantic_core import to_json

from workers.errors import NotFound
from workers.releases.deliveries import Wanted, facts_from
from workers.releases.intake import Intake, Verdict
from workers.releases.model import JSON
from workers.store.batches import BatchedScript
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset, source

PAGE = 100
MOST_READ = 5_000
"""How many deliveries one page looks through at the most; they are read `PAGE` at a time."""

ANY = Wanted()
"""Every delivery."""


class AsyncIntakeStore:
    """Writes deliveries down, for the receiver."""

    def __init__(self, client: redis.asyncio.Redis, *, offset: Offset = no_offset) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding
        self._offset = offset
        self._script = BatchedScript(client, "accept", offset)
        self._sent: set[str] = set()

    async def used(self, host: str, fingerprint: str) -> None:
        """Note that a delivery of the host was verified with a secret just now; `StoreAway`."""
        with store_errors():
            await self._client.eval(source("used"), 0, self._offset(), host, fingerprint)

    async def accept(self, intake: Intake) -> Verdict:
        """Write a delivery and its releases in one round trip; `StoreAway` when nothing was written.

        Settings that this process has sent before are not sent again; a store that lost them asks for them,
        having written nothing.
        """
        answer = await self._script.run(_delivery_of(intake, self._sent))
        if answer[0] == "settings":
            answer = await self._script.run(_delivery_of(intake))
        for candidate in intake.candidates:
            self._sent.add(candidate["config"])
        return _verdict(answer)


class IntakeStore:
    """The same for the commands, and reading."""

    def __init__(self, client: redis.Redis, *, offset: Offset = no_offset) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding
        self._scripts = Scripts(client, offset)

    def accept(self, intake: Intake) -> Verdict:
        """Write a delivery and its releases in one round trip; `StoreAway` when nothing was written."""
        return _verdict(self._scripts.run("accept", to_json([_delivery_of(intake)]))[0])

    def delivery(self, delivery_id: str) -> JSON:
        """Return one delivery with its verdict, or raise `NotFound`."""
        with store_errors():
            fields = self._client.hgetall(key("delivery", delivery_id))
        if not fields:
            raise NotFound(f"there is no delivery {delivery_id}")
        return _delivery(delivery_id, fields)

    def page(self, *, limit: int, before: int | None, wanted: Wanted = ANY) -> tuple[list[JSON], int | None]:
        """Return deliveries newest first, and the time (us) to go on before (None at the end).

        At most `MOST_READ` deliveries are looked through, `PAGE` at a time; a page may then be short, or
        empty, and still not be the last.
        """
        found: list[JSON] = []
        ceiling = _ceiling(before, wanted.until)
        floor = "-inf" if wanted.since is None else str(int(wanted.since * 1_000_000))
        for _ in range(MOST_READ // PAGE):
            rows = self._rows(ceiling, floor)
            for place, delivery in rows:
                if delivery is not None and wanted.takes(delivery):
                    found.append(delivery)
                if len(found) == limit:
                    return found, place
            if len(rows) < PAGE:
                return found, None
            ceiling = f"({rows[-1][0]}"
        return found, rows[-1][0]

    def _rows(self, ceiling: str, floor: str) -> list[tuple[int, JSON | None]]:
        """Return the next deliveries with their places (us), newest first; None for one that is over."""
        with store_errors():
            rows = self._client.zrevrangebyscore(key("deliveries"), ceiling, floor, 0, PAGE, withscores=True)
            with self._client.pipeline(transaction=False) as pipeline:
                for delivery_id, _ in rows:
                    pipeline.hgetall(key("delivery", delivery_id))
                found = pipeline.execute()
        return [
            (int(place), _delivery(delivery_id, fields) if fields else None)
            for (delivery_id, place), fields in zip(rows, found, strict=True)
        ]


def _ceiling(before: int | None, until: float | None) -> str:
    ends = [end for end in (before, None if until is None else int(until * 1_000_000)) if end is not None]
    return f"({min(ends)}" if ends else "+inf"


def _delivery_of(intake: Intake, sent: AbstractSet[str] = frozenset()) -> JSON:
    """Return what `accept.lua` takes of a delivery. Settings that were `sent` before stay at home."""
    found: JSON = {
        "id": intake.delivery,
        # Who last sent something; what the bot found or a person replayed did not come from the host.
        "host": intake.facts["host"] if "arrival" in intake.facts else "",
        "facts": _text(intake.facts),
        "keep": int(intake.keep_seconds * 1000),
        "verdict": intake.verdict,
        "reason": intake.reason,
        "remember": int(intake.remember_seconds * 1000),
        "kept_back": intake.kept_back,
        "candidates": [_candidate_of(candidate, sent) for candidate in intake.candidates],
    }
    if intake.inquiries or intake.named or intake.checks or intake.ids:
        more = {
            "inquiries": intake.inquiries,
            "named": intake.named,
            "checks": intake.checks,
            "ids": intake.ids,
        }
        found |= {name: value for name, value in more.items() if value}
    return found


def _candidate_of(candidate: JSON, sent: AbstractSet[str]) -> JSON:
    settings = "" if candidate["config"] in sent else candidate["settings"]
    return {**candidate, "facts": _text(candidate["facts"]), "settings": settings}


def _text(facts: JSON) -> str:
    return to_json(facts).decode()


def _verdict(answer: Sequence[Any]) -> Verdict:
    verdict, reason, releases = answer
    return Verdict(verdict, reason, tuple(releases))


def _delivery(delivery_id: str, fields: dict[str, str]) -> JSON:
    facts: JSON = json.loads(fields["facts"])
    if "asked" in fields:
        found_out = {each["project"]: each for each in json.loads(fields["asked"])}
        facts["decisions"] = [_decision(each, found_out) for each in facts["decisions"]]
    return {
        "id": delivery_id,
        **facts_from(facts),
        "verdict": fields["verdict"],
        "reason": fields["reason"],
        "releases": json.loads(fields["releases"]),
        "received_at": int(fields["received_at"]) / 1000,
        "repeats": int(fields.get("repeats", "0")),
    }


def _decision(decision: JSON, found_out: Mapping[str, JSON]) -> JSON:
    """Return a project's decision as it is by now, where something had to be found out for it first."""
    newer = found_out.get(decision["project"])
    return decision if newer is None else decision | {"verdict": newer["verdict"], "reason": newer["reason"]}
