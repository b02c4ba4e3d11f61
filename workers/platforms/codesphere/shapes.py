"""The parts of the API's objects that we use.

Fields are added to answers without a version bump, so unknown ones are ignored, and those that the API
may leave out have a default. Identifiers are strict: `true` or `"7"` is no id.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from workers.platforms.answers import unusable
from workers.platforms.calls import JSON, Call

T = TypeVar("T")


class Shape(BaseModel):
    """An object of the API; its field names are camelCase there."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, hide_input_in_errors=True
    )


class TeamShape(Shape):
    """A team of the token's user."""

    id: StrictInt
    name: StrictStr
    default_data_center_id: StrictInt | None = None


class CharacteristicsShape(Shape):
    """What a plan's machines are like."""

    on_demand: StrictBool = False


class PlanShape(Shape):
    """A workspace plan."""

    id: StrictInt
    title: StrictStr
    deprecated: StrictBool = False
    max_replicas: StrictInt | None = None
    characteristics: CharacteristicsShape = CharacteristicsShape()


class WorkspaceShape(Shape):
    """A workspace."""

    id: StrictInt
    name: StrictStr
    team_id: StrictInt
    replicas: StrictInt = 1
    welcome_message: StrictStr | None = None
    data_center_id: StrictInt | None = None
    dev_domain: StrictStr | None = None
    restricted: StrictBool = True
    """The platform's own default, and the safe reading: a guarded workspace is asked with the key."""


class StatusShape(Shape):
    """Whether a workspace takes commands."""

    is_running: StrictBool


class HeadShape(Shape):
    """What is checked out."""

    head: StrictStr


class StepShape(Shape):
    """One step of a row."""

    state: StrictStr
    started_at: StrictStr | None = None


class RowShape(Shape):
    """A stage on one server and replica."""

    state: StrictStr
    server: StrictStr
    replica: StrictStr = ""
    started_at: StrictStr | None = None
    steps: tuple[StepShape, ...] = ()


class ResultShape(Shape):
    """What a command wrote; the API tells no exit code."""

    output: StrictStr = ""
    error: StrictStr = ""


class CertificateShape(Shape):
    """Whether a domain has a certificate."""

    issued: StrictBool = False
    reason: StrictStr | None = None


class VerificationShape(Shape):
    """Whether a domain was proven to be the team's."""

    verified: StrictBool = False
    reason: StrictStr | None = None


class DomainShape(Shape):
    """A domain and the workspaces that serve its paths."""

    name: StrictStr
    workspaces: dict[StrictStr, tuple[StrictInt, ...]]
    data_center_id: StrictInt | None = None
    certificate_request_status: CertificateShape = CertificateShape()
    domain_verification_status: VerificationShape = VerificationShape()


TEAMS = TypeAdapter(list[TeamShape])
PLANS = TypeAdapter(list[PlanShape])
WORKSPACE = TypeAdapter(WorkspaceShape)
WORKSPACES = TypeAdapter(list[WorkspaceShape])
STATUS = TypeAdapter(StatusShape)
HEAD = TypeAdapter(HeadShape)
ROWS = TypeAdapter(list[RowShape])
RESULT = TypeAdapter(ResultShape)
DOMAIN = TypeAdapter(DomainShape)
DOMAINS = TypeAdapter(list[DomainShape])


def read(call: Call, shape: TypeAdapter[T], content: JSON) -> T:
    """Read the answer of `call` as `shape`; `TryAgain` says which field is missing or of another type."""
    try:
        return shape.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise unusable(call, f"{where} is not as described: {first['msg']}") from None
