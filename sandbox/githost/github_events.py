"""GitHub's webhook events for what happened. Source: docs.github.com, "Webhook events and payloads"."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.githost import github_shapes as shapes
from sandbox.githost.github_shapes import Json
from sandbox.githost.happenings import (
    ChangeMoved,
    ChecksFinished,
    Commented,
    Deployed,
    Happening,
    Message,
    Moved,
    Pinged,
    Published,
    Pushed,
    StatusSet,
)
from sandbox.githost.history import ZEROS, Commit
from sandbox.githost.model import Change, Repository, iso

MOST_COMMITS = 2048

FindRepository = Callable[[int], Repository | None]


def messages(happening: Happening, find: FindRepository) -> list[Message]:
    """The events that GitHub sends for it, in its order."""
    common: Json = {"sender": shapes.account(happening.user)}
    if happening.repository is not None:
        common["repository"] = shapes.repository(happening.repository)
    return [
        Message(
            event,
            action,
            ({"action": action} if action else {})
            | body
            | common
            | _changed_common(event, happening.repository, common),
        )
        for event, action, body in _told(happening, find)
    ]


def of_organisation(message: Message, owner: str) -> Message:
    """The event as the hook of an organisation gets it."""
    described = {"login": owner, "id": shapes.owner_id(owner)}
    return Message(message.event, message.action, message.body | {"organization": described})


def _changed_common(event: str, repo: Repository | None, common: Json) -> Json:
    """In push events the times of the repository are whole Unix seconds."""
    repository = common.get("repository")
    if event != "push" or repo is None or not isinstance(repository, dict):
        return {}
    return {"repository": repository | {"created_at": int(repo.at), "pushed_at": int(repo.pushed_at)}}


def _told(happening: Happening, find: FindRepository) -> list[tuple[str, str | None, Json]]:
    match happening:
        case Pushed():
            return [("push", None, _push(happening)), *_created_or_deleted(happening)]
        case ChangeMoved():
            return [("pull_request", happening.action, _change(happening, find))]
        case Commented():
            return [("issue_comment", happening.action, _comment(happening))]
        case StatusSet():
            return [("status", None, _status(happening))]
        case ChecksFinished():
            return _checks(happening, find)
        case Published():
            return _published(happening)
        case Moved():
            return [_moved(happening)]
        case Deployed():
            return [_deployed(happening)]
        case Pinged():
            return [("ping", None, _ping(happening))]


def _push(pushed: Pushed) -> Json:
    history = pushed.repository.history
    deleted, created = pushed.after == ZEROS, pushed.before == ZEROS
    head = None if deleted else history.commits[history.commit_of(pushed.after)]
    listed = _new_commits(pushed)
    return {
        "ref": pushed.ref,
        "before": pushed.before,
        "after": pushed.after,
        "base_ref": None,
        "created": created,
        "deleted": deleted,
        "forced": pushed.forced,
        "compare": f"{shapes.SITE}/{pushed.repository.full_name}/compare",
        "commits": [_pushed_commit(pushed.repository, each) for each in listed[-MOST_COMMITS:]],
        "head_commit": _pushed_commit(pushed.repository, head) if head else None,
        "pusher": {"name": pushed.user.login, "email": f"{pushed.user.login}@example.com"},
    }


def _new_commits(pushed: Pushed) -> list[Commit]:
    history = pushed.repository.history
    if pushed.after == ZEROS or pushed.ref.startswith("refs/tags/"):
        return []
    if pushed.before != ZEROS:
        return history.between(pushed.before, pushed.after)
    others = [sha for ref, sha in pushed.repository.branches.items() if f"refs/heads/{ref}" != pushed.ref]
    known = {sha for tip in others for sha in history.ancestors(tip)}
    return [each for each in reversed(history.log(pushed.after)) if each.sha not in known]


def _pushed_commit(repo: Repository, made: Commit) -> Json:
    changes = repo.history.changed(made.parents[0] if made.parents else None, made.sha)
    person = {"name": made.author, "email": f"{made.author}@example.com", "username": made.author}
    body: Json = {
        "id": made.sha,
        "tree_id": made.sha[::-1],
        "distinct": True,
        "message": made.message,
        "timestamp": iso(made.at),
        "url": f"{shapes.SITE}/{repo.full_name}/commit/{made.sha}",
        "author": person,
        "committer": person,
    }
    return body | {
        kind: [each.path for each in changes if each.status == kind]
        for kind in ("added", "removed", "modified")
    }


def _created_or_deleted(pushed: Pushed) -> list[tuple[str, str | None, Json]]:
    kind, _, name = pushed.ref.removeprefix("refs/").partition("/")
    body: Json = {"ref": name, "ref_type": {"heads": "branch", "tags": "tag"}[kind], "pusher_type": "user"}
    if pushed.before == ZEROS:
        return [("create", None, body | {"master_branch": pushed.repository.default_branch})]
    return [("delete", None, body)] if pushed.after == ZEROS else []


def _change(moved: ChangeMoved, find: FindRepository) -> Json:
    change = moved.change
    body: Json = {"number": change.number, "pull_request": _pull(change, moved.repository, find)}
    if moved.action == "synchronize":
        body |= {"before": moved.before, "after": change.head}
    former = moved.former_target
    changes = {"base": {"ref": {"from": former}}} if former else {"title": {"from": "A former title"}}
    return body | ({"changes": changes} if moved.action == "edited" else {})


def _pull(change: Change, repo: Repository, find: FindRepository) -> Json:
    return shapes.pull(change, repo, find(change.source) if change.source is not None else None)


def _comment(said: Commented) -> Json:
    return {
        "issue": shapes.issue(said.change, said.repository),
        "comment": shapes.comment(said.comment, said.repository),
    }


def _status(given: StatusSet) -> Json:
    status, repo = given.status, given.repository
    holding = [n for n, tip in repo.branches.items() if repo.history.leads_to(status.sha, tip)]
    return {
        "id": status.id,
        "sha": status.sha,
        "name": repo.full_name,
        "context": status.context,
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "commit": shapes.commit(repo.history.commits[status.sha]),
        "branches": [{"name": name, "commit": {"sha": repo.branches[name]}} for name in holding[:10]],
        "created_at": iso(status.at),
        "updated_at": iso(status.at),
    }


def _checks(ended: ChecksFinished, find: FindRepository) -> list[tuple[str, str | None, Json]]:
    suite = ended.suite
    head = find(suite.head_repository) or ended.repository
    branch = suite.branch or next((n for n, sha in head.branches.items() if sha == suite.sha), "main")
    told: list[tuple[str, str | None, Json]] = [
        ("check_run", "completed", {"check_run": shapes.check_run(suite, run)}) for run in suite.runs
    ]
    return [
        *told,
        ("check_suite", "completed", {"check_suite": shapes.check_suite(suite)}),
        ("workflow_run", "completed", {"workflow_run": shapes.workflow_run(suite, head, branch)}),
    ]


def _published(made: Published) -> list[tuple[str, str | None, Json]]:
    body: Json = {"release": shapes.release(made.release, made.repository)}
    return [
        ("release", "published", body),
        ("release", "prereleased" if made.release.prerelease else "released", body),
    ]


def _moved(moved: Moved) -> tuple[str, str | None, Json]:
    if moved.former_owner != moved.repository.owner:
        return (
            "repository",
            "transferred",
            {"changes": {"owner": {"from": {"user": {"login": moved.former_owner}}}}},
        )
    return "repository", "renamed", {"changes": {"repository": {"name": {"from": moved.former_name}}}}


def _deployed(made: Deployed) -> tuple[str, str | None, Json]:
    body: Json = {"deployment": shapes.deployment(made.deployment)}
    if made.status is None:
        return "deployment", "created", body
    told = shapes.deployment_status(made.status, made.deployment)
    return "deployment_status", "created", body | {"deployment_status": told}


def _ping(ping: Pinged) -> Json:
    hook = ping.hook
    config = {"url": hook.url, "content_type": "form" if hook.form else "json", "insecure_ssl": "0"}
    described = {
        "type": "Organization" if hook.owner else "Repository",
        "id": hook.id,
        "name": "web",
        "active": hook.active,
    }
    return {
        "zen": "What is strict here is kind later.",
        "hook_id": hook.id,
        "hook": described | {"events": sorted(hook.events), "config": config},
    }
