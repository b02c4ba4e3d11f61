"""What is said of secrets: which are in use, and which may be dropped."""

from __future__ import annotations

from config.settings import HostSettings, Settings
from workers.flow.diagnosis import Line
from workers.flow.secret_examination import QUIET_SECONDS, examine_secrets

NOW = 1_800_000_000.0
OLD, NEW = "the-old-secret-of-the-host", "the-new-secret-of-the-host"
HOST = HostSettings.model_validate({"driver": "github", "secrets": [OLD, NEW]})
FIRST, SECOND = HOST.fingerprints


def said(**uses: float) -> list[Line]:
    used = {FIRST: uses.get("old"), SECOND: uses.get("new")}
    known = {name: at for name, at in used.items() if at is not None}
    return list(examine_secrets(Settings(hosts={"github": HOST}), lambda _: known, NOW))


def test_a_secret_that_was_long_not_used_while_another_was_may_be_dropped() -> None:
    old, new = said(old=NOW - QUIET_SECONDS - 1, new=NOW - 60)

    assert old.advice is not None
    assert "take it out" in old.advice
    assert new.advice is None
    assert f"hosts.github.secrets[0] ({FIRST}) last verified a delivery at 2027-" in old.text


def test_a_secret_that_was_just_used_stays() -> None:
    assert [line.advice for line in said(old=NOW - 60, new=NOW - 30)] == [None, None]


def test_before_any_delivery_no_secret_is_called_old() -> None:
    assert [line.advice for line in said()] == [None, None]
    assert "verified no delivery yet" in said()[0].text


def test_no_line_holds_a_secret() -> None:
    assert not any(secret in line.text for line in said(old=1.0, new=2.0) for secret in (OLD, NEW))
