"""Commits, pushes and tags: what changes refs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.githost.happenings import ChangeMoved, Pushed
from sandbox.githost.history import ZEROS, Commit
from sandbox.githost.model import Dialect, Repository, User
from sandbox.githost.world import World

MOST_TAGS = 3
"""A push of more tags at once is told to nobody, on both hosts."""

MOST_BRANCHES: Mapping[Dialect, int] = {"github": 5000, "gitlab": 3}


@dataclass(frozen=True)
class RefMove:
    """One ref of a push; `sha` None deletes it."""

    ref: str
    sha: str | None


class Pushing(World):
    """A world in which somebody pushes."""

    def commit(
        self,
        repo: Repository,
        changes: Mapping[str, str | None] | None = None,
        *,
        branch: str = "main",
        message: str = "Change",
        by: str = "dev",
        parent: str | None = None,
    ) -> str:
        """Commit on a branch, push it, and give the sha. `parent` away from the tip makes it forced."""
        with self.turn():
            made = self.write(repo, changes, branch=branch, message=message, by=by, parent=parent)
            self.push(repo, [RefMove(f"refs/heads/{branch}", made.sha)], by=by)
        return made.sha

    def write(
        self,
        repo: Repository,
        changes: Mapping[str, str | None] | None = None,
        *,
        branch: str = "main",
        message: str = "Change",
        by: str = "dev",
        parent: str | None = None,
    ) -> Commit:
        """A commit that no ref names yet, on the branch's tip, the default branch's, or `parent`."""
        tip = parent or repo.branches.get(branch) or repo.branches.get(repo.default_branch)
        laid_over = changes if changes is not None else {"README": f"{len(repo.history.commits)}\n"}
        parents = (tip,) if tip else ()
        return repo.history.add(message, parents, laid_over, self.user(by).login, self.clock())

    def push(self, repo: Repository, moves: Iterable[RefMove], *, by: str = "dev") -> None:
        """Move refs in one push. Too many at once move, but are told to nobody, as on the real hosts."""
        moved = list(moves)
        tags = sum(move.ref.startswith("refs/tags/") for move in moved)
        with self.turn():
            told = [self._move(repo, move, self.user(by)) for move in moved]
            for happening in filter(None, told):
                is_tag = happening.ref.startswith("refs/tags/")
                for dialect, most in MOST_BRANCHES.items():
                    count = tags if is_tag else len(moved) - tags
                    if count <= (MOST_TAGS if is_tag else most):
                        self.tell(happening, dialect)
            self._follow(repo, self.user(by))

    def tag(
        self, repo: Repository, name: str, target: str = "", *, message: str = "", by: str = "dev"
    ) -> str:
        """Push a tag on a commit (the default branch's tip); annotated with a message. Gives the object."""
        with self.turn():
            sha = target or repo.branches[repo.default_branch]
            if message:
                sha = repo.history.annotate(name, sha, message, by, self.clock()).sha
            self.push(repo, [RefMove(f"refs/tags/{name}", sha)], by=by)
        return sha

    def delete_ref(self, repo: Repository, ref: str, *, by: str = "dev") -> None:
        """Delete a branch or tag by its full name."""
        self.push(repo, [RefMove(ref, None)], by=by)

    def _move(self, repo: Repository, move: RefMove, user: User) -> Pushed | None:
        _, kind, name = move.ref.split("/", 2)
        refs = repo.branches if kind == "heads" else repo.tags
        before = refs.get(name)
        if before == move.sha:
            return None
        if move.sha is None:
            del refs[name]
        else:
            refs[name] = move.sha
        repo.pushed_at = self.clock()
        forced = bool(before and move.sha) and not self._contains(repo, before or "", move.sha or "")
        return Pushed(repo, user, move.ref, before or ZEROS, move.sha or ZEROS, forced)

    def _contains(self, repo: Repository, older: str, newer: str) -> bool:
        history = repo.history
        return history.leads_to(history.commit_of(older), history.commit_of(newer))

    def _follow(self, source: Repository, user: User) -> None:
        """Open changes from a branch follow it."""
        for repo in list(self.repositories.values()):
            for change in repo.changes.values():
                tip = source.branches.get(change.source_branch)
                if change.state != "open" or change.source != source.id or tip in (None, change.head):
                    continue
                before, change.head = change.head, tip or change.head
                self.tell(ChangeMoved(repo, user, change, "synchronize", before))
