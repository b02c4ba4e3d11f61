"""How Git hosts are told, where the flow tests do not reach."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.notices.test_host_wording import project, release
from workers.notices.channels import NotSent
from workers.notices.reporter import MOST_AT_ONCE, Reporter
from workers.releases.model import Release
from workers.releases.origin import (
    DeploymentReport,
    DeploymentRequest,
    Offer,
    RepositoryFacts,
    StatusReport,
)
from workers.releases.reports import Told
from workers.releases.status import Status

PATIENCE = 20.0


class Hanging:
    """A host whose answers to statuses come when the test says so."""

    offers = frozenset({Offer.STATUSES})

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = threading.Semaphore(0)

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        self.asked.release()
        assert self.answers.wait(PATIENCE)

    def repository(self, repository: str) -> RepositoryFacts:
        raise NotImplementedError

    def create_deployment(self, repository: str, deployment: DeploymentRequest) -> str:
        raise NotImplementedError

    def find_deployment(self, repository: str, deployment: DeploymentRequest) -> str | None:
        raise NotImplementedError

    def update_deployment(self, repository: str, deployment: str, report: DeploymentReport) -> None:
        raise NotImplementedError


class Memory(dict[str, Told]):
    """What was told, in memory."""

    def told(self, release_id: str) -> Told:
        return self.get(release_id, Told())

    def note(self, release_id: str, told: Told) -> None:
        self[release_id] = told


class Releases:
    """Every release is live."""

    def release(self, release_id: str) -> Release:
        return release(Status.LIVE, id=release_id)


def reporter(host: Hanging, memory: Memory) -> Reporter:
    return Reporter(
        Releases(),
        memory,
        hosts=lambda _: host,
        settings=lambda _: project(host_has_token=True),
        public_url=lambda: None,
        turn=lambda _name, _seconds: True,
    )


def test_a_host_that_hangs_takes_only_some_of_the_threads() -> None:
    host, memory = Hanging(), Memory()
    telling = reporter(host, memory)
    with ThreadPoolExecutor() as pool:
        hanging = [pool.submit(telling.send, {"releases": [f"r{number}"]}) for number in range(MOST_AT_ONCE)]
        assert all(host.asked.acquire(timeout=PATIENCE) for _ in hanging)
        with pytest.raises(NotSent, match="is slow"):
            telling.send({"releases": ["one more"]})
        host.answers.set()
    telling.send({"releases": ["one more"]})

    assert set(memory) == {"r0", "r1", "r2", "r3", "one more"}
