"""Inquiries in the store: taking them, putting them off, ending them, and what they are answered from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis
from pydantic_core import to_json

from workers.releases.inquiries import OpenInquiry
from workers.releases.model import JSON
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset


class InquiryStore:
    """Every method raises `StoreAway`; each script is all or nothing."""

    def __init__(self, client: redis.Redis, *, offset: Offset = no_offset) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding
        self._scripts = Scripts(client, offset)

    def take(self, inquiry: str, term: float, *, only_called: bool = True) -> OpenInquiry | None:
        """Take an inquiry for `term` seconds; None when it is over, or nobody called for it."""
        answer = self._scripts.run("inquiry_take", inquiry, int(term * 1000), int(only_called))
        if not answer:
            return None
        document, asked_at, now, errors, lost = answer
        return OpenInquiry(
            inquiry, json.loads(document), int(asked_at) / 1000, int(now) / 1000, int(errors), int(lost)
        )

    def postpone(
        self,
        inquiry: str,
        wait: float,
        *,
        errors: int,
        reason: str,
        said: str,
        waits: Sequence[JSON],
        keep_seconds: float,
    ) -> bool:
        """Look again in `wait` seconds, or at once where somebody nudged meanwhile; False when it is over.

        `waits` are the refs and commits whose CI is awaited: `ref`, `commit`, `before`, `time`.
        """
        return bool(
            self._scripts.run(
                "inquiry_postpone",
                inquiry,
                int(wait * 1000),
                errors,
                reason,
                said,
                int(keep_seconds * 1000),
                to_json(waits),
            )
        )

    def settle(
        self,
        inquiry: str,
        verdict: str,
        *,
        reason: str,
        said: str,
        candidates: Sequence[JSON],
        remember_seconds: float,
    ) -> tuple[str, ...] | None:
        """End an inquiry and admit its candidates; releases made or joined, None when it is over."""
        whole = [{**each, "facts": to_json(each["facts"]).decode()} for each in candidates]
        answer = self._scripts.run(
            "inquiry_settle", inquiry, verdict, reason, said, to_json(whole), int(remember_seconds * 1000)
        )
        return None if not answer else tuple(answer[0] or answer[1])

    def named(self, project: str, commit: str) -> list[JSON]:
        """Return what pushes set to the commit, newest first, each with its `ref` and `at` (ms)."""
        with store_errors():
            rows = self._client.hgetall(key("named", project, commit))
        found = []
        for ref, text in rows.items():
            at, _, body = text.partition("|")
            found.append({**json.loads(body), "ref": ref, "at": int(at)})
        return sorted(found, key=lambda each: -each["at"])

    def green(self, project: str, commit: str) -> tuple[str, ...]:
        """Return the checks of the commit that events told to be green."""
        with store_errors():
            return tuple(sorted(self._client.smembers(key("green", project, commit))))

    def tips(self, project: str, refs: Sequence[str]) -> Mapping[str, str]:
        """Return the newest commit of each of the refs on which CI is awaited."""
        with store_errors(), self._client.pipeline(transaction=False) as pipeline:
            for ref in refs:
                pipeline.hget(key("tip", project, ref), "commit")
            commits = pipeline.execute()
        return {ref: commit for ref, commit in zip(refs, commits, strict=True) if commit}

    def waiting(self) -> int:
        """Return how many inquiries stand."""
        with store_errors():
            return int(self._client.zcard(key("inquiries")))


class RepositoryIds:
    """The ids that hosts have for the projects' repositories, as first seen."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding

    def all(self) -> Mapping[str, str]:
        """Return every id by its field."""
        with store_errors():
            found: dict[str, str] = self._client.hgetall(key("repository_ids"))
        return found

    def forget(self, field: str) -> bool:
        """Forget an id, so that the next event of that name gives a new one; False when there was none."""
        with store_errors():
            return bool(self._client.hdel(key("repository_ids"), field))
