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
from workers.releases.intake import Intake, Verdict
from workers.releases.model import JSON
from workers.store.batches import BatchedScript
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset


class AsyncIntakeStore:
    """Writes deliveries down, for the receiver."""

    def __init__(self, client: redis.asyncio.Redis, *, offset: Offset = no_offset) -> None:
        self._script = BatchedScript(client, "accept", offset)
        self._sent: set[str] = set()

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

    def page(self, *, limit: int, before: int | None) -> tuple[list[JSON], int | None]:
        """Return deliveries newest first, and the time (us) to go on before (None at the end)."""
        ceiling = "+inf" if before is None else f"({before}"
        with store_errors():
            rows = self._client.zrevrangebyscore(
                key("deliveries"), ceiling, "-inf", 0, limit, withscores=True
            )
            with self._client.pipeline(transaction=False) as pipeline:
                for delivery_id, _ in rows:
                    pipeline.hgetall(key("delivery", delivery_id))
                found = pipeline.execute()
        page = [_delivery(row[0], fields) for row, fields in zip(rows, found, strict=True) if fields]
        return page, int(rows[-1][1]) if len(rows) == limit else None


def _delivery_of(intake: Intake, sent: AbstractSet[str] = frozenset()) -> JSON:
    """Return what `accept.lua` takes of a delivery. Settings that were `sent` before stay at home."""
    more = {
        name: value
        for name in ("inquiries", "named", "checks", "ids")
        if (value := getattr(intake, name))  # most deliveries have none of them
    }
    return more | {
        "id": intake.delivery,
        "facts": _text(intake.facts),
        "keep": int(intake.keep_seconds * 1000),
        "verdict": intake.verdict,
        "reason": intake.reason,
        "remember": int(intake.remember_seconds * 1000),
        "kept_back": intake.kept_back,
        "candidates": [_candidate_of(candidate, sent) for candidate in intake.candidates],
    }


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
        **facts,
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
