"""Tells a Git host how releases stand: commit statuses and deployments, each thing once unless a crash comes.

What was told is written down straight after the host took it. Whoever dies in between tells the same again,
which does no harm: a status says the same twice, a deployment is looked for before it is made again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from config.projects import ProjectSettings
from workers.errors import Effect, Gone, NotFound, NotYet, Refused, TryAgain
from workers.notices import host_wording as wording
from workers.notices.channels import NotSent
from workers.releases.model import Release
from workers.releases.origin import (
    DeploymentReport,
    DeploymentRequest,
    Offer,
    ReportState,
    RepositoryFacts,
    StatusReport,
)
from workers.releases.reports import Told

UNKNOWN_COMMIT_SECONDS: Final = 60.0
"""How long a commit that the host does not know is tried: some of their servers lag behind a push."""
MOST_CREATED: Final = 3
"""So often a deployment is asked for, when its answer is lost and the host does not list it."""
REFUSAL_SECONDS: Final = 3600.0
"""A host's refusals are logged once in this time."""
LONGEST_SECONDS: Final = 15.0
"""No call is begun after this, so that one entry never takes as long as it is kept from other senders."""
MOST_AT_ONCE: Final = 4
"""So many threads of a process tell one host at once: one that hangs must not take them all."""
TURN_SECONDS: Final = 0.5
"""How long a thread waits to be one of them."""
REFUSED: Final = "refused"
"""Instead of a state: the deployment of this release is left alone."""

