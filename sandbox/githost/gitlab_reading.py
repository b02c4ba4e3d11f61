"""GitLab's answers about projects, commits and merge requests. Source: docs.gitlab.com, REST API v4."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.core.http import Response, answer_json
from sandbox.githost import gitlab_shapes as shapes
from sandbox.githost.gitlab_shapes import Json
from sandbox.githost.history import Commit
from sandbox.githost.model import Change, CheckSuite, Role, User, at_least
from sandbox.githost.web import Call, Refusal, answer_page, paged, with_headers

MOST_DIFFS = 1000


def not_found(what: str) -> Refusal:
    """What is not there, in GitLab's words."""
    return Refusal(404, f"404 {what} Not Found")


def answer_list(call: Call, entries: Sequence[object], rest: str) -> Response:
    """One page (20 entries unless asked otherwise), with GitLab's headers about all of them."""
    path = rest if call.found is None else f"/projects/{call.repo.id}{rest}"
    page = paged(call, entries, path, 20)
    headers = {
        "x-page": str(page.number),
        "x-per-page": str(page.size),
        "x-total": str(page.total),
        "x-total-pages": str(page.last),
        "x-next-page": str(page.number + 1) if page.number < page.last else "",
        "x-prev-page": str(page.number - 1) if page.number > 1 else "",
    }
    return with_headers(answer_page(page), headers)


def commit_of(call: Call, name: str) -> str:
    """The commit behind a branch, tag or sha."""
    sha = call.repo.resolve(name)
    if sha is None:
        raise not_found("Commit")
    return sha


def _commit(call: Call, made: Commit) -> Json:
    return shapes.commit(made, call.repo)


def show_project(call: Call) -> Response:
    """`GET /projects/:id`."""
    level = shapes.ACCESS_LEVELS[call.role]
    access = {"access_level": level} if call.token and call.repo.roles.get(call.user.login.lower()) else None
    return answer_json(
        shapes.project(call.repo) | {"permissions": {"project_access": access, "group_access": None}}
    )


def branches(call: Call) -> Response:
    """`GET .../repository/branches?search=`, by name."""
    wanted = call.asked("search")
    listed = [shapes.branch(name, call.repo) for name in sorted(call.repo.branches) if wanted in name]
    return answer_list(call, listed, "/repository/branches")


def branch(call: Call, name: str) -> Response:
    """`GET .../repository/branches/:branch`."""
    if name not in call.repo.branches:
        raise not_found("Branch")
    return answer_json(shapes.branch(name, call.repo))


def tags(call: Call) -> Response:
    """`GET .../repository/tags`."""
    listed = [shapes.tag(name, call.repo) for name in sorted(call.repo.tags, reverse=True)]
    return answer_list(call, listed, "/repository/tags")


def tag(call: Call, name: str) -> Response:
    """`GET .../repository/tags/:tag`."""
    if name not in call.repo.tags:
        raise not_found("Tag")
    return answer_json(shapes.tag(name, call.repo))


def commits(call: Call) -> Response:
    """`GET .../repository/commits?ref_name=`, newest first; without the headers of a total."""
    start = commit_of(call, call.asked("ref_name", call.repo.default_branch))
    listed = [_commit(call, each) for each in call.repo.history.log(start)]
    return answer_list(call, listed, "/repository/commits")


def commit(call: Call, name: str) -> Response:
    """`GET .../repository/commits/:sha`."""
    made = call.repo.history.commits[commit_of(call, name)]
    newest = {each.context: each.state for each in call.repo.statuses if each.sha == made.sha}
    suites = [shapes.pipeline_status(each) for each in call.repo.suites if each.sha == made.sha]
    states = [*newest.values(), *suites]
    return answer_json(
        _commit(call, made) | {"status": states[-1] if states else None, "project_id": call.repo.id}
    )


def commit_diff(call: Call, name: str) -> Response:
    """`GET .../repository/commits/:sha/diff`."""
    made = call.repo.history.commits[commit_of(call, name)]
    changed = call.repo.history.changed(made.parents[0] if made.parents else None, made.sha)
    return answer_list(call, shapes.diffs(changed), f"/repository/commits/{name}/diff")


def compare(call: Call) -> Response:
    """`GET .../repository/compare?from=&to=&straight=`.

    The commits are what `to` has and `from` has not; the diffs begin at the merge base, or at `from`
    itself with `straight=true`. Whether `from` is ahead is not said: ask the other way round.
    """
    for name in ("from", "to"):
        if not call.asked(name):
            raise Refusal(400, f"{name} is missing")
    base, head = commit_of(call, call.asked("from")), commit_of(call, call.asked("to"))
    history = call.repo.history
    root = base if call.asked("straight") == "true" else history.merge_base([base, head])
    listed = history.between(base, head)
    diffs = shapes.diffs(history.changed(root, head))
    body: Json = {
        "commit": _commit(call, history.commits[head]) if listed else None,
        "commits": [_commit(call, each) for each in listed],
        "diffs": diffs[:MOST_DIFFS],
        "compare_timeout": len(diffs) > MOST_DIFFS,
        "compare_same_ref": base == head,
    }
    return answer_json(body)


