"""Whether a commit still stands where the push put it: what is checked with the host before a release."""

from __future__ import annotations

from typing import NamedTuple

from workers.releases.origin import Comparison, Relation


class Standing(NamedTuple):
    """Whether the commit may still be released, and why, or why not."""

    stands: bool
    reason: str


def on_branch(branch: str, commit: str, head: str | None, comparison: Comparison | None) -> Standing:
    """Tell whether the commit is still on its branch.

    `head` is the branch's head as the host has it now, None where there is no such branch. `comparison` is
    how that head stands to the commit (base: the commit, head: the head), None where the host no longer
    has the commit; it is not looked at where the two are equal.
    """
    if head is None:
        return _no(f"the branch {branch} was deleted")
    if head == commit:
        return _yes(f"{commit[:12]} is the head of {branch}")
    if comparison is None:
        return _no(f"the host no longer has {commit[:12]}: a force push replaced it on {branch}")
    if comparison.relation in {Relation.AHEAD, Relation.IDENTICAL}:
        return _yes(f"{commit[:12]} is on {branch}, whose head is {head[:12]} by now")
    if comparison.relation is Relation.BEHIND:
        return _no(
            f"{branch} was moved back to {head[:12]}, before {commit[:12]}, or the commit never was on it, "
            "as what only a fork has"
        )
    return _no(
        f"{commit[:12]} is not on {branch}, whose head is {head[:12]} now: a force push replaced it, "
        "or it never was there, as what only a fork has"
    )


def at_tag(tag: str, commit: str, named: str | None) -> Standing:
    """Tell whether the tag still names the commit; `named` is the commit behind it now, None without one."""
    if named is None:
        return _no(f"the tag {tag} was deleted")
    if named != commit:
        return _no(f"the tag {tag} was moved from {commit[:12]} to {named[:12]}")
    return _yes(f"the tag {tag} names {commit[:12]}")


def _yes(reason: str) -> Standing:
    return Standing(stands=True, reason=reason)


def _no(reason: str) -> Standing:
    return Standing(stands=False, reason=reason)
