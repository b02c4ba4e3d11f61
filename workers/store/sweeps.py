"""What looks at the Git hosts leave behind: when the next is due, and what was seen on the refs before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import redis
from pydantic_core import to_json

from workers.releases.looks import CATCH_UP, Known, Taken
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset

NUDGED_SECONDS = 10.0
"""Looks are asked for out of turn so often at the most."""
_RESENT_SECONDS = 7 * 86400.0


class SweepStore:
    """Turns and findings of the looks at Git hosts. Every method raises `StoreAway`.

    Seconds are the store's, since 1970.
    """

    def __init__(self, client: redis.Redis, *, offset: Offset = no_offset) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding
        self._scripts = Scripts(client, offset)

    # Whose turn it is.

    def take(self, names: Sequence[str], *, lease: float) -> Taken | None:
        """Take the look that has been due for the longest, for so many seconds; None when none is due."""
        answer = self._scripts.run("sweep_take", int(lease * 1000), to_json(names))
        return Taken(answer[0], answer[1]) if answer else None

    def done(self, taken: Taken, seconds: float) -> None:
        """Have the next look come in so many seconds, unless somebody asked for it to come now."""
        self._scripts.run("sweep_done", taken.name, taken.lease_end, int(seconds * 1000))

    def nudge(self) -> bool:
        """Have every repository swept now; False when that was asked for just before: ask again later."""
        return bool(self._scripts.run("sweep_nudge", f"{CATCH_UP} ", int(NUDGED_SECONDS * 1000)))

    # What a look found.

    def findings(self, name: str) -> dict[str, str]:
        """Return what the last look of this name left."""
        with store_errors():
            found: dict[str, str] = self._client.hgetall(key("sweep", name))
        return found

    def keep_findings(self, name: str, findings: Mapping[str, str]) -> None:
        """Leave this for the next look of the name, in place of what was there."""
        with store_errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.delete(key("sweep", name))
            if findings:
                pipeline.hset(key("sweep", name), mapping=dict(findings))
            pipeline.execute()

    # What was seen on the refs.

    def known(self, project: str, refs: Sequence[str]) -> Known:
        """Return what a project knows of these full refs."""
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(key("looked", project))
            pipeline.hgetall(key("heard", project))
            for ref in refs:
                pipeline.hget(key("ref", project, ref), "commit")
            looked, heard, *commits = pipeline.execute()
        accepted = {ref: commit for ref, commit in zip(refs, commits, strict=True) if commit}
        return Known(accepted, heard, looked.get("repository"), looked.get("patterns"))

    def release_of(self, project: str, ref: str, commit: str) -> str | None:
        """Return the release that a commit on a ref made last, or None."""
        with store_errors():
            release: str | None = self._client.hget(key("ref_commit", project, ref, commit), "release")
        return release

    def was_there(self, project: str, ref: str, commit: str) -> bool:
        """Tell whether the ref may have stood at the commit before: it was accepted, or one on top of it."""
        with store_errors():
            found = self._client.exists(
                key("ref_commit", project, ref, commit), key("ref_child", project, ref, commit)
            )
        return bool(found)

    def looked(
        self,
        project: str,
        *,
        repository: str,
        patterns: str,
        note: Mapping[str, str],
        forget: Iterable[str] = (),
    ) -> None:
        """Write down with what a project was looked after, heads to take as they are, refs that are gone."""
        gone = list(forget)
        with store_errors(), self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key("looked", project), mapping={"repository": repository, "patterns": patterns})
            if note:
                pipeline.hset(key("heard", project), mapping=dict(note))
            if gone:
                pipeline.hdel(key("heard", project), *gone)
            pipeline.execute()

    # The hosts' own logs.

    def strangers(self, deliveries: Sequence[str]) -> list[str]:
        """Return those of the deliveries that the store does not know, also not as refused."""
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            for delivery in deliveries:
                pipeline.exists(key("delivery", delivery), key("delivery", f"{delivery}~refused"))
            known = pipeline.execute()
        return [delivery for delivery, there in zip(deliveries, known, strict=True) if not there]

    def mark_resent(self, host: str, delivery: str, now: float) -> bool:
        """Note that a delivery is being sent again at our wish; False when it was before."""
        with store_errors(), self._client.pipeline(transaction=True) as pipeline:
            name = key("redelivered", host)
            pipeline.zremrangebyscore(name, "-inf", int((now - _RESENT_SECONDS) * 1000))
            pipeline.zadd(name, {delivery: int(now * 1000)}, nx=True)
            answers = pipeline.execute()
        return bool(answers[1])

    def unmark_resent(self, host: str, delivery: str) -> None:
        """Note that a delivery was not sent again after all."""
        with store_errors():
            self._client.zrem(key("redelivered", host), delivery)

    # Schedules.

    def handled(self) -> dict[str, float]:
        """Return the time that was last dealt with, by the name of the schedule."""
        with store_errors():
            rows = self._client.hgetall(key("schedules"))
        return {name: float(time) for name, time in rows.items()}

    def handle(self, schedule: str, time: float) -> None:
        """Note that a schedule's time was dealt with, and those before it."""
        with store_errors():
            self._client.hset(key("schedules"), schedule, f"{time:.3f}")
