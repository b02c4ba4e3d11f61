"""The whole configuration as frozen values, and the way from a file to them."""

import hashlib
import string
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)

from config.durations import WRITTEN_BY_A_PERSON, Duration, Size, lasting
from config.faults import ConfigurationError, Fault
from config.interpolation import StandIn, read_text, reason_of
from config.loading import LARGEST_CONFIGURATION, gather
from config.projects import ProjectSettings
from config.reporting import Found, found_by
from config.semantics import semantic_faults
from config.sentinel import SCHEME, is_sentinel, sentinel_address
from config.values import (
    ApiAddress,
    FilledSecret,
    LongSecret,
    OptionalApiAddress,
    OptionalSecret,
    OptionalWebAddress,
    Section,
    web_address,
)

HostDriver = Literal[
    "github",
    "gitlab",
    "bitbucket-cloud",
    "bitbucket-dc",
    "gitea",
    "forgejo",
    "gogs",
    "azure-devops",
    "standard-webhooks",
]
PlatformDriver = Literal["codesphere", "codenvy"]
Role = Literal["viewer", "operator", "admin"]
NoticeKind = Literal["live", "failed", "rolled_back", "waiting", "stuck"]

CODESPHERE_API = "https://cloud.codesphere.com/api"
PLACEHOLDERS = frozenset({"dev_domain", "workspace_id"})


def _redis_url(secret: SecretStr | None) -> SecretStr | None:
    schemes = ("redis://", "rediss://", "unix://", SCHEME)
    if secret is not None and not secret.get_secret_value().startswith(schemes):
        raise ValueError("should begin with redis://, rediss://, unix:// or redis+sentinel://")
    if secret is not None and is_sentinel(secret.get_secret_value()):
        sentinel_address(secret.get_secret_value())
    return secret


def _workspace_url(template: str) -> str:
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError:
        raise ValueError("has an unmatched { or }") from None
    for _, name, specification, conversion in pieces:
        if name is not None and (name not in PLACEHOLDERS or specification or conversion):
            raise ValueError("has a placeholder other than {dev_domain} and {workspace_id}")
    web_address(template.format(dev_domain="workspace.example.com", workspace_id=1))
    return template.rstrip("/")


class ServerSettings(Section):
    """Where the receiver listens. `port` 0 takes any free one; `max_body` is in bytes."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: OptionalWebAddress = None
    max_body: Annotated[Size, Field(ge=1024, le=1024**3)] = 25 * 1024**2
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()


class RedisSettings(Section):
    """The store. Its address may hold a password; None: an embedded Valkey in `state_dir`."""

    url: Annotated[OptionalSecret, AfterValidator(_redis_url)] = None


class LogSettings(Section):
    """How much is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class RetentionSettings(Section):
    """How long finished releases and deliveries are kept (seconds)."""

    releases: Annotated[Duration, lasting("1h", "36500d")] = 365 * 86400.0
    deliveries: Annotated[Duration, lasting("1h", "36500d")] = 30 * 86400.0


class TokenSettings(Section):
    """A person's or program's way in. A suspended one is known, but answered 402."""

    name: Annotated[str, Field(min_length=1)]
    role: Role
    token: LongSecret
    suspended: bool = False


class AccessSettings(Section):
    """Who may use the API. Without tokens nobody may."""

    tokens: tuple[TokenSettings, ...] = ()


class HostSettings(Section):
    """A Git host. Each of `secrets` is accepted; without `token` the bot calls no host.

    `senders` are the networks that deliveries may come from; empty: any.
    """

    driver: HostDriver
    secrets: Annotated[tuple[LongSecret, ...], Field(min_length=1)]
    token: OptionalSecret = None
    api_url: OptionalApiAddress = None
    senders: tuple[IPvAnyNetwork, ...] = ()

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """What each of `secrets` is called where people read of it: the start of its SHA-256."""
        return tuple(
            hashlib.sha256(secret.get_secret_value().encode()).hexdigest()[:8] for secret in self.secrets
        )


