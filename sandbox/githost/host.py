"""The host as a test drives it: changes, comments, releases, checks, statuses, deployments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sandbox.githost.happenings import (
    ChangeMoved,
    ChecksFinished,
    Commented,
    Deployed,
    Published,
    StatusSet,
)
from sandbox.githost.model import (
    FINAL_CONCLUSIONS,
    Change,
    CheckRun,
    CheckSuite,
    Comment,
    Deployment,
    DeploymentStatus,
    Release,
    Repository,
    Status,
    Unknown,
)
from sandbox.githost.pushing import Pushing, RefMove

MergeMethod = Literal["merge", "squash", "fast-forward"]


class GitHost(Pushing):
    """A Git host without I/O; `GitService` answers its API."""

    def open_change(
        self,
        repo: Repository,
        source_branch: str,
        *,
        title: str = "A change",
        source: Repository | None = None,
        target_branch: str = "",
        by: str = "dev",
        draft: bool = False,
    ) -> Change:
        """Ask for a branch, of a fork with `source`, to be merged."""
        origin, number = source or repo, len(repo.changes) + 1
        with self.turn():
            change = Change(
                self.next_id(),
                number,
                title,
                self.user(by),
                origin.id,
                source_branch,
                target_branch or repo.default_branch,
                origin.branches[source_branch],
                self.clock(),
                draft=draft,
            )
            repo.changes[number] = change
            self.tell(ChangeMoved(repo, change.user, change, "opened"))
        return change

    def merge(
        self, repo: Repository, number: int, *, by: str = "maintainer", method: MergeMethod = "merge"
    ) -> str:
        """Merge a change and give the commit that its target branch stands on now."""
        with self.turn():
            change, tip = repo.changes[number], repo.branches[repo.changes[number].target_branch]
            sha = self._merge_commit(repo, change, tip, by, method)
            change.state, change.merge_commit = "merged", sha
            self.push(repo, [RefMove(f"refs/heads/{change.target_branch}", sha)], by=by)
            self.tell(ChangeMoved(repo, self.user(by), change, "closed"))
        return sha

    def close(self, repo: Repository, number: int, *, by: str = "dev") -> None:
        """Close a change without merging it."""
        with self.turn():
            repo.changes[number].state = "closed"
            self.tell(ChangeMoved(repo, self.user(by), repo.changes[number], "closed"))

    def edit_change(
        self, repo: Repository, number: int, *, title: str = "", target_branch: str = "", by: str = "dev"
    ) -> None:
        """Give a change another title, or another target; its commits stay."""
        with self.turn():
            change = repo.changes[number]
            former = change.target_branch if target_branch else None
            change.title, change.target_branch = title or change.title, target_branch or change.target_branch
            self.tell(ChangeMoved(repo, self.user(by), change, "edited", former_target=former))

    def comment(self, repo: Repository, number: int, body: str, *, by: str = "dev") -> Comment:
        """Write on a change."""
        with self.turn():
            made = Comment(self.next_id(), number, self.user(by), body, self.clock())
            repo.comments[made.id] = made
            self.tell(Commented(repo, made.user, repo.changes[number], made))
        return made

    def edit_comment(self, repo: Repository, comment_id: int, body: str, *, by: str = "dev") -> Comment:
        """Rewrite a comment; the event's sender is who edited it, its author stays."""
        with self.turn():
            comment = repo.comments[comment_id]
            comment.body = body
            self.tell(Commented(repo, self.user(by), repo.changes[comment.change], comment, "edited"))
        return comment

    def publish_release(
        self, repo: Repository, tag: str, *, prerelease: bool = False, draft: bool = False, by: str = "dev"
    ) -> Release:
        """A release on a tag that exists; a draft is told to nobody."""
        if tag not in repo.tags:
            raise Unknown(f"tag {tag} in {repo.full_name}; push it first")
        with self.turn():
            target = repo.default_branch
            made = Release(self.next_id(), tag, tag, self.user(by), self.clock(), target, prerelease, draft)
            repo.releases[tag] = made
            if not draft:
                self.tell(Published(repo, made.user, made))
        return made

    def set_status(
        self,
        repo: Repository,
        sha: str,
        state: str,
        *,
        context: str = "default",
        description: str | None = None,
        target_url: str | None = None,
        ref: str | None = None,
        by: str = "ci",
    ) -> Status:
        """Set a commit status; the newest of a context counts."""
        if sha not in repo.history.commits:
            raise Unknown(f"commit {sha} in {repo.full_name}; a status needs a commit, not a tag object")
        with self.turn():
            user = self.user(by)
            made = Status(
                self.next_id(), sha, context, state, user, self.clock(), description, target_url, ref
            )
            repo.statuses.append(made)
            self.tell(StatusSet(repo, user, made))
        return made

    def start_checks(
        self,
        repo: Repository,
        sha: str,
        *,
        names: Iterable[str] = ("build",),
        app: str = "ci",
        event: str = "push",
        source: Repository | None = None,
        by: str = "dev",
    ) -> CheckSuite:
        """Checks of a commit begin; with `source` it is a fork's, and the suite knows no branch."""
        with self.turn():
            branch = next((n for n, tip in repo.branches.items() if tip == sha), None) if not source else None
            head = (source or repo).id
            suite = CheckSuite(
                self.next_id(), sha, branch, app, self.user(by), self.clock(), event, head_repository=head
            )
            suite.runs = [CheckRun(self.next_id(), name, "in_progress") for name in names]
            repo.suites.append(suite)
        return suite

    def finish_checks(self, repo: Repository, suite: CheckSuite, conclusion: str = "success") -> None:
        """The suite and its runs that are still open come to that end."""
        if conclusion not in FINAL_CONCLUSIONS:
            raise ValueError(f"{conclusion} is no conclusion; use one of {', '.join(FINAL_CONCLUSIONS)}")
        with self.turn():
            for run in suite.runs:
                run.conclusion = run.conclusion or conclusion
                run.status = "completed"
            suite.status, suite.conclusion = "completed", conclusion
            self.tell(ChecksFinished(repo, suite.user, suite))

    def deploy(self, repo: Repository, deployment: Deployment) -> Deployment:
        """Enter a deployment."""
        with self.turn():
            repo.deployments[deployment.id] = deployment
            self.tell(Deployed(repo, deployment.creator, deployment))
        return deployment

    def move_deployment(self, repo: Repository, deployment: Deployment, status: DeploymentStatus) -> None:
        """A deployment goes on, or comes to its end."""
        with self.turn():
            deployment.statuses.append(status)
            self.tell(Deployed(repo, status.creator, deployment, status))

    def _merge_commit(self, repo: Repository, change: Change, tip: str, by: str, method: MergeMethod) -> str:
        if method == "fast-forward":
            if not repo.history.leads_to(tip, change.head):
                raise ValueError(
                    f"change {change.number} does not stand on its target's tip; merge it instead"
                )
            return change.head
        base = repo.history.merge_base([tip, change.head])
        files = repo.history.commits[change.head].files
        laid_over = {each.path: files.get(each.path) for each in repo.history.changed(base, change.head)}
        parents = (tip, change.head) if method == "merge" else (tip,)
        title = (
            f"Merge change #{change.number}" if method == "merge" else f"{change.title} (#{change.number})"
        )
        made = repo.history.add(title, parents, laid_over, self.user(by).login, self.clock())
        change.squash_commit = made.sha if method == "squash" else None
        return made.sha
