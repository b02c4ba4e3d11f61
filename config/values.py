"""The kinds of values that settings are made of, each with its own check.

Messages never repeat what was written: a secret may have been put in the wrong place.
"""

import functools
import ipaddress
import re
from typing import Annotated, Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, model_validator

from config.globs import fault_of

SHORTEST_SECRET = 16

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


class Section(BaseModel):
    """A mapping of the file: unknown keys are faults, values never change once read."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    not_in_file: ClassVar[frozenset[str]] = frozenset()
    """Fields that are no keys of the file."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_not_stated(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in keys_of(cls)}


@functools.cache
def keys_of(section: type[Section]) -> dict[str, Any]:
    """Return the keys that a section has in the file, each with the annotation of its values."""
    return {
        info.validation_alias if isinstance(info.validation_alias, str) else name: info.annotation
        for name, info in section.model_fields.items()
        if name not in section.not_in_file
    }


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("is not a web address; write for example https://example.com") from None
    return parts


def web_address(text: str) -> str:
    """Return an http(s) address without a trailing slash; ValueError for anything else."""
    parts = _split(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(map(str.isspace, text)):
        raise ValueError("is not a web address; write for example https://example.com")
    if parts.username is not None or parts.password is not None:
        raise ValueError("carries a user name or password; remove it, credentials have own keys")
    if parts.query or parts.fragment:
        raise ValueError('has a part after "?" or "#"; remove it')
    return text.rstrip("/")


def is_loopback(hostname: str) -> bool:
    """Tell whether a host name or IP address can only mean this machine."""
    if hostname == "localhost" or hostname.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def _api_address(text: str) -> str:
    address = web_address(text)
    parts = _split(address)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError(
            "is plain http, which would show the token to the network; use https "
            "(http is only for loopback addresses such as 127.0.0.1)"
        )
    return address


def _long_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"is shorter than {SHORTEST_SECRET} characters; make one with: openssl rand -hex 32")
    return secret


def _filled_secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("is empty; a value is required")
    return secret


def _empty_is_none(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return None if text == "" else value


def _id_or_name(value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("should be an id (a number) or a name")  # noqa: TRY004 - pydantic collects ValueError only
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value


def _domain(text: str) -> str:
    lower = text.lower()
    if lower and (len(lower) > 253 or not _DOMAIN.fullmatch(lower)):
        raise ValueError(
            "is not a domain name; write for example shop.example.com, without https:// or a path"
        )
    return lower


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError('must start with "/"')
    if any(character.isspace() or character == "#" for character in text):
        raise ValueError('contains white space or "#"; percent-encode it')
    return text


def _route(text: str) -> str:
    if "?" in _path(text):
        raise ValueError('contains "?"; a domain is routed by path only')
    return text


def _pattern(text: str) -> str:
    fault = fault_of(text)
    if fault:
        raise ValueError(fault)
    return text


WebAddress = Annotated[str, AfterValidator(web_address)]
ApiAddress = Annotated[str, AfterValidator(_api_address)]
OptionalApiAddress = Annotated[
    Annotated[str, AfterValidator(_api_address)] | None, BeforeValidator(_empty_is_none)
]
OptionalWebAddress = Annotated[
    Annotated[str, AfterValidator(web_address)] | None, BeforeValidator(_empty_is_none)
]
OptionalText = Annotated[str | None, BeforeValidator(_empty_is_none)]
LongSecret = Annotated[SecretStr, AfterValidator(_long_secret)]
FilledSecret = Annotated[SecretStr, AfterValidator(_filled_secret)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]
IdOrName = Annotated[int | str, BeforeValidator(_id_or_name)]
Domain = Annotated[str, AfterValidator(_domain)]
UrlPath = Annotated[str, AfterValidator(_path)]
RoutePath = Annotated[str, AfterValidator(_route)]
Glob = Annotated[str, AfterValidator(_pattern)]
