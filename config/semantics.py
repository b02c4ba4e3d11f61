"""Faults that only show when parts of the file are held against each other."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from config.durations import WRITTEN_BY_A_PERSON
from config.faults import nearest
from config.host_rules import host_faults
from config.projects import TargetSettings, route_key
from config.reporting import Found, Place, known_at, unknown_key
from config.values import Section

NAMED = {"hosts": "host", "platforms": "platform", "notices": "notice", "projects": "project"}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


def semantic_faults(tree: Mapping[str, Any], project_model: type[Section]) -> list[Found]:
    """Check the resolved and merged file; it may be faulty, what is unfit is passed over."""
    found: list[Found] = []
    for check in (_names, _references, _flows, _claims, _tokens, _platform_addresses):
        found += check(tree)
    found += host_faults(_mapping(tree, "hosts"))
    known = known_at(project_model, ())
    for name, project in _entries(tree, "projects"):
        for key in ("name", "host_has_token"):
            if key in project:
                found.append((("projects", name, key), unknown_key(key, known)))
    return found


def _mapping(value: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _entries(tree: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entry in _mapping(tree, section).items():
        if isinstance(entry, Mapping):
            yield name, entry


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(tree: Mapping[str, Any]) -> Iterator[Found]:
    for section, kind in NAMED.items():
        for name in _mapping(tree, section):
            if not _NAME.fullmatch(name):
                yield (
                    (section, name),
                    f"is no name for a {kind}, since it is used in addresses; begin with a letter or "
                    "digit, go on with letters, digits and . _ - (63 at most)",
                )


def _references(tree: Mapping[str, Any]) -> Iterator[Found]:
    for name, project in _entries(tree, "projects"):
        place: Place = ("projects", name)
        yield from _reference((*place, "host"), project.get("host"), tree, "hosts")
        platform = _mapping(project, "target").get("platform")
        yield from _reference((*place, "target", "platform"), platform, tree, "platforms")
        for index, notice in enumerate(_list(project.get("notify"))):
            yield from _reference((*place, "notify", index), notice, tree, "notices")


def _reference(place: Place, name: Any, tree: Mapping[str, Any], section: str) -> Iterator[Found]:
    known = _mapping(tree, section)
    if not isinstance(name, str) or name in known:
        return
    hint = nearest(name, known) or (
        f"; known: {', '.join(known)}" if known else f"; there is none under {section}"
    )
    yield place, f"names no known {NAMED[section]}{hint}"


def _flows(tree: Mapping[str, Any]) -> Iterator[Found]:
    for name, project in _entries(tree, "projects"):
        flow = project.get("flow") or "zero-downtime"
        target = project.get("target")
        if not isinstance(target, Mapping):
            continue
        for key in _NEEDED.get(flow, ()) if isinstance(flow, str) else ():
            if target.get(key) in (None, ""):
                yield (("projects", name, "target", key), f"is required by the flow {flow}")


_NEEDED = {
    "zero-downtime": ("plan", "domain"),
    "in-place": ("workspace",),
    "preview": ("plan",),
}


def _claims(tree: Mapping[str, Any]) -> Iterator[Found]:
    claimed: dict[tuple[Any, ...], str] = {}
    for name, project in _entries(tree, "projects"):
        target = _target(project)
        if target is None:
            continue
        for claim, place, what in _claims_of(target, project, _origin(tree, target.platform)):
            first = claimed.setdefault(claim, name)
            if first != name:
                yield (
                    ("projects", name, "target", *place),
                    f"claims the same {what} as projects.{first}; only one project may own it",
                )


def _claims_of(
    target: TargetSettings, project: Mapping[str, Any], origin: str
) -> Iterator[tuple[tuple[Any, ...], Place, str]]:
    flow = project.get("flow") or "zero-downtime"
    if flow == "in-place" and target.workspace is not None:
        yield (origin, target.workspace), ("workspace",), "workspace of the same platform"
    if flow == "zero-downtime" and target.domain:
        stated = _list(_mapping(project, "target").get("paths"))
        for index, path in enumerate(target.paths):
            place = ("paths", index) if stated else ("domain",)
            claim = (origin, target.team, target.domain, route_key(path))
            yield claim, place, "path of the same domain"


def _target(project: Mapping[str, Any]) -> TargetSettings | None:
    try:
        return TargetSettings.model_validate(
            project.get("target"), context=WRITTEN_BY_A_PERSON, by_alias=True, by_name=False
        )
    except ValidationError:
        return None  # reported where the whole file is validated


def _origin(tree: Mapping[str, Any], platform: str) -> str:
    entry = _mapping(tree, "platforms", platform)
    address = entry.get("api_url") or entry.get("driver")
    if not isinstance(address, str):
        return platform
    try:
        return urlsplit(address).netloc.lower() or address
    except ValueError:
        return platform


def _tokens(tree: Mapping[str, Any]) -> Iterator[Found]:
    entries = _list(_mapping(tree, "access").get("tokens"))
    for key, message in _ONCE.items():
        first: dict[str, int] = {}
        for index, entry in enumerate(entries):
            value = _mapping(entry).get(key)
            if isinstance(value, str) and value and first.setdefault(value, index) != index:
                yield ("access", "tokens", index, key), message(first[value])


_ONCE: dict[str, Callable[[int], str]] = {
    "name": lambda first: f"is the name of access.tokens.{first} too; each needs its own",
    "token": lambda first: f"is the token of access.tokens.{first} too; each needs its own",
}


def _platform_addresses(tree: Mapping[str, Any]) -> Iterator[Found]:
    for name, platform in _entries(tree, "platforms"):
        if platform.get("driver") == "codenvy" and not platform.get("api_url"):
            yield ("platforms", name, "api_url"), "is required for the driver codenvy"
