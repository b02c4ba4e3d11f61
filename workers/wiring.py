"""The one place that names concrete classes: what a worker process and a web process are made of."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx
import redis

from config.projects import ProjectSettings
from config.settings import HostSettings, Settings
from workers.flow.engine import Engine
from workers.flow.inquiries import Inquirer
from workers.flow.looking.scheduler import Scheduler
from workers.flow.looking.sweeper import Sweeper
from workers.flow.moves import Writer
from workers.flow.operations import Operations
from workers.flow.ports import GitHost, Platform
from workers.flow.reconcile import Reconciler
from workers.flow.sentry import Sentry
from workers.flow.workspaces import Workspaces
from workers.hosts.api_registry import offers_of
from workers.hosts.base import Headers, Host
from workers.hosts.registry import DRIVERS, host_of, reads_of
from workers.identities import Identities
from workers.leases import Renewer
from workers.notices.reporter import Reporter
from workers.outside import GitHosts, Platforms
from workers.platforms.transport import http_client, within
from workers.platforms.web import HttpWeb
from workers.releases.identity import new_release_id
from workers.releases.model import Release
from workers.store.connection import connect, connect_async, durability
from workers.store.inquiries import InquiryStore, RepositoryIds
from workers.store.intake import AsyncIntakeStore, IntakeStore
from workers.store.outbox import OutboxStore
from workers.store.probes import ProbeStore
from workers.store.reading import Reading
from workers.store.releases import LEASE_SECONDS, ReleaseStore
from workers.store.reports import ReportStore
from workers.store.scripts import Offset, no_offset
from workers.store.sent import SentStore
from workers.store.sessions import SessionStore
from workers.store.standing import StandingStore
from workers.store.sweeps import SweepStore

__all__ = [
    "Headers",
    "Host",
    "LiveSettings",
    "Services",
    "WebServices",
    "build",
    "build_web",
    "offers_of",
    "reads_of",
]


class LiveSettings:
    """The settings in force. `read` reads the file anew; a faulty one is refused whole."""

    def __init__(self, settings: Settings, read: Callable[[], Settings] | None = None) -> None:
        self._settings = settings
        self._read = read
        self._guard = threading.Lock()

    @property
    def current(self) -> Settings:
        """Return the settings in force now."""
        return self._settings

    def reload(self) -> None:
        """Read the file anew, or raise `ConfigurationError` and keep what is in force."""
        if self._read is None:
            return
        with self._guard:
            self._settings = self._read()

    def projects(self) -> Mapping[str, ProjectSettings]:
        """Return the projects by name."""
        return self._settings.projects

    def drivers(self) -> Mapping[str, str]:
        """Return the driver of each host."""
        return {name: host.driver for name, host in self._settings.hosts.items()}

    def api_urls(self) -> Mapping[str, str | None]:
        """Return where each host has its API; None: at the driver's public one."""
        return {name: host.api_url for name, host in self._settings.hosts.items()}

    def receivers(self, project: ProjectSettings, kind: str) -> tuple[str, ...]:
        """Return which of a project's receivers want a kind of notice."""
        notices = self._settings.notices
        return tuple(name for name in project.notify if name in notices and kind in notices[name].on)


class SettingsOfReleases:
    """The project settings that releases began with, each read once."""

    def __init__(self, store: ReleaseStore) -> None:
        self._store = store
        self._known: dict[str, ProjectSettings] = {}

    def of(self, release: Release) -> ProjectSettings:
        """Return a release's settings, or raise `NotFound`."""
        project = self._known.get(release.config)
        if project is None:
            project = self._known[release.config] = ProjectSettings.from_snapshot(
                self._store.settings(release.config)
            )
        return project


@dataclass(frozen=True, slots=True)
class Services:
    """What a worker process works with."""

    settings: LiveSettings
    store: ReleaseStore
    reading: Reading
    probes: ProbeStore
    outbox: OutboxStore
    renewer: Renewer
    engine: Engine
    platforms: Callable[[str], Platform | None]
    """A configured platform by its name, or None."""
    git_hosts: Callable[[str], GitHost | None]
    """What asks and tells a configured Git host, by its name, or None when it cannot be asked."""
    inquirer: Inquirer
    reporter: Reporter
    """Tells Git hosts how releases stand."""
    reconciler: Reconciler
    sentry: Sentry
    sweeper: Sweeper
    scheduler: Scheduler
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class WebServices:
    """What a web process works with."""

    settings: LiveSettings
    hosts: Mapping[str, Host]
    store: ReleaseStore
    reading: Reading
    intake: AsyncIntakeStore
    intake_sync: IntakeStore
    standing: StandingStore
    sessions: SessionStore
    identities: Identities
    operations: Operations
    workspaces: Workspaces
    sweeps: SweepStore
    close: Callable[[], None]
    close_async: Callable[[], Awaitable[None]]
    """Closes what belongs to the event loop; call it there, before `close`."""


