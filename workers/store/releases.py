"""Releases in the store: taking them, moving them, and stopping them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import redis

from workers.errors import IllegalMove, LeaseLost, NotAllowed, NotFound, Outdated
from workers.releases.codec import SCHEMA_VERSION, dumps, release_from, state_of
from workers.releases.model import JSON, Lane, Lease, Move, Taken
from workers.releases.moves import Applied, Blocked, Moved, Stopped
from workers.releases.sent import SentMap, sent_from
from workers.releases.status import UNFINISHED, origins_of
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset

LEASE_SECONDS = 3.0
"""Term of a lease. A dead worker's release is looked at again after this."""
WORKERS_KEPT_MS = 3600 * 1000


class ReleaseStore:
    """Moves releases; every write is one script that checks the lease's fence."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        offset: Offset = no_offset,
        lease_seconds: float = LEASE_SECONDS,
        schema: int = SCHEMA_VERSION,
    ) -> None:
        self._client = client
        self._scripts = Scripts(client, offset)
        self._term = int(lease_seconds * 1000)
        self._schema = schema

    def take(self, release_id: str, owner: str, *, only_called: bool = True) -> Taken | None:
        """Take the lease of a release, or return None when it is held, gone, or nobody called for it."""
        answer = self._scripts.run("take", release_id, owner, self._term, int(only_called), self._schema)
        if not answer:
            return None
        fence, now, expiries, fields, lane, parked, holder, usual = answer
        release_fields = _pairs(fields)
        return Taken(
            release=release_from(release_fields),
            lane=lane_from(release_fields["lane"], _pairs(lane), _pairs(parked)),
            lease=Lease(release_id, owner, int(fence)),
            now=int(now) / 1000,
            expiries=int(expiries),
            target_holder=holder or None,
            usual=tuple(int(took) / 1000 for took in usual),
        )

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for another term; False when it has passed on."""
        return bool(self._scripts.run("renew", lease.release, lease.owner, lease.fence, self._term))

    def apply(self, move: Move, lease: Lease) -> Applied:
        """Write a move, or nothing.

        Returns `Moved`, or `Stopped`/`Blocked` where the move's effects ask for that check. Raises
        `LeaseLost` when the lease has passed on, `IllegalMove` when the release is not where it should be.
        """
        answer = self._scripts.run("move", *_move_arguments(move, lease, self._term, self._schema))
        match answer[0]:
            case "done":
                return Moved(int(answer[1]) / 1000)
            case "stopped":
                return Stopped()
            case "blocked":
                return Blocked(answer[1])
            case "lost":
                raise LeaseLost(f"release {lease.release}: another worker holds it now")
            case "newer":
                raise LeaseLost(_outdated(int(answer[1]), self._schema))
            case _:
                raise IllegalMove(
                    f"release {lease.release} is {answer[1]} and cannot become {move.release.status}"
                )

    def stop(self, release_id: str, by: str, reason: str | None) -> None:
        """Cancel a release; `NotAllowed` says why it cannot be, `NotFound` that there is none."""
        _check_answer(self._scripts.run("stop", release_id, by, reason or ""), release_id)

    def operate(self, release_id: str, request: JSON) -> None:
        """Ask for a rollback of a live release; `NotAllowed`, `NotFound`."""
        _check_answer(self._scripts.run("operate", release_id, dumps(request)), release_id)

    def retire(self, release_id: str, by: str) -> None:
        """Ask for an ended release's workspace to go now; `NotAllowed` says why it stays, `NotFound`."""
        _check_answer(self._scripts.run("retire", release_id, by), release_id)

    def recheck(self, release_id: str) -> None:
        """Have an ended release's clean-up look again; `NotAllowed` while it has not ended, `NotFound`."""
        _check_answer(self._scripts.run("recheck", release_id), release_id)

    def strike(self, workspace_id: int, release_id: str) -> bool:
        """Take a workspace that is gone off the ledger, if it stands there for this release."""
        return bool(self._scripts.run("strike", workspace_id, release_id))

    def note_review(self, review: JSON) -> None:
        """Keep what the last reconciliation found."""
        with store_errors():
            self._client.set(key("review"), dumps(review))

    def renew_generation(self) -> int:
        """Ask every process to read its configuration again; returns the count."""
        with store_errors():
            return int(self._client.incr(key("generation")))

    def generation(self) -> int:
        """Return how often the configuration was asked to be read again."""
        with store_errors():
            return int(self._client.get(key("generation")) or 0)

    def start(
        self, candidate: JSON, *, retry_of: str | None, force: bool, idempotency: str | None
    ) -> tuple[str, bool]:
        """Queue what a person asked for; returns the release's id and whether it was made just now.

        `NotAllowed` when a newer release of the lane is live or on its way and `force` is not set.
        """
        day = 24 * 3600 * 1000
        answer = self._scripts.run(
            "start", dumps(candidate), retry_of or "", int(force), idempotency or "", day
        )
        if answer[0] == "refused":
            raise NotAllowed(f"{answer[1]}; ask again with force to release the older commit all the same")
        return answer[1], answer[0] == "made"

    def claim(
        self, most: int, cap: int, put_off_seconds: float
    ) -> tuple[Sequence[str], Sequence[str], Sequence[str], float]:
        """Claim due releases, receivers and inquiries for Celery; also how late (seconds) a release was."""
        answer = self._scripts.run("claim", most, cap, int(put_off_seconds * 1000))
        releases, receivers, inquiries, late = answer
        return releases, receivers, inquiries, int(late) / 1000

    def seen(self, worker: str) -> None:
        """Note that a worker process is alive, and raise the store to the schema version that it knows.

        Raises `Outdated` when the store is beyond that already; then nothing was noted.
        """
        version = int(self._scripts.run("seen", worker, self._schema, WORKERS_KEPT_MS))
        if version > self._schema:
            raise Outdated(_outdated(version, self._schema))

    def turn(self, chore: str, seconds: float) -> bool:
        """Take a chore's turn; False while somebody's turn of the last `seconds` stands."""
        with store_errors():
            return bool(self._client.set(key("chore", chore), "taken", nx=True, px=int(seconds * 1000)))

    def forget(self, *, releases_seconds: float, deliveries_seconds: float, most: int = 200) -> int:
        """Forget finished releases and deliveries older than so many seconds; returns how many releases."""
        now = self.now()
        before = (int((now - releases_seconds) * 1000), int((now - deliveries_seconds) * 1000))
        return int(self._scripts.run("forget", *before, most)[0])

    def now(self) -> float:
        """Return the store's time in seconds."""
        return self._scripts.now()

    def unanswered(self, target: str) -> list[SentMap]:
        """Return the switch calls to a target that nobody answered, newest first."""
        with store_errors():
            texts = self._client.zrevrange(key("sent", target), 0, -1)
        return [sent_from(text) for text in cast("list[str]", texts)]

    def settings(self, digest: str) -> JSON:
        """Return the project settings that releases with this digest began with."""
        with store_errors():
            text = self._client.hget(key("configs"), digest)
        if text is None:
            raise NotFound(f"the store has no settings with digest {digest}")
        settings: JSON = json.loads(text)
        return settings


