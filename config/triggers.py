"""What makes a project release by itself: the entries of `triggers`, each with one key."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from config.globs import matches
from config.values import Glob, Section


class PushTrigger(Section):
    """A push to a branch or a new tag; branches and tags are taken by the patterns that fit."""

    kind: ClassVar[Literal["push"]] = "push"
    branches: tuple[Glob, ...] = ()
    tags: tuple[Glob, ...] = ()
    forced: Literal["release", "ignore"] = "release"

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if all(pattern.startswith("!") for pattern in (*self.branches, *self.tags)):
            raise ValueError("takes no branch and no tag; write for example branches: [main]")
        return self

    def takes_branch(self, branch: str) -> bool:
        """Tell whether a push to this branch (`main`, not `refs/heads/main`) is wanted."""
        return matches(self.branches, branch)

    def takes_tag(self, tag: str) -> bool:
        """Tell whether this tag (`v1`, not `refs/tags/v1`) is wanted."""
        return matches(self.tags, tag)


class ManualTrigger(Section):
    """Says in the file that people start this project; they always can."""

    kind: ClassVar[Literal["manual"]] = "manual"


TRIGGERS: dict[str, type[Section]] = {"push": PushTrigger, "manual": ManualTrigger}


def _kind(value: object) -> str | None:
    if isinstance(value, PushTrigger | ManualTrigger):
        return value.kind
    if isinstance(value, Mapping) and len(value) == 1:
        kind = next(iter(value))
        return kind if kind in TRIGGERS else None
    return None


def _body(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    body = next(iter(value.values()))
    return {} if body is None else body


Trigger = Annotated[
    Annotated[PushTrigger, BeforeValidator(_body), Tag("push")]
    | Annotated[ManualTrigger, BeforeValidator(_body), Tag("manual")],
    Discriminator(_kind),
]
"""In a file `push: {…}`; in Python the model itself. New kinds join here and in TRIGGERS."""


def as_written(trigger: PushTrigger | ManualTrigger) -> dict[str, Any]:
    """Return a trigger in the shape of the file: its kind as the only key."""
    return {trigger.kind: trigger.model_dump(mode="json", by_alias=True)}
