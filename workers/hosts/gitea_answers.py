"""The fields of Gitea's and Forgejo's API answers that GitHub's have not, or have otherwise. Pure.

Source: the API description that every installation serves at `/api/swagger`, version 1.
"""

from __future__ import annotations

from typing import Final

from pydantic import StrictInt

from workers.hosts.base import Payload
from workers.hosts.github_payloads import BranchName, Sha
from workers.releases.origin import Check, CheckState, Comparison, Permission, Relation, ReportState

STATUS_WORDS: Final = {
    ReportState.PENDING: "pending",
    ReportState.RUNNING: "pending",
    ReportState.SUCCESS: "success",
    ReportState.FAILURE: "failure",
    ReportState.CANCELED: "error",
    ReportState.INACTIVE: "error",
}
_PERMISSIONS: Final = {
    "owner": Permission.ADMIN,
    "admin": Permission.ADMIN,
    "write": Permission.WRITE,
    "read": Permission.READ,
}
_STATES: Final = {
    "success": CheckState.SUCCESS,
    "pending": CheckState.PENDING,
    "warning": CheckState.NEUTRAL,
    "skipped": CheckState.NEUTRAL,
}


class BranchTip(Payload):
    """The commit of a branch."""

    id: Sha


class Message(Payload):
    """What the author of a commit wrote."""

    message: str


class Written(Payload):
    """A commit by itself."""

    commit: Message


class Branch(Payload):
    """A branch."""

    name: BranchName
    commit: BranchTip


class TagTip(Payload):
    """The commit behind a tag."""

    sha: Sha


class Tag(Payload):
    """A tag; `commit` is the one behind it, annotated or not."""

    name: BranchName
    commit: TagTip


class File(Payload):
    """A file that a commit touched."""

    filename: str


class Commit(Payload):
    """A commit of a comparison."""

    files: list[File] | None = None


class Compared(Payload):
    """What one side has that the other has not."""

    total_commits: StrictInt
    commits: list[Commit] | None = None


class Rights(Payload):
    """The rights of a user."""

    permission: str

    def known(self) -> Permission:
        """Return the right; an unknown word is none."""
        return _PERMISSIONS.get(self.permission, Permission.NONE)


class Status(Payload):
    """A commit status; the host's own CI sets one for each job."""

    context: str
    status: str

    def check(self) -> Check:
        """Return it in our words; what is not known to be good is a failure."""
        return Check(self.context, _STATES.get(self.status, CheckState.FAILURE))


class CombinedStatus(Payload):
    """The newest status of every context."""

    statuses: list[Status] | None = None


def comparison(ahead: Compared, behind: Compared) -> Comparison:
    """Put together what head has more than base, and what base has more than head.

    Files are told by commit, so one that was changed and changed back is listed, too.
    """
    relation = {
        (False, False): Relation.IDENTICAL,
        (True, False): Relation.AHEAD,
        (False, True): Relation.BEHIND,
        (True, True): Relation.DIVERGED,
    }[ahead.total_commits > 0, behind.total_commits > 0]
    commits = ahead.commits or []
    paths = {file.filename for commit in commits for file in commit.files or []}
    complete = len(commits) >= ahead.total_commits and all(commit.files is not None for commit in commits)
    return Comparison(relation, tuple(sorted(paths)), complete)
