"""The API of Gitea and Forgejo (base address `https://HOST/api/v1`; there is no public default).

Source: the API description that every installation serves at `/api/swagger`. There are no deployments and no
log of deliveries in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import httpx
from pydantic import SecretStr

from workers.errors import Effect, NotYet, Refused
from workers.hosts import gitea_answers as shapes
from workers.hosts import github_answers as alike
from workers.hosts.api import MOST_PAGES, HostApi, not_offered
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
    RepositoryFacts,
    StatusReport,
    is_full_commit,
)

_SIZE: Final = ("limit", 50)
"""Installations give 50 entries per page unless they are set otherwise, and name the next page."""

_LONGEST_DESCRIPTION: Final = 255


class GiteaApi:
    """Asks and tells one Gitea or Forgejo. See `workers.flow.ports.GitHost` for what each method promises."""

    offers: Final = frozenset(Offer) - {Offer.DEPLOYMENTS, Offer.DELIVERIES}

    def __init__(self, http: httpx.Client, api_url: str, token: SecretStr, *, driver: str = "gitea") -> None:
        self.driver = driver
        self._api = HostApi(http, api_url, token, scheme="token")

    def __repr__(self) -> str:
        return f"GiteaApi({self._api!r})"

    def whoami(self) -> str:
        """Return the login of the token's user; the token needs the scope `read:user` for it."""
        return self._api.ask(Call("GET", "/user", "ask whose token this is"), alike.User).login

    def repository(self, repository: str) -> RepositoryFacts:
        """Read a repository, by id in one call, too."""
        by_id = repository.isascii() and repository.isdigit()
        path = path_of("repositories", repository) if by_id else _path(repository)
        found = self._api.ask(Call("GET", path, f"read the repository {repository}"), alike.Repository)
        return RepositoryFacts(
            id=str(found.id),
            full_name=found.full_name,
            default_branch=found.default_branch or None,
            private=found.private,
            clone_url=found.clone_url,
        )

    def branch_head(self, repository: str, branch: str) -> str | None:
        """Return the head of the branch."""
        call = self._call("GET", repository, f"read the branch {branch}", "branches", below=branch)
        found = self._api.find(call, shapes.Branch)
        if found is None:
            self._must_exist(repository)
            return None
        return found.commit.id if found.name == branch else None

    def branch_heads(self, repository: str) -> BranchHeads:
        """Return the head of every branch, the first 500."""
        call = self._call("GET", repository, "list the branches", "branches")
        found, complete = self._api.pages(call, list[shapes.Branch], list, size=_SIZE)
        return BranchHeads({branch.name: branch.commit.id for branch in found}, complete)

    def tag_commit(self, repository: str, tag: str) -> str | None:
        """Return the commit behind the tag, which the host peels itself."""
        found = self._api.find(
            self._call("GET", repository, f"read the tag {tag}", "tags", below=tag), shapes.Tag
        )
        if found is None:
            self._must_exist(repository)
            return None
        return found.commit.sha if found.name == tag else None

    def message(self, repository: str, commit: str) -> str | None:
        """Return a commit's message."""
        if not is_full_commit(commit):
            return None
        call = self._call("GET", repository, f"read the message of {commit}", "git", "commits", commit)
        asked = call.asking(stat="false", verification="false", files="false")
        found = self._api.find(asked, shapes.Written)
        if found is None:
            self._must_exist(repository)
        return None if found is None else found.commit.message

    def compare(self, repository: str, base: str, head: str) -> Comparison | None:
        """Compare two commits, by asking both ways."""
        if not (is_full_commit(base) and is_full_commit(head)):
            return None
        what = f"compare {head} with {base}"
        sides = []
        for one, other in ((base, head), (head, base)):
            call = self._call("GET", repository, what, "compare", f"{one}...{other}")
            side = self._api.find(call, shapes.Compared)
            if side is None:
                self._must_exist(repository)
                return None
            sides.append(side)
        return shapes.comparison(*sides)

    def permission(self, repository: str, user: str) -> Permission:
        """Return the user's right; the token's own user must administer the repository."""
        what = f"ask for the rights of {user}"
        call = self._call("GET", repository, what, "collaborators", user, "permission")
        found = self._api.find(call, shapes.Rights)
        if found is None:
            self._must_exist(repository)
            return Permission.NONE
        return found.known()

    def change(self, repository: str, number: int) -> OpenChange | None:
        """Read an open pull request."""
        call = self._call("GET", repository, f"read pull request {number}", "pulls", number)
        found = self._api.find(call, alike.PullRequest)
        if found is None:
            self._must_exist(repository)
            return None
        return found.open_change()

    def ci_state(self, repository: str, commit: str) -> tuple[Check, ...]:
        """Return the newest status of every context, the host's own CI among them."""
        if not is_full_commit(commit):
            return ()
        call = self._call("GET", repository, f"read the CI of {commit}", "commits", commit, "status")
        found, complete = self._api.pages(
            call, shapes.CombinedStatus, lambda page: page.statuses or [], size=_SIZE, absent=(404,)
        )
        if not complete:
            raise Refused(f"could not {call.purpose}: it has more than {MOST_PAGES * _SIZE[1]} checks")
        if not found:
            self._must_exist(repository)
        return tuple(status.check() for status in found)

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        """Set a commit status."""
        body = {
            "state": shapes.STATUS_WORDS[report.state],
            "context": report.context,
            "description": report.description[:_LONGEST_DESCRIPTION],
            **({"target_url": report.target_url} if report.target_url else {}),
        }
        call = self._call("POST", repository, f"set the status of {commit}", "statuses", commit, body=body)
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
        what, where = f"comment on pull request {number}", ("issues", number, "comments")
        return str(
            self._api.ask(self._call("POST", repository, what, *where, body={"body": text}), alike.OnlyId).id
        )

    def edit_comment(self, repository: str, number: int, comment: str, text: str) -> None:
        """Replace a comment's text; the host does not need the number."""
        where = ("issues", "comments", comment)
        self._api.answer(
            self._call("PATCH", repository, f"edit comment {comment}", *where, body={"body": text})
        )

    def hooks(self, repository: str) -> Sequence[Hook]:
        """List the repository's webhooks; those of its owner and of the system are not among them."""
        call = self._call("GET", repository, "list the webhooks", "hooks")
        found, _ = self._api.pages(call, list[alike.Hook], list, size=_SIZE)
        return [Hook(str(hook.id), hook.config.url or "", hook.active) for hook in found]

    def deliveries(self, repository: str, hook: str, since: float) -> Sequence[HostDelivery]:
        """Not offered: the log is shown in the web interface only."""
        raise not_offered(self.driver, Offer.DELIVERIES)

    def redeliver(self, repository: str, hook: str, delivery: str) -> None:
        """Not offered."""
        raise not_offered(self.driver, Offer.DELIVERIES)

    def _call(
        self,
        method: str,
        repository: str,
        purpose: str,
        *rest: str | int,
        below: str = "",
        body: dict[str, Any] | None = None,
    ) -> Call:
        """Build a call below a repository; `below` is a ref's name, whose slashes stay as they are."""
        if repository.isascii() and repository.isdigit():
            # Only the repository itself can be read by its id.
            repository = self.repository(repository).full_name
        path = _path(repository, *rest)
        if below:
            path += path_of(*below.split("/"))
        hint = f"the token has no right to {purpose}"
        return Call(method, path, f"{purpose} at {repository}", body=body, hint=hint)

    def _must_exist(self, repository: str) -> None:
        """Raise `Gone` where it is the repository that is missing: a 404 says the same for both."""
        self.repository(repository)


def _path(repository: str, *rest: str | int) -> str:
    owner, slash, name = repository.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise Refused(f"{repository!r} is neither owner/name nor the id of a repository")
    return path_of("repos", owner, name, *rest)
