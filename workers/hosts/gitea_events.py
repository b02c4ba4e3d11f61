"""What the payloads of Gitea and Forgejo say, as events. Gogs shares all but pull requests and CI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from workers.hosts import gitea_payloads as shapes
from workers.hosts.base import parse, printable
from workers.releases.events import BadDelivery, Change, Event, RefType

Reader = Callable[[bytes, str], Event]
"""Takes the JSON text and the event's name, which its messages tell."""

CHANGE_KINDS: Final[Mapping[str, str]] = {
    "opened": "change_opened",
    "reopened": "change_opened",
    "synchronized": "change_updated",
    "edited": "change_edited",
}
_REF_TYPES: Final = {"heads": RefType.BRANCH, "tags": RefType.TAG}
_PULL_REFS: Final = "refs/pull/"
_AGIT: Final = 1


def event_of(
    kind: str,
    found: shapes.InRepository,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
    actor: str | None = None,
) -> Event:
    """Return an event of the repository; `actor` is who sent it, unless another is named."""
    repository = found.repository
    default_branch = repository.default_branch or None
    # Old versions leave the default branch out, which is told as null.
    missing: dict[str, Any] = {} if default_branch else {"default_branch": None}
    return Event(
        kind=kind,
        repository=repository.full_name,
        repository_id=None if repository.id is None else str(repository.id),
        default_branch=default_branch,
        clone_url=repository.clone_url or None,
        actor=actor or login_of(found.sender),
        changes=changes,
        facts=missing | (facts or {}),
    )


def unused(found: shapes.InRepository | shapes.Anything) -> Event:
    """Return an event that no rule uses."""
    return Event(kind="other", repository=None if found.repository is None else found.repository.full_name)


def login_of(account: shapes.Account | None) -> str | None:
    """Return the account's login, or None where there is none."""
    return None if account is None else printable(account.login or account.username) or None


def other(text: bytes, event: str) -> Event:
    """Read an event that no rule uses."""
    return unused(parse(shapes.Anything, text, event))


def push(text: bytes, event: str) -> Event:
    """Read a push. One that moves nothing is what the test button sends."""
    found = parse(shapes.Push, text, event)
    if found.before == found.after:
        return event_of("ping", found)
    prefix, _, name = found.ref.removeprefix("refs/").partition("/")
    if prefix not in _REF_TYPES or not name:
        return unused(found)
    change = _change(found, _REF_TYPES[prefix], name)
    return event_of("push", found, changes=(change,), actor=login_of(found.pusher))


def _change(found: shapes.Push, ref_type: RefType, name: str) -> Change:
    before, after = _present(found.before), _present(found.after)
    listed = found.commits or []
    head = None if after is None else found.head_commit or _listed(after, listed)
    return Change(
        ref_type=ref_type,
        name=name,
        action="delete" if after is None else "create" if before is None else "update",
        before=before,
        after=after,
        commit=after if ref_type is RefType.BRANCH else _behind_tag(head),
        commits_listed=len(listed),
        truncated=True if (found.total_commits or 0) > len(listed) else None,
        message=None if head is None or head.message is None else printable(head.message),
        timestamp=None if head is None else head.timestamp,
    )


def _behind_tag(head: shapes.Commit | None) -> str | None:
    """Return the commit that a tag names; `after` may be a tag object, so only the named commit counts."""
    return None if head is None else head.id or None


def _listed(sha: str, commits: list[shapes.Commit]) -> shapes.Commit | None:
    return next((commit for commit in commits if commit.id == sha), None)


def _present(sha: str) -> str | None:
    return sha if sha.strip("0") else None


def create(text: bytes, event: str) -> Event:
    """Read that a ref was made. A push tells of the same, so this alone releases nothing."""
    return _named_ref("ref_created", text, event)


def delete(text: bytes, event: str) -> Event:
    """Read that a ref was deleted; for a branch no push tells of it."""
    return _named_ref("ref_deleted", text, event)


def _named_ref(kind: str, text: bytes, event: str) -> Event:
    found = parse(shapes.NamedRef, text, event)
    if found.ref_type not in {"branch", "tag"}:
        return unused(found)
    return event_of(
        kind, found, {"ref_type": found.ref_type, "name": found.ref, "sha": _present(found.sha or "")}
    )


def kind_of_change(action: str, *, merged: bool) -> str | None:
    """Return the kind of a pull request's event, or None where no rule uses the action."""
    closed = "change_merged" if merged else "change_closed"
    return closed if action == "closed" else CHANGE_KINDS.get(action)


