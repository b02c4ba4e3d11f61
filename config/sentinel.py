"""The address of a store that Sentinels watch over: `redis+sentinel://[user:password@]host:port,…/service?db=0`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

SCHEME = "redis+sentinel://"
DEFAULT_PORT = 26379
EXAMPLE = "redis+sentinel://host1:26379,host2:26379/service?db=0"


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Where the Sentinels are, and which of their services is the store. The passwords are not shown."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)


def is_sentinel(url: str) -> bool:
    """Tell whether an address names Sentinels instead of a server."""
    return url.startswith(SCHEME)


def sentinel_address(url: str) -> SentinelAddress:
    """Read such an address; ValueError says what is wrong with it without repeating it.

    User and password are the store's; the Sentinels' own password is `sentinel_password` in the query.
    """
    parts = urlsplit(url)
    credentials, _, places = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    service = unquote(parts.path.strip("/"))
    if not places or not service or "/" in service or parts.fragment:
        raise ValueError(f"should name Sentinels and a service, for example {EXAMPLE}")
    query = parse_qs(parts.query, keep_blank_values=True)
    unknown = sorted(set(query) - {"db", "sentinel_password"})
    if unknown:
        raise ValueError(
            f"has an unknown option in its query; known are db and sentinel_password ({EXAMPLE})"
        )
    database = query.get("db", ["0"])[0]
    if not (database.isascii() and database.isdigit()):
        raise ValueError(f"has a db that is not a number ({EXAMPLE})")
    return SentinelAddress(
        tuple(_place(place) for place in places.split(",")),
        service,
        int(database),
        unquote(username) or None,
        unquote(password) or None,
        query.get("sentinel_password", [""])[0] or None,
    )


def _place(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    if not parts.hostname:
        raise ValueError(f"names a Sentinel that is not host:port; write for example {EXAMPLE}")
    return parts.hostname, DEFAULT_PORT if port is None else port
