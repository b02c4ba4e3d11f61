"""What an event asks of each project, and why: pure decisions, before the store is asked.

What only the store knows (duplicates, newer commits, freezes) is decided at admission. What only the host
knows is left as a question: `decide` says `ask`, somebody asks, `settle` goes on with the answers.
"""

from workers.flow.triggers.deciding import decide, decide_ci, settle, without_answers
from workers.flow.triggers.model import Candidate, Decision, MovedBack, ProjectRules, Verdict
from workers.flow.triggers.pushes import branch_is_taken
from workers.flow.triggers.questions import (
    NOTHING_KNOWN,
    Answers,
    ChangedPaths,
    CommitOfTag,
    DefaultBranch,
    Green,
    HeadOfBranch,
    HeadOfChange,
    MayRelease,
    NamedBy,
    NamedRef,
    Question,
)
from workers.flow.triggers.repositories import same_repository
from workers.flow.triggers.standing import Standing, at_tag, on_branch
from workers.flow.triggers.sweeps import FoundBy, lost_pushes, needs_token
from workers.flow.triggers.times import catch_up_every, next_time, poll_every, schedule_event, schedules_of

__all__ = [
    "NOTHING_KNOWN",
    "Answers",
    "Candidate",
    "ChangedPaths",
    "CommitOfTag",
    "Decision",
    "DefaultBranch",
    "FoundBy",
    "Green",
    "HeadOfBranch",
    "HeadOfChange",
    "MayRelease",
    "MovedBack",
    "NamedBy",
    "NamedRef",
    "ProjectRules",
    "Question",
    "Standing",
    "Verdict",
    "at_tag",
    "branch_is_taken",
    "catch_up_every",
    "decide",
    "decide_ci",
    "lost_pushes",
    "needs_token",
    "next_time",
    "on_branch",
    "poll_every",
    "same_repository",
    "schedule_event",
    "schedules_of",
    "settle",
    "without_answers",
]
