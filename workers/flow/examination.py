"""What `doctor` asks: whether everything that a release needs is there, and what to do where it is not.

Every question only reads. A line never holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from config.projects import ProjectSettings
from config.settings import HostSettings, Settings
from workers.errors import Gone, PlatformError, Refused, StoreAway, TryAgain
from workers.flow.admission import lane_of
from workers.flow.connections import in_words, on_paths, same
from workers.flow.diagnosis import Line, Verdict
from workers.flow.flows import STEPS
from workers.flow.host_examination import Find, examine_hosts
from workers.flow.ports import Platform
from workers.flow.reconcile import Finding, Kind, Review
from workers.flow.secret_examination import examine_secrets
from workers.flow.workspaces import LaneView
from workers.releases.places import Domain

WORKER_SEEN_SECONDS = 15.0


class Looking(Protocol):
    """The part of the store that reads (`workers.store.reading.Reading`)."""

    def lane(self, name: str) -> LaneView:
        """Return one lane; an empty one when it never had a release."""
        ...

    def workers_seen_since(self, moment: float) -> int:
        """Return how many worker processes were seen at or after `moment`."""
        ...

    def secret_uses(self, host: str) -> Mapping[str, float]:
        """Return when each secret of a host, by its fingerprint, last verified a delivery."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is asked. `durability` returns what the store may lose, or None; it raises `StoreAway`."""

    platforms: Callable[[str], Platform | None]
    looking: Looking
    now: Callable[[], float]
    durability: Callable[[], str | None]
    review: Callable[[], Review]
    drivers: frozenset[str]
    """Drivers of Git hosts that this version has."""
    git_hosts: Find = lambda _: None
    embedded: bool = False
    """The store is the embedded one, which runs only while `switchover up` does."""


def examine(settings: Settings, around: Surroundings) -> Iterator[Line]:
    """Yield every answer as it comes; the slowest are a platform's time-outs."""
    yield from _access(settings)
    for host_name, host in settings.hosts.items():
        yield _host(host_name, host, around.drivers)
    yield from examine_hosts(settings, around.git_hosts)
    store_answers = False
    for line in _store(around):
        store_answers = line.verdict is not Verdict.FAIL and not line.text.startswith(NOT_RUNNING)
        yield line
        if not store_answers:
            break
    if store_answers:
        yield from examine_secrets(settings, around.looking.secret_uses, around.now())
    reachable: dict[str, Platform] = {}
    for name in settings.platforms:
        platform = around.platforms(name)
        line = _platform(name, platform)
        if platform is not None and line.verdict is Verdict.OK:
            reachable[name] = platform
        yield line
    for project in settings.projects.values():
        if project.target.platform in reachable:
            looking = around.looking if store_answers else None
            yield from _target(project, reachable[project.target.platform], looking)
    if store_answers:
        yield from _leftovers(around.review)


NOT_RUNNING = "the embedded store is not running"


def _access(settings: Settings) -> Iterator[Line]:
    if settings.access.tokens:
        names = ", ".join(f"{token.name} ({token.role})" for token in settings.access.tokens)
        yield Line(Verdict.OK, "access", f"tokens: {names}")
    else:
        text = "there is no token, so nobody can use the API, the dashboard or the commands"
        yield Line(Verdict.WARN, "access", text, "add one to access.tokens")


def _host(name: str, host: HostSettings, drivers: frozenset[str]) -> Line:
    about = f"host {name}"
    if host.driver not in drivers:
        known = ", ".join(sorted(drivers))
        text = f"this version has no driver {host.driver}, so its deliveries are answered 404"
        return Line(Verdict.FAIL, about, text, f"use one of: {known}")
    secrets = len(host.secrets)
    return Line(Verdict.OK, about, f"{host.driver}; {secrets} secret{'' if secrets == 1 else 's'} accepted")


def _store(around: Surroundings) -> Iterator[Line]:
    try:
        warning = around.durability()
        workers = around.looking.workers_seen_since(around.now() - WORKER_SEEN_SECONDS)
    except StoreAway as error:
        if around.embedded:
            advice = "`switchover up` starts it; leftovers were not looked for"
            yield Line(Verdict.WARN, "store", NOT_RUNNING, advice)
        else:
            yield Line(Verdict.FAIL, "store", str(error), "check redis.url, and that the server runs")
        return
    if warning is None:
        yield Line(Verdict.OK, "store", "it answers, writes everything down, and drops nothing")
    else:
        yield Line(Verdict.WARN, "store", warning, "set what it names in the server's configuration")
    if workers:
        yield Line(Verdict.OK, "workers", f"{workers} seen in the last {WORKER_SEEN_SECONDS:.0f} s")
    else:
        text = f"none was seen in the last {WORKER_SEEN_SECONDS:.0f} s: releases wait"
        yield Line(Verdict.WARN, "workers", text, "start one with `switchover up` or `switchover worker`")


