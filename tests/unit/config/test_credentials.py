"""Reading a configuration without its credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, SecretStr

from config.credentials import is_credential, stand_in
from config.faults import ConfigurationError
from config.settings import Settings, load_settings

CONFIG = """
redis: {url: "${REDIS_URL}"}
access: {tokens: [{name: ops, role: admin, token: "${ADMIN}"}, {name: dev, role: viewer, token: "${DEV}"}]}
hosts:
  github: {driver: github, secrets: ["${ONE}", "file:/nowhere/at/all"], token: "${GITHUB_TOKEN}"}
  own: {driver: standard-webhooks, secrets: ["${KEY}"]}
platforms: {codesphere: {driver: codesphere, token: "${CODESPHERE_TOKEN}"}}
notices: {team: {url: "${CHAT_URL}"}}
projects:
  shop:
    host: github
    repository: acme/shop
    triggers: [{push: {branches: [main]}}]
    target: {platform: codesphere, team: 1, plan: 2, domain: "DOMAIN"}
    workspace: {env: {DATABASE_URL: "${DATABASE_URL}"}}
    notify: [team]
"""


def test_unset_credentials_are_no_fault_where_none_is_needed() -> None:
    settings = load_settings(CONFIG.replace("DOMAIN", "a.example.com"), {}, Path(), stand_in=stand_in)

    assert settings.projects["shop"].target.domain == "a.example.com"
    assert settings.redis.url is None


def test_every_other_unset_variable_still_is() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(CONFIG.replace("DOMAIN", "${SHOP_DOMAIN}"), {}, Path(), stand_in=stand_in)

    assert [fault.path for fault in caught.value.faults] == ["projects.shop.target.domain"]


def test_by_default_each_of_them_is_a_fault() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(CONFIG.replace("DOMAIN", "a.example.com"), {}, Path())

    assert len(caught.value.faults) >= 9


def secret_places(model: type[BaseModel], path: str = "") -> list[str]:
    """Return where a model holds secrets, with any name for a key and 0 for a place in a list."""
    found: list[str] = []
    for name, info in model.model_fields.items():
        found += _within(info.annotation, f"{path}.{name}" if path else name)
    return found


def _within(annotation: Any, path: str) -> list[str]:
    if annotation is SecretStr:
        return [path]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return secret_places(annotation, path)
    origin = getattr(annotation, "__origin__", None)
    step = ".any" if origin is dict else ".0" if origin is tuple else ""
    return [place for each in get_args(annotation) for place in _within(each, path + step)]


def test_every_secret_of_the_settings_is_known_as_a_credential() -> None:
    places = set(secret_places(Settings))

    assert {"redis.url", "hosts.any.secrets.0", "hosts.any.token", "notices.any.url"} <= places
    assert [place for place in places if not is_credential(place)] == []
