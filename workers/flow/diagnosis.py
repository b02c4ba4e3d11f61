"""The words in which `doctor` answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One answer: what was looked at, how it stands, and what to do about it."""

    verdict: Verdict
    about: str
    text: str
    advice: str | None = None
