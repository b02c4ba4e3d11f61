"""GitLab's webhook events for what happened. Source: docs.gitlab.com, "Webhook events"."""

from __future__ import annotations

from sandbox.githost import gitlab_shapes as shapes
from sandbox.githost.gitlab_shapes import Json
from sandbox.githost.happenings import (
    ChangeMoved,
    ChecksFinished,
    Commented,
    Deployed,
    Happening,
    Message,
    Published,
    Pushed,
)
from sandbox.githost.history import ZEROS, Commit
from sandbox.githost.model import Change, Repository, User, iso

MOST_COMMITS = 20
ACTIONS = {
    "opened": "open",
    "reopened": "reopen",
    "synchronize": "update",
    "edited": "update",
    "closed": "close",
}


def messages(happening: Happening) -> list[Message]:
    """The events that GitLab sends for it; none for what it has no event for (ping, rename, status)."""
    match happening:
        case Pushed():
            return [_push(happening)]
        case ChangeMoved():
            return [_change(happening)]
        case Commented():
            return [_note(happening)]
        case ChecksFinished():
            return [_pipeline(happening)]
        case Published():
            return [_release(happening)]
        case Deployed() if happening.status is not None:
            return [_deployment(happening, happening.status.state)]
        case _:
            return []


def project(repo: Repository) -> Json:
    """The project as events describe it."""
    return {
        "id": repo.id,
        "name": repo.name,
        "path_with_namespace": repo.full_name,
        "namespace": repo.owner,
        "default_branch": repo.default_branch,
        "visibility_level": 0 if repo.private else 20,
        "web_url": f"{shapes.SITE}/{repo.full_name}",
        "git_http_url": repo.clone_url or f"{shapes.SITE}/{repo.full_name}.git",
        "git_ssh_url": f"git@gitlab.sandbox:{repo.full_name}.git",
    }


def _user(user: User) -> Json:
    return {"id": user.id, "name": user.login.title(), "username": user.login, "email": "[REDACTED]"}


def _push(pushed: Pushed) -> Message:
    history, repo = pushed.repository.history, pushed.repository
    is_tag = pushed.ref.startswith("refs/tags/")
    gone = pushed.after == ZEROS
    commits: list[Commit] = []
    if not gone and not is_tag and pushed.before != ZEROS:
        commits = history.between(pushed.before, pushed.after)
    name = "tag_push" if is_tag else "push"
    body: Json = {
        "object_kind": name,
        "event_name": name,
        "before": pushed.before,
        "after": pushed.after,
        "ref": pushed.ref,
        "ref_protected": pushed.ref == f"refs/heads/{repo.default_branch}",
        "checkout_sha": None if gone else history.commit_of(pushed.after),
        "user_id": pushed.user.id,
        "user_name": pushed.user.login.title(),
        "user_username": pushed.user.login,
        "project_id": repo.id,
        "project": project(repo),
        "commits": [_commit(repo, each) for each in commits[-MOST_COMMITS:]],
        "total_commits_count": len(commits),
    }
    return Message(name, None, body)


def _commit(repo: Repository, made: Commit) -> Json:
    changes = repo.history.changed(made.parents[0] if made.parents else None, made.sha)
    body: Json = {
        "id": made.sha,
        "message": made.message,
        "title": made.message.partition("\n")[0],
        "timestamp": iso(made.at),
        "author": {"name": made.author, "email": f"{made.author}@example.com"},
    }
    return body | {
        kind: [each.path for each in changes if each.status == kind]
        for kind in ("added", "modified", "removed")
    }


def _last_commit(repo: Repository, change: Change) -> Json:
    made = repo.history.commits[change.head]
    return {"id": made.sha, "message": made.message, "timestamp": iso(made.at)}


def _change(moved: ChangeMoved) -> Message:
    change, repo = moved.change, moved.repository
    action = "merge" if change.state == "merged" else ACTIONS.get(moved.action, "update")
    attributes: Json = shapes.merge_request(change, repo) | {
        "action": action,
        "last_commit": _last_commit(repo, change),
    }
    if moved.action == "synchronize":
        attributes["oldrev"] = moved.before
    body: Json = {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": _user(moved.user),
        "project": project(repo),
        "object_attributes": attributes,
        "changes": {},
    }
    return Message("merge_request", action, body)


def _note(said: Commented) -> Message:
    repo, change = said.repository, said.change
    action = "create" if said.action == "created" else "update"
    body: Json = {
        "object_kind": "note",
        "event_type": "note",
        "user": _user(said.user),
        "project_id": repo.id,
        "project": project(repo),
        "object_attributes": {
            "id": said.comment.id,
            "note": said.comment.body,
            "noteable_type": "MergeRequest",
            "action": action,
            "system": False,
            "author_id": said.user.id,
        },
        "merge_request": shapes.merge_request(change, repo) | {"last_commit": _last_commit(repo, change)},
    }
    return Message("note", action, body)


def _pipeline(ended: ChecksFinished) -> Message:
    suite, repo = ended.suite, ended.repository
    body: Json = {
        "object_kind": "pipeline",
        "object_attributes": shapes.pipeline(suite, repo) | {"tag": False, "detailed_status": "passed"},
        "merge_request": None if suite.event == "push" else {"iid": 0},
        "user": _user(ended.user),
        "project": project(repo),
        "builds": [{"id": run.id, "name": run.name, "status": run.conclusion} for run in suite.runs],
    }
    return Message("pipeline", None, body)


def _release(made: Published) -> Message:
    repo, release = made.repository, made.release
    commit = repo.history.commits[repo.history.commit_of(repo.tags[release.tag])]
    body: Json = {
        "object_kind": "release",
        "action": "create",
        "id": release.id,
        "tag": release.tag,
        "name": release.name,
        "project": project(repo),
        "commit": {"id": commit.sha, "message": commit.message, "timestamp": iso(commit.at)},
    }
    return Message("release", "create", body)


def _deployment(made: Deployed, state: str) -> Message:
    deployment = made.deployment
    body: Json = {
        "object_kind": "deployment",
        "status": state,
        "deployment_id": deployment.id,
        "environment": deployment.environment,
        "short_sha": deployment.sha[:8],
        "ref": deployment.ref,
        "user": _user(made.user),
        "project": project(made.repository),
    }
    return Message("deployment", None, body)
