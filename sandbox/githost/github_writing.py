"""GitHub's calls that change something, strictly. Source: docs.github.com, REST API 2022-11-28."""

from __future__ import annotations

from sandbox.core import validation as v
from sandbox.core.http import Response, answer_json
from sandbox.githost import github_shapes as shapes
from sandbox.githost.github_reading import not_found, page_of
from sandbox.githost.model import Change, Deployment, DeploymentStatus, at_least
from sandbox.githost.pushing import RefMove
from sandbox.githost.web import Call, Refusal, answer_page

LONGEST_DESCRIPTION = 140
MOST_STATUSES = 1000
"""Of one commit and context."""


def anything(_: object, __: str) -> None:
    """Every value fits."""


STATUS_FIELDS = {
    "target_url": v.nullable(v.string("(https?://.*)?")),
    "description": v.nullable(v.string()),
    "context": v.string(".+"),
}
DEPLOYMENT_FIELDS = {
    "task": v.string(),
    "auto_merge": v.boolean,
    "required_contexts": v.nullable(v.array(v.string())),
    "payload": anything,
    "environment": v.string(".+"),
    "description": v.nullable(v.string()),
    "transient_environment": v.boolean,
    "production_environment": v.boolean,
}
STATES = "error|failure|inactive|in_progress|queued|pending|success"
DEPLOYMENT_STATUS_FIELDS = {
    "target_url": v.string(),
    "log_url": v.string("(https?://.*)?"),
    "description": v.string(),
    "environment": v.string(),
    "environment_url": v.string("(https?://.*)?"),
    "auto_inactive": v.boolean,
}


def set_status(call: Call, sha: str) -> Response:
    """`POST .../statuses/{sha}`: 201; 422 for a sha that names no commit, a tag object for one."""
    body = call.body({"state": v.string("error|failure|pending|success")}, STATUS_FIELDS)
    description = _short(body.get("description"))
    context = str(body.get("context", "default"))
    if sha not in call.repo.history.commits:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    if sum(each.sha == sha and each.context == context for each in call.repo.statuses) >= MOST_STATUSES:
        raise Refusal(422, "This SHA and context has reached the maximum number of statuses.")
    url = body.get("target_url")
    made = call.host.set_status(
        call.repo,
        sha,
        str(body["state"]),
        context=context,
        description=description or None,
        target_url=str(url) if url else None,
        by=call.user.login,
    )
    return answer_json(shapes.status(made), 201)


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    if len(text) > LONGEST_DESCRIPTION:
        errors = [{"field": "description", "code": "custom", "message": "description is too long"}]
        raise Refusal(422, "Validation Failed", errors=errors)
    return text


def refuse_check_run(_: Call) -> Response:
    """`POST .../check-runs`: for GitHub Apps only, and no token here is one."""
    raise Refusal(403, "You must authenticate via a GitHub App.")


def _commented_change(call: Call, number: str) -> Change:
    if not number.isdecimal() or int(number) not in call.repo.changes:
        raise not_found()
    return call.repo.changes[int(number)]


def comments(call: Call, number: str) -> Response:
    """`GET .../issues/{number}/comments`, oldest first."""
    change = _commented_change(call, number)
    found = [each for each in call.repo.comments.values() if each.change == change.number]
    listed = [shapes.comment(each, call.repo) for each in found]
    return answer_page(page_of(call, listed, f"/issues/{number}/comments"))


def comment(call: Call, number: str) -> Response:
    """`POST .../issues/{number}/comments`: 201. Everybody who may read may comment."""
    change = _commented_change(call, number)
    body = call.body({"body": v.string("(?s).+")}, {})
    made = call.host.comment(call.repo, change.number, str(body["body"]), by=call.user.login)
    return answer_json(shapes.comment(made, call.repo), 201)


def edit_comment(call: Call, comment_id: str) -> Response:
    """`PATCH .../issues/comments/{id}`: its author may, and who may push."""
    found = call.repo.comments.get(int(comment_id)) if comment_id.isdecimal() else None
    if found is None:
        raise not_found()
    if found.user != call.user and not at_least(call.role, "write"):
        raise Refusal(403, "Must have admin rights to Repository.")
    body = call.body({"body": v.string("(?s).+")}, {})
    made = call.host.edit_comment(call.repo, found.id, str(body["body"]), by=call.user.login)
    return answer_json(shapes.comment(made, call.repo))


def deployments(call: Call) -> Response:
    """`GET .../deployments?sha=&ref=&task=&environment=`, newest first."""
    asked = {name: call.asked(name) for name in ("sha", "ref", "task", "environment")}
    fitting = [
        shapes.deployment(each)
        for each in reversed(call.repo.deployments.values())
        if all(value in ("", getattr(each, name)) for name, value in asked.items())
    ]
    return answer_page(page_of(call, fitting, "/deployments"))


