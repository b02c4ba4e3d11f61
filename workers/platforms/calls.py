"""One API call as a value, and the paths that it may go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from urllib.parse import quote

JSON = object
"""Anything that `json.loads` gives; the shapes of a driver say what it must be."""


class _NoBody(Enum):
    """Tells "no body" from a body that is JSON null."""

    NO_BODY = "no body"


NO_BODY: Final = _NoBody.NO_BODY


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be asked of an API.

    `purpose` completes "could not ..." in error messages. `changes` says whether the call can have an
    effect at all: a failed read never leaves the outcome open. `wants_json` is False for actions, whose
    bodies are undocumented and never parsed. `hint` is added to messages of a 400 or a 500, where the
    API tells less than we know. `secrets` are taken out of everything that the API echoes.
    """

    method: str
    path: str
    purpose: str
    body: JSON = field(default=NO_BODY, repr=False)
    changes: bool = True
    wants_json: bool = False
    slow: bool = False
    hint: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


def path_of(*segments: str | int) -> str:
    """Join the segments to a path, each percent-encoded with no safe characters.

    A branch `feature/x` stays one segment (`feature%2Fx`); dots alone cannot climb.
    """
    return "".join(f"/{_encoded(str(segment))}" for segment in segments)


def _encoded(segment: str) -> str:
    # A segment of only dots would be resolved away by clients and gateways.
    return segment.replace(".", "%2E") if segment in {".", ".."} else quote(segment, safe="")
