"""From what projects decided about an event to what is written down: pure, no store asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from config.projects import ProjectSettings
from workers.flow.git_addresses import git_address
from workers.flow.remembering import awaits_ci, checks_of, learned, named_by, waits_of
from workers.flow.reports import report_receiver
from workers.flow.triggers import Candidate, Decision, NamedBy
from workers.releases.codec import dumps, facts_of, plain, state_of
from workers.releases.deliveries import told_json
from workers.releases.events import DeliveryFacts, Event
from workers.releases.identity import new_release_id
from workers.releases.inquiries import inquiry_document, inquiry_id
from workers.releases.intake import Intake
from workers.releases.model import JSON, PENDING, Release, Trigger
from workers.releases.status import Status

REMEMBER_SECONDS = 365 * 24 * 3600.0
"""How long the commits of a ref are remembered, so that a late delivery is recognised."""


Stood = Mapping[tuple[str, str], str]
"""The commit that was last accepted, by project and full ref; the empty text or no entry: none."""


def lane_of(project: ProjectSettings) -> str:
    """Return the name of the lane: what a project releases to one target queues there."""
    return f"{project.name}@{project.target.domain.lower() or project.target.workspace or project.flow}"


def git_url_of(
    project: ProjectSettings, driver: str, from_event: str | None, api_url: str | None = None
) -> str:
    """Return where the platform clones from: the settings, else the event, else host and repository.

    `api_url` is that of the host, None for the driver's public one. Empty where nothing tells. An address
    in an event is only taken from a delivery whose signature held, and never with http.
    """
    if project.git.url:
        return project.git.url
    if from_event and from_event.startswith("https://"):
        return from_event
    return git_address(driver, api_url, project.repository) or ""


def intake_of(
    facts: DeliveryFacts,
    event: Event,
    decisions: Sequence[Decision],
    projects: Mapping[str, ProjectSettings],
    *,
    keep_seconds: float,
    driver: str,
    ids: Mapping[str, str] = MappingProxyType({}),
    api_url: str | None = None,
    stood: Stood | None = None,
) -> Intake:
    """Return what the store writes down for a verified delivery of a host with this driver and `api_url`.

    `ids` are the host's ids of the projects' repositories, as far as they are known, by project.
    With `stood` the host itself was asked where the refs are, and said so after that was read: nothing is
    released where a ref was moved on since.
    """
    candidates = [
        _candidate(
            candidate,
            projects[candidate.project],
            facts,
            event,
            git_url_of(projects[candidate.project], driver, candidate.clone_url, api_url),
            stood,
        )
        for decision in decisions
        for candidate in decision.candidates
    ]
    inquiries = [_inquiry(decision, facts, event) for decision in decisions if decision.verdict == "ask"]
    # Most hosts have no project that waits for CI, and every delivery comes by here.
    waiting = [project for project in projects.values() if awaits_ci(project)]
    return Intake(
        delivery=facts.delivery,
        facts=delivery_json(facts, event, decisions),
        candidates=candidates,
        verdict="ping" if event.kind == "ping" else "ignored",
        reason="" if candidates else reason_without_candidates(event, decisions),
        keep_seconds=keep_seconds,
        remember_seconds=REMEMBER_SECONDS,
        inquiries=inquiries,
        named=named_by(event, waiting, ids) if waiting else (),
        checks=checks_of(event, waiting, ids) if waiting else (),
        ids=learned(event, projects.values(), ids) if len(ids) < len(projects) else {},
        kept_back=[
            (decision.project, ref, commit) for decision in decisions for ref, commit in decision.kept_back
        ],
    )


def candidates_of(
    decision: Decision,
    project: ProjectSettings,
    facts: DeliveryFacts,
    event: Event,
    *,
    driver: str,
    api_url: str | None,
) -> list[JSON]:
    """Return the commits that a decision wants released, as the scripts of admission take them."""
    return [
        _candidate(each, project, facts, event, git_url_of(project, driver, each.clone_url, api_url), None)
        for each in decision.candidates
    ]


def _inquiry(decision: Decision, facts: DeliveryFacts, event: Event) -> JSON:
    """Return what `accept.lua` takes of a decision that asks."""
    about: JSON = {
        "id": inquiry_id(facts.delivery, decision.project),
        "project": decision.project,
        "document": dumps(inquiry_document(facts, event)),
        "reason": decision.reason,
        "said": said_of(decision),
        "waits": waits_of(event, decision),
    }
    named = next((each for each in decision.questions if isinstance(each, NamedBy)), None)
    return about if named is None else about | {"ci": named.commit}


def said_of(decision: Decision) -> str:
    """Return how a project's part of a delivery's reason reads."""
    return f"{decision.project}: {decision.reason}"


def reason_without_candidates(event: Event, decisions: Iterable[Decision]) -> str:
    """Say why nothing is released: each project's reason, but only of those that the event is about."""
    if event.kind == "ping":
        return "the host asked whether somebody listens"
    told = list(decisions)
    if not told:
        return "no project is configured for this host"
    near = [decision for decision in told if " follows " not in decision.reason]
    if not near:
        return f"no project follows {event.repository or 'a repository that this event names'}"
    # Those that ask are told of by the store, which knows what becomes of them.
    return "; ".join(said_of(decision) for decision in near if decision.verdict == "ignore")