def merge_base(call: Call) -> Response:
    """`GET .../repository/merge_base?refs[]=&refs[]=`; 404 where nothing is in common."""
    names = call.all_asked("refs[]")
    if len(names) < 2:
        raise Refusal(400, "Provide at least 2 refs")
    shas = [call.repo.resolve(name) for name in names]
    if None in shas:
        missing = names[shas.index(None)]
        raise Refusal(400, f"Could not find ref: {missing}")
    root = call.repo.history.merge_base([sha for sha in shas if sha is not None])
    if root is None:
        raise not_found("Merge Base")
    return answer_json(_commit(call, call.repo.history.commits[root]))


def statuses(call: Call, sha: str) -> Response:
    """`GET .../repository/commits/:sha/statuses?ref=&name=&all=`: the newest of each name unless `all`."""
    found = [each for each in call.repo.statuses if each.sha == commit_of(call, sha)]
    if call.asked("all", "false") != "true":
        found = list({each.context: each for each in found}.values())
    name, ref = call.asked("name"), call.asked("ref")
    fitting = [e for e in found if name in ("", e.context) and ref in ("", e.ref)]
    listed = [shapes.status(each) for each in fitting]
    return answer_list(call, listed, f"/repository/commits/{sha}/statuses")


def pipelines(call: Call) -> Response:
    """`GET .../pipelines?sha=&ref=&status=&source=`, newest first."""
    asked = {name: call.asked(name) for name in ("sha", "ref", "status", "source")}
    shown = [shapes.pipeline(suite, call.repo) for suite in reversed(call.repo.suites)]
    fitting = [each for each in shown if all(v in ("", each[name]) for name, v in asked.items())]
    return answer_list(call, fitting, "/pipelines")


def pipeline(call: Call, pipeline_id: str) -> Response:
    """`GET .../pipelines/:id`."""
    found: list[CheckSuite] = [each for each in call.repo.suites if str(each.id) == pipeline_id]
    if not found:
        raise not_found("Pipeline")
    return answer_json(shapes.pipeline(found[0], call.repo))


def change_of(call: Call, iid: str) -> Change:
    """The merge request of that number."""
    if not iid.isdecimal() or int(iid) not in call.repo.changes:
        raise not_found("Merge Request")
    return call.repo.changes[int(iid)]


def merge_request(call: Call, iid: str) -> Response:
    """`GET .../merge_requests/:iid`."""
    return answer_json(shapes.merge_request(change_of(call, iid), call.repo))


def merge_requests(call: Call) -> Response:
    """`GET .../merge_requests?state=&target_branch=&source_branch=`, newest first."""
    state = call.asked("state", "all")
    asked = {name: call.asked(name) for name in ("target_branch", "source_branch")}
    shown = [shapes.merge_request(each, call.repo) for each in reversed(call.repo.changes.values())]
    fitting = [
        each
        for each in shown
        if state in ("all", each["state"]) and all(v in ("", each[name]) for name, v in asked.items())
    ]
    return answer_list(call, fitting, "/merge_requests")


def merge_requests_of_commit(call: Call, sha: str) -> Response:
    """`GET .../repository/commits/:sha/merge_requests`."""
    wanted = commit_of(call, sha)
    changes = call.repo.changes.values()
    found = [e for e in changes if wanted in (e.head, e.merge_commit, e.squash_commit)]
    listed = [shapes.merge_request(each, call.repo) for each in found]
    return answer_list(call, listed, f"/repository/commits/{sha}/merge_requests")


def release(call: Call, tag_name: str) -> Response:
    """`GET .../releases/:tag_name`."""
    found = call.repo.releases.get(tag_name)
    if found is None or found.draft:
        raise Refusal(404, "404 Not Found")
    return answer_json(shapes.release(found, call.repo))


def member(call: Call, user_id: str) -> Response:
    """`GET .../members/all/:user_id`; 404 for who is no member, also where everybody may read."""
    for user, role in _members(call):
        if str(user.id) == user_id:
            return answer_json(shapes.member(user, role))
    raise Refusal(404, "404 Not found")


def members(call: Call) -> Response:
    """`GET .../members/all`."""
    return answer_list(call, [shapes.member(*each) for each in _members(call)], "/members/all")


def _members(call: Call) -> list[tuple[User, Role]]:
    roles = call.repo.roles.items()
    return [(call.host.users[login], role) for login, role in roles if at_least(role, "read")]


def users(call: Call) -> Response:
    """`GET /users?username=`: one or none; without a name everybody."""
    wanted = call.asked("username").lower()
    found = [user for user in call.host.users.values() if wanted in ("", user.login.lower())]
    return answer_list(call, [shapes.account(user) for user in found], "/users")


def user(call: Call) -> Response:
    """`GET /user`: who the token speaks for."""
    return answer_json(shapes.account(call.user))


def version(_: Call) -> Response:
    """`GET /version`."""
    return answer_json({"version": "19.1.0", "revision": "5a0d0b0c0ff"})
