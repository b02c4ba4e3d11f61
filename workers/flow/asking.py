"""What a decision waits for, asked of its host."""

from __future__ import annotations

from typing import Any

from workers.errors import Refused
from workers.flow.ports import GitHost
from workers.flow.triggers import (
    ChangedPaths,
    CommitOfTag,
    DefaultBranch,
    Green,
    HeadOfBranch,
    HeadOfChange,
    MayRelease,
    Question,
)


def ask_host(host: GitHost, repository: str, question: Question[Any]) -> object:
    """Return the host's answer; one call or a few. Errors as the host's: `TryAgain`, `Refused`, `Gone`."""
    match question:
        case ChangedPaths():
            return host.compare(repository, question.base, question.head)
        case MayRelease():
            return host.permission(repository, question.user)
        case HeadOfChange():
            return host.change(repository, question.number)
        case CommitOfTag():
            return host.tag_commit(repository, question.tag)
        case HeadOfBranch():
            return host.branch_head(repository, question.branch)
        case DefaultBranch():
            return host.repository(repository).default_branch
        case Green():
            return host.ci_state(repository, question.commit)
    raise Refused(f"no host can be asked {question}")
