"""What `doctor` asks of Git hosts that have a token: whose it is, what it may see, where the webhooks lead.

Every question only reads; a few calls for each project. A line never holds a secret, nor an address of a
webhook that is not ours: it may hold one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from config.projects import ProjectSettings
from config.settings import Settings
from workers.errors import Gone, PlatformError, TryAgain
from workers.flow.diagnosis import Line, Verdict
from workers.flow.ports import GitHost
from workers.releases.origin import Permission, RepositoryFacts

MOST_BRANCHES = 20
"""So many branches of a project are looked for; who names more will know them."""

Find = Callable[[str], GitHost | None]


def examine_hosts(settings: Settings, find: Find) -> Iterator[Line]:
    """Yield the answers of every host that can be asked.

    `find` returns a host's client by name, None where it cannot be asked, and raises `ValueError` where its
    address or token is unfit.
    """
    for name, host in settings.hosts.items():
        about = f"host {name}"
        try:
            client = find(name)
        except ValueError as error:
            yield Line(Verdict.FAIL, about, str(error), f"correct hosts.{name}.api_url or token")
            continue
        if client is None:
            if host.token is not None:
                text = f"its token is not used: this version cannot ask {host.driver} as it is configured"
                yield Line(Verdict.WARN, about, text, "`switchover check` says what is missing")
            continue
        user, line = _answering(name, client)
        yield line
        if user is not None:
            projects = [each for each in settings.projects.values() if each.host == name]
            yield from _projects(name, projects, client, user, settings.server.public_url)


def _answering(name: str, client: GitHost) -> tuple[str | None, Line]:
    about = f"host {name}"
    try:
        user = client.whoami()
    except TryAgain as error:
        advice = f"check hosts.{name}.api_url and the network; if both are right, try again later"
        return None, Line(Verdict.FAIL, about, str(error), advice)
    except PlatformError as error:
        advice = f"give hosts.{name}.token a new token, or empty it"
        return None, Line(Verdict.FAIL, about, str(error), advice)
    return user, Line(Verdict.OK, about, f"it answers and takes the token of {user}")


def _projects(
    host: str, projects: list[ProjectSettings], client: GitHost, user: str, public_url: str | None
) -> Iterator[Line]:
    for project in projects:
        about = f"project {project.name}"
        try:
            yield from _project(about, project, client)
            yield from _reporting(about, project, client, user)
            if public_url is not None:
                yield _webhook(about, project, client, f"{public_url}/webhooks/{host}")
        except TryAgain as error:
            yield Line(Verdict.FAIL, about, str(error), "the Git host was away meanwhile; try again")
        except Gone as error:
            advice = f"check projects.{project.name}.repository, and what hosts.{host}.token may see"
            yield Line(Verdict.FAIL, about, str(error), advice)
        except PlatformError as error:
            yield Line(Verdict.FAIL, about, str(error), f"check the rights of hosts.{host}.token")


def _project(about: str, project: ProjectSettings, client: GitHost) -> Iterator[Line]:
    facts = client.repository(project.repository)
    yield _repository(about, project, facts)
    for branch in _branches(project):
        if client.branch_head(project.repository, branch) is not None:
            continue
        text = f"{project.repository} has no branch {branch}"
        yield Line(Verdict.WARN, about, text, f"push it, or correct projects.{project.name}.triggers")
    if facts.default_branch is None:
        text = f"{project.repository} has no default branch"
        yield Line(Verdict.WARN, about, text, "push something to it")


def _reporting(about: str, project: ProjectSettings, client: GitHost, user: str) -> Iterator[Line]:
    """Say where the token may not do what reports need; scopes of a token cannot be asked for."""
    if not project.reports:
        return
    advice = f"give it the right to write, or switch projects.{project.name}.report off"
    try:
        right = client.permission(project.repository, user)
    except TryAgain:
        raise
    except PlatformError as error:
        text = f"whether the token may report releases to {project.repository} is not known: {error}"
        yield Line(Verdict.WARN, about, text, advice)
        return
    # A host that knows the user by another name than the token's says that there is no right at all.
    if right is Permission.READ:
        text = f"{user} may only read {project.repository}, so releases cannot be reported to it"
        yield Line(Verdict.WARN, about, text, advice)


def _repository(about: str, project: ProjectSettings, facts: RepositoryFacts) -> Line:
    if facts.full_name.lower() != project.repository.lower():
        text = f"repository {project.repository} is called {facts.full_name} by now"
        advice = f"set projects.{project.name}.repository: {facts.full_name}"
        return Line(Verdict.WARN, about, text, advice)
    branch = f"; its default branch is {facts.default_branch}" if facts.default_branch else ""
    return Line(Verdict.OK, about, f"the token may read repository {facts.full_name}{branch}")


def _branches(project: ProjectSettings) -> tuple[str, ...]:
    """Return the branches that the triggers name outright, without patterns."""
    named: dict[str, None] = {}
    for trigger in project.triggers:
        for pattern in getattr(trigger, "branches", ()):
            if not any(sign in pattern for sign in "!*?"):
                named[pattern] = None
        branch = getattr(trigger, "branch", None)
        if branch:
            named[branch] = None
    return tuple(named)[:MOST_BRANCHES]


def _webhook(about: str, project: ProjectSettings, client: GitHost, address: str) -> Line:
    try:
        hooks = [hook for hook in client.hooks(project.repository) if same_address(hook.address, address)]
    except TryAgain:
        raise
    except PlatformError as error:
        text = f"whether a webhook leads to {address} is not known: {error}"
        return Line(Verdict.WARN, about, text, "give the token the right to read webhooks, or look yourself")
    if any(hook.active for hook in hooks):
        return Line(Verdict.OK, about, f"a webhook of {project.repository} leads to {address}")
    if hooks:
        text = f"the webhook of {project.repository} to {address} is switched off"
        return Line(Verdict.WARN, about, text, "switch it on at the host")
    text = f"no webhook of {project.repository} leads to {address}"
    if any(trigger.kind == "poll" for trigger in project.triggers):
        return Line(Verdict.OK, about, f"{text}; it is polled")
    advice = "add one at the host, unless one of its organisation or group does it"
    return Line(Verdict.WARN, about, text, advice)


def same_address(one: str, other: str) -> bool:
    """Tell whether two web addresses lead to the same place, as far as can be told from them."""
    return _plain(one) == _plain(other)


def _plain(address: str) -> tuple[str, str, str]:
    scheme, _, rest = address.strip().partition("://")
    place, _, path = rest.partition("/")
    default = {"https": ":443", "http": ":80"}.get(scheme.lower(), "")
    return scheme.lower(), place.lower().removesuffix(default), path.rstrip("/")
