"""The failed queue: what failed and why, and the two ways out of it."""

from __future__ import annotations

from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import ReleaseList, ReleaseView
from bot.api.releases import retry
from bot.api.requests import PageQuery, RetryFailed, RetryRelease
from bot.api.views import release_list
from workers.errors import NotFound

PATH: Final = "/api/v1/queue/failed"


def list_failed(call: Call) -> Reply:
    """Give failed and rolled-back releases with cause, failing step and log tail, newest first."""
    query = call.query_as(PageQuery)
    failed = call.services.reading.failed()
    start = query.before or 0
    following = start + query.most
    return Reply(release_list(failed[start:following], following if following < len(failed) else None))


def retry_one(call: Call) -> Reply:
    """Retry a release of the queue."""
    if all(release.id != call.id for release in call.services.reading.failed()):
        call.services.reading.release(call.id)
        raise NotFound(f"release {call.id} is not in the failed queue")
    return retry(call)


def retry_all(call: Call) -> Reply:
    """Retry the newest failed release of each lane; only those that are named."""
    body = call.body_as(RetryFailed)
    if body.project is not None:
        call.services.operations.project(body.project)
    made = call.services.operations.retry_all(actor=call.who.name, project=body.project, cause=body.cause)
    return Reply(release_list(made))


def discard(call: Call) -> Reply:
    """Take a release out of the queue without retrying it."""
    call.services.reading.discard(call.id)
    return Reply()


ENDPOINTS = (
    Endpoint(
        "GET", PATH, "Failed releases with cause, step and log tail", "failed queue", "viewer", list_failed,
        answer=ReleaseList, query=PageQuery, refusals=(401, 402, 403, 422),
    ),
    Endpoint(
        "POST", f"{PATH}/retry", "Retry the newest failed release of each lane", "failed queue", "operator",
        retry_all, answer=ReleaseList, status=202, body=RetryFailed, body_optional=True,
        refusals=(400, 401, 402, 403, 404, 422),
    ),
    Endpoint(
        "POST", f"{PATH}/{{id}}/retry", "Retry one failed release", "failed queue", "operator", retry_one,
        answer=ReleaseView, status=202, body=RetryRelease, body_optional=True,
        refusals=(401, 402, 403, 404, 409, 422),
        request_headers={"Idempotency-Key": "The same key of the same token makes one release, for a day."},
    ),
    Endpoint(
        "DELETE", f"{PATH}/{{id}}", "Discard one failed release", "failed queue", "admin", discard,
        status=204, refusals=(401, 402, 403, 404),
    ),
)  # fmt: skip