def build(
    settings: Settings,
    *,
    redis_url: str,
    read: Callable[[], Settings] | None = None,
    offset: Offset = no_offset,
    transport: httpx.BaseTransport | None = None,
    lease_seconds: float = LEASE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Services:
    """Return the services of a worker process. Nothing is connected before it is used.

    `offset` and `clock` (seconds; it judges our own leases) are for tests that hold time in their hand.
    """
    live = LiveSettings(settings, read)
    client = connect(redis_url)
    http = http_client(transport=transport)
    store = ReleaseStore(client, offset=offset, lease_seconds=lease_seconds)
    probes = ProbeStore(client, offset=offset)
    renewer = Renewer(store, lease_seconds=lease_seconds, clock=clock)
    reading = Reading(client)
    platforms = Platforms(lambda: live.current, http)
    git_hosts = GitHosts(lambda: live.current, http)
    engine = Engine(
        store=store,
        probes=probes,
        keeper=renewer,
        platforms=platforms.find,
        web=HttpWeb(http),
        writer=Writer(live.receivers, random.random),
        owner=f"worker-{new_release_id()}",
        clock=clock,
        bound=within,
        git_hosts=git_hosts.askable,
    )

    def close() -> None:
        http.close()
        client.close()

    return Services(
        settings=live,
        store=store,
        reading=reading,
        probes=probes,
        outbox=OutboxStore(client, offset=offset),
        renewer=renewer,
        engine=engine,
        platforms=platforms.platform,
        git_hosts=git_hosts.find,
        inquirer=_inquirer(client, offset, live, git_hosts),
        reporter=_reporter(client, live, git_hosts, store),
        reconciler=Reconciler(
            looking=reading, acting=store, platforms=platforms.platform, projects=live.projects
        ),
        sentry=_sentry(client, offset, live, platforms),
        sweeper=_sweeper(client, offset, live, git_hosts),
        scheduler=_scheduler(client, offset, live, git_hosts),
        close=close,
    )


def _reporter(client: redis.Redis, live: LiveSettings, hosts: GitHosts, store: ReleaseStore) -> Reporter:
    return Reporter(
        Reading(client),
        ReportStore(client),
        hosts=hosts.find,
        settings=SettingsOfReleases(store).of,
        public_url=lambda: live.current.server.public_url,
        turn=store.turn,
    )


def _sentry(client: redis.Redis, offset: Offset, live: LiveSettings, platforms: Platforms) -> Sentry:
    return Sentry(
        watching=SentStore(client, offset=offset),
        looking=Reading(client),
        platforms=platforms.platform,
        projects=live.projects,
    )


def _sweeper(client: redis.Redis, offset: Offset, live: LiveSettings, hosts: GitHosts) -> Sweeper:
    return Sweeper(
        settings=lambda: live.current,
        hosts=hosts.find,
        store=SweepStore(client, offset=offset),
        intake=IntakeStore(client, offset=offset),
        now=ReleaseStore(client, offset=offset).now,
        ids=RepositoryIds(client).all,
    )


def _scheduler(client: redis.Redis, offset: Offset, live: LiveSettings, hosts: GitHosts) -> Scheduler:
    return Scheduler(
        settings=lambda: live.current,
        hosts=hosts.find,
        store=SweepStore(client, offset=offset),
        intake=IntakeStore(client, offset=offset),
        now=ReleaseStore(client, offset=offset).now,
        ids=RepositoryIds(client).all,
    )


def _inquirer(client: redis.Redis, offset: Offset, live: LiveSettings, hosts: GitHosts) -> Inquirer:
    return Inquirer(
        store=InquiryStore(client, offset=offset),
        ids=RepositoryIds(client),
        hosts=hosts.find,
        projects=live.projects,
        drivers=live.drivers,
        api_urls=live.api_urls,
        keep_seconds=lambda: live.current.retention.deliveries,
        jitter=random.random,
    )


def build_web(
    settings: Settings,
    *,
    redis_url: str,
    read: Callable[[], Settings] | None = None,
    offset: Offset = no_offset,
) -> WebServices:
    """Return the services of a web process. Nothing is connected before it is used."""
    live = LiveSettings(settings, read)
    client = connect(redis_url)
    client_of_loop = connect_async(redis_url)
    reading = Reading(client)
    store = ReleaseStore(client, offset=offset)
    return WebServices(
        settings=live,
        hosts=hosts_of(settings.hosts),
        store=store,
        reading=reading,
        intake=AsyncIntakeStore(client_of_loop, offset=offset),
        intake_sync=IntakeStore(client, offset=offset),
        standing=StandingStore(client, offset=offset),
        sessions=SessionStore(client),
        identities=Identities(RepositoryIds(client)),
        operations=Operations(store, reading, live.projects, live.drivers, live.api_urls),
        workspaces=Workspaces(reading, store),
        sweeps=SweepStore(client, offset=offset),
        close=client.close,
        close_async=client_of_loop.aclose,
    )


HOST_DRIVERS = frozenset(DRIVERS)


def durability_warning(redis_url: str) -> str | None:
    """Return what the store may lose of what it acknowledged, or None; raises `StoreAway`."""
    with connect(redis_url) as client:
        return durability(client).warning


def hosts_of(settings: Mapping[str, HostSettings]) -> dict[str, Host]:
    """Return the hosts whose drivers this version has, by name."""
    return {
        name: host_of(host.driver, name, [secret.get_secret_value() for secret in host.secrets])
        for name, host in settings.items()
        if host.driver in HOST_DRIVERS
    }
