"""Whether CI is green for a commit, from what the host lists."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from config.durations import format_duration
from config.triggers import PushTrigger
from workers.flow.triggers.model import ProjectRules, Ruling
from workers.flow.triggers.questions import Green, Inquiry
from workers.releases.origin import Check, CheckState

OUR_CHECKS = "switchover"
"""How the names of the statuses begin that we report ourselves; waiting for them would never end."""


class Light(StrEnum):
    """How CI stands as a whole."""

    GREEN = "green"
    RED = "red"
    PENDING = "pending"


def light_of(found: Sequence[Check], wanted: Sequence[str]) -> tuple[Light, str]:
    """Return how CI stands, and the words for it.

    Named checks must all be there and be a success. Without names everything that is there must be over
    and nothing failed, and something must be a success. Our own statuses never count.
    """
    relevant = [check for check in found if not is_ours(check.name)]
    if wanted:
        relevant = [check for check in relevant if check.name in wanted]
    failed = _names(relevant, CheckState.FAILURE)
    if failed:
        return Light.RED, f"{', '.join(failed)} failed"
    succeeded = _names(relevant, CheckState.SUCCESS)
    open_ones = set(_names(relevant, CheckState.PENDING))
    if wanted:
        open_ones |= set(wanted) - set(succeeded)
    if open_ones or not succeeded:
        return Light.PENDING, f"still without success: {', '.join(sorted(open_ones)) or 'every check'}"
    return Light.GREEN, f"{', '.join(succeeded)} succeeded"


def is_ours(check: str) -> bool:
    """Tell whether this is the name of a status that we report."""
    return check == OUR_CHECKS or check.startswith((f"{OUR_CHECKS}/", f"{OUR_CHECKS}:", f"{OUR_CHECKS} "))


def _names(checks: Sequence[Check], state: CheckState) -> list[str]:
    return sorted({check.name for check in checks if check.state is state})


def green(trigger: PushTrigger, inquiry: Inquiry, ruling: Ruling, project: ProjectRules) -> Ruling:
    """Let a ruling stand only if CI is green for its commit, and say what it waits for until then."""
    if ruling.candidate is None:
        return ruling
    question = Green(ruling.candidate.commit, trigger.checks, trigger.within)
    wanted = ", ".join(trigger.checks) or "CI"
    waiting = f"{ruling.reason}; it waits until {wanted} is green for {question.commit[:12]}"
    if inquiry.is_open(question):
        return Ruling(waiting, None, question)
    if not inquiry.is_known(question):
        if inquiry.late:
            words = f"whether {wanted} is green for {question.commit[:12]} could not be found out"
            return Ruling(f"{ruling.reason}, but {words} within {format_duration(trigger.within)}")
        return Ruling(
            f"{waiting}, which the host has to tell in an event of its CI (without a token it cannot be "
            f"asked: hosts.{project.host}.token)"
        )
    light, words = light_of(inquiry.answers.to(question), trigger.checks)
    if light is Light.GREEN:
        return ruling._replace(reason=f"{ruling.reason}; CI is green: {words}")
    if light is Light.RED:
        return Ruling(f"{ruling.reason}, but CI is red: {words}")
    if inquiry.late:
        return Ruling(f"{ruling.reason}, but CI took longer than {format_duration(trigger.within)}: {words}")
    return Ruling(f"{waiting}; {words}", None, question)
