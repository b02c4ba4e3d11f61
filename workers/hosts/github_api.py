"""GitHub's API, and that of GitHub Enterprise (base address `https://HOST/api/v3`).

Source: docs.github.com, "REST API endpoints", version 2022-11-28. Repositories are asked for by name, or by
id under `/repositories/ID`, where the API itself redirects former names to.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import httpx
from pydantic import SecretStr

from workers.errors import Effect, NotYet, Refused
from workers.hosts import github_answers as shapes
from workers.hosts.api import MOST_PAGES, PAGE, HostApi
from workers.hosts.api_answers import seconds_since_1970
from workers.hosts.api_calls import Call, path_of
from workers.hosts.github_answers import DEPLOYMENT_WORDS, STATUS_WORDS
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

DEFAULT_URL: Final = "https://api.github.com"

_MOST_FILES: Final = 300
_NO_COMMIT: Final = (404, 422)
_MOST_PEELS: Final = 3
_LONGEST_DESCRIPTION: Final = 140
_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHubApi:
    """Asks and tells one GitHub. See `workers.flow.ports.GitHost` for what each method promises."""

    driver: Final = "github"
    offers: Final = frozenset(Offer)

    def __init__(self, http: httpx.Client, api_url: str | None, token: SecretStr) -> None:
        self._api = HostApi(http, api_url or DEFAULT_URL, token, headers=_HEADERS)

    def __repr__(self) -> str:
        return f"GitHubApi({self._api!r})"

    def whoami(self) -> str:
        """Return the login of the token's user. An App's installation token has none: `Refused`."""
        return self._api.ask(Call("GET", "/user", "ask whose token this is"), shapes.User).login

    def repository(self, repository: str) -> RepositoryFacts:
        """Read a repository."""
        found = self._api.ask(self._get(repository, "read the repository"), shapes.Repository)
        return RepositoryFacts(
            id=str(found.id),
            full_name=found.full_name,
            default_branch=found.default_branch or None,
            private=found.private,
            clone_url=found.clone_url,
        )

    def branch_head(self, repository: str, branch: str) -> str | None:
        """Return the head of the branch."""
        call = self._get(repository, f"read the branch {branch}", "branches", branch)
        found = self._api.find(call, shapes.Branch)
        if found is None:
            self._must_exist(repository)
            return None
        # GitHub redirects from the former name of a renamed branch: that is another branch.
        return found.commit.sha if found.name == branch else None

    def branch_heads(self, repository: str) -> BranchHeads:
        """Return the head of every branch, 100 per call."""
        call = self._get(repository, "list the branches", "branches")
        found, complete = self._api.pages(call, list[shapes.Branch], list)
        return BranchHeads({branch.name: branch.commit.sha for branch in found}, complete)

    def tag_commit(self, repository: str, tag: str) -> str | None:
        """Return the commit behind the tag, through at most three tag objects."""
        call = self._get(repository, f"read the tag {tag}", "git", "ref", "tags", tag)
        # 409: nothing has been pushed yet.
        found = self._api.find(call, shapes.Ref, absent=(404, 409))
        if found is None:
            self._must_exist(repository)
            return None
        target = found.object
        for _ in range(_MOST_PEELS):
            if target.type != "tag":
                break
            call = self._get(repository, f"read the tag {tag}", "git", "tags", target.sha)
            target = self._api.ask(call, shapes.Ref).object
        return target.sha if target.type == "commit" else None

    def message(self, repository: str, commit: str) -> str | None:
        """Return a commit's message, from a list of one: the commit by itself brings all its patches."""
        if not is_full_commit(commit):
            return None
        call = self._get(repository, f"read the message of {commit}", "commits")
        asked = call.asking(sha=commit, per_page=1)
        # 409: nothing has been pushed yet.
        found = self._api.find(asked, list[shapes.Listed], absent=(404, 409, 422))
        if found is None:
            self._must_exist(repository)
        return next((each.commit.message for each in found or () if each.sha == commit), None)

    def compare(self, repository: str, base: str, head: str) -> Comparison | None:
        """Compare two commits."""
        if not (is_full_commit(base) and is_full_commit(head)):
            return None
        # All files come with the first page of commits; the commits themselves are not used.
        call = self._get(repository, f"compare {head} with {base}", "compare", f"{base}...{head}")
        asked = call.asking(per_page=1)
        answer = self._api.answer(asked, also=(404,))
        if answer.status == HTTPStatus.NOT_FOUND:
            self._must_exist(repository)
            unrelated = b"no common ancestor" in answer.body.lower()
            return Comparison(Relation.DIVERGED, (), complete=False) if unrelated else None
        found = self._api.read(asked, answer, shapes.Compared)
        files = found.files or []
        paths = {path for file in files for path in (file.previous_filename, file.filename) if path}
        return Comparison(found.status, tuple(sorted(paths)), complete=len(files) < _MOST_FILES)

    def permission(self, repository: str, user: str) -> Permission:
        """Return the user's right in the repository, also one that comes from a team."""
        call = self._get(repository, f"ask for the rights of {user}", "collaborators", user, "permission")
        found = self._api.find(call, shapes.Rights)
        if found is None:
            self._must_exist(repository)
            return Permission.NONE
        return found.known()

    def change(self, repository: str, number: int) -> OpenChange | None:
        """Read an open pull request."""
        call = self._get(repository, f"read pull request {number}", "pulls", number)
        found = self._api.find(call, shapes.PullRequest)
        if found is None:
            self._must_exist(repository)
            return None
        return found.open_change()

    def ci_state(self, repository: str, commit: str) -> tuple[Check, ...]:
        """Return commit statuses and check runs together. Check runs need the right "Checks: read"."""
        if not is_full_commit(commit):
            return ()
        what = f"read the CI of {commit}"
        statuses = self._get(repository, what, "commits", commit, "status")
        runs = self._get(repository, what, "commits", commit, "check-runs").asking(filter="latest")
        said, all_said = self._api.pages(
            statuses, shapes.CombinedStatus, lambda page: page.statuses, absent=_NO_COMMIT
        )
        run, all_run = self._api.pages(
            runs, shapes.CheckRuns, lambda page: page.check_runs, absent=_NO_COMMIT
        )
        if not (all_said and all_run):
            raise Refused(f"could not {what}: it has more than {MOST_PAGES * PAGE} checks")
        if not (said or run):
            self._must_exist(repository)
        return (*(status.check() for status in said), *(each.check() for each in run))

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        """Set a commit status. Needs the right "Commit statuses: write"."""
        body = {
            "state": STATUS_WORDS[report.state],
            "context": report.context,
            "description": report.description[:_LONGEST_DESCRIPTION],
            **_given(target_url=report.target_url),
        }
        call = self._post(repository, f"set the status of {commit}", body, "statuses", commit)
        answer = self._api.answer(call, also=(422,))
        # A commit that was just pushed may not be visible for a while.
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            if b"no commit found" in answer.body.lower():
                raise NotYet(f"could not {call.purpose}: GitHub has no such commit yet", effect=Effect.NONE)
            raise self._api.meaning(call, answer)

    def create_deployment(self, repository: str, deployment: DeploymentRequest) -> str:
        """Announce a deployment of exactly this commit: nothing is merged, no check is waited for."""
        body = {
            "ref": deployment.commit,
            "task": "deploy",
            "auto_merge": False,
            "required_contexts": [],
            "environment": deployment.environment,
            "description": deployment.description[:_LONGEST_DESCRIPTION],
            "production_environment": deployment.production,
            "transient_environment": not deployment.production,
        }
        call = self._post(
            repository, f"announce a deployment to {deployment.environment}", body, "deployments"
        )
        return str(self._api.ask(call, shapes.OnlyId).id)

    def find_deployment(self, repository: str, deployment: DeploymentRequest) -> str | None:
        """Find it among those of the commit and environment by its description, which should be unique."""
        what = f"look for a deployment to {deployment.environment}"
        call = self._get(repository, what, "deployments").asking(
            sha=deployment.commit, environment=deployment.environment, per_page=PAGE
        )
        wanted = deployment.description[:_LONGEST_DESCRIPTION]
        found = self._api.ask(call, list[shapes.ListedDeployment])
        return next((str(each.id) for each in found if each.description == wanted), None)

    def update_deployment(self, repository: str, deployment: str, report: DeploymentReport) -> None:
        """Add a status to the deployment; the last one counts."""
        body = {
            "state": DEPLOYMENT_WORDS[report.state],
            "description": report.description[:_LONGEST_DESCRIPTION],
            "auto_inactive": True,
            **_given(log_url=report.log_url, environment_url=report.environment_url),
        }
        what = f"say how deployment {deployment} stands"
        self._api.answer(self._post(repository, what, body, "deployments", deployment, "statuses"))

    def comment(self, repository: str, number: int, text: str) -> str:
        """Comment on a pull request or an issue."""
        what = f"comment on pull request {number}"
        call = self._post(repository, what, {"body": text}, "issues", number, "comments")
        return str(self._api.ask(call, shapes.OnlyId).id)

    def edit_comment(self, repository: str, number: int, comment: str, text: str) -> None:
        """Replace a comment's text; GitHub does not need the number."""
        path = _path(repository, "issues", "comments", comment)
        self._api.answer(Call("PATCH", path, f"edit comment {comment}", body={"body": text}))

    def hooks(self, repository: str) -> Sequence[Hook]:
        """List the repository's webhooks; those of its organisation and of Apps are not among them."""
        call = self._get(repository, "list the webhooks", "hooks")
        found, _ = self._api.pages(call, list[shapes.Hook], list)
        return [Hook(str(hook.id), hook.config.url or "", hook.active) for hook in found]

    def deliveries(self, repository: str, hook: str, since: float) -> Sequence[HostDelivery]:
        """Return what the hook sent; GitHub keeps three days, and a redelivery is an entry of its own."""
        call = self._get(repository, "read the log of deliveries", "hooks", hook, "deliveries")
        call = call.asking(per_page=PAGE)
        found: list[HostDelivery] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            asked = call if cursor is None else call.asking(cursor=cursor)
            answer = self._api.answer(asked)
            new = [_entry(each) for each in self._api.read(asked, answer, list[shapes.Delivery])]
            found += [entry for entry in new if entry.delivered_at is None or entry.delivered_at >= since]
            oldest = min(
                (entry.delivered_at for entry in new if entry.delivered_at is not None), default=since
            )
            cursor = answer.next_page("cursor")
            if cursor is None or oldest < since:
                break
        return found

    def redeliver(self, repository: str, hook: str, delivery: str) -> None:
        """Ask for one more attempt; GitHub answers before it makes it."""
        where = ("hooks", hook, "deliveries", delivery, "attempts")
        self._api.answer(self._post(repository, f"have delivery {delivery} sent again", None, *where))

    def _get(self, repository: str, purpose: str, *rest: str | int) -> Call:
        hint = f"the token has no right to {purpose}, or none for this repository"
        return Call("GET", _path(repository, *rest), f"{purpose} at {repository}", hint=hint)

    def _post(self, repository: str, purpose: str, body: dict[str, Any] | None, *rest: str | int) -> Call:
        hint = f"the token has no right to {purpose}"
        return Call("POST", _path(repository, *rest), f"{purpose} at {repository}", body=body, hint=hint)

    def _must_exist(self, repository: str) -> None:
        """Raise `Gone` where it is the repository that is missing: a 404 says the same for both."""
        self.repository(repository)


def _path(repository: str, *rest: str | int) -> str:
    if repository.isascii() and repository.isdigit():
        return path_of("repositories", repository, *rest)
    owner, slash, name = repository.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise Refused(f"{repository!r} is neither owner/name nor the id of a repository")
    return path_of("repos", owner, name, *rest)


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _entry(found: shapes.Delivery) -> HostDelivery:
    return HostDelivery(
        id=str(found.id),
        delivery=found.guid,
        event=found.event,
        delivered_at=seconds_since_1970(found.delivered_at),
        ok=200 <= found.status_code < 300,
    )
