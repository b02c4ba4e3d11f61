"""Commits as a graph, with the tree of each: what leads to what, and which paths differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

ZEROS = "0" * 40
"""Stands for "no commit" in a push: the ref was made or deleted."""

PathStatus = Literal["added", "modified", "removed"]


@dataclass(frozen=True)
class Commit:
    """One commit; `sha` is 40 hex digits, `files` its whole tree, `at` epoch seconds."""

    sha: str
    parents: tuple[str, ...]
    message: str
    files: Mapping[str, str]
    author: str
    at: float


@dataclass(frozen=True)
class TagObject:
    """An annotated tag: an object with a sha of its own that names a commit."""

    sha: str
    name: str
    target: str
    message: str
    tagger: str
    at: float


@dataclass(frozen=True)
class PathChange:
    """One path that differs between two trees."""

    path: str
    status: PathStatus


@dataclass
class History:
    """The objects of a repository. Forks share it, as the forks of one network do on a real host."""

    commits: dict[str, Commit] = field(default_factory=dict)
    tag_objects: dict[str, TagObject] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def add(
        self,
        message: str,
        parents: tuple[str, ...],
        changes: Mapping[str, str | None],
        author: str,
        at: float,
    ) -> Commit:
        """A commit whose tree is that of its first parent with `changes` laid over it (None removes)."""
        missing = [sha for sha in parents if sha not in self.commits]
        if missing:
            raise ValueError(f"{missing[0]} is no commit here; a parent must be committed first")
        before = self.commits[parents[0]].files if parents else {}
        merged = {**before, **changes}
        files = {path: text for path, text in merged.items() if text is not None}
        sha = _object_name("commit", len(self.commits), parents, message, sorted(files.items()))
        self.commits[sha] = Commit(sha, parents, message, files, author, at)
        return self.commits[sha]

    def adopt(self, commit: Commit) -> None:
        """Take a commit over as it is, sha and all; its parents must be here."""
        missing = [sha for sha in commit.parents if sha not in self.commits]
        if missing:
            raise ValueError(f"{missing[0]} is no commit here; adopt the parents of {commit.sha} first")
        self.commits.setdefault(commit.sha, commit)

    def annotate(self, name: str, target: str, message: str, tagger: str, at: float) -> TagObject:
        """A tag object on a commit."""
        if target not in self.commits:
            raise ValueError(f"{target} is no commit here; only commits are tagged")
        sha = _object_name("tag", len(self.tag_objects), (target,), name, [(message, tagger)])
        self.tag_objects[sha] = TagObject(sha, name, target, message, tagger, at)
        return self.tag_objects[sha]

    def commit_of(self, sha: str) -> str:
        """The commit that an object names: itself, or what an annotated tag stands on."""
        tag = self.tag_objects.get(sha)
        return tag.target if tag else sha

    def ancestors(self, sha: str) -> set[str]:
        """The commit and all that it grew from."""
        seen: set[str] = set()
        edge = [sha]
        while edge:
            here = edge.pop()
            if here not in seen:
                seen.add(here)
                edge.extend(self.commits[here].parents)
        return seen

    def leads_to(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        return older in self.ancestors(newer)

    def merge_base(self, shas: Iterable[str]) -> str | None:
        """The newest commit that all contain; None for histories without a common root."""
        first, *others = shas
        common = self.ancestors(first)
        for sha in others:
            common &= self.ancestors(sha)
        if not common:
            return None
        below = {p for sha in common for p in self.commits[sha].parents}
        return max(common - below, key=self._place)

    def between(self, base: str, head: str) -> list[Commit]:
        """What `head` contains and `base` does not, oldest first."""
        only = self.ancestors(head) - self.ancestors(base)
        return sorted((self.commits[sha] for sha in only), key=lambda commit: self._place(commit.sha))

    def log(self, head: str) -> list[Commit]:
        """All that `head` contains, newest first."""
        shas = sorted(self.ancestors(head), key=self._place, reverse=True)
        return [self.commits[sha] for sha in shas]

    def changed(self, base: str | None, head: str) -> list[PathChange]:
        """The paths that differ between two trees, by name; without a base every path is added."""
        before = self.commits[base].files if base else {}
        after = self.commits[head].files
        differing = [p for p in sorted({*before, *after}) if before.get(p) != after.get(p)]
        return [PathChange(path, _path_status(path, before, after)) for path in differing]

    def _place(self, sha: str) -> int:
        """Parents are always committed before their children."""
        return self._order()[sha]

    def _order(self) -> dict[str, int]:
        if len(self._places) != len(self.commits):
            self._places = {sha: place for place, sha in enumerate(self.commits)}
        return self._places


def _path_status(path: str, before: Mapping[str, str], after: Mapping[str, str]) -> PathStatus:
    if path not in before:
        return "added"
    return "modified" if path in after else "removed"


def _object_name(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()
