"""The fields of Bitbucket Cloud's API answers that we use, and nothing else. Pure.

Source: developer.atlassian.com, "The Bitbucket Cloud REST API", version 2.0.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StrictBool, StrictInt, StrictStr

from workers.hosts.base import Payload
from workers.hosts.github_payloads import BranchName, FullName, Id, Sha
from workers.releases.origin import Check, CheckState, Permission, ReportState

STATUS_WORDS: Final = {
    ReportState.PENDING: "INPROGRESS",
    ReportState.RUNNING: "INPROGRESS",
    ReportState.SUCCESS: "SUCCESSFUL",
    ReportState.FAILURE: "FAILED",
    ReportState.CANCELED: "STOPPED",
    ReportState.INACTIVE: "STOPPED",
}
_PERMISSIONS: Final = {
    "admin": Permission.ADMIN,
    "write": Permission.WRITE,
    "read": Permission.READ,
}
_STATES: Final = {"SUCCESSFUL": CheckState.SUCCESS, "INPROGRESS": CheckState.PENDING}

Uuid = Annotated[str, Field(pattern=r"^\{[0-9a-fA-F-]{36}\}$")]
ShortSha = Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]


class Page(Payload):
    """What all lists have: the address of the next page, if there is one."""

    next: str | None = None


class User(Payload):
    """A user, or what stands for an access token."""

    display_name: StrictStr
    nickname: str | None = None
    uuid: Uuid | None = None


class Link(Payload):
    """An address under a name."""

    name: str
    href: str


class Links(Payload):
    """Where a repository can be cloned from."""

    clone: list[Link] = Field(default_factory=list)


class MainBranch(Payload):
    """The default branch."""

    name: BranchName


class Repository(Payload):
    """A repository; `mainbranch` is null where nothing has been pushed."""

    uuid: Uuid
    full_name: FullName
    is_private: StrictBool
    mainbranch: MainBranch | None = None
    links: Links = Field(default_factory=Links)

    def clone_url(self) -> str | None:
        """Return the address over https, without the user name that Bitbucket puts into it."""
        found = next((link.href for link in self.links.clone if link.name == "https"), None)
        if found is None:
            return None
        scheme, _, rest = found.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"


class Commit(Payload):
    """A commit."""

    hash: Sha


class Written(Payload):
    """A commit with what its author wrote."""

    message: str


class Ref(Payload):
    """A branch or a tag; the target is always a commit."""

    name: BranchName
    target: Commit


class Refs(Page):
    """A page of branches."""

    values: list[Ref]


class Path(Payload):
    """A file on one side of a comparison."""

    path: str


class FileStat(Payload):
    """A changed file: one side is null where it was added or deleted."""

    old: Path | None = None
    new: Path | None = None


class DiffStat(Page):
    """A page of changed files."""

    values: list[FileStat]


class Right(Payload):
    """What one user may do in a repository, by itself or through a group."""

    permission: str
    user: User

    def known(self) -> Permission:
        """Return the right; an unknown word is none."""
        return _PERMISSIONS.get(self.permission, Permission.NONE)


class Rights(Page):
    """A page of rights."""

    values: list[Right]


class ShortCommit(Payload):
    """A commit of a pull request: its hash has twelve digits only."""

    hash: ShortSha


class OnlyUuid(Payload):
    """A repository of which only the id is used."""

    uuid: Uuid


class Side(Payload):
    """Source or destination of a pull request; the repository is null where a fork was deleted."""

    branch: MainBranch
    commit: ShortCommit | None = None
    repository: OnlyUuid | None = None


class PullRequest(Payload):
    """A pull request."""

    id: StrictInt
    state: str
    source: Side
    destination: Side
    author: User | None = None


class Status(Payload):
    """A build status. `key` tells one from another; `name` is for people."""

    key: str
    state: str

    def check(self) -> Check:
        """Return it in our words; what is not known to be good is a failure."""
        return Check(self.key, _STATES.get(self.state, CheckState.FAILURE))


class Statuses(Page):
    """A page of build statuses."""

    values: list[Status]


class OnlyId(Payload):
    """Anything with an id."""

    id: Id


class Hook(Payload):
    """A webhook."""

    uuid: Uuid
    url: str
    active: StrictBool


class Hooks(Page):
    """A page of webhooks."""

    values: list[Hook]
