"""Every sender whose deliveries are damaged in the hostile tests. The bodies were written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.unit.hosts.azure_samples import REPOSITORY, built, change, moved, pushed
from tests.unit.hosts.senders import KEY, KEY_DECOY, ONE, TWO, ZEROS, Sender, basic, hub, timed, token

COMMIT = {"id": TWO, "hash": TWO, "message": "Fix it", "timestamp": "2026-11-02T09:30:05+01:00"}
ACCOUNT = {"login": "ada", "username": "ada", "name": "ada", "uuid": "{1}", "displayName": "Ada"}
NAMED = {
    "id": 7,
    "uuid": "{7}",
    "full_name": "acme/shop",
    "default_branch": "main",
    "clone_url": "https://git.example/acme/shop.git",
    "slug": "shop",
    "project": {"key": "ACME"},
    "links": {"clone": [{"name": "http", "href": "https://git.example/acme/shop.git"}]},
}
SIDE = {"ref": "fix", "sha": TWO, "repo": NAMED, "label": "fix", "repo_id": 7}
PUSHED = {
    "ref": "refs/heads/main",
    "before": ONE,
    "after": TWO,
    "commits": [COMMIT],
    "head_commit": COMMIT,
    "repository": NAMED,
    "pusher": ACCOUNT,
    "sender": ACCOUNT,
}
RUN = {"name": "ci", "conclusion": "success", "head_sha": TWO, "head_branch": "main", "event": "push"}
LIKE_GITHUB = {
    **PUSHED,
    "number": 3,
    "release": {"tag_name": "v2", "target_commitish": "main", "draft": False, "prerelease": False},
    "pull_request": {
        "head": SIDE,
        "base": SIDE,
        "merged": True,
        "merge_commit_sha": ONE,
        "head_branch": "fix",
        "head_repo": NAMED,
        "base_branch": "main",
        "base_repo": NAMED,
    },
    "issue": {"number": 3, "pull_request": {}},
    "comment": {"body": "/release", "user": ACCOUNT, "author_association": "OWNER"},
    "state": "success",
    "sha": TWO,
    "context": "ci",
    "branches": [{"name": "main"}],
    "check_suite": RUN,
    "check_run": {**RUN, "check_suite": RUN},
    "workflow_run": RUN,
    "deployment": {"id": 1, "sha": TWO, "ref": "main", "environment": "production"},
    "deployment_status": {"state": "success", "environment": "production"},
    "changes": {"repository": {"name": {"from": "old"}}},
}
COMMON_EVENTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "push": ("push", {}),
    "release": ("release_published", {"action": "published"}),
    "pull_request": ("change_merged", {"action": "closed"}),
    "issue_comment": ("comment", {"action": "created"}),
}
FORGEJO_RUN = {
    "status": "success",
    "commit_sha": TWO,
    "prettyref": "main",
    "trigger_event": "push",
    "event_payload": json.dumps({"ref": "refs/heads/main"}),
    "workflow_id": "ci.yaml",
    "repository": NAMED,
    "trigger_user": ACCOUNT,
}

GITHUB_EVENTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    **COMMON_EVENTS,
    "ping": ("ping", {}),
    "status": ("ci_status", {}),
    "deployment": ("deployment", {"action": "created"}),
    "deployment_status": ("deployment_status", {}),
    "repository": ("repository_renamed", {"action": "renamed"}),
    "star": ("other", {}),
    "check_suite": ("ci_finished", {"action": "completed"}),
    "check_run": ("ci_finished", {"action": "completed"}),
    "workflow_run": ("ci_finished", {"action": "completed"}),
}
GITHUB = Sender(
    "github",
    "github",
    hub("X-Hub-Signature-256"),
    GITHUB_EVENTS,
    LIKE_GITHUB,
    event_header="X-GitHub-Event",
    more_headers=[("X-GitHub-Delivery", "0a6c-1")],
)

LIKE_GITEA: dict[str, dict[str, tuple[str, Mapping[str, Any]]]] = {
    "Gitea": {"status": ("ci_status", {}), "workflow_run": ("ci_finished", {"action": "completed"})},
    "Forgejo": {"action_run_success": ("ci_finished", {})},
    "Gogs": {},
}
GITEA, FORGEJO, GOGS = (
    Sender(
        name.lower(),
        name.lower(),
        hub(f"X-{name}-Signature", ""),
        COMMON_EVENTS | events,
        LIKE_GITHUB | {"run": FORGEJO_RUN, "workflow": {"name": "ci"}},
        event_header=f"X-{name}-Event",
        more_headers=[(f"X-{name}-Delivery", "0a6c-1")],
    )
    for name, events in LIKE_GITEA.items()
)

PROJECT = {"id": 7, "path_with_namespace": "acme/shop", "default_branch": "main", "git_http_url": "https://x"}
GITLAB_FIELDS = {
    **PUSHED,
    "project": PROJECT,
    "project_id": 7,
    "user": ACCOUNT,
    "user_username": "ada",
    "checkout_sha": TWO,
    "object_attributes": {
        "iid": 3,
        "action": "merge",
        "source_branch": "fix",
        "target_branch": "main",
        "source_project_id": 7,
        "target_project_id": 7,
        "source": PROJECT,
        "last_commit": COMMIT,
        "merge_commit_sha": ONE,
        "note": "/release",
        "noteable_type": "MergeRequest",
        "status": "success",
        "sha": TWO,
        "ref": "main",
    },
    "merge_request": {"iid": 3},
    "issue": {"iid": 3},
    "sha": TWO,
    "build_name": "ci",
    "build_status": "success",
    "status": "success",
    "environment": "production",
    "short_sha": TWO[:8],
    "action": "create",
    "tag": "v2",
    "commit": COMMIT,
    "path_with_namespace": "acme/shop",
    "old_path_with_namespace": "acme/old",
}
GITLAB_EVENTS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "push": ("push", {}),
    "tag_push": ("push", {"ref": "refs/tags/v2"}),
    "merge_request": ("change_merged", {}),
    "note": ("comment", {}),
    "pipeline": ("ci_finished", {"object_attributes": {"status": "success", "sha": TWO, "ref": "main"}}),
    "build": ("ci_status", {"ref": "main", "tag": False}),
    "deployment": ("deployment_status", {}),
    "release": ("release_published", {}),
    "wiki_page": ("other", {}),
}
GITLAB, GITLAB_SIGNED = (
    Sender(
        name,
        "gitlab",
        sign,
        GITLAB_EVENTS,
        GITLAB_FIELDS,
        event_field="object_kind",
        more_headers=[("X-Gitlab-Event", "Push Hook"), ("Idempotency-Key", "0a6c-1")],
        **rest,
    )
    for name, sign, rest in (
        ("gitlab", token, {"signs_the_body": False}),
        ("gitlab-signed", timed, {"secret": KEY, "decoy": KEY_DECOY}),
    )
)

CLOUD_REF = {"type": "branch", "name": "main", "target": COMMIT | {"date": "2026-11-02T09:30:05+01:00"}}
CLOUD_SIDE = {"branch": {"name": "fix"}, "commit": COMMIT, "repository": NAMED}
CLOUD = Sender(
    "bitbucket-cloud",
    "bitbucket-cloud",
    hub("X-Hub-Signature"),
    {
        "repo:push": ("push", {}),
        "repo:updated": ("repository_renamed", {}),
        "repo:commit_status_updated": ("ci_status", {}),
        "pullrequest:created": ("change_opened", {}),
        "pullrequest:fulfilled": ("change_merged", {}),
        "pullrequest:comment_created": ("comment", {}),
        "repo:fork": ("other", {}),
    },
    {
        "repository": NAMED,
        "actor": ACCOUNT,
        "push": {"changes": [{"old": CLOUD_REF, "new": CLOUD_REF, "forced": False, "commits": [COMMIT]}]},
        "pullrequest": {
            "id": 3,
            "state": "MERGED",
            "source": CLOUD_SIDE,
            "destination": CLOUD_SIDE,
            "merge_commit": COMMIT,
        },
        "comment": {"content": {"raw": "/release"}},
        "commit_status": {
            "state": "SUCCESSFUL",
            "key": "ci",
            "refname": "main",
            "commit": COMMIT,
            "links": {"commit": {"href": f"https://git.example/commit/{TWO}"}},
        },
        "changes": {"full_name": {"old": "acme/old", "new": "acme/shop"}},
    },
    event_header="X-Event-Key",
    more_headers=[("X-Request-UUID", "0a6c-1"), ("X-Hook-UUID", "1")],
)

DC_SIDE = {"displayId": "fix", "latestCommit": TWO, "repository": NAMED}
DC = Sender(
    "bitbucket-dc",
    "bitbucket-dc",
    hub("X-Hub-Signature"),
    {
        "repo:refs_changed": ("push", {}),
        "repo:modified": ("repository_renamed", {}),
        "pr:opened": ("change_opened", {}),
        "pr:merged": ("change_merged", {}),
        "pr:comment:added": ("comment", {}),
        "diagnostics:ping": ("ping", {}),
        "repo:forked": ("other", {}),
    },
    {
        "test": True,
        "actor": ACCOUNT,
        "date": "2026-11-02T09:30:05+0100",
        "repository": NAMED,
        "old": NAMED | {"slug": "old"},
        "new": NAMED,
        "changes": [{"ref": {"id": "refs/heads/main"}, "fromHash": ONE, "toHash": TWO, "type": "UPDATE"}],
        "toCommit": COMMIT,
        "commits": [COMMIT],
        "pullRequest": {
            "id": 3,
            "fromRef": DC_SIDE,
            "toRef": DC_SIDE,
            "properties": {"mergeCommit": COMMIT},
        },
        "comment": {"text": "/release"},
    },
    event_header="X-Event-Key",
    more_headers=[("X-Request-Id", "0a6c-1")],
)

AZURE = Sender(
    "azure-devops",
    "azure-devops",
    basic,
    {
        "git.push": ("push", {}),
        "git.pullrequest.created": ("change_merged", {}),
        "git.pullrequest.merged": ("change_merged", {}),
        "build.complete": ("ci_finished", {}),
        "ms.vss-code.git-pullrequest-comment-event": ("comment", {}),
        "workitem.created": ("other", {}),
    },
    {
        "id": "e1",
        "subscriptionId": "4c-1",
        "notificationId": 7,
        "resource": built()
        | change(forkSource={"repository": REPOSITORY}, status="completed")
        | pushed(moved("refs/heads/main"), moved("refs/tags/v2", old=ZEROS))
        | {
            "comment": {"content": "/release", "isDeleted": False, "author": ACCOUNT},
            "pullRequest": change(),
        },
    },
    event_field="eventType",
    signs_the_body=False,
)

STANDARD = Sender(
    "standard-webhooks",
    "standard-webhooks",
    timed,
    {
        "git.push": ("push", {}),
        "git.ci_finished": ("ci_finished", {}),
        "git.release_published": ("release_published", {}),
        "git.ping": ("ping", {}),
        "invoice.paid": ("event", {}),
    },
    {
        "timestamp": "2026-11-02T08:30:05Z",
        "data": {
            "repository": "acme/shop",
            "repository_id": "7",
            "default_branch": "main",
            "clone_url": "https://git.example/acme/shop.git",
            "actor": "ada",
            "changes": [
                {"ref": "refs/heads/main", "before": ONE, "after": TWO, "commit": TWO, "message": "Fix"}
            ],
            "success": True,
            "commit": TWO,
            "branch": "main",
            "name": "ci",
            "tag": "v2",
        },
    },
    event_field="type",
    secret=KEY,
    decoy=KEY_DECOY,
)

SENDERS: Final = (GITHUB, GITEA, FORGEJO, GOGS, GITLAB, GITLAB_SIGNED, CLOUD, DC, AZURE, STANDARD)
