"""Finds teams and plans by id or name, and says what speaks against a target. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from workers.errors import Refused
from workers.platforms.codesphere.shapes import DomainShape, PlanShape, TeamShape

_MOST_NAMES = 20
S = TypeVar("S", TeamShape, PlanShape)


def find_team(teams: Sequence[TeamShape], wanted: int | str) -> TeamShape:
    """Find the team; `Refused` lists those that the token's user is a member of."""
    return _find("team", wanted, [(team, team.id, team.name) for team in teams])


def find_plan(plans: Sequence[PlanShape], wanted: int | str) -> PlanShape:
    """Find the plan; `Refused` lists those on offer. Of several with one name, those on offer count."""
    offered = [plan for plan in plans if not plan.deprecated]
    names = {plan.title for plan in offered}
    known = [plan for plan in plans if not (plan.deprecated and plan.title in names and plan.id != wanted)]
    return _find("plan", wanted, [(plan, plan.id, plan.title) for plan in known], listed=offered)


def check_plan(plan: PlanShape, replicas: int) -> None:
    """Refuse a plan that cannot carry the workspace."""
    named = f"plan {plan.title!r} (id {plan.id})"
    if plan.deprecated:
        raise Refused(f"{named} is deprecated; choose another plan")
    if plan.max_replicas is not None and replicas > plan.max_replicas:
        raise Refused(f"{named} allows {plan.max_replicas} replicas, and workspace.replicas is {replicas}")
    if replicas > 1 and plan.characteristics.on_demand:
        raise Refused(
            f"{named} sleeps when unused and runs one replica only; choose an always-on plan for {replicas}"
        )


def warnings(team: TeamShape, plan: PlanShape, domain: DomainShape | None) -> tuple[str, ...]:
    """Say what works but will hurt."""
    said = []
    if plan.characteristics.on_demand:
        said.append(
            f"plan {plan.title!r} sleeps after about an hour without traffic: visitors wait for it to wake,"
            " and so does a rollback; choose an always-on plan for production"
        )
    if domain is not None and _far(domain.data_center_id, team.default_data_center_id):
        said.append(
            f"{domain.name} is in data centre {domain.data_center_id}, and team {team.name!r} makes new"
            f" workspaces in {team.default_data_center_id}: the domain may not reach them"
        )
    return tuple(said)


def missing_domain(name: str, team: TeamShape, existing: Iterable[str]) -> Refused:
    """Build the refusal of a domain that the team does not have."""
    return Refused(
        f"team {team.name!r} (id {team.id}) has no domain {name}; it has {_listed(sorted(existing))}. Add the"
        " domain there first"
    )


def _find(
    kind: str,
    wanted: int | str,
    known: Sequence[tuple[S, int, str]],
    listed: Sequence[S] | None = None,
) -> S:
    by_name = [thing for thing, _, name in known if name == str(wanted)] if isinstance(wanted, str) else []
    if len(by_name) > 1:
        ids = ", ".join(str(thing.id) for thing in by_name)
        raise Refused(f"several {kind}s are named {wanted!r} (ids {ids}); give the id")
    by_id = [thing for thing, number, _ in known if str(number) == str(wanted)]
    found = by_name or by_id
    if found:
        return found[0]
    shown = [f"{name!r} (id {number})" for thing, number, name in known if listed is None or thing in listed]
    raise Refused(f"there is no {kind} {wanted!r}; there are {_listed(shown)}")


def _far(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return (", ".join(names[:_MOST_NAMES]) or "none") + more
