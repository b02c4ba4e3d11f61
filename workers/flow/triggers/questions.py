"""What a delivery does not say: questions to the host or to the store, and the answers that came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

from workers.releases.origin import Check, Comparison, OpenChange, Permission

AnswerType_co = TypeVar("AnswerType_co", covariant=True)


class Question(Generic[AnswerType_co]):
    """One thing to find out. Equal questions have one answer; `str` says it to people."""

    asked_of: ClassVar[Literal["host", "store"]] = "host"

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ChangedPaths(Question[Comparison | None]):
    """Which files changed between two commits. `patterns` are the project's, for whoever explains."""

    base: str
    head: str
    patterns: tuple[str, ...]

    def __str__(self) -> str:
        return f"which files changed from {self.base[:12]} to {self.head[:12]}"


@dataclass(frozen=True, slots=True)
class MayRelease(Question[Permission]):
    """What the user may do in the repository; `at_least` is what the rules demand."""

    user: str
    at_least: Permission

    def __str__(self) -> str:
        return f"whether {self.user} has the right to {self.at_least.name.lower()}"


@dataclass(frozen=True, slots=True)
class HeadOfChange(Question[OpenChange | None]):
    """The change (pull or merge request) as it is now; None where none is open under the number."""

    number: int

    def __str__(self) -> str:
        return f"what the head of change {self.number} is"


@dataclass(frozen=True, slots=True)
class CommitOfTag(Question[str | None]):
    """The commit behind a tag, annotated ones peeled; None where there is no such tag."""

    tag: str

    def __str__(self) -> str:
        return f"which commit the tag {self.tag} names"


@dataclass(frozen=True, slots=True)
class HeadOfBranch(Question[str | None]):
    """The commit at the head of a branch; None where there is no such branch."""

    branch: str

    def __str__(self) -> str:
        return f"what the head of {self.branch} is"


@dataclass(frozen=True, slots=True)
class DefaultBranch(Question[str | None]):
    """The name of the repository's default branch; None where nothing was pushed yet."""

    def __str__(self) -> str:
        return "what the default branch is"


@dataclass(frozen=True, slots=True)
class Green(Question[tuple[Check, ...]]):
    """How CI stands for the commit: every check that the host knows of.

    To be asked again until the decision is settled, for at most `within` seconds after the push; `checks`
    are those that count, none: all.
    """

    commit: str
    checks: tuple[str, ...]
    within: float

    def __str__(self) -> str:
        return f"whether {', '.join(self.checks) or 'CI'} is green for {self.commit[:12]}"


@dataclass(frozen=True, slots=True)
class NamedRef:
    """A ref that a verified push set to a commit, with what is still known of that push.

    `age` is how many seconds ago that was. `green` are checks that the host told were green before.
    """

    ref: str
    before: str | None = None
    forced: bool | None = None
    host_time: float | None = None
    actor: str | None = None
    message: str | None = None
    paths: tuple[str, ...] | None = None
    age: float | None = None
    green: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedBy(Question[tuple[NamedRef, ...]]):
    """Which refs pushes to the repository set to the commit, newest first; the store knows."""

    commit: str

    asked_of = "store"

    def __str__(self) -> str:
        return f"which push named {self.commit[:12]}"


class Answers:
    """What was found out. What could not be is left out; an answer may be None, as its question says."""

    def __init__(self, known: Mapping[Question[Any], object] = MappingProxyType({})) -> None:
        self._known = dict(known)

    def __contains__(self, question: object) -> bool:
        return question in self._known

    def to(self, question: Question[AnswerType_co]) -> AnswerType_co:
        """Return the answer; KeyError where there is none."""
        return cast("AnswerType_co", self._known[question])

    def __or__(self, more: Answers) -> Answers:
        return Answers({**self._known, **more._known})


NOTHING_KNOWN = Answers()


class Inquiry:
    """The answers so far, and the questions that nobody can answer: what a decision is made with.

    With `late`, what is still under way counts as never coming.
    """

    __slots__ = ("answers", "closed", "late")

    def __init__(
        self, answers: Answers = NOTHING_KNOWN, closed: Iterable[Question[Any]] = (), *, late: bool = False
    ) -> None:
        self.answers = answers
        self.closed = frozenset(closed)
        self.late = late

    def is_open(self, question: Question[Any]) -> bool:
        """Tell whether the question has yet to be asked."""
        return question not in self.answers and question not in self.closed

    def is_known(self, question: Question[Any]) -> bool:
        """Tell whether there is an answer."""
        return question in self.answers


UNASKED = Inquiry()
