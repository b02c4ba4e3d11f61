"""GitLab's API, of gitlab.com or an own installation (base address `https://HOST/api/v4`).

Source: docs.gitlab.com, "REST API resources". Projects are asked for by id or by their encoded path; reads
follow the API's own redirect from a former path.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import httpx
from pydantic import SecretStr

from workers.errors import Effect, NotYet, Refused
from workers.hosts import gitlab_answers as shapes
from workers.hosts.api import MOST_PAGES, PAGE, HostApi
from workers.hosts.api_calls import Call, path_of
from workers.hosts.gitlab_answers import DEPLOYMENT_WORDS, STATUS_WORDS
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
    ReportState,
    RepositoryFacts,
    StatusReport,
    is_full_commit,
)

DEFAULT_URL: Final = "https://gitlab.com/api/v4"

_LONGEST_DESCRIPTION: Final = 255
_LOG_PAGE: Final = 20
"""Each entry holds the whole payload: a hundred of them might go over the cap of a body."""


class GitLabApi:
    """Asks and tells one GitLab. See `workers.flow.ports.GitHost` for what each method promises."""

    driver: Final = "gitlab"
    offers: Final = frozenset(Offer)

    def __init__(self, http: httpx.Client, api_url: str | None, token: SecretStr) -> None:
        self._api = HostApi(http, api_url or DEFAULT_URL, token)

    def __repr__(self) -> str:
        return f"GitLabApi({self._api!r})"

    def whoami(self) -> str:
        """Return the name of the token's user; for a project's or group's token that of its bot."""
        return self._api.ask(Call("GET", "/user", "ask whose token this is"), shapes.User).username

    def repository(self, repository: str) -> RepositoryFacts:
        """Read a project. What only signed-in users may read counts as private."""
        found = self._api.ask(self._call("GET", repository, "read the project"), shapes.Project)
        return RepositoryFacts(
            id=str(found.id),
            full_name=found.path_with_namespace,
            default_branch=found.default_branch or None,
            private=found.visibility != "public",
            clone_url=found.http_url_to_repo,
        )

    def branch_head(self, repository: str, branch: str) -> str | None:
        """Return the head of the branch."""
        return self._named(repository, "branches", branch)

    def branch_heads(self, repository: str) -> BranchHeads:
        """Return the head of every branch, 100 per call."""
        call = self._call("GET", repository, "list the branches", "repository", "branches")
        found, complete = self._api.pages(call, list[shapes.Branch], list)
        return BranchHeads({branch.name: branch.commit.id for branch in found}, complete)

    def tag_commit(self, repository: str, tag: str) -> str | None:
        """Return the commit behind the tag, which GitLab peels itself."""
        return self._named(repository, "tags", tag)

    def message(self, repository: str, commit: str) -> str | None:
        """Return a commit's message."""
        if not is_full_commit(commit):
            return None
        what = f"read the message of {commit}"
        call = self._call("GET", repository, what, "repository", "commits", commit)
        found = self._api.find(call, shapes.Written)
        if found is None:
            self._must_exist(repository)
        return None if found is None else found.message

    def compare(self, repository: str, base: str, head: str) -> Comparison | None:
        """Compare two commits: what changed, and where they parted, which tells how they stand."""
        if not (is_full_commit(base) and is_full_commit(head)):
            return None
        call = self._call("GET", repository, f"compare {head} with {base}", "repository", "compare")
        found = self._api.find(
            call.asking(**{"from": base, "to": head, "straight": "false"}), shapes.Compared
        )
        if found is None:
            self._must_exist(repository)
            return None
        paths = {path for diff in found.diffs for path in (diff.old_path, diff.new_path)}
        relation = Relation.IDENTICAL if base == head else self._relation(repository, base, head)
        return Comparison(relation, tuple(sorted(paths)), complete=not found.compare_timeout)

    def permission(self, repository: str, user: str) -> Permission:
        """Return the level of the member of this name, also one through a group."""
        who = Call("GET", "/users", f"look up the user {user}").asking(username=user)
        named = [
            each
            for each in self._api.ask(who, list[shapes.User])
            if each.username.casefold() == user.casefold() and each.state == "active"
        ]
        if len(named) != 1:
            return Permission.NONE
        what = f"ask for the rights of {user}"
        call = self._call("GET", repository, what, "members", "all", named[0].id)
        found = self._api.find(call, shapes.Member)
        if found is None:
            self._must_exist(repository)
            return Permission.NONE
        return found.known()

    def change(self, repository: str, number: int) -> OpenChange | None:
        """Read an open merge request."""
        call = self._call("GET", repository, f"read merge request {number}", "merge_requests", number)
        found = self._api.find(call, shapes.MergeRequest)
        if found is None:
            self._must_exist(repository)
            return None
        return found.open_change()

    def ci_state(self, repository: str, commit: str) -> tuple[Check, ...]:
        """Return the newest job or status of each name, of every pipeline of the commit."""
        if not is_full_commit(commit):
            return ()
        what = f"read the CI of {commit}"
        jobs = self._call("GET", repository, what, "repository", "commits", commit, "statuses")
        found, all_jobs = self._api.pages(jobs, list[shapes.Status], list, absent=(404,))
        pipelines = self._call("GET", repository, what, "pipelines").asking(sha=commit)
        # Pipelines are answered 403 where the project has CI switched off: then there are none.
        run, all_run = self._api.pages(pipelines, list[shapes.Pipeline], list, absent=(403, 404))
        if not (all_jobs and all_run):
            raise Refused(f"could not {jobs.purpose}: it has more than {MOST_PAGES * PAGE} checks")
        if not (found or run):
            self._must_exist(repository)
        return shapes.newest_checks(found, run)

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        """Set a commit status. GitLab refuses a state that stands already: that is no error."""
        body = {
            "state": STATUS_WORDS[report.state],
            "name": report.context,
            "description": report.description[:_LONGEST_DESCRIPTION],
            **({"target_url": report.target_url} if report.target_url else {}),
        }
        call = self._call("POST", repository, f"set the status of {commit}", "statuses", commit, body=body)
        answer = self._api.answer(call, also=(400, 404))
        said = answer.body.lower()
        if answer.status == HTTPStatus.NOT_FOUND and b"commit" in said:
            # A commit that was just pushed may not be visible for a while.
            raise NotYet(f"could not {call.purpose}: GitLab has no such commit yet", effect=Effect.NONE)
        if answer.status in {400, 404} and b"cannot transition" not in said:
            raise self._api.meaning(call, answer)

    def create_deployment(self, repository: str, deployment: DeploymentRequest) -> str:
        """Announce a deployment; GitLab makes a missing environment, and keeps no description."""
        body = {
            "environment": deployment.environment,
            "sha": deployment.commit,
            "ref": deployment.ref,
            "tag": deployment.tag,
            "status": "running",
        }
        what = f"announce a deployment to {deployment.environment}"
        call = self._call("POST", repository, what, "deployments", body=body)
        return str(self._api.ask(call, shapes.OnlyId).id)

    def find_deployment(self, repository: str, deployment: DeploymentRequest) -> str | None:
        """Find it among the environment's that run; GitLab keeps no description to tell two of them apart."""
        what = f"look for a deployment to {deployment.environment}"
        call = self._call("GET", repository, what, "deployments").asking(
            environment=deployment.environment, status="running", per_page=PAGE
        )
        found = self._api.ask(call, list[shapes.ListedDeployment])
        return next((str(each.id) for each in found if each.sha == deployment.commit), None)

    def update_deployment(self, repository: str, deployment: str, report: DeploymentReport) -> None:
        """Say how a deployment stands. A refusal of the state that it has already is no error.

        GitLab takes the newest success for what is there now, and has no word for one that was replaced.
        """
        if report.state is ReportState.INACTIVE:
            return
        status = DEPLOYMENT_WORDS[report.state]
        where, what = ("deployments", deployment), f"say how deployment {deployment} stands"
        call = self._call("PUT", repository, what, *where, body={"status": status})
        answer = self._api.answer(call, also=(400,))
        if answer.status == HTTPStatus.BAD_REQUEST:
            stands = self._api.ask(self._call("GET", repository, what, *where), shapes.Deployment)
            if stands.status != status:
                raise self._api.meaning(call, answer)

    def comment(self, repository: str, number: int, text: str) -> str:
        """Comment on a merge request."""
        where = ("merge_requests", number, "notes")
        call = self._call(
            "POST", repository, f"comment on merge request {number}", *where, body={"body": text}
        )
        return str(self._api.ask(call, shapes.OnlyId).id)

    def edit_comment(self, repository: str, number: int, comment: str, text: str) -> None:
        """Replace a comment's text."""
        where = ("merge_requests", number, "notes", comment)
        self._api.answer(
            self._call("PUT", repository, f"edit comment {comment}", *where, body={"body": text})
        )

    def hooks(self, repository: str) -> Sequence[Hook]:
        """List the project's webhooks; those of its groups are not among them."""
        found, _ = self._api.pages(
            self._call("GET", repository, "list the webhooks", "hooks"), list[shapes.Hook], list
        )
        return [Hook(str(hook.id), hook.url, hook.alert_status in {None, "executable"}) for hook in found]

    def deliveries(self, repository: str, hook: str, since: float) -> Sequence[HostDelivery]:
        """Return the newest 200 at most (GitLab 17.3 and later, a week back); a retry is an entry, too."""
        call = self._call("GET", repository, "read the log of deliveries", "hooks", hook, "events")
        found: list[HostDelivery] = []
        for page in range(1, MOST_PAGES + 1):
            asked = call.asking(per_page=_LOG_PAGE, page=page)
            new = [entry.delivery() for entry in self._api.ask(asked, list[shapes.LoggedCall])]
            found += [entry for entry in new if entry.delivered_at is None or entry.delivered_at >= since]
            oldest = min(
                (entry.delivered_at for entry in new if entry.delivered_at is not None), default=since
            )
            if len(new) < _LOG_PAGE or oldest < since:
                break
        return found

    def redeliver(self, repository: str, hook: str, delivery: str) -> None:
        """Have it sent again (GitLab 17.4 and later), which GitLab does five times a minute for a hook."""
        where = ("hooks", hook, "events", delivery, "resend")
        self._api.answer(self._call("POST", repository, f"have delivery {delivery} sent again", *where))

    def _named(self, repository: str, kind: str, name: str) -> str | None:
        call = self._call("GET", repository, f"read {name} of the {kind}", "repository", kind, name)
        found = self._api.find(call, shapes.Branch)
        if found is None:
            self._must_exist(repository)
            return None
        return found.commit.id if found.name == name else None

    def _relation(self, repository: str, base: str, head: str) -> Relation:
        what = f"find where {head} and {base} parted"
        call = self._call("GET", repository, what, "repository", "merge_base")
        asked = call.asking(**{"refs[]": base}).asking(**{"refs[]": head})
        found = self._api.find(asked, shapes.Commit)
        if found is None:
            return Relation.DIVERGED  # two histories without a common beginning
        return {base: Relation.AHEAD, head: Relation.BEHIND}.get(found.id, Relation.DIVERGED)

    def _call(
        self, method: str, repository: str, purpose: str, *rest: str | int, body: dict[str, Any] | None = None
    ) -> Call:
        hint = f"the token has no right to {purpose}, or too small a role in this project"
        path = _path(repository, *rest)
        return Call(method, path, f"{purpose} at {repository}", body=body, hint=hint)

    def _must_exist(self, repository: str) -> None:
        """Raise `Gone` where it is the project that is missing: a 404 says the same for both."""
        self.repository(repository)


def _path(repository: str, *rest: str | int) -> str:
    is_id = repository.isascii() and repository.isdigit()
    parts = repository.split("/")
    if not is_id and (len(parts) < 2 or not all(parts)):
        raise Refused(f"{repository!r} is neither group/project nor the id of a project")
    return path_of("projects", repository, *rest)
