"""Switch calls that nobody answered, and the lanes on whose paths one may still arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from workers.errors import NotAllowed, NotFound
from workers.releases.codec import dumps
from workers.releases.model import JSON, Lane
from workers.releases.sent import KEPT_SECONDS, SentMap, Watched, sent_from
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.releases import lane_from
from workers.store.scripts import Offset, Scripts, no_offset


class SentStore:
    """What is asked of the store while nothing runs; raises `StoreAway`."""

    def __init__(self, client: redis.Redis, *, offset: Offset = no_offset) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding
        self._scripts = Scripts(client, offset)

    def watched(self) -> list[Watched]:
        """Return the lanes to look at: few, as nearly every call is answered."""
        lanes = self._lanes()
        targets = sorted({fields["target"] for fields in lanes.values() if fields.get("target")})
        unanswered = self._unanswered(targets)
        return [
            Watched(lane_from(name, fields, {}), fields["target"], unanswered[fields["target"]])
            for name, fields in lanes.items()
            if unanswered.get(fields.get("target", ""))
        ]

    def _lanes(self) -> dict[str, Mapping[str, str]]:
        with store_errors():
            names = sorted(self._client.smembers(key("lanes")))
            with self._client.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.hgetall(key("lane", name))
                return dict(zip(names, pipeline.execute(), strict=True))

    def _unanswered(self, targets: list[str]) -> dict[str, tuple[SentMap, ...]]:
        """Return them for every target that nobody holds: who holds it looks after it."""
        since = self._now_ms() - int(KEPT_SECONDS * 1000)
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            for target in targets:
                pipeline.hget(key("target", target), "release")
                pipeline.zrevrangebyscore(key("sent", target), "+inf", since)
            rows = pipeline.execute()
        return {
            target: tuple(sent_from(text) for text in texts)
            for target, holder, texts in zip(targets, rows[::2], rows[1::2], strict=True)
            if not holder
        }

    def _now_ms(self) -> int:
        return int(self._scripts.now() * 1000)

    def note_drift(self, watched: Watched, routes: JSON | None) -> bool:
        """Note what somebody else put there (None: nothing), unless we may have switched since."""
        before = self._connections_text(watched.lane)
        drift = "" if routes is None else dumps(routes)
        return bool(self._scripts.run("drift", watched.lane.name, watched.target, before, drift))

    @staticmethod
    def _connections_text(lane: Lane) -> str:
        if lane.connections is None:
            return ""
        return dumps({path: list(ids) for path, ids in lane.connections.items()})

    def repair(self, release_id: str, request: JSON) -> None:
        """Ask an ended release to put a late switch right; `NotAllowed` says why not, `NotFound`."""
        answer = self._scripts.run("repair", release_id, dumps(request))
        if answer[0] == "unknown":
            raise NotFound(f"there is no release {release_id}")
        if answer[0] == "refused":
            raise NotAllowed(answer[1])
