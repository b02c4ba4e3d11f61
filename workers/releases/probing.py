"""What probing production has shown so far: pure counting, in the order in which probes were sent.

Answers may be told in any order; as long as no answer comes later than `keep` younger probes, the
counts are the same as if they had been told in the order of sending.
"""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from workers.releases.model import JSON, Downtime

FEWEST_KEPT = 64
SLACK_MS = 250
"""A busy machine may send a probe so much late before the time between two counts as unobserved."""
REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """What to probe: `url` must answer `status` within `timeout` seconds, asked every `every` seconds.

    So many `failures` in a row are worth an immediate look.
    """

    url: str
    status: int = 200
    every: float = 0.2
    timeout: float = 2.0
    failures: int = 3

    def to_json(self) -> str:
        """Encode for the store."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ProbeSpec:
        """Decode what `to_json` made."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One answered probe; times in milliseconds since the epoch, by the store's clock."""

    sent_ms: int
    answered_ms: int
    ok: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one release's probes. Times are seconds since the epoch, by the store's clock.

    The newest `keep` samples are kept one by one; what older ones showed is settled into the plain fields.
    Runs and questions about a time are answered from the kept samples, so they never count beyond `keep`.
    """

    every: float = 0.2
    timeout: float = 2.0
    keep: int = FEWEST_KEPT
    probes: int = 0
    failed: int = 0
    first_at: float | None = None
    last_at: float | None = None
    last_good_at: float | None = None
    last_failed_at: float | None = None
    last_failure: str | None = None
    settled_gap_ms: int = 0
    settled_unobserved_ms: int = 0
    settled_until_ms: int | None = None
    """When the last probe that is not kept any more was sent."""
    open_since_ms: int | None = None
    """Sending of a failed probe that is not kept any more and that no good one has followed."""
    samples: tuple[Sample, ...] = ()

    @classmethod
    def of(cls, spec: ProbeSpec) -> Tally:
        """Return an empty tally that keeps enough samples for this specification."""
        under_way = int(2 * spec.timeout / spec.every) + 1
        return cls(spec.every, spec.timeout, max(FEWEST_KEPT, spec.failures + 1, under_way))

    def record(self, sent_at: float, answered_at: float, *, ok: bool, why: str | None = None) -> Tally:
        """Return the tally with one more answer; `why` says what was wrong with it."""
        sample = Sample(round(sent_at * 1000), round(answered_at * 1000), ok)
        samples = list(self.samples)
        insort(samples, sample)
        newest_failure = not ok and sent_at >= (self.last_failed_at or 0.0)
        counted = replace(
            self,
            probes=self.probes + 1,
            failed=self.failed + (not ok),
            first_at=sent_at if self.first_at is None else min(self.first_at, sent_at),
            last_at=answered_at if self.last_at is None else max(self.last_at, answered_at),
            last_good_at=max(self.last_good_at or 0.0, answered_at) if ok else self.last_good_at,
            last_failed_at=sent_at if newest_failure else self.last_failed_at,
            last_failure=(why or "failed")[:REASON_LENGTH] if newest_failure else self.last_failure,
            samples=tuple(samples),
        )
        return _with_oldest_settled(counted) if len(samples) > self.keep else counted

    @property
    def good_in_a_row(self) -> int:
        """Return how many of the last probes sent were good, without a failed one between."""
        return self._run(self.samples, ok=True)

    @property
    def failed_in_a_row(self) -> int:
        """Return how many of the last probes sent failed, without a good one between."""
        return self._run(self.samples, ok=False)

    def failed_in_a_row_since(self, at: float) -> int:
        """Return how many of the last probes failed in a row, counting only those sent after `at`."""
        return self._run(self._since(at), ok=False)

    def good_since(self, at: float) -> int:
        """Return how many good answers there were to probes sent after `at`."""
        return sum(sample.ok for sample in self._since(at))

    def longest_gap_ms(self, now: float | None = None) -> int:
        """Return the longest stretch (ms) from sending a failed probe to the next good answer.

        A good answer ends the stretch when its probe was sent later. A stretch that is still open counts
        up to `now`, or else up to the last answer.
        """
        until = round((now if now is not None else self.last_at or 0.0) * 1000)
        return max(self.settled_gap_ms, *self._gaps(until), 0)

    def unobserved_ms(self, now: float | None = None) -> int:
        """Return how long (ms) nobody was looking: probes were due and none was sent.

        With `now`, also the time since the last probe, once that is more than an answer and a report take.
        """
        total = self.settled_unobserved_ms + sum(_hole(self, a, b) for a, b in self._neighbours())
        if now is None or not self.samples:
            return total
        silent = round(now * 1000) - self.samples[-1].sent_ms
        patience = round((self.timeout + self.every) * 1000) + 2000
        return total + silent if silent > patience else total

    def downtime(self, interval: float, now: float | None = None) -> Downtime:
        """Return what a release shows; `interval` is the seconds between two probes."""
        return Downtime(
            probes=self.probes,
            failed=self.failed,
            longest_gap_ms=self.longest_gap_ms(now),
            interval_ms=round(interval * 1000),
            unobserved_ms=self.unobserved_ms(now),
        )

    def to_json(self) -> str:
        """Encode for the store."""
        plain: JSON = {name: getattr(self, name) for name in PLAIN}
        plain["samples"] = [[s.sent_ms, s.answered_ms - s.sent_ms, int(s.ok)] for s in self.samples]
        return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """Decode what `to_json` made."""
        plain: JSON = json.loads(text)
        samples = tuple(Sample(sent, sent + took, bool(ok)) for sent, took, ok in plain.pop("samples"))
        return cls(**plain, samples=samples)

    def _since(self, at: float) -> tuple[Sample, ...]:
        # What was sent in the very same millisecond may have been sent before.
        first = bisect_right(self.samples, round(at * 1000), key=lambda sample: sample.sent_ms)
        return self.samples[first:]

    @staticmethod
    def _run(samples: tuple[Sample, ...], *, ok: bool) -> int:
        length = 0
        for sample in reversed(samples):
            if sample.ok is not ok:
                break
            length += 1
        return length

    def _gaps(self, until_ms: int) -> Iterator[int]:
        """Yield the stretch of every failed probe that is kept, and of the open one that is not."""
        ended = until_ms
        for sample in reversed(self.samples):
            if not sample.ok:
                yield ended - sample.sent_ms
            elif ended == until_ms or sample.answered_ms < ended:
                ended = sample.answered_ms
        if self.open_since_ms is not None:
            yield ended - self.open_since_ms

    def _neighbours(self) -> Iterator[tuple[int, int]]:
        before = self.settled_until_ms
        for sample in self.samples:
            if before is not None:
                yield before, sample.sent_ms
            before = sample.sent_ms


def _hole(tally: Tally, before_ms: int, after_ms: int) -> int:
    between, every = after_ms - before_ms, round(tally.every * 1000)
    return between - every if between > every + max(every, SLACK_MS) else 0


def _with_oldest_settled(tally: Tally) -> Tally:
    oldest, rest = tally.samples[0], tally.samples[1:]
    unobserved = tally.settled_unobserved_ms
    if tally.settled_until_ms is not None:
        unobserved += _hole(tally, tally.settled_until_ms, oldest.sent_ms)
    gap, open_since = tally.settled_gap_ms, tally.open_since_ms
    if not oldest.ok and open_since is None:
        open_since = oldest.sent_ms
    good = [sample.answered_ms for sample in tally.samples if sample.ok]
    if open_since is not None and good:
        gap, open_since = max(gap, min(good) - open_since), None
    return replace(
        tally,
        samples=rest,
        settled_gap_ms=gap,
        settled_unobserved_ms=unobserved,
        settled_until_ms=oldest.sent_ms,
        open_since_ms=open_since,
    )


PLAIN = (
    "every",
    "timeout",
    "keep",
    "probes",
    "failed",
    "first_at",
    "last_at",
    "last_good_at",
    "last_failed_at",
    "last_failure",
    "settled_gap_ms",
    "settled_unobserved_ms",
    "settled_until_ms",
    "open_since_ms",
)
"""Fields of a tally that JSON takes as they are."""
