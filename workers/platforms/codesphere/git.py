"""The shell commands that we run in a workspace, and how their results are read. Pure.

`execute` tells no exit code and stops after 5 s, so every command prints its own, and none goes to the
network: credentials for the remote exist only in the API's clone and pull. A command starts in the
application's directory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workers.errors import Refused

COMMIT_FOUND = "commit found"
"""What the checkout command prints where the clone has the commit."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_RESULT = re.compile(r"rc=(\d{1,3})(?!\d)")


@dataclass(frozen=True, slots=True)
class Result:
    """A command's exit code, and what it wrote before."""

    code: int
    text: str


def as_commit(text: str) -> str | None:
    """Return the text as a full lower-case commit id, or None where it is not one."""
    commit = text.strip().lower()
    return commit if _COMMIT.fullmatch(commit) else None


def head_command() -> str:
    """Print the commit that is checked out."""
    return "git rev-parse HEAD; echo rc=$?"


def checkout_command(commit: str) -> str:
    """Check the commit out, detached; what a former build changed in tracked files is dropped."""
    if not _COMMIT.fullmatch(commit):
        raise Refused(f"{commit[:60]!r} is no full commit id (40 hexadecimal digits, lower case)")
    return (
        f"git cat-file -e '{commit}^{{commit}}' && echo {COMMIT_FOUND}"
        f" && git -c advice.detachedHead=false checkout -q --force --detach {commit}; echo rc=$?"
    )


def read_file_command(name: str) -> str:
    """Print a file of the application's directory; `name` comes from `pipeline_file_name`."""
    return f"cat {name}; echo rc=$?"


def read_result(output: str) -> Result | None:
    """Find the exit code that a command printed last; None where the output was cut before it.

    What stands before it is the command's own output; a file without a newline at its end runs into it,
    and what a shell prints on its way out may follow it.
    """
    found = list(_RESULT.finditer(output))
    return Result(int(found[-1][1]), output[: found[-1].start()]) if found else None