class PlatformSettings(Section):
    """A platform's API. `workspace_url` is a template, `poll_interval` in seconds."""

    driver: PlatformDriver
    api_url: ApiAddress = CODESPHERE_API
    token: FilledSecret
    workspace_url: Annotated[str, AfterValidator(_workspace_url)] = "https://{dev_domain}"
    poll_interval: Annotated[Duration, lasting("20ms", "5m")] = 2.0
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 10


class NoticeSettings(Section):
    """A chat: its Apprise address, which holds credentials, and what is sent to it."""

    url: FilledSecret
    on: tuple[NoticeKind, ...] = ("live", "failed", "rolled_back", "waiting", "stuck")


class Settings(Section):
    """Everything the file says, with variables, files, includes and defaults resolved."""

    server: ServerSettings = ServerSettings()
    redis: RedisSettings = RedisSettings()
    state_dir: Path = Path("var")
    log: LogSettings = LogSettings()
    retention: RetentionSettings = RetentionSettings()
    access: AccessSettings = AccessSettings()
    hosts: dict[str, HostSettings] = Field(default_factory=dict)
    platforms: dict[str, PlatformSettings] = Field(default_factory=dict)
    notices: dict[str, NoticeSettings] = Field(default_factory=dict)
    projects: dict[str, ProjectSettings] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _name_projects(cls, data: Any) -> Any:
        projects = data.get("projects") if isinstance(data, Mapping) else None
        if not isinstance(projects, Mapping):
            return data
        hosts = data.get("hosts")
        named = {
            name: {**project, "name": name, "host_has_token": _has_token(hosts, project.get("host"))}
            if isinstance(project, Mapping)
            else project
            for name, project in projects.items()
        }
        return {**data, "projects": named}


def _has_token(hosts: Any, name: Any) -> bool:
    host = hosts.get(name) if isinstance(hosts, Mapping) and isinstance(name, str) else None
    return isinstance(host, Mapping) and bool(host.get("token"))


def read_settings(path: Path, environ: Mapping[str, str], *, stand_in: StandIn | None = None) -> Settings:
    """Read a configuration file, or raise ConfigurationError with all its faults.

    `stand_in` tells what may stand for values that are not there (`config.credentials`); without it each
    is a fault.
    """
    try:
        text = read_text(path, LARGEST_CONFIGURATION)
    except OSError as error:
        raise ConfigurationError([Fault("", f"cannot read {path}: {reason_of(error)}")]) from None
    except ValueError as error:
        raise ConfigurationError([Fault("", f"cannot use {path}: {error}")]) from None
    return load_settings(text, environ, path.parent, stand_in=stand_in)


def load_settings(
    text: str, environ: Mapping[str, str], directory: Path, *, stand_in: StandIn | None = None
) -> Settings:
    """Return the settings that YAML text describes, or raise ConfigurationError with all faults.

    `${NAME}` is looked up in `environ`; `include` starts from `directory`. `file:/path` values
    and included files are read.
    """
    document = gather(text, environ, directory, stand_in)
    settings, found = _validated(document.tree)
    found += _faults_of_defaults(document.defaults)
    found += semantic_faults(document.tree, ProjectSettings)
    # What could not be resolved is already reported; its empty stand-in is not another fault.
    silent = {fault.path for fault in document.faults}
    faults = [fault for fault in map(document.fault, found) if fault.path not in silent]
    faults = list(dict.fromkeys([*document.faults, *faults]))
    if faults or settings is None:
        raise ConfigurationError(faults)
    return settings


def _validated(tree: dict[str, Any]) -> tuple[Settings | None, list[Found]]:
    try:
        settings = Settings.model_validate(tree, context=WRITTEN_BY_A_PERSON, by_alias=True, by_name=False)
    except ValidationError as error:
        return None, found_by(error, Settings)
    return settings, []


def _faults_of_defaults(defaults: Any) -> list[Found]:
    """Check defaults by themselves, where everything may be missing."""
    if not isinstance(defaults, dict):
        return []
    try:
        ProjectSettings.model_validate(defaults, context=WRITTEN_BY_A_PERSON, by_alias=True, by_name=False)
    except ValidationError as error:
        missing = {tuple(each["loc"]) for each in error.errors() if each["type"] == "missing"}
        found = found_by(error, ProjectSettings)
        return [(("defaults", *place), message) for place, message in found if place not in missing]
    return []
