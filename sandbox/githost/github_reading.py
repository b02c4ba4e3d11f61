"""GitHub's answers about repositories, commits and changes. Source: docs.github.com, REST API 2022-11-28."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.core.http import Response, answer_json
from sandbox.githost import github_shapes as shapes
from sandbox.githost.github_shapes import Json
from sandbox.githost.model import CheckSuite, Repository, Role, at_least, iso
from sandbox.githost.web import Call, Page, Refusal, answer_page, paged

MOST_FILES = 300
MOST_COMMITS = 250


def not_found() -> Refusal:
    """What is not there, or may not be seen."""
    return Refusal(404, "Not Found")


def commit_of(call: Call, name: str) -> str:
    """The commit behind a branch, tag or sha; GitHub answers 422 where there is none."""
    sha = call.repo.resolve(name)
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {name}")
    return sha


def page_of(call: Call, entries: Sequence[object], rest: str) -> Page:
    """A page whose links lead on by the repository's id, as GitHub's do."""
    return paged(call, entries, f"/repositories/{call.repo.id}{rest}")


def show_repository(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}`."""
    role = call.role
    rights: dict[str, Role] = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain"}
    permissions = {name: at_least(role, wanted) for name, wanted in rights.items()}
    permissions["admin"] = role == "admin"
    return answer_json(shapes.repository(call.repo) | {"permissions": permissions})


def branches(call: Call) -> Response:
    """`GET .../branches`, by name."""
    listed: list[Json] = [
        {"name": name, "commit": {"sha": sha}, "protected": name == call.repo.default_branch}
        for name, sha in sorted(call.repo.branches.items())
    ]
    return answer_page(page_of(call, listed, "/branches"))


def branch(call: Call, name: str) -> Response:
    """`GET .../branches/{branch}`."""
    sha = call.repo.branches.get(name)
    if sha is None:
        raise Refusal(404, "Branch not found")
    commit = shapes.commit(call.repo.history.commits[sha])
    return answer_json({"name": name, "commit": commit, "protected": name == call.repo.default_branch})


def tags(call: Call) -> Response:
    """`GET .../tags`: always commits, also behind annotated tags."""
    history = call.repo.history
    listed: list[Json] = [
        {"name": name, "commit": {"sha": history.commit_of(sha)}}
        for name, sha in sorted(call.repo.tags.items(), reverse=True)
    ]
    return answer_page(page_of(call, listed, "/tags"))


def _ref(repo: Repository, name: str, sha: str) -> Json:
    kind = "tag" if sha in repo.history.tag_objects else "commit"
    return {"ref": name, "object": {"type": kind, "sha": sha}}


def ref(call: Call, name: str) -> Response:
    """`GET .../git/ref/{heads/x or tags/x}`: the object itself, so for annotated tags the tag."""
    sha = call.repo.refs().get(f"refs/{name}")
    if sha is None:
        raise not_found()
    return answer_json(_ref(call.repo, f"refs/{name}", sha))


def matching_refs(call: Call, prefix: str) -> Response:
    """`GET .../git/matching-refs/{prefix}`: an empty list where nothing begins so."""
    found = [
        _ref(call.repo, n, s) for n, s in sorted(call.repo.refs().items()) if n.startswith(f"refs/{prefix}")
    ]
    return answer_json(found)


def tag_object(call: Call, sha: str) -> Response:
    """`GET .../git/tags/{sha}`: annotated tags only."""
    tag = call.repo.history.tag_objects.get(sha)
    if tag is None:
        raise not_found()
    tagger = {"name": tag.tagger, "email": f"{tag.tagger}@example.com", "date": iso(tag.at)}
    body: Json = {"tag": tag.name, "sha": tag.sha, "message": tag.message, "tagger": tagger}
    return answer_json(body | {"object": {"type": "commit", "sha": tag.target}})


def commits(call: Call) -> Response:
    """`GET .../commits?sha=`, newest first."""
    name = call.asked("sha", call.repo.default_branch)
    start = call.repo.resolve(name)
    if start is None:
        raise not_found()
    listed = [shapes.commit(each) for each in call.repo.history.log(start)]
    return answer_page(page_of(call, listed, "/commits"))


def commit(call: Call, name: str) -> Response:
    """`GET .../commits/{ref}`, with at most 300 files."""
    made = call.repo.history.commits[commit_of(call, name)]
    changed = shapes.files(call.repo, made.parents[0] if made.parents else None, made.sha)
    return answer_json(shapes.commit(made) | {"files": changed[:MOST_FILES]})


def compare(call: Call, names: str) -> Response:
    """`GET .../compare/{base}...{head}`. The files are those of head against the merge base, at most 300.

    Without paging at most 250 commits are listed; `total_commits` is the true number. With paging the
    files come with the first page only.
    """
    base_name, dots, head_name = names.partition("...")
    base, head = _side(call, base_name), _side(call, head_name)
    if not dots or base is None or head is None:
        raise not_found()
    history = call.repo.history
    ahead, behind = history.between(base, head), history.between(head, base)
    root = history.merge_base([base, head])
    if root is None:
        raise Refusal(404, f"No common ancestor between {base_name} and {head_name}.")
    shown, link = ahead[-MOST_COMMITS:], ""
    if call.asked("page") or call.asked("per_page"):
        page = page_of(call, ahead, f"/compare/{names}")
        shown, link = [each for each in ahead if each in page.entries], page.link
    first = call.number("page", 1) == 1
    body: Json = {
        "status": _relation(len(ahead), len(behind)),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "base_commit": shapes.commit(history.commits[base]),
        "merge_base_commit": shapes.commit(history.commits[root]),
        "commits": [shapes.commit(each) for each in shown],
        "files": shapes.files(call.repo, root, head)[:MOST_FILES] if first else [],
    }
    answer = answer_json(body)
    return Response(200, {**answer.headers, **({"link": link} if link else {})}, answer.body)


