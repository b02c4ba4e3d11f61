"""GitHub's JSON objects, the same in answers of the API and in webhook bodies.

Source: docs.github.com, REST API reference, version 2022-11-28. Of each object the fields that an
integration may rely on; addresses only where they lead somewhere here.
"""

from __future__ import annotations

from sandbox.githost.history import Commit
from sandbox.githost.model import (
    Change,
    CheckRun,
    CheckSuite,
    Comment,
    Deployment,
    DeploymentStatus,
    Release,
    Repository,
    Role,
    Status,
    User,
    iso,
)

Json = dict[str, object]

SITE = "https://github.sandbox"
LEGACY_PERMISSION: dict[Role, str] = {
    "none": "none",
    "read": "read",
    "triage": "read",
    "write": "write",
    "maintain": "write",
    "admin": "admin",
}


def account(user: User) -> Json:
    """A simple user."""
    return {
        "login": user.login,
        "id": user.id,
        "type": "Bot" if user.bot else "User",
        "site_admin": False,
        "html_url": f"{SITE}/{user.login}",
    }


def repository(repo: Repository) -> Json:
    """A repository as everybody who may read it sees it."""
    return {
        "id": repo.id,
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": {"login": repo.owner, "id": owner_id(repo.owner), "type": "Organization"},
        "html_url": f"{SITE}/{repo.full_name}",
        "fork": repo.parent is not None,
        "clone_url": repo.clone_url or f"{SITE}/{repo.full_name}.git",
        "ssh_url": f"git@github.sandbox:{repo.full_name}.git",
        "git_url": f"git://github.sandbox/{repo.full_name}.git",
        "default_branch": repo.default_branch,
        "visibility": "private" if repo.private else "public",
        "archived": False,
        "disabled": False,
        "created_at": iso(repo.at),
        "pushed_at": iso(repo.pushed_at or repo.at),
    }


def owner_id(owner: str) -> int:
    """A number that stays the same for an owner's name."""
    return 9_000_000 + sum(place * ord(letter) for place, letter in enumerate(owner.lower(), 1))


def commit(made: Commit) -> Json:
    """A commit in lists; without its files."""
    person = {"name": made.author, "email": f"{made.author}@example.com", "date": iso(made.at)}
    return {
        "sha": made.sha,
        "commit": {
            "author": person,
            "committer": person,
            "message": made.message,
            "tree": {"sha": made.sha[::-1]},
        },
        "author": {"login": made.author},
        "committer": {"login": made.author},
        "parents": [{"sha": parent} for parent in made.parents],
    }


def files(repo: Repository, base: str | None, head: str) -> list[Json]:
    """The changed paths between two commits."""
    made = []
    for change in repo.history.changed(base, head):
        entry: Json = {"filename": change.path, "status": change.status, "sha": head}
        made.append(entry | {"additions": 1, "deletions": 0, "changes": 1})
    return made


def status(given: Status) -> Json:
    """A commit status."""
    return {
        "id": given.id,
        "state": given.state,
        "context": given.context,
        "description": given.description,
        "target_url": given.target_url,
        "creator": account(given.creator),
        "created_at": iso(given.at),
        "updated_at": iso(given.at),
    }


def app(slug: str) -> Json:
    """A GitHub App."""
    return {"id": owner_id(slug), "slug": slug, "name": slug}


def check_suite(suite: CheckSuite) -> Json:
    """A check suite; its branch is null for a commit from a fork."""
    return {
        "id": suite.id,
        "head_branch": suite.branch,
        "head_sha": suite.sha,
        "status": suite.status,
        "conclusion": suite.conclusion,
        "app": app(suite.app),
        "pull_requests": [],
        "latest_check_runs_count": len(suite.runs),
        "created_at": iso(suite.at),
        "updated_at": iso(suite.at),
    }


def check_run(suite: CheckSuite, run: CheckRun) -> Json:
    """A check run."""
    return {
        "id": run.id,
        "name": run.name,
        "head_sha": suite.sha,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": iso(suite.at),
        "completed_at": iso(suite.at) if run.status == "completed" else None,
        "check_suite": {"id": suite.id, "head_branch": suite.branch},
        "app": app(suite.app),
        "pull_requests": [],
    }


def workflow_run(suite: CheckSuite, head: Repository, branch: str) -> Json:
    """A run of a workflow. Unlike a suite it names the branch of a fork, too."""
    return {
        "id": suite.id,
        "name": suite.app,
        "path": f".github/workflows/{suite.app}.yml",
        "event": suite.event,
        "head_branch": branch,
        "head_sha": suite.sha,
        "status": suite.status,
        "conclusion": suite.conclusion,
        "run_attempt": 1,
        "check_suite_id": suite.id,
        "head_repository": {"id": head.id, "full_name": head.full_name, "fork": head.parent is not None},
        "created_at": iso(suite.at),
    }


def pull(change: Change, repo: Repository, source: Repository | None) -> Json:
    """A pull request. `merge_commit_sha` is a test merge until it is merged."""
    head_owner = source.owner if source else "unknown"
    return {
        "id": change.id,
        "number": change.number,
        "state": "open" if change.state == "open" else "closed",
        "title": change.title,
        "draft": change.draft,
        "user": account(change.user),
        "author_association": "MEMBER" if change.user.login.lower() in repo.roles else "NONE",
        "created_at": iso(change.at),
        "merged": change.state == "merged",
        "merged_at": iso(change.at) if change.state == "merged" else None,
        "merge_commit_sha": change.merge_commit or change.head[::-1],
        "head": {
            "label": f"{head_owner}:{change.source_branch}",
            "ref": change.source_branch,
            "sha": change.head,
            "repo": repository(source) if source else None,
        },
        "base": {
            "label": f"{repo.owner}:{change.target_branch}",
            "ref": change.target_branch,
            "sha": repo.branches.get(change.target_branch, change.head),
            "repo": repository(repo),
        },
    }


def issue(change: Change, repo: Repository) -> Json:
    """The issue side of a pull request, which comments hang on."""
    return {
        "id": change.id + 1,
        "number": change.number,
        "title": change.title,
        "state": "open" if change.state == "open" else "closed",
        "user": account(change.user),
        "pull_request": {"html_url": f"{SITE}/{repo.full_name}/pull/{change.number}"},
    }


def comment(given: Comment, repo: Repository) -> Json:
    """A comment on an issue or a pull request."""
    return {
        "id": given.id,
        "body": given.body,
        "user": account(given.user),
        "author_association": "MEMBER" if given.user.login.lower() in repo.roles else "NONE",
        "html_url": f"{SITE}/{repo.full_name}/pull/{given.change}#issuecomment-{given.id}",
        "created_at": iso(given.at),
        "updated_at": iso(given.at),
    }


def deployment(made: Deployment) -> Json:
    """A deployment."""
    return {
        "id": made.id,
        "sha": made.sha,
        "ref": made.ref,
        "task": made.task,
        "payload": made.payload,
        "environment": made.environment,
        "original_environment": made.environment,
        "description": made.description,
        "creator": account(made.creator),
        "transient_environment": made.transient,
        "production_environment": made.production,
        "created_at": iso(made.at),
        "updated_at": iso(made.at),
    }


def deployment_status(given: DeploymentStatus, made: Deployment) -> Json:
    """How far a deployment came."""
    return {
        "id": given.id,
        "state": given.state,
        "creator": account(given.creator),
        "description": given.description,
        "environment": made.environment,
        "log_url": given.log_url,
        "target_url": given.log_url,
        "environment_url": given.environment_url,
        "created_at": iso(given.at),
        "updated_at": iso(given.at),
    }


def release(made: Release, repo: Repository) -> Json:
    """A release. Its `target_commitish` counts only while the tag does not exist yet."""
    return {
        "id": made.id,
        "tag_name": made.tag,
        "target_commitish": made.target,
        "name": made.name,
        "draft": made.draft,
        "prerelease": made.prerelease,
        "author": account(made.user),
        "html_url": f"{SITE}/{repo.full_name}/releases/tag/{made.tag}",
        "created_at": iso(made.at),
        "published_at": None if made.draft else iso(made.at),
    }