def _platform(name: str, platform: Platform | None) -> Line:
    about = f"platform {name}"
    if platform is None:
        return Line(Verdict.FAIL, about, "this version has no driver for it", "use driver: codesphere")
    try:
        teams = platform.teams()
    except TryAgain as error:
        advice = f"check platforms.{name}.api_url and the network; if both are right, try again later"
        return Line(Verdict.FAIL, about, str(error), advice)
    except PlatformError as error:
        return Line(Verdict.FAIL, about, str(error), f"check platforms.{name}.token and api_url")
    names = ", ".join(f"{team.name} ({team.id})" for team in teams) or "none"
    return Line(Verdict.OK, about, f"it answers and takes the token; teams: {names}")


def _target(project: ProjectSettings, platform: Platform, looking: Looking | None) -> Iterator[Line]:
    about = f"project {project.name}"
    if project.flow not in STEPS:
        text = f"this version does not carry out flow {project.flow}"
        yield Line(Verdict.FAIL, about, text, "set flow: zero-downtime")
        return
    try:
        yield from _team_and_plan(about, project, platform)
        yield from _domain(about, project, platform, looking)
    except TryAgain as error:
        yield Line(Verdict.FAIL, about, str(error), "the platform was away meanwhile; try again")
    except PlatformError as error:
        yield Line(Verdict.FAIL, about, str(error), f"check projects.{project.name}.target")


def _team_and_plan(about: str, project: ProjectSettings, platform: Platform) -> Iterator[Line]:
    target, replicas = project.target, project.workspace.replicas
    team_id = platform.team_id(target.team)
    yield Line(Verdict.OK, about, f"team {target.team} is there (id {team_id})")
    try:
        place = platform.resolve(target.team, target.plan, "", replicas)
    except Refused as error:
        yield Line(Verdict.FAIL, about, str(error), f"check projects.{project.name}.target.plan")
        return
    if not place.warnings:
        yield Line(Verdict.OK, about, f"plan {target.plan} carries {replicas} replicas (id {place.plan_id})")
    for warning in place.warnings:
        yield Line(Verdict.WARN, about, warning)


def _domain(
    about: str, project: ProjectSettings, platform: Platform, looking: Looking | None
) -> Iterator[Line]:
    target = project.target
    try:
        domain = platform.domain(platform.team_id(target.team), target.domain)
    except Gone:
        text = f"team {target.team} has no domain {target.domain}"
        yield Line(Verdict.FAIL, about, text, "add the domain to the team on the platform")
        return
    fault = _unready(domain)
    if fault is not None:
        yield _not_serving(about, domain, fault)
        return
    now = on_paths(domain.connections, target.paths)
    put = None if looking is None else looking.lane(lane_of(project)).lane.connections
    if put is not None and not same(on_paths(put, target.paths), now):
        was = in_words(on_paths(put, target.paths))
        text = f"{domain.name} leads {in_words(now)}, but Switchover last put {was}"
        advice = "somebody changed it; the next release " + (
            "refuses to start until it is put right (target.drift: refuse)"
            if target.drift == "refuse"
            else "starts from what is there (target.drift: adopt)"
        )
        yield Line(Verdict.WARN, about, text, advice)
        return
    text = f"{domain.name} is verified, has its certificate, and leads {in_words(now)}"
    yield Line(Verdict.OK, about, text)


def _unready(domain: Domain) -> str | None:
    if not domain.verified:
        return "is not verified"
    return None if domain.certificate_issued else "has no certificate yet"


def _not_serving(about: str, domain: Domain, fault: str) -> Line:
    text = f"{domain.name} {fault} ({domain.reason or 'the platform gives no reason'})"
    return Line(Verdict.FAIL, about, text, "set the DNS records that the platform shows for the domain")


_ADVICE: Mapping[Kind, str | None] = {
    Kind.RETIRE: "a running worker removes it within ten minutes",
    Kind.DROP: "a running worker strikes it off the ledger within ten minutes",
    Kind.REPORT: None,
}


def _leftovers(review: Callable[[], Review]) -> Iterator[Line]:
    try:
        found = review()
    except StoreAway as error:
        yield Line(Verdict.FAIL, "leftovers", str(error), "the store went away meanwhile; try again")
        return
    for fault in found.faults:
        yield Line(Verdict.WARN, "leftovers", fault)
    odd = [finding for finding in found.findings if finding.kind in _ADVICE]
    for finding in odd:
        yield _leftover(finding)
    if not odd and not found.faults:
        needed = len(found.findings)
        text = f"none; {needed} workspace{'' if needed == 1 else 's'} of ours, each needed"
        yield Line(Verdict.OK, "leftovers", text)


def _leftover(finding: Finding) -> Line:
    text = f"workspace {finding.workspace}: {finding.why}"
    return Line(Verdict.WARN, "leftovers", text, _ADVICE[finding.kind])
