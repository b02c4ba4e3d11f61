"""What a Git host was told of a release, and the outbox's receivers that tell it: one for each project."""

from __future__ import annotations

from dataclasses import dataclass

_PREFIX = "report:"
"""No name under notices can begin like this: such names have no colon."""


def receiver_of(project: str) -> str:
    """Return the receiver that tells the Git host of a project's releases."""
    return _PREFIX + project


def project_of(receiver: str) -> str | None:
    """Return the project that a receiver tells of, or None where it is a chat."""
    return receiver.removeprefix(_PREFIX) if receiver.startswith(_PREFIX) else None


@dataclass(frozen=True, slots=True)
class Told:
    """What the Git host of a release was told last; empty where nothing was."""

    status: str = ""
    """Digest of the commit status."""
    deployment: str = ""
    """The host's id of the deployment."""
    stands: str = ""
    """State of the deployment."""
    creating: int = 0
    """How often the deployment was asked for."""
