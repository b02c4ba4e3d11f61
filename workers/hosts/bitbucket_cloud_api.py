"""Bitbucket Cloud's API.

Source: developer.atlassian.com, "The Bitbucket Cloud REST API", version 2.0. Repositories are asked for by
name, or by uuid under an empty workspace (`{}`). Its deployments belong to its own pipelines and its log of
deliveries to its web interface: there is no API for either.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

import httpx
from pydantic import SecretStr

from workers.errors import Effect, NotYet, Refused
from workers.hosts import bitbucket_cloud_answers as shapes
from workers.hosts.api import MOST_PAGES, PAGE, HostApi, not_offered
from workers.hosts.api_calls import Call, path_of
from workers.releases.origin import (
    BranchHeads,
    Check,
    Comparison,
    DeploymentReport,
    DeploymentRequest,
    Hook,
    HostDelivery,
    Offer,
    OpenChange,
    Permission,
    Relation,
    RepositoryFacts,
    StatusReport,
    is_full_commit,
)

DEFAULT_URL: Final = "https://api.bitbucket.org/2.0"

_UUID: Final = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?", re.ASCII)
_LONGEST_KEY: Final = 40
_LONGEST_DESCRIPTION: Final = 255
_SIZE: Final = ("pagelen", PAGE)

ListT = TypeVar("ListT", bound=shapes.Page)
U = TypeVar("U")


class BitbucketCloudApi:
    """Asks and tells Bitbucket Cloud. See `workers.flow.ports.GitHost` for what each method promises.

    A user is known by uuid, since people choose and change their names.
    """

    driver: Final = "bitbucket-cloud"
    offers: Final = frozenset(Offer) - {Offer.DEPLOYMENTS, Offer.DELIVERIES}

    def __init__(self, http: httpx.Client, api_url: str | None, token: SecretStr) -> None:
        self._api = HostApi(http, api_url or DEFAULT_URL, token)

    def __repr__(self) -> str:
        return f"BitbucketCloudApi({self._api!r})"

    def whoami(self) -> str:
        """Return the name of the token's user; the token needs the scope `account` for it."""
        found = self._api.ask(Call("GET", "/user", "ask whose token this is"), shapes.User)
        return found.nickname or found.display_name

    def repository(self, repository: str) -> RepositoryFacts:
        """Read a repository."""
        found = self._api.ask(self._call("GET", repository, "read the repository"), shapes.Repository)
        return RepositoryFacts(
            id=found.uuid,
            full_name=found.full_name,
            default_branch=None if found.mainbranch is None else found.mainbranch.name,
            private=found.is_private,
            clone_url=found.clone_url(),
        )

    def branch_head(self, repository: str, branch: str) -> str | None:
        """Return the head of the branch."""
        return self._named(repository, "branches", branch)

    def branch_heads(self, repository: str) -> BranchHeads:
        """Return the head of every branch, 100 per call."""
        call = self._call("GET", repository, "list the branches", "refs", "branches")
        found, complete = self._pages(call, shapes.Refs, lambda page: page.values)
        return BranchHeads({branch.name: branch.target.hash for branch in found}, complete)

    def tag_commit(self, repository: str, tag: str) -> str | None:
        """Return the commit behind the tag, which Bitbucket peels itself."""
        return self._named(repository, "tags", tag)

    def message(self, repository: str, commit: str) -> str | None:
        """Return a commit's message."""
        if not is_full_commit(commit):
            return None
        call = self._call("GET", repository, f"read the message of {commit}", "commit", commit)
        found = self._api.find(call, shapes.Written)
        if found is None:
            self._must_exist(repository)
        return None if found is None else found.message

    def compare(self, repository: str, base: str, head: str) -> Comparison | None:
        """Compare two commits: where they parted, and what head changed since."""
        if not (is_full_commit(base) and is_full_commit(head)):
            return None
        what = f"compare {head} with {base}"
        parted = self._api.find(
            self._call("GET", repository, what, "merge-base", f"{base}..{head}"), shapes.Commit
        )
        if parted is None:
            self._must_exist(repository)
            return None
        relation = Relation.IDENTICAL if base == head else _relation(base, head, parted.hash)
        if parted.hash == head:
            return Comparison(relation, (), complete=True)
        # With two dots, the files are the same whichever side is named first.
        stat = self._call("GET", repository, what, "diffstat", f"{head}..{parted.hash}").asking(topic="false")
        files, complete = self._pages(stat, shapes.DiffStat, lambda page: page.values)
        paths = {side.path for file in files for side in (file.old, file.new) if side is not None}
        return Comparison(relation, tuple(sorted(paths)), complete)

    def permission(self, repository: str, user: str) -> Permission:
        """Return the right of the user of this uuid; the token's user must administer the workspace."""
        known = _UUID.fullmatch(user)
        if known is None:
            return Permission.NONE
        uuid = f"{{{known[1].lower()}}}"
        workspace, _, slug = self.repository(repository).full_name.partition("/")
        path = path_of("workspaces", workspace, "permissions", "repositories", slug)
        call = Call("GET", path, f"ask for the rights of {uuid} at {repository}").asking(
            q=f'user.uuid="{uuid}"'
        )
        found, _ = self._pages(call, shapes.Rights, lambda page: page.values)
        rights = [each.known() for each in found if (each.user.uuid or "").lower() == uuid]
        return max(rights, default=Permission.NONE)

    def change(self, repository: str, number: int) -> OpenChange | None:
        """Read an open pull request, and the whole hash of its head, of which it tells twelve digits."""
        call = self._call("GET", repository, f"read pull request {number}", "pullrequests", number)
        found = self._api.find(call, shapes.PullRequest)
        if found is None:
            self._must_exist(repository)
            return None
        if found.state != "OPEN" or found.source.commit is None:
            return None
        ours = None if found.destination.repository is None else found.destination.repository.uuid
        theirs = None if found.source.repository is None else found.source.repository.uuid
        head = self._call(
            "GET", theirs or repository, f"read the head of {number}", "commit", found.source.commit.hash
        )
        return OpenChange(
            number=found.id,
            head=self._api.ask(head, shapes.Commit).hash,
            head_branch=found.source.branch.name,
            base_branch=found.destination.branch.name,
            from_fork=theirs is None or theirs != ours,
            author=None if found.author is None else found.author.uuid,
        )

    def ci_state(self, repository: str, commit: str) -> tuple[Check, ...]:
        """Return the build status of every key, Bitbucket's own pipelines among them."""
        if not is_full_commit(commit):
            return ()
        call = self._call("GET", repository, f"read the CI of {commit}", "commit", commit, "statuses")
        found, complete = self._pages(call, shapes.Statuses, lambda page: page.values, absent=(404,))
        if not complete:
            raise Refused(f"could not {call.purpose}: it has more than {MOST_PAGES * PAGE} checks")
        if not found:
            self._must_exist(repository)
        return tuple(status.check() for status in found)

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        """Set a build status. Bitbucket asks for an address, and for a key of at most 40 characters."""
        if not report.target_url:
            raise Refused("Bitbucket Cloud takes no status without an address to follow; give a target_url")
        body = {
            "key": status_key(report.context),
            "name": report.context[:_LONGEST_DESCRIPTION],
            "state": shapes.STATUS_WORDS[report.state],
            "url": report.target_url,
            "description": report.description[:_LONGEST_DESCRIPTION],
        }
        where = ("commit", commit, "statuses", "build")
        call = self._call("POST", repository, f"set the status of {commit}", *where, body=body)
        if self._api.answer(call, also=(404,)).status == HTTPStatus.NOT_FOUND:
            self._must_exist(repository)
            raise NotYet(f"could not {call.purpose}: there is no such commit yet", effect=Effect.NONE)

    def create_deployment(self, repository: str, deployment: DeploymentRequest) -> str:
        """Not offered."""
        raise not_offered(self.driver, Offer.DEPLOYMENTS)

    def find_deployment(self, repository: str, deployment: DeploymentRequest) -> str | None:
        """Not offered."""
        raise not_offered(self.driver, Offer.DEPLOYMENTS)

    def update_deployment(self, repository: str, deployment: str, report: DeploymentReport) -> None:
        """Not offered."""
        raise not_offered(self.driver, Offer.DEPLOYMENTS)

    def comment(self, repository: str, number: int, text: str) -> str:
        """Comment on a pull request."""
        what, where = f"comment on pull request {number}", ("pullrequests", number, "comments")
        call = self._call("POST", repository, what, *where, body={"content": {"raw": text}})
        return str(self._api.ask(call, shapes.OnlyId).id)

    def edit_comment(self, repository: str, number: int, comment: str, text: str) -> None:
        """Replace a comment's text."""
        what, where = f"edit comment {comment}", ("pullrequests", number, "comments", comment)
        self._api.answer(self._call("PUT", repository, what, *where, body={"content": {"raw": text}}))

    def hooks(self, repository: str) -> Sequence[Hook]:
        """List the repository's webhooks; those of its workspace are not among them."""
        call = self._call("GET", repository, "list the webhooks", "hooks")
        found, _ = self._pages(call, shapes.Hooks, lambda page: page.values)
        return [Hook(hook.uuid, hook.url, hook.active) for hook in found]

    def deliveries(self, repository: str, hook: str, since: float) -> Sequence[HostDelivery]:
        """Not offered: the log is shown in the web interface only."""
        raise not_offered(self.driver, Offer.DELIVERIES)

    def redeliver(self, repository: str, hook: str, delivery: str) -> None:
        """Not offered."""
        raise not_offered(self.driver, Offer.DELIVERIES)

    def _named(self, repository: str, kind: str, name: str) -> str | None:
        call = self._call("GET", repository, f"read {name} of the {kind}", "refs", kind, *name.split("/"))
        found = self._api.find(call, shapes.Ref)
        if found is None:
            self._must_exist(repository)
            return None
        return found.target.hash if found.name == name else None

    def _pages(
        self,
        call: Call,
        shape: type[ListT],
        entries: Callable[[ListT], Sequence[U]],
        *,
        absent: tuple[int, ...] = (),
    ) -> tuple[list[U], bool]:
        return self._api.pages(
            call, shape, entries, size=_SIZE, absent=absent, more=lambda page: page.next is not None
        )

    def _call(
        self, method: str, repository: str, purpose: str, *rest: str | int, body: dict[str, Any] | None = None
    ) -> Call:
        hint = f"the token has no right to {purpose}"
        return Call(method, _path(repository, *rest), f"{purpose} at {repository}", body=body, hint=hint)

    def _must_exist(self, repository: str) -> None:
        """Raise `Gone` where it is the repository that is missing: a 404 says the same for both."""
        self.repository(repository)


def status_key(context: str) -> str:
    """Return the key under which a context's statuses replace each other: itself, or its digest if long."""
    return (
        context
        if len(context) <= _LONGEST_KEY
        else hashlib.sha256(context.encode()).hexdigest()[:_LONGEST_KEY]
    )


def _relation(base: str, head: str, parted: str) -> Relation:
    return {base: Relation.AHEAD, head: Relation.BEHIND}.get(parted, Relation.DIVERGED)


def _path(repository: str, *rest: str | int) -> str:
    known = _UUID.fullmatch(repository)
    if known is not None:
        return path_of("repositories", "{}", f"{{{known[1]}}}", *rest)
    workspace, slash, slug = repository.partition("/")
    if not (workspace and slash and slug) or "/" in slug:
        raise Refused(f"{repository!r} is neither workspace/repository nor the uuid of a repository")
    return path_of("repositories", workspace, slug, *rest)
