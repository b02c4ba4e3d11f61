"""What the API takes: bodies and queries, as models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from workers.releases.deliveries import Wanted
from workers.releases.model import Cause
from workers.releases.status import Status

MOST = 200
"""A page has at most so many entries; a larger `limit` is cut."""
DEFAULT = 50

_LINE = r"^[^\x00-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(max_length=500, pattern=_LINE)]
Commit = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$")]
Branch = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_LINE)]


class Asked(BaseModel):
    """What the API takes: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """What may stand behind the `?`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PageQuery(Query):
    """Which part of a list; `cursor` is the `next` of the page before."""

    limit: Annotated[int, Field(ge=1, description=f"1 to {MOST}; more is cut")] = DEFAULT
    cursor: Annotated[str | None, StringConstraints(pattern=r"^[0-9]{1,18}$")] = None

    @property
    def most(self) -> int:
        """Return the size of the page."""
        return min(self.limit, MOST)

    @property
    def before(self) -> int | None:
        """Return where the page begins, as the store counts."""
        return None if self.cursor is None else int(self.cursor)


class ReleasesQuery(PageQuery):
    """Which releases."""

    project: Annotated[str | None, StringConstraints(max_length=200)] = None
    status: Status | None = None


Verdict = Literal["accepted", "ignored", "duplicate", "ping", "refused", "asking"]
_Filter = Annotated[str | None, StringConstraints(min_length=1, max_length=300)]


class DeliveriesQuery(PageQuery):
    """Which deliveries: all that is given must fit. Times are inclusive (`since`) and exclusive (`until`)."""

    host: _Filter = None
    project: _Filter = Field(None, description="deliveries about the project's repository")
    repository: _Filter = None
    verdict: Verdict | None = None
    event: _Filter = Field(None, description="the host's name of the event, or its kind here")
    ref: _Filter = Field(None, description="a full ref, or the name of a branch or tag")
    commit: Annotated[str | None, StringConstraints(pattern=r"^[0-9a-fA-F]{4,64}$")] = Field(
        None, description="a commit, or its first digits"
    )
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    q: _Filter = Field(None, description="words that all stand somewhere in the delivery")

    @property
    def wanted(self) -> Wanted:
        """Return what is looked for."""
        return Wanted(
            host=self.host,
            project=self.project,
            repository=self.repository,
            verdict=self.verdict,
            event=self.event,
            ref=self.ref,
            commit=self.commit,
            words=tuple((self.q or "").split()),
            since=None if self.since is None else self.since.timestamp(),
            until=None if self.until is None else self.until.timestamp(),
        )


class StartRelease(Asked):
    """What to release. Without a commit: the last one that was pushed to the branch (default: main)."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    commit: Commit | None = None
    branch: Branch | None = None
    reason: Words | None = None


class ActOnRelease(Asked):
    """Why somebody acts on a release; shown with it."""

    reason: Words | None = None


class RetryRelease(Asked):
    """`force` (admin) retries although a newer commit of the lane is live or on its way."""

    force: bool = False


class RollBack(Asked):
    """How far back: without `to`, to what stood there before. `pin` holds the lane until it is unpinned."""

    to: Annotated[str | None, StringConstraints(max_length=160)] = None
    reason: Words | None = None
    pin: bool = True
    force: bool = False


class RetryFailed(Asked):
    """Which failed releases to retry; none named: all."""

    project: Annotated[str | None, StringConstraints(max_length=200)] = None
    cause: Annotated[Cause | None, Field(strict=False)] = None


class FreezeProject(Asked):
    """Stop a project's releases, until a moment or until it is taken away."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_LINE)]
    until: Annotated[datetime | None, Field(strict=False)] = None


class Login(Asked):
    """A token of the configuration."""

    token: SecretStr