_MADE_FOR: Final = frozenset({ReportState.RUNNING, ReportState.SUCCESS, ReportState.FAILURE})
"""Where a release was over before the host could be told that it began, nobody misses the others."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class Host(Protocol):
    """The part of a Git host that is told; see `workers.flow.ports.GitHost`."""

    @property
    def offers(self) -> Set[Offer]:
        """Return what the host has an API for."""
        ...

    def repository(self, repository: str) -> RepositoryFacts:
        """Read a repository."""
        ...

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        """Set a commit status."""
        ...

    def create_deployment(self, repository: str, deployment: DeploymentRequest) -> str:
        """Announce a deployment; return its id."""
        ...

    def find_deployment(self, repository: str, deployment: DeploymentRequest) -> str | None:
        """Return the id of a deployment that was asked for in these words."""
        ...

    def update_deployment(self, repository: str, deployment: str, report: DeploymentReport) -> None:
        """Say how a deployment stands."""
        ...


class Releases(Protocol):
    """Where releases are read (`workers.store.reading.Reading`)."""

    def release(self, release_id: str) -> Release:
        """Return one release, or raise `NotFound`."""
        ...


class Memory(Protocol):
    """Where it is written down what was told (`workers.store.reports.ReportStore`)."""

    def told(self, release_id: str) -> Told:
        """Return what was told of a release."""
        ...

    def note(self, release_id: str, told: Told) -> None:
        """Write down what was told of a release."""
        ...


@dataclass(slots=True)
class Telling:
    """One release that is being told of."""

    release: Release
    project: ProjectSettings
    host: Host
    told: Told
    page: str | None
    ends_at: float


class Reporter:
    """Tells Git hosts.

    `hosts` gives a host by its name, or None; `settings` what a release began with; `public_url` where
    people reach Switchover; `turn` is True once in so many seconds for a name, over all processes.
    """

    def __init__(
        self,
        releases: Releases,
        memory: Memory,
        *,
        hosts: Callable[[str], Host | None],
        settings: Callable[[Release], ProjectSettings],
        public_url: Callable[[], str | None],
        turn: Callable[[str, float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._releases = releases
        self._memory = memory
        self._hosts = hosts
        self._settings = settings
        self._public_url = public_url
        self._turn = turn
        self._clock = clock
        self._renamed: dict[tuple[str, str], str] = {}
        self._turns: defaultdict[str, threading.Semaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(MOST_AT_ONCE)
        )

    def send(self, body: Mapping[str, Any]) -> None:
        """Tell how the releases of an outbox entry stand now, or raise `NotSent`; `StoreAway`.

        The first is the one that moved; of the others (the one that it replaced, the one that is live again)
        only the deployments have changed.
        """
        releases: Sequence[str] = body["releases"]
        ends_at = self._clock() + LONGEST_SECONDS
        for release_id in releases:
            telling = self._telling(release_id, ends_at)
            if telling is None:
                continue
            with self._one_of_few(telling.project.host):
                if release_id == releases[0]:
                    self._status(telling)
                self._deployment(telling)

    @contextmanager
    def _one_of_few(self, host: str) -> Iterator[None]:
        turns = self._turns[host]
        if not turns.acquire(timeout=TURN_SECONDS):
            raise NotSent(f"{host} is slow, and told of other releases", without_effect=True)
        try:
            yield
        finally:
            turns.release()

    def _telling(self, release_id: str, ends_at: float) -> Telling | None:
        try:
            release = self._releases.release(release_id)
            project = self._settings(release)
        except NotFound:
            return None  # forgotten meanwhile
        try:
            host = self._hosts(project.host)
        except ValueError as error:
            self._note_refusal(project.host, error)
            return None
        if host is None:
            return None  # the token was taken away meanwhile, or the driver has no API
        page = wording.page_of(release, self._public_url())
        return Telling(release, project, host, self._memory.told(release_id), page, ends_at)

    def _status(self, telling: Telling) -> None:
        if not telling.project.report.status or Offer.STATUSES not in telling.host.offers:
            return
        report = wording.status_of(telling.release, telling.page)
        digest = wording.digest_of(report)
        if telling.told.status == digest:
            return
        commit = telling.release.commit
        self._ask(telling, lambda name: telling.host.report_status(name, commit, report))
        self._note(telling, status=digest)

    def _deployment(self, telling: Telling) -> None:
        state = wording.deployment_state(telling.release)
        if not telling.project.report.deployment or Offer.DEPLOYMENTS not in telling.host.offers:
            return
        if state is None or telling.told.stands in (state, REFUSED):
            return
        deployment = telling.told.deployment or self._found(telling) or self._made(telling, state)
        if not deployment:
            return
        report = wording.deployment_report(telling.release, telling.project, state, telling.page)
        self._ask(telling, lambda name: telling.host.update_deployment(name, deployment, report))
        self._note(telling, stands=state.value)

    def _found(self, telling: Telling) -> str | None:
        """Look for a deployment whose id never reached us, and keep it."""
        if telling.told.creating == 0:
            return None
        request = wording.deployment_request(telling.release, telling.project)
        found = self._ask(telling, lambda name: telling.host.find_deployment(name, request))
        if found:
            self._note(telling, deployment=found)
        return found

    def _made(self, telling: Telling, state: ReportState) -> str | None:
        """Make the deployment and keep its id; None where there should be none, or there can be none."""
        asked = telling.told.creating
        if state not in _MADE_FOR or asked >= MOST_CREATED:
            return None
        request = wording.deployment_request(telling.release, telling.project)
        self._note(telling, creating=asked + 1)
        try:
            made = self._ask(telling, lambda name: telling.host.create_deployment(name, request))
        except NotSent as error:
            if error.without_effect:
                self._note(telling, creating=asked)
            raise
        if made:
            self._note(telling, deployment=made)
        else:
            self._note(telling, stands=REFUSED)
        return made

    def _note(self, telling: Telling, **changes: Any) -> None:
        telling.told = replace(telling.told, **changes)
        self._memory.note(telling.release.id, telling.told)

    def _ask(self, telling: Telling, call: Callable[[str], T]) -> T | None:
        """Make one call; None where the host refuses it for good. Raises `NotSent`."""
        if self._clock() > telling.ends_at:
            raise NotSent(f"{telling.project.host} is slow; the rest follows", without_effect=True)
        try:
            return self._by_its_name(telling, call)
        except NotYet as error:
            raise NotSent(str(error), within=UNKNOWN_COMMIT_SECONDS, without_effect=True) from None
        except TryAgain as error:
            nothing = error.effect is Effect.NONE
            raise NotSent(str(error), wait=error.wait, without_effect=nothing) from None
        except (Refused, Gone) as error:
            self._note_refusal(telling.project.host, error)
            return None

    def _by_its_name(self, telling: Telling, call: Callable[[str], T]) -> T:
        """Call under the repository's name; where that was changed meanwhile, under its name of now."""
        configured = telling.project.repository
        at = (telling.project.host, configured)
        name = self._renamed.get(at, configured)
        try:
            return call(name)
        except (Refused, Gone):
            now = telling.host.repository(configured).full_name
            if now.lower() == name.lower():
                raise
            self._renamed[at] = now
            return call(now)

    def _note_refusal(self, host: str, error: Exception) -> None:
        if self._turn(f"refused:{host}", REFUSAL_SECONDS):
            log.warning("%s is not told how releases stand, which is said once an hour: %s", host, error)
