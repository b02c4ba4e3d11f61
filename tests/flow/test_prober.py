from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis

from workers.prober import Prober
from workers.releases.probing import ProbeSpec, Tally
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import key
from workers.store.probes import ProbeStore

PATIENCE = 20.0
RELEASE = "r-1"


class Site(ThreadingHTTPServer):
    """Production: answers as told, as slowly as told."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SiteHandler)
        self.answer = 200
        self.pause = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/health"


class SiteHandler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        time.sleep(self.server.pause)
        self.send_response(self.server.answer)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(store_url: str) -> Iterator[redis.Redis]:
    with connect(store_url) as connected:
        yield connected


@pytest.fixture
def probes(client: redis.Redis) -> ProbeStore:
    return ProbeStore(client)


@pytest.fixture
def prober(probes: ProbeStore) -> Iterator[Prober]:
    started = Prober(probes, owner="prober-1")
    started.start()
    yield started
    started.stop()


def watch(client: redis.Redis, spec: ProbeSpec) -> None:
    """Ask for probing as the script does that moves a release."""
    client.hset(key("probe", RELEASE), "spec", spec.to_json())
    client.zadd(key("probes"), {RELEASE: 0})


def soon(probes: ProbeStore, holds: Callable[[Tally], bool]) -> Tally:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        tally = probes.read(RELEASE)
        if tally is not None and holds(tally):
            return tally
        time.sleep(0.01)
    raise AssertionError(f"not within {PATIENCE} s; the last tally is {probes.read(RELEASE)}")


@pytest.mark.usefixtures("prober")
def test_production_is_probed_on_a_clock_and_counted(
    client: redis.Redis, probes: ProbeStore, site: Site
) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))

    tally = soon(probes, lambda tally: tally.probes >= 20)

    assert (tally.failed, tally.longest_gap_ms()) == (0, 0)
    sent = [sample.sent_ms for sample in tally.samples]
    assert (sent[-1] - sent[0]) / (len(sent) - 1) == pytest.approx(100, abs=25)


def test_times_are_those_of_the_store(client: redis.Redis, site: Site) -> None:
    ahead = ProbeStore(client, offset=lambda: 3_600_000)
    watch(client, ProbeSpec(site.url, every=0.1))
    prober = Prober(ahead, owner="prober-1")
    prober.start()
    tally = soon(ahead, lambda tally: tally.probes >= 3)
    prober.stop()

    assert tally.first_at == pytest.approx(time.time() + 3600, abs=60)


@pytest.mark.usefixtures("prober")
def test_an_outage_shows_as_failed_probes_and_a_gap(
    client: redis.Redis, probes: ProbeStore, site: Site
) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))
    soon(probes, lambda tally: tally.good_in_a_row >= 5)
    site.answer = 503
    failing = soon(probes, lambda tally: tally.failed_in_a_row >= 3)
    site.answer = 200

    tally = soon(probes, lambda tally: tally.good_in_a_row >= 3 and tally.failed >= 3)

    assert failing.last_failure == "answered 503, not 200"
    assert tally.longest_gap_ms() >= 200


@pytest.mark.usefixtures("prober")
def test_a_redirect_is_not_followed(client: redis.Redis, probes: ProbeStore, site: Site) -> None:
    site.answer = 302
    watch(client, ProbeSpec(site.url, every=0.1))

    assert soon(probes, lambda tally: tally.failed > 0).last_failure == "answered 302, not 200"


@pytest.mark.usefixtures("prober")
def test_slow_answers_do_not_slow_the_clock(client: redis.Redis, probes: ProbeStore, site: Site) -> None:
    site.pause = 0.5
    watch(client, ProbeSpec(site.url, every=0.1, timeout=2))

    tally = soon(probes, lambda tally: tally.probes >= 15)

    sent = [sample.sent_ms for sample in tally.samples]
    assert (sent[-1] - sent[0]) / (len(sent) - 1) == pytest.approx(100, abs=25)
    assert tally.failed == 0


@pytest.mark.usefixtures("prober")
def test_each_probe_has_a_time_out_of_its_own(client: redis.Redis, probes: ProbeStore, site: Site) -> None:
    site.pause = 1.0
    watch(client, ProbeSpec(site.url, every=0.1, timeout=0.3))

    assert soon(probes, lambda tally: tally.failed >= 3).last_failure == "no answer within 0.3 s"


@pytest.mark.usefixtures("prober")
def test_production_that_is_not_there_is_told_in_words(client: redis.Redis, probes: ProbeStore) -> None:
    watch(client, ProbeSpec("http://127.0.0.1:1/", every=0.1))

    reason = soon(probes, lambda tally: tally.failed > 0).last_failure

    assert reason is not None
    assert reason.startswith("no answer: ")


@pytest.mark.usefixtures("prober")
def test_the_release_is_due_at_once_after_five_good_probes(
    client: redis.Redis, probes: ProbeStore, site: Site
) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))

    soon(probes, lambda tally: tally.good_in_a_row >= 5)

    assert client.zscore(key("due"), RELEASE) is not None


@pytest.mark.usefixtures("prober")
def test_the_release_is_due_at_once_after_so_many_failures(
    client: redis.Redis, probes: ProbeStore, site: Site
) -> None:
    site.answer = 500
    watch(client, ProbeSpec(site.url, every=0.1, failures=2))

    tally = soon(probes, lambda tally: tally.failed >= 2)

    assert tally.failed < 6
    assert client.zscore(key("due"), RELEASE) is not None


@pytest.mark.usefixtures("prober")
def test_probing_ends_when_the_flow_ends_it(client: redis.Redis, probes: ProbeStore, site: Site) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))
    soon(probes, lambda tally: tally.probes >= 3)
    client.zrem(key("probes"), RELEASE)
    deadline = time.monotonic() + PATIENCE

    def quiet() -> bool:
        before = client.hget(key("probe", RELEASE), "reported_at")
        time.sleep(1.3)
        return client.hget(key("probe", RELEASE), "reported_at") == before

    while not quiet():
        assert time.monotonic() < deadline
    assert client.zscore(key("probes"), RELEASE) is None


def test_another_prober_takes_over_within_three_seconds_and_the_hole_is_unobserved(
    client: redis.Redis, probes: ProbeStore, site: Site
) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))
    # This one dies with its watch: it probed for a moment and never reports again.
    dead = probes.take("dead")
    assert dead is not None
    tally = dead.tally
    for number in range(3):
        at = dead.now + number * 0.1
        tally = tally.record(at, at + 0.01, ok=True)
    assert probes.report(dead, tally)
    died_at = time.monotonic()
    heir = Prober(probes, owner="heir")
    heir.start()
    counted = soon(probes, lambda tally: tally.probes > 3)
    took = time.monotonic() - died_at
    heir.stop()

    assert took < 4.5  # at most 3 s until it probes, and a second until it reports
    assert 1000 < counted.unobserved_ms() < 3000
    assert not probes.report(dead, tally)


def test_a_prober_that_is_stopped_hands_over_at_once(
    client: redis.Redis, probes: ProbeStore, site: Site
) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))
    first = Prober(probes, owner="first")
    first.start()
    soon(probes, lambda tally: tally.good_in_a_row >= 5)

    first.stop()

    assert probes.take("second") is not None


def test_two_probers_do_not_probe_one_release(client: redis.Redis, probes: ProbeStore, site: Site) -> None:
    watch(client, ProbeSpec(site.url, every=0.1))

    assert probes.take("one") is not None
    assert probes.take("other") is None


def test_probing_goes_on_while_the_store_is_away(tmp_path: Path, site: Site) -> None:
    store = EmbeddedStore(tmp_path / "state")
    store.start()
    with connect(store.url) as client:
        probes = ProbeStore(client)
        watch(client, ProbeSpec(site.url, every=0.1))
        prober = Prober(probes, owner="prober-1")
        prober.start()
        before = soon(probes, lambda tally: tally.probes >= 5)
        store.stop()
        time.sleep(1.0)  # the outage itself
        store.start()
        tally = soon(probes, lambda tally: tally.probes >= before.probes + 10)
        prober.stop()
    store.stop()

    assert tally.failed == 0
    assert tally.unobserved_ms() < 700  # a busy machine may hold single probes up; the outage took a second
