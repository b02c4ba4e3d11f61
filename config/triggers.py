"""What makes a project release by itself: the entries of `triggers`, each with one key."""

import zoneinfo
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from config.cron import Cron, parse_cron
from config.durations import Duration, lasting
from config.globs import matches
from config.values import Glob, OptionalText, Section

SKIP_PHRASES = ("[skip release]", "[release skip]", "[no release]")
LONGEST_TEXT = 100


def _phrase(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise ValueError(
            f"is empty or longer than {LONGEST_TEXT} characters; write for example [skip release]"
        )
    return text


def _command(text: str) -> str:
    if (
        text != text.strip()
        or len(text.splitlines()) != 1
        or text[0] not in "/!@."
        or len(text) > LONGEST_TEXT
    ):
        raise ValueError(
            "is no command: one line that begins with / (or !, @, .), so that no ordinary sentence "
            "is one; write for example /release"
        )
    return text


def _lets_something_in(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if patterns and all(pattern.startswith("!") for pattern in patterns):
        raise ValueError('only takes away; begin with what is wanted, for example ["**", "!docs/**"]')
    return patterns


def _cron(text: str) -> str:
    parse_cron(text)
    return text


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            "is no time zone that this machine knows; write for example Europe/Berlin or UTC"
        ) from None
    return name


def _branch(text: str | None) -> str | None:
    if text is not None and (any(map(str.isspace, text)) or any(each in text for each in "*?[\\^~:!")):
        raise ValueError("should be the name of one branch, for example main; patterns have no meaning here")
    return text


Globs = Annotated[tuple[Glob, ...], AfterValidator(_lets_something_in)]
Phrase = Annotated[str, AfterValidator(_phrase)]
Command = Annotated[str, AfterValidator(_command)]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class PushTrigger(Section):
    """A push to a branch or a new tag; branches and tags are taken by the patterns that fit.

    `when: ci` waits, at most `within` seconds, until CI is green for the pushed commit: until all of `checks`
    are, or without any, until the commit as a whole is.
    """

    kind: ClassVar[Literal["push"]] = "push"
    branches: tuple[Glob, ...] = ()
    tags: tuple[Glob, ...] = ()
    forced: Literal["release", "ignore"] = "release"
    paths: Globs = ()
    skip: tuple[Phrase, ...] = SKIP_PHRASES
    when: Literal["pushed", "ci"] = "pushed"
    checks: tuple[Name, ...] = ()
    within: Annotated[Duration, lasting("1m", "7d")] = 7200.0

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if all(pattern.startswith("!") for pattern in (*self.branches, *self.tags)):
            raise ValueError("takes no branch and no tag; write for example branches: [main]")
        if self.checks and self.when != "ci":
            raise ValueError("names checks that nothing waits for; add when: ci")
        return self

    @cached_property
    def skips(self) -> tuple[tuple[str, str], ...]:
        """The skip phrases, each in the form that is looked for and as it was written."""
        return tuple((phrase.casefold(), phrase) for phrase in self.skip)

    def takes_branch(self, branch: str) -> bool:
        """Tell whether a push to this branch (`main`, not `refs/heads/main`) is wanted."""
        return matches(self.branches, branch)

    def takes_tag(self, tag: str) -> bool:
        """Tell whether this tag (`v1`, not `refs/tags/v1`) is wanted."""
        return matches(self.tags, tag)


class ReleaseTrigger(Section):
    """A release that was published at the host, by its tag. Drafts never count."""

    kind: ClassVar[Literal["release"]] = "release"
    tags: Annotated[Globs, Field(min_length=1)] = ("**",)
    prereleases: bool = False


class MergedTrigger(Section):
    """A change (pull or merge request) that was merged into one of these branches."""

    kind: ClassVar[Literal["merged"]] = "merged"
    branches: Annotated[Globs, Field(min_length=1)]


class CommentTrigger(Section):
    """A command in a comment. Without `branches` it releases the default branch only."""

    kind: ClassVar[Literal["comment"]] = "comment"
    commands: Annotated[tuple[Command, ...], Field(min_length=1)] = ("/release",)
    by: Literal["write", "maintain", "admin"] = "write"
    on: Literal["changes", "anywhere"] = "changes"
    branches: Globs = ()


class ScheduleTrigger(Section):
    """Times at which the head of a branch is released; `branch` None is the default branch."""

    kind: ClassVar[Literal["schedule"]] = "schedule"
    cron: Annotated[str, AfterValidator(_cron)]
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    branch: Annotated[OptionalText, AfterValidator(_branch)] = None

    @cached_property
    def times(self) -> Cron:
        """What `cron` says, parsed."""
        return parse_cron(self.cron)

    @cached_property
    def clock(self) -> zoneinfo.ZoneInfo:
        """The zone in whose local time `cron` is meant."""
        return zoneinfo.ZoneInfo(self.zone)


class CatchUpTrigger(Section):
    """How often branch heads are compared with what was released, so that no push is lost (seconds)."""

    kind: ClassVar[Literal["catch-up"]] = "catch-up"
    every: Annotated[Duration, lasting("30s", "24h")] = 300.0
    enabled: bool = True


class PollTrigger(Section):
    """How often the host is asked for new commits where no webhook can reach us (seconds)."""

    kind: ClassVar[Literal["poll"]] = "poll"
    every: Annotated[Duration, lasting("5s", "24h")] = 30.0


class ManualTrigger(Section):
    """Says in the file that people start this project; they always can."""

    kind: ClassVar[Literal["manual"]] = "manual"


AnyTrigger = (
    PushTrigger
    | ReleaseTrigger
    | MergedTrigger
    | CommentTrigger
    | ScheduleTrigger
    | CatchUpTrigger
    | PollTrigger
    | ManualTrigger
)

TRIGGERS: dict[str, type[Section]] = {
    "push": PushTrigger,
    "release": ReleaseTrigger,
    "merged": MergedTrigger,
    "comment": CommentTrigger,
    "schedule": ScheduleTrigger,
    "catch-up": CatchUpTrigger,
    "poll": PollTrigger,
    "manual": ManualTrigger,
}


def _kind(value: object) -> str | None:
    if isinstance(value, AnyTrigger):
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
    | Annotated[ReleaseTrigger, BeforeValidator(_body), Tag("release")]
    | Annotated[MergedTrigger, BeforeValidator(_body), Tag("merged")]
    | Annotated[CommentTrigger, BeforeValidator(_body), Tag("comment")]
    | Annotated[ScheduleTrigger, BeforeValidator(_body), Tag("schedule")]
    | Annotated[CatchUpTrigger, BeforeValidator(_body), Tag("catch-up")]
    | Annotated[PollTrigger, BeforeValidator(_body), Tag("poll")]
    | Annotated[ManualTrigger, BeforeValidator(_body), Tag("manual")],
    Discriminator(_kind),
]
"""In a file `push: {…}`; in Python the model itself. New kinds join here, in AnyTrigger and in TRIGGERS."""


def as_written(trigger: AnyTrigger) -> dict[str, Any]:
    """Return a trigger in the shape of the file: its kind as the only key."""
    return {trigger.kind: trigger.model_dump(mode="json", by_alias=True)}