def lane_from(name: str, fields: Mapping[str, str], parked: Mapping[str, str]) -> Lane:
    """Decode a lane from the fields of its hash and its parked releases (newest first, times in ms)."""
    return Lane(
        name=name,
        running=fields.get("running"),
        live=fields.get("live"),
        live_order=int(fields.get("live_order", "0")),
        connections=_routes(fields.get("connections")),
        drift=_routes(fields.get("drift")),
        pin=json.loads(fields["pin"]) if fields.get("pin") else None,
        hold=json.loads(fields["hold"]) if fields.get("hold") else None,
        gave_way=int(fields.get("gave_way", "0")),
        parked=tuple((release_id, float(at) / 1000) for release_id, at in parked.items()),
    )


def _routes(text: str | None) -> dict[str, tuple[int, ...]] | None:
    return {path: tuple(ids) for path, ids in json.loads(text).items()} if text else None


def _outdated(version: int, known: int) -> str:
    return f"the store has schema version {version} and this worker knows {known}: upgrade this worker"


def _move_arguments(move: Move, lease: Lease, term: int, schema: int) -> tuple[str | int, ...]:
    release = move.release
    effects: JSON = dict(move.effects)
    if move.was in UNFINISHED and not release.unfinished:
        effects["finish"] = True
    fields = {
        "status": release.status.value,
        "reason": release.reason,
        "step": release.step or "",
        "state": state_of(release),
    }
    return (
        lease.release,
        lease.owner,
        lease.fence,
        dumps([status.value for status in origins_of(release.status)]),
        schema,
        term,
        dumps(fields),
        dumps([dumps(event) for event in move.events]),
        dumps([[receiver, dumps(body)] for receiver, body in move.notices]),
        dumps({name: value for name, value in effects.items() if value is not None}),
        _due_text(move),
        int(move.let_go),
    )


def _due_text(move: Move) -> str:
    if move.finished:
        return "none"
    return "" if move.due is None else str(int(move.due * 1000))


def _check_answer(answer: Sequence[Any], release_id: str) -> None:
    if answer[0] == "unknown":
        raise NotFound(f"there is no release {release_id}")
    if answer[0] == "refused":
        raise NotAllowed(answer[1])


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