def deploy(call: Call) -> Response:
    """`POST .../deployments`: 201.

    Without `auto_merge: false` a branch that lags behind the default branch is brought up first, which
    answers 202 and deploys nothing. Without `required_contexts: []` every status of the commit must be
    a success, else 409.
    """
    body = call.body({"ref": v.string(".+")}, DEPLOYMENT_FIELDS)
    name = str(body["ref"])
    sha = call.repo.resolve(name)
    if sha is None:
        raise Refusal(422, f"No ref found for: {name}")
    if body.get("auto_merge", True):
        merged = _merge_default_branch(call, name)
        if merged:
            return answer_json({"message": merged}, 202)
    _check_contexts(call, name, sha, body.get("required_contexts"))
    made = Deployment(
        call.host.next_id(),
        sha,
        name,
        str(body.get("environment", "production")),
        call.user,
        call.now,
        str(body.get("task", "deploy")),
        _text_or_none(body.get("description")),
        body.get("payload", {}),
        bool(body.get("transient_environment", False)),
        bool(body.get("production_environment", body.get("environment", "production") == "production")),
    )
    return answer_json(shapes.deployment(call.host.deploy(call.repo, made)), 201)


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _merge_default_branch(call: Call, name: str) -> str:
    repo, default = call.repo, call.repo.default_branch
    tip, main = repo.branches.get(name), repo.branches.get(default)
    if tip is None or main is None or repo.history.leads_to(main, tip):
        return ""
    changed = repo.history.changed(repo.history.merge_base([main, tip]), main)
    files = repo.history.commits[main].files
    laid_over = {each.path: files.get(each.path) for each in changed}
    message = f"Auto-merged {default} into {name} on deployment."
    made = repo.history.add(message, (tip, main), laid_over, call.user.login, call.now)
    call.host.push(repo, [RefMove(f"refs/heads/{name}", made.sha)], by=call.user.login)
    return message


def _check_contexts(call: Call, name: str, sha: str, required: object) -> None:
    newest = {each.context: each.state for each in call.repo.statuses if each.sha == sha}
    wanted = [str(each) for each in required] if isinstance(required, list) else list(newest)
    missing = [context for context in wanted if newest.get(context) != "success"]
    if missing:
        errors = [
            {"contexts": missing, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        ]
        raise Refusal(409, f"Conflict: Commit status checks failed for {name}.", errors=errors)


def _deployment(call: Call, deployment_id: str) -> Deployment:
    found = call.repo.deployments.get(int(deployment_id)) if deployment_id.isdecimal() else None
    if found is None:
        raise not_found()
    return found


def deployment(call: Call, deployment_id: str) -> Response:
    """`GET .../deployments/{id}`."""
    return answer_json(shapes.deployment(_deployment(call, deployment_id)))


def deployment_statuses(call: Call, deployment_id: str) -> Response:
    """`GET .../deployments/{id}/statuses`, newest first."""
    made = _deployment(call, deployment_id)
    listed = [shapes.deployment_status(each, made) for each in reversed(made.statuses)]
    return answer_page(page_of(call, listed, f"/deployments/{deployment_id}/statuses"))


def set_deployment_status(call: Call, deployment_id: str) -> Response:
    """`POST .../deployments/{id}/statuses`: 201.

    A success makes the earlier deployments of that environment inactive, unless `auto_inactive` is false;
    those to transient or production environments stay as they are.
    """
    made = _deployment(call, deployment_id)
    body = call.body({"state": v.string(STATES)}, DEPLOYMENT_STATUS_FIELDS)
    description = _short(body.get("description"))
    made.environment = str(body.get("environment", made.environment))
    given = DeploymentStatus(
        call.host.next_id(),
        str(body["state"]),
        call.user,
        call.now,
        description,
        str(body.get("log_url") or body.get("target_url") or ""),
        str(body.get("environment_url", "")),
    )
    call.host.move_deployment(call.repo, made, given)
    if given.state == "success" and body.get("auto_inactive", True):
        _retire_earlier(call, made)
    return answer_json(shapes.deployment_status(given, made), 201)


def _retire_earlier(call: Call, made: Deployment) -> None:
    for each in call.repo.deployments.values():
        same = each.environment == made.environment and each.id < made.id
        lasting = each.transient or each.production
        if same and not lasting and each.statuses and each.statuses[-1].state == "success":
            inactive = DeploymentStatus(call.host.next_id(), "inactive", call.user, call.now)
            call.host.move_deployment(call.repo, each, inactive)
