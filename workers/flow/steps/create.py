"""create: a workspace of our own at exactly the release's commit."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from config.projects import ProjectSettings
from workers.errors import Refused
from workers.flow import late
from workers.flow.connections import in_words, on_paths, same
from workers.flow.git_addresses import no_address
from workers.flow.outcomes import Call, Done, Fail, Note, Outcome, Settled, Wait
from workers.flow.steps.base import timed_out
from workers.flow.turn import Turn
from workers.releases.codec import dumps
from workers.releases.identity import mark_of, workspace_name
from workers.releases.model import JSON, Cause
from workers.releases.places import Domain, Workspace, WorkspaceSpec

CREATE_CALL_SECONDS = 120.0
"""The longest time that the create call may take on its way (see the driver's time-outs)."""
SETTLE_SECONDS = CREATE_CALL_SECONDS + 30.0
"""After this a workspace that the list does not show was never made."""
CHECKOUT_SETTLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Create:
    """Resolve the target, take the snapshot of its domain, create, wait, and pin the commit."""

    name: str = "create"

    def timeout(self, project: ProjectSettings) -> float:
        """Return the configured time."""
        return project.stages.create.timeout

    def look(self, turn: Turn) -> Outcome:
        """Do the next of: resolve, snapshot, create, wait until running, pin, read the pipeline."""
        if "place" not in turn.memory:
            return _resolve(turn)
        if "workspace" not in turn.memory:
            return _create(turn)
        if not turn.scratch.get("running"):
            return _wait_until_running(turn)
        return _pin(turn)

    def settle(self, turn: Turn) -> Outcome:
        """After a create: look for our workspace. After a checkout or pull: HEAD will tell."""
        if turn.intent.kind == "create":
            return _find_created(turn)
        return Settled(text=None)

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Fail; the workspace, if any, is cleaned up afterwards."""
        return timed_out(turn, self.timeout(turn.project), last, cause)


def _resolve(turn: Turn) -> Outcome:
    if not turn.release.git_url:
        missing = f"neither the event nor the settings say where {turn.project.repository} is cloned from"
        return Fail(Cause.CONFIGURATION, f"{missing}; {no_address(turn.project)}, then start it anew")
    target = turn.project.target
    place = turn.platform.resolve(target.team, target.plan, target.domain, turn.project.workspace.replicas)
    domain = turn.platform.domain(place.team_id, target.domain)
    fault = _unready(domain)
    if fault is not None:
        return Fail(Cause.CONFIGURATION, fault)
    snapshot = on_paths(domain.connections, target.paths)
    known = turn.lane.connections
    drifted = known is not None and not same(on_paths(known, target.paths), snapshot)
    sent = late.recognised(turn, snapshot, place.key) if drifted else None
    if sent is not None:
        # It is put right on the live release meanwhile; what we begin from is what stands there then.
        right = on_paths(turn.lane.standing or {}, target.paths)
        return Note(memory={"place": asdict(place), "snapshot": right}, text=late.in_sentence(sent))
    if drifted and target.drift == "refuse":
        return Fail(
            Cause.CONFIGURATION,
            f"{domain.name} leads {in_words(snapshot)}, but Switchover last put {in_words(known or {})}; "
            "put it right, or set target.drift to adopt",
        )
    return Note(
        memory={"place": asdict(place), "snapshot": snapshot},
        text=f"{domain.name} was changed by somebody else since; it leads {in_words(snapshot)} now"
        if drifted
        else "; ".join(place.warnings) or None,
        effects={"drift": dumps(snapshot) if drifted else ""},
    )


def _unready(domain: Domain) -> str | None:
    if not domain.verified:
        return f"domain {domain.name} is not verified on the platform ({domain.reason or 'no reason given'})"
    if not domain.certificate_issued:
        return f"domain {domain.name} has no certificate yet ({domain.reason or 'no reason given'})"
    return None


def _create(turn: Turn) -> Outcome:
    release, project, place = turn.release, turn.project, turn.place
    tries = int(turn.memory.get("creates", 0)) + 1
    name = workspace_name(release.project, release.number, release.id, release.commit, 1)
    spec = WorkspaceSpec(
        team_id=place.team_id,
        plan_id=place.plan_id,
        name=name,
        mark=mark_of(release.id),
        git_url=release.git_url,
        branch=_branch(release.ref),
        private=_is_private(project),
        replicas=project.workspace.replicas,
        restricted=project.workspace.restricted,
        env={key: value.get_secret_value() for key, value in project.workspace.env.items()},
    )
    return Call(
        "create",
        f"creating workspace {name}",
        send=lambda: _created(turn.platform.create_workspace(spec)),
        settle_seconds=SETTLE_SECONDS,
        data={"name": name},
        memory={"creates": tries},
    )


def _branch(ref: str | None) -> str | None:
    prefix = "refs/heads/"
    return ref.removeprefix(prefix) if ref and ref.startswith(prefix) else None


def _is_private(project: ProjectSettings) -> bool:
    """Take `auto` for private: an operator's own platform account reads public repositories as well."""
    return project.git.private is not False


def _created(workspace: Workspace) -> JSON:
    return {"workspace": asdict(workspace), "workspace_id": workspace.id}


def _find_created(turn: Turn) -> Outcome:
    mark, name = mark_of(turn.release.id), turn.intent.data["name"]
    ours = sorted(
        (
            workspace
            for workspace in turn.platform.workspaces(turn.place.team_id)
            if workspace.mark == mark and workspace.name == name
        ),
        key=lambda workspace: workspace.id,
    )
    if ours:
        found = f"adopted workspace {ours[0].id}, which an unanswered call had created"
        return Settled(memory=_created(ours[0]), text=found)
    if turn.may_still_take_effect:
        return Wait("the create call went unanswered; looking whether its workspace appears")
    return Settled(text="the unanswered create call made no workspace; creating again")


def _wait_until_running(turn: Turn) -> Outcome:
    workspace = turn.workspace
    if not turn.platform.is_running(workspace.id):
        return Wait(f"workspace {workspace.id} is starting")
    if workspace.address is None:
        workspace = turn.platform.workspace(workspace.id)
        if workspace.address is None:
            return Wait(f"workspace {workspace.id} has no address yet")
    return Note(memory=_created(workspace), scratch={"running": True})


def _pin(turn: Turn) -> Outcome:
    workspace_id, commit = turn.workspace.id, turn.release.commit
    try:
        head = turn.platform.head(workspace_id)
    except Refused as error:
        return Wait(f"the clone is not there yet: {error}")
    if head == commit:
        pipeline = turn.platform.pipeline(workspace_id, turn.project.workspace.profile)
        return Done(
            f"workspace {workspace_id} at {commit[:12]}",
            memory={"pipeline": asdict(pipeline), "head": head, "warnings": list(pipeline.warnings)},
        )
    if not turn.scratch.get("pulled"):
        return _checkout(turn, head)
    if turn.scratch.get("missing"):
        return Fail(
            Cause.APPLICATION,
            f"commit {commit} is not in the repository any more ({turn.scratch['missing']}); "
            "it was probably force-pushed away",
        )
    return _checkout(turn, head)


def _checkout(turn: Turn, head: str) -> Call:
    """Check out what was pushed; the clone took the branch's tip, which may have moved on since."""
    workspace_id, commit = turn.workspace.id, turn.release.commit

    def send() -> JSON:
        turn.platform.checkout(workspace_id, commit)
        return {}

    return Call(
        "checkout",
        f"the clone is at {head[:12]}; checking out {commit[:12]}",
        send=send,
        settle_seconds=CHECKOUT_SETTLE_SECONDS,
        refused=lambda why: _pull_once(turn, why),
    )


def _pull_once(turn: Turn, why: str) -> Outcome:
    """The commit is newer than the clone, or gone: fetch once, then decide."""
    if turn.scratch.get("pulled"):
        return Note(scratch={"missing": why})
    workspace_id, branch = turn.workspace.id, _branch(turn.release.ref)

    def send() -> JSON:
        turn.platform.pull(workspace_id, branch)
        return {"scratch": {"pulled": True}}

    return Call(
        "pull",
        "the clone does not have the commit yet; pulling",
        send=send,
        settle_seconds=CREATE_CALL_SECONDS,
        refused=lambda refusal: Note(scratch={"pulled": True, "missing": f"{why}; {refusal}"}),
    )
