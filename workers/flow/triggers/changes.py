"""Published releases and merged changes: which commit they mean."""

from __future__ import annotations

from config.globs import matches
from config.triggers import MergedTrigger, ReleaseTrigger
from workers.flow.triggers.model import TRIGGERS, ProjectRules, Ruling, candidate_of, place_of, token_hint
from workers.flow.triggers.questions import CommitOfTag, HeadOfBranch, Inquiry
from workers.releases.events import Event
from workers.releases.origin import is_full_commit


def judge_published(event: Event, project: ProjectRules, inquiry: Inquiry) -> list[Ruling]:
    """Say what a project does with a release that was published at the host."""
    triggers = [each for each in project.triggers if isinstance(each, ReleaseTrigger)]
    tag = event.facts.get("tag")
    if not triggers:
        return [Ruling(f"project {project.name} has no trigger for {event.kind} events", rule=TRIGGERS)]
    if not isinstance(tag, str) or not tag:
        return [Ruling("the published release names no tag")]
    if event.facts.get("draft") is True:
        return [Ruling(f"release {tag} is a draft, and drafts never count")]
    fitting = [each for each in triggers if matches(each.tags, tag)]
    if not fitting:
        patterns = ", ".join(pattern for each in triggers for pattern in each.tags)
        return [Ruling(f"release {tag} matches none of the release patterns {patterns}", rule=TRIGGERS)]
    rule = place_of(project, fitting[0])
    if event.facts.get("prerelease") is True and not any(each.prereleases for each in fitting):
        reason = f"release {tag} is a pre-release, and the trigger does not say prereleases: true"
        return [Ruling(reason, rule=rule)]
    said = f"release {tag} matches the release patterns {', '.join(fitting[0].tags)}"
    return [_tagged(event, project, tag, said, inquiry)._replace(rule=rule)]


def _tagged(event: Event, project: ProjectRules, tag: str, said: str, inquiry: Inquiry) -> Ruling:
    commit, question = event.facts.get("commit"), CommitOfTag(tag)
    if not isinstance(commit, str) or not is_full_commit(commit):
        if inquiry.is_open(question):
            return Ruling(f"{said}; {question} is asked", None, question)
        if not inquiry.is_known(question):
            hint = f"{token_hint(project)}, or release on pushes of tags"
            return Ruling(f"{said}, but {question} is not known; {hint}")
        commit = inquiry.answers.to(question)
    if commit is None:
        return Ruling(f"{said}, but there is no such tag")
    candidate = candidate_of(event, project, "release", f"refs/tags/{tag}", commit, f"release {tag}")
    return Ruling(said, candidate)


def judge_merged(event: Event, project: ProjectRules, inquiry: Inquiry) -> list[Ruling]:
    """Say what a project does with a merged change.

    It may have come from a fork: what stands on the branch now was let in by somebody with the right to.
    """
    triggers = [each for each in project.triggers if isinstance(each, MergedTrigger)]
    base, number = event.facts.get("base_branch"), event.facts.get("number")
    if not triggers:
        return [Ruling(f"project {project.name} has no trigger for {event.kind} events", rule=TRIGGERS)]
    if not isinstance(base, str) or not base:
        return [Ruling(f"the event does not say into which branch change {number} was merged")]
    trigger = next((each for each in triggers if matches(each.branches, base)), None)
    if trigger is None:
        patterns = ", ".join(pattern for each in triggers for pattern in each.branches)
        reason = f"change {number} went into {base}, which matches none of the merged patterns {patterns}"
        return [Ruling(reason, rule=TRIGGERS)]
    said = f"change {number} was merged into {base}, which matches {', '.join(trigger.branches)}"
    return [_merged(event, project, base, said, inquiry)._replace(rule=place_of(project, trigger))]


def _merged(event: Event, project: ProjectRules, base: str, said: str, inquiry: Inquiry) -> Ruling:
    commit = event.facts.get("merge_commit")
    if not isinstance(commit, str) or not commit:
        return Ruling(f"{said}, but its merge commit is not known; the push to {base} will name it")
    if not is_full_commit(commit):
        # Bitbucket Cloud cuts the hashes of changes. Only the head of the branch can make one whole.
        question = HeadOfBranch(base)
        if inquiry.is_open(question):
            return Ruling(f"{said}; {question} is asked", None, question)
        head = inquiry.answers.to(question) if inquiry.is_known(question) else None
        if head is None or not head.startswith(commit):
            return Ruling(
                f"{said}, but only a part of its merge commit is known; the push to {base} will name it"
            )
        commit = head
    message = f"merge of change {event.facts.get('number')}"
    return Ruling(said, candidate_of(event, project, "merged", f"refs/heads/{base}", commit, message))
