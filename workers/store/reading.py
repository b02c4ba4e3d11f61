"""Reading releases, lanes and the failed queue, for people. Nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from workers.errors import NotFound
from workers.releases.codec import release_from
from workers.releases.model import JSON, Lane, Release
from workers.releases.status import Status
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.releases import lane_from

PAGE = 200
MOST_READ = 20_000
"""How many releases one filtered page looks through at the most."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a release's history. `number` counts from 1; `at` is the store's time in seconds."""

    number: int
    at: float
    body: JSON


@dataclass(frozen=True, slots=True)
class LaneView:
    """A lane with what stands around it."""

    lane: Lane
    project: str
    queued: tuple[str, ...]
    parked: tuple[str, ...]
    barred: tuple[str, ...]
    freeze: JSON | None


class Reading:
    """Reads what the store knows; raises `StoreAway`, and `NotFound` for what is not there."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding

    def release(self, release_id: str) -> Release:
        """Return one release."""
        with store_errors():
            fields = self._client.hgetall(key("release", release_id))
        if not fields.get("facts"):
            raise NotFound(f"there is no release {release_id}")
        return release_from(fields)

    def releases(self, ids: Sequence[str]) -> list[Release]:
        """Return those of the releases that exist, in the order given."""
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            for release_id in ids:
                pipeline.hgetall(key("release", release_id))
            rows = pipeline.execute()
        return [release_from(fields) for fields in rows if fields.get("facts")]

    def page(
        self, *, project: str | None, status: Status | None, limit: int, before: int | None
    ) -> tuple[list[Release], int | None]:
        """Return releases newest first, and the sequence to go on before (None at the end)."""
        index = (
            key("project_releases", project)
            if project
            else key("status_releases", status.value)
            if status
            else key("releases")
        )
        found: list[Release] = []
        for sequence, release in self._newest_first(index, before):
            if status is None or release.status is status:
                found.append(release)
            if len(found) == limit:
                return found, sequence
        return found, None

    def _newest_first(self, index: str, before: int | None) -> Iterator[tuple[int, Release]]:
        ceiling = "+inf" if before is None else f"({before}"
        for _ in range(MOST_READ // PAGE):
            with store_errors():
                rows = self._client.zrevrangebyscore(index, ceiling, "-inf", 0, PAGE, withscores=True)
            sequences = {release_id: int(score) for release_id, score in rows}
            for release in self.releases(list(sequences)):
                yield sequences[release.id], release
            if len(rows) < PAGE:
                return
            ceiling = f"({int(rows[-1][1])}"

    def history(self, release_id: str, after: int = 0) -> list[Line]:
        """Return the lines of a release's history behind line `after`, oldest first."""
        with store_errors():
            texts = self._client.lrange(key("events", release_id), after, -1)
        lines = []
        for number, text in enumerate(texts, after + 1):
            at, _, body = text.partition("|")
            lines.append(Line(number, int(at) / 1000, json.loads(body)))
        return lines

    def failed(self) -> list[Release]:
        """Return the failed queue, newest first."""
        with store_errors():
            ids = self._client.zrevrange(key("failed"), 0, -1)
        return self.releases(ids)

    def discard(self, release_id: str) -> None:
        """Take a release out of the failed queue, or raise `NotFound`."""
        release = self.release(release_id)
        with store_errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.zrem(key("failed"), release_id)
            pipeline.zrem(key("lane_failed", release.lane), release_id)
            removed = pipeline.execute()
        if not removed[0]:
            raise NotFound(f"release {release_id} is not in the failed queue")

    def lanes(self) -> list[LaneView]:
        """Return every lane that ever had a release, by name."""
        with store_errors():
            names = sorted(self._client.smembers(key("lanes")))
        return [self.lane(name) for name in names]

    def lane(self, name: str) -> LaneView:
        """Return one lane; an empty one when it never had a release."""
        project = name.partition("@")[0]
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(key("lane", name))
            pipeline.zrevrange(key("queued", name), 0, -1)
            pipeline.zrevrange(key("parked", name), 0, -1, withscores=True)
            pipeline.smembers(key("barred", name))
            pipeline.get(key("freeze", project))
            fields, queued, parked, barred, freeze = pipeline.execute()
        return LaneView(
            lane_from(name, fields, {release_id: str(at) for release_id, at in parked}),
            project,
            tuple(queued),
            tuple(release_id for release_id, _ in parked),
            tuple(sorted(barred)),
            json.loads(freeze) if freeze else None,
        )

    def last_commit(self, project: str, ref: str) -> str | None:
        """Return the commit that was last accepted on a full ref, or None."""
        with store_errors():
            commit: str | None = self._client.hget(key("ref", project, ref), "commit")
        return commit

    def lock(self, target: str) -> JSON | None:
        """Return who holds a target's lock (`release`, `since` in seconds), or None."""
        with store_errors():
            fields = self._client.hgetall(key("target", target))
        if not fields:
            return None
        return {"release": fields["release"], "since": int(fields["since"]) / 1000}

    def ledger(self) -> dict[str, JSON]:
        """Return every workspace that we made and that still stands, by its id."""
        with store_errors():
            rows = self._client.hgetall(key("ledger"))
        return {workspace: json.loads(text) for workspace, text in rows.items()}

    def busy(self) -> list[str]:
        """Return the running and the live release of every lane."""
        with store_errors():
            lanes = sorted(self._client.smembers(key("lanes")))
            with self._client.pipeline(transaction=False) as pipeline:
                for name in lanes:
                    pipeline.hmget(key("lane", name), "running", "live")
                rows = pipeline.execute()
        return [release_id for row in rows for release_id in row if release_id]

    def due(self, ids: Sequence[str]) -> set[str]:
        """Return those of the releases that will be looked at again by themselves."""
        if not ids:
            return set()
        with store_errors():
            scores = self._client.zmscore(key("due"), list(ids))
        return {release_id for release_id, score in zip(ids, scores, strict=True) if score is not None}

    def review(self) -> JSON | None:
        """Return what the last reconciliation of the ledger found, or None before the first."""
        with store_errors():
            text = self._client.get(key("review"))
        return json.loads(text) if text else None

    def counts(self) -> dict[str, Any]:
        """Return what the metrics tell: releases by status, verdicts, due, failed, outbox, workers."""
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            for status in Status:
                pipeline.zcard(key("status_releases", status.value))
            pipeline.hgetall(key("verdicts"))
            pipeline.zcard(key("due"))
            pipeline.zcard(key("failed"))
            pipeline.zcard(key("outbox_due"))
            pipeline.hlen(key("ledger"))
            pipeline.hgetall(key("lateness"))
            *by_status, verdicts, due, failed, outbox, ledger, lateness = pipeline.execute()
        return {
            "releases": {status.value: count for status, count in zip(Status, by_status, strict=True)},
            "verdicts": {verdict: int(count) for verdict, count in verdicts.items()},
            "due": due,
            "failed": failed,
            "outbox": outbox,
            "workspaces": ledger,
            "lateness": {bound: int(count) for bound, count in lateness.items()},
        }

    def secret_uses(self, host: str) -> dict[str, float]:
        """Return when each secret of a host, by its fingerprint, last verified a delivery (store's seconds).

        A minute behind at the most.
        """
        with store_errors():
            rows = self._client.hgetall(key("secret_uses", host))
        return {fingerprint: int(at) / 1000 for fingerprint, at in rows.items()}

    def last_delivery(self, host: str) -> str | None:
        """Return the id of the delivery that a host sent last, or None; it may be over by now."""
        with store_errors():
            delivery: str | None = self._client.hget(key("last_deliveries"), host)
        return delivery

    def workers_seen_since(self, moment: float) -> int:
        """Return how many worker processes were seen at or after `moment` (store's seconds)."""
        with store_errors():
            return int(self._client.zcount(key("workers"), int(moment * 1000), "+inf"))