def _side(call: Call, name: str) -> str | None:
    owner, colon, branch_name = name.partition(":")
    if not colon:
        return call.repo.resolve(name)
    network = {call.repo.id, call.repo.parent}
    for repo in call.host.repositories.values():
        if repo.owner.lower() == owner.lower() and (repo.parent in network or repo.id in network):
            return repo.resolve(branch_name)
    return None


def _relation(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"


def combined_status(call: Call, name: str) -> Response:
    """`GET .../commits/{ref}/status`: the newest of each context, and what they come to together."""
    sha = commit_of(call, name)
    newest = {each.context: each for each in call.repo.statuses if each.sha == sha}
    states = {each.state for each in newest.values()}
    state = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
    page = page_of(call, list(newest.values()), f"/commits/{name}/status")
    shown = [shapes.status(each) for each in newest.values() if each in page.entries]
    body: Json = {"state": state, "statuses": shown, "sha": sha, "total_count": len(newest)}
    answer = answer_json(body | {"repository": shapes.repository(call.repo)})
    return Response(200, {**answer.headers, **({"link": page.link} if page.link else {})}, answer.body)


def statuses(call: Call, name: str) -> Response:
    """`GET .../commits/{ref}/statuses`: every one that was set, newest first."""
    sha = commit_of(call, name)
    listed = [shapes.status(each) for each in reversed(call.repo.statuses) if each.sha == sha]
    return answer_page(page_of(call, listed, f"/commits/{name}/statuses"))


def _suites(call: Call, name: str) -> list[CheckSuite]:
    sha = commit_of(call, name)
    return [suite for suite in call.repo.suites if suite.sha == sha]


def check_runs(call: Call, name: str) -> Response:
    """`GET .../commits/{ref}/check-runs`; `filter=latest` (the default) keeps the newest suite of an app."""
    suites = _suites(call, name)
    if call.asked("filter", "latest") == "latest":
        suites = list({suite.app: suite for suite in suites}.values())
    runs = [(suite, run) for suite in suites for run in suite.runs]
    wanted = {"check_name": call.asked("check_name"), "status": call.asked("status")}
    fitting = [
        shapes.check_run(suite, run)
        for suite, run in runs
        if wanted["check_name"] in ("", run.name) and wanted["status"] in ("", run.status)
    ]
    return _counted(call, "check_runs", fitting, f"/commits/{name}/check-runs")


def check_suites(call: Call, name: str) -> Response:
    """`GET .../commits/{ref}/check-suites`."""
    listed = [shapes.check_suite(suite) for suite in _suites(call, name)]
    return _counted(call, "check_suites", listed, f"/commits/{name}/check-suites")


def _counted(call: Call, key: str, entries: Sequence[object], rest: str) -> Response:
    page = page_of(call, entries, rest)
    answer = answer_json({"total_count": page.total, key: page.entries})
    return Response(200, {**answer.headers, **({"link": page.link} if page.link else {})}, answer.body)


def permission(call: Call, login: str) -> Response:
    """`GET .../collaborators/{user}/permission`: the four old words, and the finer role beside them."""
    user = call.host.users.get(login.lower())
    if user is None:
        raise not_found()
    role = call.repo.role_of(user)
    body: Json = {"permission": shapes.LEGACY_PERMISSION[role], "role_name": role}
    return answer_json(body | {"user": shapes.account(user)})


def _pull(call: Call, number: int) -> Json:
    change = call.repo.changes[number]
    source = call.host.repositories.get(change.source) if change.source is not None else None
    return shapes.pull(change, call.repo, source)


def pull(call: Call, number: str) -> Response:
    """`GET .../pulls/{number}`."""
    if not number.isdecimal() or int(number) not in call.repo.changes:
        raise not_found()
    return answer_json(_pull(call, int(number)))


def pulls(call: Call) -> Response:
    """`GET .../pulls?state=&base=&head=`, newest first; only open ones by default."""
    state, base, head = call.asked("state", "open"), call.asked("base"), call.asked("head")
    fitting = []
    for number in sorted(call.repo.changes, reverse=True):
        shown = _pull(call, number)
        change = call.repo.changes[number]
        label = shown["head"]["label"] if isinstance(shown["head"], dict) else ""
        if state in ("all", shown["state"]) and base in ("", change.target_branch) and head in ("", label):
            fitting.append(shown)
    return answer_page(page_of(call, fitting, "/pulls"))


def pulls_of_commit(call: Call, name: str) -> Response:
    """`GET .../commits/{sha}/pulls`: the changes that the commit came with, or is the head of."""
    sha = commit_of(call, name)
    fitting = [
        _pull(call, number)
        for number, change in sorted(call.repo.changes.items())
        if sha in (change.head, change.merge_commit)
    ]
    return answer_page(page_of(call, fitting, f"/commits/{name}/pulls"))


def release_by_tag(call: Call, tag: str) -> Response:
    """`GET .../releases/tags/{tag}`: published ones only."""
    found = call.repo.releases.get(tag)
    if found is None or found.draft:
        raise not_found()
    return answer_json(shapes.release(found, call.repo))


def releases(call: Call) -> Response:
    """`GET .../releases`, newest first; drafts only for those who may push."""
    may_see_drafts = at_least(call.role, "write")
    listed = [
        shapes.release(each, call.repo)
        for each in reversed(call.repo.releases.values())
        if may_see_drafts or not each.draft
    ]
    return answer_page(page_of(call, listed, "/releases"))
