"""Names of objects and refs, as strict as Git itself: what the shapes of several hosts are made of."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from workers.releases.events import RefType

Sha = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
"""A full object name; all zeros means none. SHA-256 repositories have 64 digits."""

RefName = Annotated[str, Field(pattern=r"^refs/[^\x00-\x20\x7f]+$", max_length=1024)]
"""A full ref name."""

BranchName = Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]+$", max_length=1024)]
"""A branch, short or as a full ref name."""

_REF_TYPES: Final = {"heads": RefType.BRANCH, "tags": RefType.TAG}


def present(sha: str | None) -> str | None:
    """Return the object name, or None where it is missing or all zeros."""
    return sha if sha is not None and sha.strip("0") else None


def branch_or_tag(ref: str) -> tuple[RefType, str] | None:
    """Return what a full ref name names, with the name kept whole; None for neither branch nor tag."""
    kind, _, name = ref.removeprefix("refs/").partition("/")
    return (_REF_TYPES[kind], name) if kind in _REF_TYPES and name else None


def action_of(before: str | None, after: str | None) -> str:
    """Return what a push did to a ref: `create`, `update` or `delete`."""
    return "delete" if after is None else "create" if before is None else "update"