def delivery_json(facts: DeliveryFacts, event: Event, decisions: Sequence[Decision]) -> JSON:
    """Return what is kept of a delivery beside its verdict."""
    return {
        "host": facts.host,
        "event": facts.event,
        "told": told_json(event),
        "decisions": [
            {
                "project": decision.project,
                "verdict": decision.verdict,
                "reason": decision.reason,
                "rule": decision.rule,
            }
            for decision in decisions
        ],
    }


def new_release(
    project: ProjectSettings,
    *,
    commit: str,
    ref: str | None,
    git_url: str,
    trigger: Trigger,
    reason: str,
    by_person: bool = False,
    retry_of: str | None = None,
) -> Release:
    """Return a release as it is before the store gives it a number and an order."""
    return Release(
        id=new_release_id(),
        number=0,
        project=project.name,
        lane=lane_of(project),
        flow=project.flow,
        commit=commit,
        ref=ref,
        git_url=git_url,
        status=Status.QUEUED,
        reason=reason,
        step=None,
        trigger=trigger,
        config=project.digest(),
        order=0,
        created_at=0.0,
        by_person=by_person,
        retry_of=retry_of,
        steps=PENDING[project.flow],
    )


def candidate_json(
    release: Release,
    project: ProjectSettings,
    *,
    state: str | None = None,
    **more: JSON | str | bool | int | None,
) -> JSON:
    """Return what `enqueue()` of the scripts takes. Nothing in it is null: Lua would take it for true."""
    facts: JSON = {
        "release": release.id,
        "facts": facts_of(release),
        "state": state_of(release) if state is None else state,
        "project": release.project,
        "lane": release.lane,
        "commit": release.commit,
        "reason": release.reason,
        "config": release.config,
        "settings": project.canonical,
        "supersede": project.supersede,
        "report": report_receiver(project),
        **more,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _candidate(
    candidate: Candidate,
    project: ProjectSettings,
    facts: DeliveryFacts,
    event: Event,
    git_url: str,
    stood: Stood | None,
) -> JSON:
    """Return what `accept.lua` takes for a push: `candidate_json` without a whole release on the way."""
    release_id, lane, digest = new_release_id(), lane_of(project), project.digest()
    trigger = Trigger(candidate.trigger, facts.host, event.kind, facts.delivery, candidate.actor)
    release_facts: JSON = {
        "id": release_id,
        "project": project.name,
        "lane": lane,
        "flow": project.flow,
        "commit": candidate.commit,
        "ref": candidate.ref,
        "git_url": git_url,
        "config": digest,
        "by_person": False,
        "retry_of": None,
        "trigger": plain(trigger),
    }
    # Absent unless it counts: what is false for Python is true for Lua.
    found = {} if stood is None else {"stood": stood.get((project.name, candidate.ref), "")}
    return {
        "release": release_id,
        "facts": release_facts,
        "state": "",
        "project": project.name,
        "lane": lane,
        "commit": candidate.commit,
        "reason": candidate.message
        or f"{candidate.trigger} {'to' if candidate.trigger == 'push' else 'of'} {candidate.ref}",
        "config": digest,
        "settings": project.canonical,
        "supersede": project.supersede,
        "ref": candidate.ref,
        "before": candidate.before or "",
        "replayed": "1" if candidate.before == "" else "",
        "forced": "1" if candidate.forced else "",
        "time": "" if candidate.host_time is None else f"{candidate.host_time:.3f}",
        "moved_back": candidate.moved_back,
        **found,
        **({"report": report_receiver(project)} if project.reports else {}),
    }
