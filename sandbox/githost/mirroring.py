"""Brings the commits of another repository into the host under their own shas, and pushes what moved.

So the host can stand beside the rest of the sandbox: what a workspace clones is what the host tells of.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.githost.history import Commit, TagObject
from sandbox.githost.model import Repository
from sandbox.githost.pushing import Pushing, RefMove
from sandbox.repositories import git
from sandbox.scripted import Repository as ScriptedRepository

FIELD, RECORD = "\x1f", "\x1e"
LOG_FORMAT = "%x1f".join(("%H", "%P", "%an", "%ct", "%B")) + "%x1e"
REF_FORMAT = "%(refname)%1f%(objectname)%1f%(objecttype)%1f%(*objectname)%1f%(contents:subject)"


def mirror_scripted(host: Pushing, repo: Repository, source: ScriptedRepository, *, by: str = "dev") -> None:
    """Take over what a scripted repository has, and push its branches as they stand now, deletions too."""
    with host.turn():
        for made in source.commits.values():
            files = dict(made.files)
            repo.history.adopt(Commit(made.sha, made.parents, made.message, files, by, host.clock()))
        heads = {f"refs/heads/{name}": sha for name, sha in source.branches.items()}
        tags = {f"refs/tags/{name}": sha for name, sha in repo.tags.items()}
        _push(host, repo, heads | tags, by)


def mirror_git(host: Pushing, repo: Repository, directory: Path, *, by: str = "dev") -> None:
    """Take over a git repository on disk, and push its branches and tags as they stand now.

    Of files only the names and blob shas are read. Raises GitFailed.
    """
    with host.turn():
        for record in git(
            directory, "log", "--all", "--topo-order", "--reverse", f"--format={LOG_FORMAT}"
        ).split(RECORD):
            if record.strip():
                _adopt(repo, directory, record.strip("\n"))
        _push(host, repo, _refs(repo, directory, by, host.clock()), by)


def _adopt(repo: Repository, directory: Path, record: str) -> None:
    sha, parents, author, at, message = record.split(FIELD, 4)
    if sha in repo.history.commits:
        return
    listed = git(directory, "ls-tree", "-r", "-z", sha).split("\0")
    files = {path: line for line, _, path in (entry.partition("\t") for entry in listed) if path}
    made = Commit(sha, tuple(parents.split()), message.strip(), files, author, float(at))
    repo.history.adopt(made)


def _refs(repo: Repository, directory: Path, by: str, now: float) -> dict[str, str]:
    refs = {}
    listed = git(directory, "for-each-ref", f"--format={REF_FORMAT}", "refs/heads", "refs/tags")
    for line in listed.splitlines():
        ref, sha, kind, target, message = line.split(FIELD, 4)
        if kind == "tag":
            name = ref.removeprefix("refs/tags/")
            repo.history.tag_objects.setdefault(sha, TagObject(sha, name, target, message, by, now))
        refs[ref] = sha
    return refs


def _push(host: Pushing, repo: Repository, wanted: dict[str, str], by: str) -> None:
    gone = [RefMove(ref, None) for ref in repo.refs() if ref not in wanted]
    moved = [RefMove(ref, sha) for ref, sha in wanted.items() if repo.refs().get(ref) != sha]
    # One push for each ref: somebody who mirrors by hand would not want the host's silence about many.
    for move in [*gone, *moved]:
        host.push(repo, [move], by=by)
