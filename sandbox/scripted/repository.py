"""A git repository as values: commits with parents, branches, and what a clone sees of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.scripted.behaviour import Behaviour
from sandbox.scripted.ci_files import landscape_ci


@dataclass(frozen=True)
class Commit:
    """One commit; `sha` is 40 hex digits."""

    sha: str
    parents: tuple[str, ...]
    message: str
    files: Mapping[str, str]
    behaviour: Behaviour


@dataclass
class Repository:
    """A repository on its host. Branch names point at shas."""

    url: str
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(
        self,
        message: str = "change",
        *,
        branch: str = "main",
        files: Mapping[str, str | None] | None = None,
        behaviour: Behaviour | None = None,
        parent: str | None = None,
    ) -> str:
        """Commit on the branch, which moves there, and give the sha.

        `files` are laid over those of the parent (None removes one); the first commit of all has a
        ci.yml with one service. `parent` makes it a forced push away from the tip.
        """
        tip = parent or self.branches.get(branch)
        before = self.commits[tip].files if tip else {"ci.yml": landscape_ci()}
        merged = {**before, **(files or {})}
        kept = {name: text for name, text in merged.items() if text is not None}
        parents = (tip,) if tip else ()
        made = self.add(message, parents, kept, behaviour or Behaviour())
        self.branches[branch] = made.sha
        return made.sha

    def move(self, branch: str, sha: str) -> None:
        """Point the branch at a commit that is there already, forced if need be."""
        if sha not in self.commits:
            raise ValueError(f"{sha} is no commit of {self.url}")
        self.branches[branch] = sha

    def add(
        self,
        message: str,
        parents: tuple[str, ...],
        files: Mapping[str, str],
        behaviour: Behaviour,
    ) -> Commit:
        """A commit that no branch names yet."""
        mark = f"{self.url}\0{len(self.commits)}\0{parents}\0{message}"
        sha = hashlib.sha1(mark.encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = Commit(sha, parents, message, files, behaviour)
        return self.commits[sha]

    def history(self, sha: str, depth: int | None = None) -> set[str]:
        """The commit and all before it, at most `depth` generations."""
        seen: set[str] = set()
        edge = [sha]
        while edge and (depth is None or depth > 0):
            seen.update(edge)
            edge = [p for s in edge for p in self.commits[s].parents if p not in seen]
            depth = None if depth is None else depth - 1
        return seen

    def reachable(self) -> set[str]:
        """Every commit that some branch still leads to."""
        return {sha for tip in self.branches.values() for sha in self.history(tip)}
