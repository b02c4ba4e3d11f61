"""One project: a repository, what makes it release, where to, and how."""

import hashlib
import json
import re
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from config.durations import Duration, lasting
from config.triggers import Trigger, as_written
from config.values import (
    Domain,
    IdOrName,
    OptionalText,
    RoutePath,
    Section,
    UrlPath,
    WebAddress,
)

Flow = Literal["zero-downtime", "in-place", "preview"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def _git_url(text: str | None) -> str | None:
    if text is not None and "://" in text and urlsplit(text).password is not None:
        raise ValueError("carries a password, which would be shown; remove it")
    return text


def _private(value: object) -> object:
    if value == "auto" or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ValueError("should be auto, true or false")


def _repository(text: str) -> str:
    if not text.strip() or "://" in text or text != text.strip().strip("/"):
        raise ValueError("should be the repository's full name, for example acme/shop")
    return text


def _variable_names(env: dict[str, SecretStr]) -> dict[str, SecretStr]:
    bad = sorted(name for name in env if not _VARIABLE.fullmatch(name))
    if bad:
        raise ValueError(f"{', '.join(bad)}: no names of environment variables")
    return env


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _each_once(paths: tuple[str, ...]) -> tuple[str, ...]:
    if len({route_key(path) for path in paths}) < len(paths):
        raise ValueError("names a path twice")
    return paths


def route_key(path: str) -> str:
    """Return what two paths have in common when the platform would route them alike."""
    return path.rstrip("/") or "/"


def _own_address(target: dict[str, Any]) -> str:
    if not target.get("domain"):
        return ""
    paths = target.get("paths") or ("/",)
    # A project that does not own `/` is asked where it lives, not at somebody else's page.
    return f"https://{target['domain']}" + ("" if "/" in paths else paths[0].rstrip("/"))


class GitSettings(Section):
    """Where the platform clones from. Without `url`: the event's, or one made of host and name."""

    url: Annotated[OptionalText, AfterValidator(_git_url)] = None
    private: Annotated[Literal["auto"] | bool, BeforeValidator(_private)] = "auto"


class TargetSettings(Section):
    """Where a project goes live. An empty `plan` or `domain` was not stated (in-place, preview)."""

    platform: str
    team: IdOrName
    plan: IdOrName = ""
    domain: Domain = ""
    paths: Annotated[tuple[RoutePath, ...], Field(min_length=1), AfterValidator(_each_once)] = ("/",)
    drift: Literal["adopt", "refuse"] = "adopt"
    workspace: Annotated[int, Field(ge=1)] | None = None
    public_url: WebAddress = Field(default_factory=_own_address)


class WorkspaceSettings(Section):
    """What a new workspace is like. Values of `env` are masked, as they may be secrets."""

    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    env: Annotated[
        dict[str, Annotated[SecretStr, BeforeValidator(_plain)]], AfterValidator(_variable_names)
    ] = Field(default_factory=dict)
    profile: OptionalText = None
    restricted: bool = False
    keep_failed: Annotated[Duration, lasting("0s", "365d")] = 0.0


StageTimeout = Annotated[Duration, lasting("1s", "7d")]


class CreateStage(Section):
    """How long a workspace may take from the call until it runs (seconds)."""

    timeout: StageTimeout = 900.0


class PrepareStage(Section):
    """How long the prepare stage may take (seconds)."""

    timeout: StageTimeout = 1800.0


class TestStage(Section):
    """Whether the test stage is run, and how long it may take (seconds)."""

    run: bool = True
    timeout: StageTimeout = 1800.0


class RunStage(Section):
    """How long the run stage may take until it is stable (seconds)."""

    timeout: StageTimeout = 600.0


class StageSettings(Section):
    """The stages, each with its deadline."""

    create: CreateStage = CreateStage()
    prepare: PrepareStage = PrepareStage()
    test: TestStage = TestStage()
    run: RunStage = RunStage()


class VerifySettings(Section):
    """When a new version counts as healthy: so many good answers in a row, within a time."""

    path: UrlPath = "/"
    status: Annotated[int, Field(ge=200, le=599)] = 200
    contains: OptionalText = None
    successes: Annotated[int, Field(ge=1, le=100)] = 2
    within: Annotated[Duration, lasting("1s", "24h")] = 120.0


class ObserveSettings(Section):
    """How production is watched after the switch; `for` in the file is `duration` here."""

    duration: Annotated[Duration, lasting("0s", "24h")] = Field(
        default=30.0, validation_alias="for", serialization_alias="for"
    )
    every: Annotated[Duration, lasting("50ms", "1m")] = 0.2
    failures: Annotated[int, Field(ge=1, le=1000)] = 3
    rollback: bool = True


class ParkSettings(Section):
    """How many former workspaces stand by, and how long; `for` in the file is `duration` here."""

    keep: Annotated[int, Field(ge=0, le=100)] = 1
    duration: Annotated[Duration, lasting("0s", "365d")] = Field(
        default=86400.0, validation_alias="for", serialization_alias="for"
    )


class ReportSettings(Section):
    """What a release says of itself at the Git host, where that has a token and an API for it."""

    status: bool = True
    deployment: bool = True
    environment: Annotated[str, Field(min_length=1, max_length=255)] = "production"


class ProjectSettings(Section):
    """One project with its defaults filled in; `name` is its key in the file.

    `host_has_token` tells whether the project's Git host can be asked and told anything at all.
    """

    not_in_file: ClassVar[frozenset[str]] = frozenset({"name", "host_has_token"})

    name: str
    host_has_token: bool = False
    host: str
    repository: Annotated[str, AfterValidator(_repository)]
    target: TargetSettings
    git: GitSettings = GitSettings()
    triggers: tuple[Trigger, ...] = ()
    flow: Flow = "zero-downtime"
    supersede: Literal["queued", "running"] = "queued"
    workspace: WorkspaceSettings = WorkspaceSettings()
    stages: StageSettings = StageSettings()
    verify: VerifySettings = VerifySettings()
    observe: ObserveSettings = ObserveSettings()
    park: ParkSettings = ParkSettings()
    notify: tuple[str, ...] = ()
    report: ReportSettings = ReportSettings()

    @property
    def reports(self) -> bool:
        """Tell whether releases report to the Git host."""
        return self.host_has_token and (self.report.status or self.report.deployment)

    def snapshot(self) -> dict[str, Any]:
        """Return everything as JSON values, for `from_snapshot`.

        The values of `workspace.env` are in it unmasked: keep it where secrets may be kept.
        """
        values = self.model_dump(mode="json", by_alias=True)
        values["triggers"] = [as_written(trigger) for trigger in self.triggers]
        values["workspace"]["env"] = {
            name: value.get_secret_value() for name, value in self.workspace.env.items()
        }
        return values

    @classmethod
    def from_snapshot(cls, values: dict[str, Any]) -> Self:
        """Return the project that `snapshot` was taken of."""
        return cls.model_validate(values)

    @cached_property
    def canonical(self) -> str:
        """The snapshot as JSON text, equal exactly for equal settings. Holds `workspace.env` unmasked."""
        return json.dumps(self.snapshot(), sort_keys=True, separators=(",", ":"))

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def digest(self) -> str:
        """Return a SHA-256 in hex that is equal exactly for equal settings."""
        return self._digest
