"""Releases: reading them, and everything that people may do with one."""

from __future__ import annotations

import hashlib
from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.events import events
from bot.api.models import ReleaseList, ReleaseView
from bot.api.requests import ActOnRelease, ReleasesQuery, RetryRelease, RollBack, StartRelease
from bot.api.views import release_list, release_view
from bot.envelope import Problem
from workers.errors import NotAllowed
from workers.releases.model import Release
from workers.releases.status import Status

PATH: Final = "/api/v1/releases"
_LONGEST_KEY: Final = 255


def list_releases(call: Call) -> Reply:
    """Give a page of releases, newest first."""
    query = call.query_as(ReleasesQuery)
    found, following = call.services.reading.page(
        project=query.project, status=query.status, limit=query.most, before=query.before
    )
    return Reply(release_list(found, following))


def one_release(call: Call) -> Reply:
    """Give one release."""
    return Reply(release_view(call.services.reading.release(call.id)))


def start(call: Call) -> Reply:
    """Queue a release; the same Idempotency-Key answers with the same release."""
    body = call.body_as(StartRelease)
    asked = call.services.operations.start(
        body.project,
        actor=call.who.name,
        commit=body.commit,
        branch=body.branch,
        reason=body.reason,
        idempotency=idempotency_of(call),
    )
    return Reply(release_view(asked.release), {"Location": f"{PATH}/{asked.release.id}"})


def retry(call: Call) -> Reply:
    """Queue a new release of the same commit."""
    body = call.body_as(RetryRelease)
    if body.force:
        call.who.must("admin", "Forcing a retry")
    asked = call.services.operations.retry(
        call.id, actor=call.who.name, force=body.force, idempotency=idempotency_of(call)
    )
    return Reply(release_view(asked.release), {"Location": f"{PATH}/{asked.release.id}"})


def cancel(call: Call) -> Reply:
    """Ask a release to end."""
    reason = call.body_as(ActOnRelease).reason
    return Reply(release_view(call.services.operations.cancel(call.id, actor=call.who.name, reason=reason)))


def approve(call: Call) -> Reply:
    """Let a waiting release go on."""
    return _decide(call, "approved")


def reject(call: Call) -> Reply:
    """End a waiting release."""
    return _decide(call, "rejected")


def rollback(call: Call) -> Reply:
    """Take the live release back."""
    body = call.body_as(RollBack)
    if body.force:
        call.who.must("admin", "Forcing a rollback")
    release = call.services.operations.rollback(
        call.id, actor=call.who.name, to=body.to, reason=body.reason, pin=body.pin, force=body.force
    )
    return Reply(release_view(release))


def idempotency_of(call: Call) -> str | None:
    """Return what the Idempotency-Key stands for, apart for each token; `Problem` 400 for an unfit one."""
    key = call.request.headers.get("idempotency-key")
    if key is None:
        return None
    if not key.strip() or len(key) > _LONGEST_KEY:
        raise Problem(400, f"The Idempotency-Key must have 1 to {_LONGEST_KEY} characters.")
    return hashlib.sha256(f"{call.who.name}\0{key}".encode()).hexdigest()


def _decide(call: Call, word: str) -> Reply:
    release = call.services.reading.release(call.id)
    raise NotAllowed(_why_not(release, word))


def _why_not(release: Release, word: str) -> str:
    name = f"release #{release.number}"
    if release.status is Status.WAITING:
        return f"{name} waits for {release.waiting_for or 'an outside check'}, which nobody can have {word}"
    return f"{name} is {release.status}; only one that waits for an approval can be {word}"


_ON_ONE = (401, 402, 403, 404, 409, 422)

ENDPOINTS = (
    Endpoint(
        "GET", PATH, "Releases, newest first", "releases", "viewer", list_releases,
        answer=ReleaseList, query=ReleasesQuery, refusals=(401, 402, 403, 422),
    ),
    Endpoint(
        "POST", PATH, "Release a commit", "releases", "operator", start,
        answer=ReleaseView, status=201, body=StartRelease, refusals=(401, 402, 403, 404, 409),
        request_headers={"Idempotency-Key": "The same key of the same token makes one release, for a day."},
    ),
    Endpoint(
        "GET", f"{PATH}/{{id}}", "One release", "releases", "viewer", one_release,
        answer=ReleaseView, refusals=(401, 402, 403, 404),
    ),
    Endpoint(
        "GET", f"{PATH}/{{id}}/events", "A release's progress as server-sent events", "releases", "viewer",
        raw=events, media="text/event-stream", refusals=(400, 401, 402, 403, 404),
        request_headers={"Last-Event-ID": "Number of the last event that was seen; those behind it follow."},
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/retry", "Release the same commit again", "releases", "operator", retry,
        answer=ReleaseView, status=202, body=RetryRelease, body_optional=True, refusals=_ON_ONE,
        request_headers={"Idempotency-Key": "The same key of the same token makes one release, for a day."},
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/cancel", "End a release before its switch", "releases", "operator", cancel,
        answer=ReleaseView, status=202, body=ActOnRelease, body_optional=True, refusals=_ON_ONE,
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/approve", "Let a waiting release go on", "releases", "operator", approve,
        answer=ReleaseView, status=202, body=ActOnRelease, body_optional=True, refusals=_ON_ONE,
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/reject", "End a waiting release", "releases", "operator", reject,
        answer=ReleaseView, status=202, body=ActOnRelease, body_optional=True, refusals=_ON_ONE,
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/rollback", "Take the live release back", "releases", "operator", rollback,
        answer=ReleaseView, status=202, body=RollBack, body_optional=True, refusals=_ON_ONE,
    ),
)  # fmt: skip
