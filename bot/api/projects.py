"""What people put in the way of a project's releases: freezes, and what a rollback or a failure left."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import FreezeView, moment_or_none
from bot.api.requests import FreezeProject
from bot.envelope import Problem
from workers.errors import NotFound

PATH: Final = "/api/v1/projects/{name}"


def freeze(call: Call) -> Reply:
    """Stop a project's releases."""
    project = _project(call)
    body = call.body_as(FreezeProject)
    until = None
    if body.until is not None:
        # A moment without a zone is taken as UTC, which is what the API itself writes.
        until = (body.until if body.until.tzinfo else body.until.replace(tzinfo=UTC)).timestamp()
        if until <= call.services.store.now():
            raise Problem(422, "The freeze would be over already: until lies in the past.")
    facts = call.services.standing.freeze(project, author=call.who.name, reason=body.reason, until=until)
    return Reply(
        FreezeView(
            project=project, author=facts["author"], reason=facts["reason"], until=moment_or_none(until)
        )
    )


def unfreeze(call: Call) -> Reply:
    """Let a project's releases go on."""
    project = _project(call)
    if not call.services.standing.unfreeze(project):
        raise NotFound(f"project {project} is not frozen")
    return Reply()


def unpin(call: Call) -> Reply:
    """Take a project's pin away, so that its newest commit is released; another's pin needs an admin."""
    project = _project(call)
    pins = [
        view.lane.pin
        for view in call.services.reading.lanes()
        if view.project == project and view.lane.pin is not None
    ]
    if any(pin.get("author") != call.who.name for pin in pins):
        call.who.must("admin", "Taking away a pin that somebody else set")
    if not call.services.standing.unpin(project):
        raise NotFound(f"project {project} is not pinned")
    return Reply()


def release_hold(call: Call) -> Reply:
    """Let a lane go on that was held because its connections were unknown or could not be restored."""
    project = _project(call)
    if not call.services.standing.release_hold(project):
        raise NotFound(f"project {project} is not held")
    return Reply()


def forget_repository(call: Call) -> Reply:
    """Let the repository that has the project's name now be followed, though it has another id."""
    name = _project(call)
    call.services.identities.forget(call.services.settings.current.projects[name])
    return Reply()


def _project(call: Call) -> str:
    return call.services.operations.project(call.request.path_params["name"]).name


_REFUSALS = (401, 402, 403, 404)

ENDPOINTS = (
    Endpoint(
        "PUT", f"{PATH}/freeze", "Stop a project's releases", "projects", "operator", freeze,
        answer=FreezeView, body=FreezeProject, refusals=(400, *_REFUSALS, 413, 415, 422),
    ),
    Endpoint(
        "DELETE", f"{PATH}/freeze", "Let a project's releases go on", "projects", "operator", unfreeze,
        status=204, refusals=_REFUSALS,
    ),
    Endpoint(
        "DELETE", f"{PATH}/pin", "Take a project's pin away", "projects", "operator", unpin,
        status=204, refusals=_REFUSALS,
    ),
    Endpoint(
        "DELETE", f"{PATH}/hold", "Let a held project go on", "projects", "operator", release_hold,
        status=204, refusals=_REFUSALS,
    ),
    Endpoint(
        "DELETE", f"{PATH}/repository-id", "Follow the repository that has the name now", "projects", "admin",
        forget_repository, status=204, refusals=_REFUSALS,
    ),
)  # fmt: skip