def pull_request(text: bytes, event: str) -> Event:
    """Read what became of a pull request. What its branch became is told by its own push."""
    found = parse(shapes.PullRequest, text, event)
    change, merged = found.pull_request, found.pull_request.merged is True
    kind = kind_of_change(found.action, merged=merged)
    if kind is None:
        return unused(found)
    head = change.head
    facts = {
        "number": found.number,
        "head": head.sha or None,
        "head_branch": (head.label if head.ref.startswith(_PULL_REFS) else None) or head.ref,
        "base_branch": change.base.ref,
        "head_repo": None if head.repo is None else head.repo.full_name,
        "from_fork": _from_fork(change, found.repository),
        "merge_commit": change.merge_commit_sha or None if merged else None,
    }
    return event_of(kind, found, facts)


def _from_fork(change: shapes.PullRequestBody, repository: shapes.Repository) -> bool:
    """Tell whether people without the right to push may have written it; also where nothing says no."""
    head, base = change.head, change.base
    if change.flow == _AGIT or (head.ref.startswith(_PULL_REFS) and not head.label):
        # AGit: it claims to come from the repository itself, yet whoever reads it may have sent it.
        return True
    base_id = repository.id if base.repo_id is None else base.repo_id
    same = []
    if head.repo_id is not None and base_id is not None:
        same.append(head.repo_id == base_id)
    if head.repo is not None:
        same.append(head.repo.full_name.lower() == (base.repo or repository).full_name.lower())
    return not same or not all(same)


def release(text: bytes, event: str) -> Event:
    """Read what became of a release; only `published` makes one."""
    found = parse(shapes.Release, text, event)
    facts = {
        "action": found.action,
        "tag": found.release.tag_name,
        "prerelease": found.release.prerelease,
        "draft": found.release.draft,
        "target": found.release.target_commitish,
    }
    return event_of("release_published" if found.action == "published" else "release_other", found, facts)


def issue_comment(text: bytes, event: str) -> Event:
    """Read a comment. These hosts do not say what its author may do."""
    found = parse(shapes.IssueComment, text, event)
    facts = {
        "action": found.action,
        "body": printable(found.comment.body or ""),
        "number": found.issue.number,
        "on_change": found.is_pull or found.issue.pull_request is not None,
        "author": login_of(found.comment.user),
    }
    return event_of("comment", found, facts)


def _status(text: bytes, event: str) -> Event:
    found = parse(shapes.Status, text, event)
    facts = {
        "state": found.state,
        "success": found.state == "success",
        "commit": found.sha,
        "context": found.context,
    }
    return event_of("ci_status", found, facts)


def _workflow_run(text: bytes, event: str) -> Event:
    found = parse(shapes.WorkflowRun, text, event)
    run = found.workflow_run
    if found.action != "completed":
        return unused(found)
    file, _, ref = run.path.partition("@")
    facts = {
        "success": run.conclusion == "success",
        "commit": run.head_sha,
        "branch": _branch(ref, run.head_branch),
        "trigger": run.event,
        "name": None if found.workflow is None else found.workflow.name,
        "workflow": file or None,
    }
    return event_of("ci_finished", found, facts)


def _action_run(text: bytes, event: str) -> Event:
    run = parse(shapes.ActionRun, text, event).run
    ref = _started_ref(run.event_payload, event) if run.trigger_event == "push" else ""
    return Event(
        kind="ci_finished",
        repository=run.repository.full_name,
        repository_id=None if run.repository.id is None else str(run.repository.id),
        clone_url=run.repository.clone_url or None,
        actor=login_of(run.trigger_user),
        facts={
            "success": run.status == "success",
            "commit": run.commit_sha,
            "branch": _branch(ref, run.prettyref),
            "trigger": run.trigger_event,
            "from_fork": run.is_fork_pull_request,
            "workflow": run.workflow_id,
        },
    )


def _started_ref(payload: str, event: str) -> str:
    """Return the full ref of the push that started a run, or an empty text where it does not say."""
    try:
        return parse(shapes.Started, payload.encode(), event).ref or ""
    except BadDelivery:
        return ""


def _branch(ref: str, short: str | None) -> str | None:
    """Return the branch that a run was for, not the tag of the same name, and not a pull request (`#3`)."""
    if ref.startswith("refs/"):
        return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None
    return None if not short or short.startswith("#") else short


COMMON: Final[Mapping[str, Reader]] = {
    "push": push,
    "create": create,
    "delete": delete,
    "release": release,
    "issue_comment": issue_comment,
}
"""The events that all three hosts send in one shape."""

GITEA: Final[Mapping[str, Reader]] = {
    **COMMON,
    "pull_request": pull_request,
    "status": _status,
    "workflow_run": _workflow_run,
}
FORGEJO: Final[Mapping[str, Reader]] = {
    **COMMON,
    "pull_request": pull_request,
    **dict.fromkeys(("action_run_success", "action_run_failure", "action_run_recover"), _action_run),
}
