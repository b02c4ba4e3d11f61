"""The fields of GitLab's API answers that we use, and nothing else. Pure.

Source: docs.gitlab.com, "REST API resources", version 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import StrictBool, StrictInt, StrictStr

from workers.hosts.api_answers import seconds_since_1970
from workers.hosts.base import Payload
from workers.hosts.github_payloads import BranchName, Id, Sha
from workers.releases.origin import Check, CheckState, HostDelivery, OpenChange, Permission, ReportState

STATUS_WORDS: Final = {
    ReportState.PENDING: "pending",
    ReportState.RUNNING: "running",
    ReportState.SUCCESS: "success",
    ReportState.FAILURE: "failed",
    ReportState.CANCELED: "canceled",
    ReportState.INACTIVE: "canceled",
}
# A deployment that was announced by the API is running; there is nothing before that.
DEPLOYMENT_WORDS: Final = {**STATUS_WORDS, ReportState.PENDING: "running"}

_LEVELS: Final = (
    (50, Permission.ADMIN),
    (40, Permission.MAINTAIN),
    (30, Permission.WRITE),
    (10, Permission.READ),
)
_STATES: Final = {
    "success": CheckState.SUCCESS,
    "skipped": CheckState.NEUTRAL,
    "failed": CheckState.FAILURE,
    "canceled": CheckState.FAILURE,
}


class User(Payload):
    """A user. `state` is `active`, or says why the user may not sign in."""

    id: Id
    username: StrictStr
    state: str = "active"


class Project(Payload):
    """A project; `default_branch` is null where nothing has been pushed."""

    id: Id
    path_with_namespace: StrictStr
    default_branch: BranchName | None = None
    visibility: str | None = None
    http_url_to_repo: str | None = None


class Commit(Payload):
    """A commit."""

    id: Sha


class Written(Payload):
    """A commit with what its author wrote."""

    message: str


class Branch(Payload):
    """A branch, or a tag: `commit` is then the one behind it, annotated or not."""

    name: BranchName
    commit: Commit


class Diff(Payload):
    """A changed file. The patch is not read."""

    old_path: str
    new_path: str


class Compared(Payload):
    """A comparison; `compare_timeout` says that files are missing from it."""

    diffs: list[Diff]
    compare_timeout: StrictBool = False


class Member(Payload):
    """A member of a project, by itself or through a group."""

    access_level: StrictInt
    state: str = "active"
    membership_state: str = "active"

    def known(self) -> Permission:
        """Return the right; levels between the known ones count as the lower."""
        if self.state != "active" or self.membership_state != "active":
            return Permission.NONE
        return next((right for level, right in _LEVELS if self.access_level >= level), Permission.NONE)


class MergeRequest(Payload):
    """A merge request. `source_project_id` is null where a fork was deleted."""

    iid: StrictInt
    state: str
    sha: Sha
    source_branch: BranchName
    target_branch: BranchName
    source_project_id: Id | None = None
    target_project_id: Id
    author: User | None = None

    def open_change(self) -> OpenChange | None:
        """Return it in our words; None where it is merged, closed, or locked while it merges."""
        if self.state != "opened":
            return None
        return OpenChange(
            number=self.iid,
            head=self.sha,
            head_branch=self.source_branch,
            base_branch=self.target_branch,
            from_fork=self.source_project_id != self.target_project_id,
            author=None if self.author is None else self.author.username,
        )


class Status(Payload):
    """A job, or a status that somebody set."""

    id: Id
    name: str
    status: str
    ref: str | None = None
    pipeline_id: Id | None = None
    allow_failure: StrictBool | None = None

    def check(self) -> Check:
        """Return it in our words; what may fail or waits for a person without need does not count."""
        state = _STATES.get(self.status, CheckState.PENDING)
        unneeded = self.allow_failure is True and (state is CheckState.FAILURE or self.status == "manual")
        return Check(self.name, CheckState.NEUTRAL if unneeded else state)


class Pipeline(Payload):
    """A pipeline of a commit. `external` ones hold nothing but statuses that others set."""

    id: Id
    status: str
    ref: str | None = None
    source: str | None = None

    def check(self) -> Check:
        """Return it in our words."""
        return Check(f"pipeline ({self.source or 'unknown'})", _STATES.get(self.status, CheckState.PENDING))


def newest_checks(statuses: Iterable[Status], pipelines: Iterable[Pipeline]) -> tuple[Check, ...]:
    """Return the newest result of every name, and each pipeline that shows no job.

    Such a pipeline has only just begun, or failed because its configuration cannot be read. One that shows
    jobs is not counted beside them: a status that we set ourselves would keep it running.
    """
    jobs = {(status.name, status.ref): status for status in sorted(statuses, key=lambda each: each.id)}
    shown = {status.pipeline_id for status in jobs.values()}
    bare = {
        (pipeline.source, pipeline.ref): pipeline
        for pipeline in sorted(pipelines, key=lambda each: each.id)
        if pipeline.id not in shown and pipeline.source != "external"
    }
    return (*(job.check() for job in jobs.values()), *(pipeline.check() for pipeline in bare.values()))


class OnlyId(Payload):
    """Anything with an id."""

    id: Id


class Deployment(Payload):
    """How a deployment stands."""

    status: str


class ListedDeployment(Payload):
    """A deployment in a list."""

    id: Id
    sha: str


class Hook(Payload):
    """A webhook of a project; `alert_status` says whether GitLab switched it off after failures."""

    id: Id
    url: str
    alert_status: str | None = None


class LoggedCall(Payload):
    """An entry of a hook's log. `response_status` is a number as text, or why there was no answer."""

    id: Id
    trigger: str
    request_headers: Mapping[str, str] | None = None
    response_headers: Mapping[str, str] | None = None
    response_status: StrictStr | StrictInt | None = None
    created_at: str | None = None

    def delivery(self) -> HostDelivery:
        """Return it in our words. Older versions tell the time only in the answer that they got."""
        sent, got = _lower(self.request_headers), _lower(self.response_headers)
        return HostDelivery(
            id=str(self.id),
            delivery=sent.get("webhook-id") or sent.get("idempotency-key") or "",
            event=sent.get("x-gitlab-event") or self.trigger,
            delivered_at=seconds_since_1970(self.created_at or got.get("date")),
            ok=str(self.response_status).startswith("2"),
        )


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}
