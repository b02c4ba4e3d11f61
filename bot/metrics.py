"""What Prometheus is told: counted here as it happens, and read from the store when it asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from workers.errors import StoreAway
from workers.wiring import WebServices

WORKER_SEEN_SECONDS = 15.0
"""A worker that was not seen for so long does not count."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one receiver, in a registry of their own."""

    def __init__(self, services: WebServices) -> None:
        self._registry = CollectorRegistry()
        self._counted: dict[tuple[str, str], Counter] = {}
        self._deliveries = Counter(
            "switchover_deliveries",
            "Deliveries that this process answered, by host and verdict.",
            ["host", "verdict"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "switchover_delivery_seconds",
            "Time from a delivery's whole body to its answer.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_StoreCollector(services))

    def delivery(self, host: str, verdict: str, seconds: float) -> None:
        """Count a delivery."""
        counter = self._counted.get((host, verdict))
        if counter is None:
            counter = self._counted[host, verdict] = self._deliveries.labels(host, verdict)
        counter.inc()
        self._seconds.observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format; asks the store."""
        return generate_latest(self._registry)


class _StoreCollector(Collector):
    """Reads the store's counts each time Prometheus asks; says so when the store is away."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def describe(self) -> Iterator[Metric]:
        """Yield nothing, so that registering does not ask the store."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield the store's counts."""
        up = GaugeMetricFamily("switchover_store_up", "1 when the store answers, else 0.")
        try:
            counts = self._services.reading.counts()
            workers = self._services.reading.workers_seen_since(
                self._services.store.now() - WORKER_SEEN_SECONDS
            )
        except StoreAway:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield _gauge("switchover_workers", "Worker processes seen in the last 15 seconds.", workers)
        yield _by("switchover_releases", "Releases by status.", "status", counts["releases"])
        yield _by("switchover_verdicts", "Deliveries in the store by verdict.", "verdict", counts["verdicts"])
        for name, words in _PLAIN.items():
            yield _gauge(f"switchover_{name}", words, counts[name])


_PLAIN = {
    "due": "Releases with a next look.",
    "failed": "Releases in the failed queue.",
    "outbox": "Receivers with notices to be sent.",
    "workspaces": "Workspaces that Switchover made and that still stand.",
}


def _gauge(name: str, words: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(name, words)
    gauge.add_metric([], value)
    return gauge


def _by(name: str, words: str, label: str, values: Mapping[str, int]) -> Metric:
    gauge = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge
