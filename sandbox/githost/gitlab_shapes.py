"""GitLab's JSON objects in answers of its API. Source: docs.gitlab.com, REST API v4."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from sandbox.githost.history import Commit, PathChange
from sandbox.githost.model import (
    Change,
    CheckSuite,
    Comment,
    Deployment,
    Hook,
    Release,
    Repository,
    Role,
    Status,
    User,
    iso,
)

Json = dict[str, object]

SITE = "https://gitlab.sandbox"
ACCESS_LEVELS: dict[Role, int] = {
    "none": 0,
    "read": 20,
    "triage": 20,
    "write": 30,
    "maintain": 40,
    "admin": 50,
}
EVENT_FLAGS = {
    "push_events": "push",
    "tag_push_events": "push",
    "merge_requests_events": "pull_request",
    "note_events": "issue_comment",
    "pipeline_events": "check_suite",
    "releases_events": "release",
    "deployment_events": "deployment_status",
}
"""A hook's switches, and the GitHub event that means the same in `Hook.events`."""


def account(user: User) -> Json:
    """A user."""
    return {
        "id": user.id,
        "username": user.login,
        "name": user.login.title(),
        "state": "active",
        "bot": user.bot,
        "web_url": f"{SITE}/{user.login}",
    }


def project(repo: Repository) -> Json:
    """A project."""
    return {
        "id": repo.id,
        "name": repo.name,
        "path": repo.name,
        "path_with_namespace": repo.full_name,
        "namespace": {"full_path": repo.owner, "kind": "group"},
        "default_branch": repo.default_branch,
        "visibility": "private" if repo.private else "public",
        "archived": False,
        "web_url": f"{SITE}/{repo.full_name}",
        "http_url_to_repo": repo.clone_url or f"{SITE}/{repo.full_name}.git",
        "ssh_url_to_repo": f"git@gitlab.sandbox:{repo.full_name}.git",
        "created_at": iso(repo.at, milliseconds=True),
    } | ({"forked_from_project": {"id": repo.parent}} if repo.parent else {})


def commit(made: Commit, repo: Repository) -> Json:
    """A commit."""
    at = iso(made.at, milliseconds=True)
    return {
        "id": made.sha,
        "short_id": made.sha[:8],
        "title": made.message.partition("\n")[0],
        "message": made.message,
        "author_name": made.author,
        "author_email": f"{made.author}@example.com",
        "authored_date": at,
        "committer_name": made.author,
        "committer_email": f"{made.author}@example.com",
        "committed_date": at,
        "created_at": at,
        "parent_ids": list(made.parents),
        "web_url": f"{SITE}/{repo.full_name}/-/commit/{made.sha}",
    }


def branch(name: str, repo: Repository) -> Json:
    """A branch."""
    return {
        "name": name,
        "commit": commit(repo.history.commits[repo.branches[name]], repo),
        "default": name == repo.default_branch,
        "protected": name == repo.default_branch,
        "merged": False,
        "can_push": True,
        "web_url": f"{SITE}/{repo.full_name}/-/tree/{quote(name)}",
    }


def tag(name: str, repo: Repository) -> Json:
    """A tag; `target` is the tag object of an annotated one, `commit` always the commit."""
    named = repo.tags[name]
    annotated = repo.history.tag_objects.get(named)
    return {
        "name": name,
        "message": annotated.message if annotated else "",
        "target": named,
        "commit": commit(repo.history.commits[repo.history.commit_of(named)], repo),
        "release": {"tag_name": name} if name in repo.releases else None,
        "protected": False,
    }


def diffs(changes: Iterable[PathChange]) -> list[Json]:
    """Changed paths."""
    return [
        {
            "old_path": change.path,
            "new_path": change.path,
            "a_mode": "0" if change.status == "added" else "100644",
            "b_mode": "0" if change.status == "removed" else "100644",
            "diff": "",
            "new_file": change.status == "added",
            "renamed_file": False,
            "deleted_file": change.status == "removed",
        }
        for change in changes
    ]


def status(given: Status) -> Json:
    """A commit status."""
    return {
        "id": given.id,
        "sha": given.sha,
        "ref": given.ref,
        "status": given.state,
        "name": given.context,
        "target_url": given.target_url,
        "description": given.description,
        "allow_failure": False,
        "author": account(given.creator),
        "created_at": iso(given.at, milliseconds=True),
    }


def pipeline_status(suite: CheckSuite) -> str:
    """GitLab's word for where a suite stands."""
    if suite.status != "completed":
        return "pending" if suite.status == "queued" else "running"
    words = {"success": "success", "cancelled": "canceled", "skipped": "skipped", "action_required": "manual"}
    return words.get(suite.conclusion or "", "failed")


def pipeline(suite: CheckSuite, repo: Repository) -> Json:
    """A pipeline."""
    at = iso(suite.at, milliseconds=True)
    return {
        "id": suite.id,
        "iid": suite.id,
        "project_id": repo.id,
        "sha": suite.sha,
        "ref": suite.branch or f"refs/merge-requests/{suite.id}/head",
        "status": pipeline_status(suite),
        "source": "push" if suite.event == "push" else "merge_request_event",
        "created_at": at,
        "updated_at": at,
        "web_url": f"{SITE}/{repo.full_name}/-/pipelines/{suite.id}",
    }


def merge_request(change: Change, repo: Repository) -> Json:
    """A merge request. Only a real merge has a merge commit: a squash or a fast-forward has none."""
    made_none = change.state != "merged" or change.merge_commit in (change.head, change.squash_commit)
    merge_commit = None if made_none else change.merge_commit
    return {
        "id": change.id,
        "iid": change.number,
        "project_id": repo.id,
        "title": change.title,
        "state": {"open": "opened"}.get(change.state, change.state),
        "draft": change.draft,
        "source_branch": change.source_branch,
        "target_branch": change.target_branch,
        "source_project_id": change.source,
        "target_project_id": repo.id,
        "sha": change.head,
        "merge_commit_sha": merge_commit,
        "squash_commit_sha": change.squash_commit,
        "author": account(change.user),
        "created_at": iso(change.at, milliseconds=True),
        "web_url": f"{SITE}/{repo.full_name}/-/merge_requests/{change.number}",
    }


def note(given: Comment) -> Json:
    """A note on a merge request."""
    return {
        "id": given.id,
        "body": given.body,
        "author": account(given.user),
        "system": False,
        "noteable_type": "MergeRequest",
        "noteable_iid": given.change,
        "created_at": iso(given.at, milliseconds=True),
    }


def member(user: User, role: Role) -> Json:
    """A member of a project, own or inherited."""
    return account(user) | {"access_level": ACCESS_LEVELS[role], "expires_at": None}


def deployment(made: Deployment, repo: Repository) -> Json:
    """A deployment."""
    state = made.statuses[-1].state if made.statuses else "created"
    return {
        "id": made.id,
        "iid": made.id,
        "ref": made.ref,
        "sha": made.sha,
        "status": state,
        "user": account(made.creator),
        "environment": {"name": made.environment},
        "project_id": repo.id,
        "created_at": iso(made.at, milliseconds=True),
    }


def release(made: Release, repo: Repository) -> Json:
    """A release."""
    return {
        "tag_name": made.tag,
        "name": made.name,
        "description": "",
        "author": account(made.user),
        "commit": commit(repo.history.commits[repo.history.commit_of(repo.tags[made.tag])], repo),
        "released_at": iso(made.at, milliseconds=True),
        "upcoming_release": False,
    }


def hook(given: Hook) -> Json:
    """A webhook; its secrets are never shown."""
    flags = {flag: "*" in given.events or event in given.events for flag, event in EVENT_FLAGS.items()}
    return (
        {"id": given.id, "url": given.url, "project_id": given.repository}
        | flags
        | {"alert_status": "executable"}
    )
