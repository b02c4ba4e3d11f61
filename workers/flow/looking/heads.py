"""Branch heads against what a project was told: what to take as it is, and what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.projects import ProjectSettings
from config.triggers import PushTrigger
from workers.flow.triggers import branch_is_taken
from workers.releases.looks import Known

BRANCH = "refs/heads/"
_PATTERN = frozenset("*?[\\!")


@dataclass(frozen=True, slots=True)
class Compared:
    """What follows for one project.

    `note` are full refs whose commits are taken as they are, `missing` the branches (short names) whose
    heads nobody told of, `gone` full refs of branches that the host no longer has.
    """

    note: Mapping[str, str]
    missing: Mapping[str, str]
    gone: tuple[str, ...] = ()


def taken_by(project: ProjectSettings, heads: Mapping[str, str]) -> dict[str, str]:
    """Return those of the branches that a push trigger of the project takes."""
    return {branch: head for branch, head in heads.items() if branch_is_taken(branch, project)}


def named_by(projects: Iterable[ProjectSettings]) -> set[str]:
    """Return the branches that push triggers name without a pattern."""
    return {
        name
        for project in projects
        for trigger in project.triggers
        if isinstance(trigger, PushTrigger)
        for name in trigger.branches
        if not _PATTERN & set(name)
    }


def patterns_of(project: ProjectSettings) -> str:
    """Return the branch patterns of a project as one text, to see when they changed."""
    taken = [each.branches for each in project.triggers if isinstance(each, PushTrigger)]
    return " | ".join(" ".join(patterns) for patterns in taken)


def compare(
    taken: Mapping[str, str],
    known: Known,
    *,
    repository: str,
    patterns: str,
    all_heads: Mapping[str, str] | None,
) -> Compared:
    """Say what follows from the heads of the branches that a project takes.

    The first look at a repository notes its heads; so does the first one with other patterns, for branches
    of which nothing was ever told: nobody pushed them. `all_heads` are those of every branch that there is,
    None where not all are known.
    """
    first = known.repository != repository
    new_patterns = known.patterns != patterns
    note: dict[str, str] = {}
    missing: dict[str, str] = {}
    for branch, head in taken.items():
        ref = BRANCH + branch
        if known.is_told(ref, head):
            continue
        if first or (new_patterns and known.heard(ref) is None):
            note[ref] = head
        else:
            missing[branch] = head
    return Compared(note, missing, _gone(known, all_heads))


def _gone(known: Known, all_heads: Mapping[str, str] | None) -> tuple[str, ...]:
    if all_heads is None:
        return ()
    refs = (ref for ref in known.kept_back if ref.startswith(BRANCH))
    return tuple(ref for ref in refs if ref.removeprefix(BRANCH) not in all_heads)
