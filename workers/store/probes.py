"""Who probes production for which release, and what was counted."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from workers.releases.probing import ProbeSpec, Tally
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset

PROBE_LEASE_SECONDS = 2.0
"""Term of a prober's lease; it is kept by every report."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The right to probe for one release; `now` is the store's time (seconds) when it was taken."""

    release: str
    fence: str
    now: float
    spec: ProbeSpec
    tally: Tally


class ProbeStore:
    """Hands out the probing of releases, one prober each, and keeps their tallies."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        offset: Offset = no_offset,
        lease_seconds: float = PROBE_LEASE_SECONDS,
    ) -> None:
        self._client = client
        self._scripts = Scripts(client, offset)
        self._term = int(lease_seconds * 1000)

    def take(self, owner: str) -> Watch | None:
        """Take the probing of one release that nobody probes now, or return None."""
        answer = self._scripts.run("probe_take", owner, self._term)
        if not answer:
            return None
        release, fence, now, flat = answer
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        spec = ProbeSpec.from_json(fields["spec"])
        tally = Tally.from_json(fields["tally"]) if fields.get("tally") else Tally.of(spec)
        return Watch(release, fence, int(now) / 1000, spec, tally)

    def report(self, watch: Watch, tally: Tally, *, nudge: bool = False) -> bool:
        """Write a tally and keep the lease; False when the probing has passed on or was ended.

        `nudge` makes the release due at once.
        """
        return self._report(watch, tally, self._term, nudge=nudge)

    def let_go(self, watch: Watch, tally: Tally) -> bool:
        """Write a tally for the last time, so that another prober can go on at once."""
        return self._report(watch, tally, 0, nudge=False)

    def read(self, release_id: str) -> Tally | None:
        """Return what was counted so far, or None before the first report."""
        with store_errors():
            text = self._client.hget(key("probe", release_id), "tally")
        return Tally.from_json(str(text)) if text else None

    def _report(self, watch: Watch, tally: Tally, term: int, *, nudge: bool) -> bool:
        answer = self._scripts.run(
            "probe_report", watch.release, watch.fence, term, tally.to_json(), int(nudge)
        )
        return bool(answer)
