"""The fields of GitHub's API answers that we use, and nothing else. Pure.

Source: docs.github.com, "REST API endpoints", version 2022-11-28.
"""

from __future__ import annotations

from typing import Final

from pydantic import StrictBool, StrictInt, StrictStr

from workers.hosts.base import Payload
from workers.hosts.github_payloads import BranchName, FullName, Id, Sha
from workers.releases.origin import Check, CheckState, OpenChange, Permission, Relation, ReportState

STATUS_WORDS: Final = {
    ReportState.PENDING: "pending",
    ReportState.RUNNING: "pending",
    ReportState.SUCCESS: "success",
    ReportState.FAILURE: "failure",
    ReportState.CANCELED: "error",
    ReportState.INACTIVE: "error",
}
DEPLOYMENT_WORDS: Final = {
    ReportState.PENDING: "queued",
    ReportState.RUNNING: "in_progress",
    ReportState.SUCCESS: "success",
    ReportState.FAILURE: "failure",
    ReportState.CANCELED: "error",
    ReportState.INACTIVE: "inactive",
}
_PERMISSIONS: Final = {
    "admin": Permission.ADMIN,
    "write": Permission.WRITE,
    "read": Permission.READ,
}
_STATUS_STATES: Final = {"success": CheckState.SUCCESS, "pending": CheckState.PENDING}
_CONCLUSIONS: Final = {
    "success": CheckState.SUCCESS,
    "neutral": CheckState.NEUTRAL,
    "skipped": CheckState.NEUTRAL,
}


class User(Payload):
    """A user, an organisation or an App."""

    login: StrictStr


class Repository(Payload):
    """A repository; `default_branch` is named even where nothing has been pushed."""

    id: Id
    full_name: FullName
    default_branch: BranchName | None = None
    private: StrictBool
    clone_url: str | None = None


class Tip(Payload):
    """The commit of a branch."""

    sha: Sha


class Branch(Payload):
    """A branch."""

    name: BranchName
    commit: Tip


class Written(Payload):
    """What the author of a commit wrote."""

    message: str


class Listed(Payload):
    """A commit of a list."""

    sha: Sha
    commit: Written


class Target(Payload):
    """What a ref or a tag object points at: a `commit`, a `tag`, or another kind of object."""

    type: str
    sha: Sha


class Ref(Payload):
    """A ref, or a tag object."""

    object: Target


class File(Payload):
    """A file of a comparison."""

    filename: str
    previous_filename: str | None = None


class Compared(Payload):
    """A comparison. GitHub lists 300 files at most, and says nowhere that there are more."""

    status: Relation
    files: list[File] | None = None


class Rights(Payload):
    """The rights of a user: `permission` in four old words, `role_name` finer or made by the owner."""

    permission: str
    role_name: str | None = None

    def known(self) -> Permission:
        """Return the right; an unknown word is none."""
        found = _PERMISSIONS.get(self.permission, Permission.NONE)
        # "maintain" is shown as "write" in the old words.
        if found is Permission.WRITE and self.role_name == "maintain":
            return Permission.MAINTAIN
        return found


class OnlyId(Payload):
    """Anything with an id."""

    id: Id


class ListedDeployment(Payload):
    """A deployment in a list."""

    id: Id
    description: str | None = None


class Side(Payload):
    """Head or base of a pull request; the repository is null where a fork was deleted."""

    ref: BranchName
    sha: Sha
    repo: OnlyId | None = None


class PullRequest(Payload):
    """A pull request."""

    number: StrictInt
    state: str
    head: Side
    base: Side
    user: User | None = None

    def open_change(self) -> OpenChange | None:
        """Return it in our words; None where it is closed."""
        if self.state != "open":
            return None
        ours = None if self.base.repo is None else self.base.repo.id
        return OpenChange(
            number=self.number,
            head=self.head.sha,
            head_branch=self.head.ref,
            base_branch=self.base.ref,
            from_fork=self.head.repo is None or self.head.repo.id != ours,
            author=None if self.user is None else self.user.login,
        )


class Status(Payload):
    """A commit status."""

    context: str
    state: str

    def check(self) -> Check:
        """Return it in our words; `failure`, `error` and any unknown state are failures."""
        return Check(self.context, _STATUS_STATES.get(self.state, CheckState.FAILURE))


class CombinedStatus(Payload):
    """The newest status of every context."""

    statuses: list[Status]


class CheckRun(Payload):
    """A check run; its conclusion is null until it is completed."""

    name: str
    status: str
    conclusion: str | None = None

    def check(self) -> Check:
        """Return it in our words; a conclusion that is not known to be good is a failure."""
        if self.status != "completed":
            return Check(self.name, CheckState.PENDING)
        return Check(self.name, _CONCLUSIONS.get(self.conclusion or "", CheckState.FAILURE))


class CheckRuns(Payload):
    """A page of check runs."""

    check_runs: list[CheckRun]


class HookConfig(Payload):
    """Where a hook sends to."""

    url: str | None = None


class Hook(Payload):
    """A webhook of a repository."""

    id: Id
    active: StrictBool
    config: HookConfig


class Delivery(Payload):
    """An entry of a hook's log."""

    id: Id
    guid: str
    delivered_at: str | None = None
    status_code: StrictInt
    event: str
