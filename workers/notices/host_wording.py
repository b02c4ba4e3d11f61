"""What a Git host is told of a release. Pure: from the release as it stands to the host's words."""

from __future__ import annotations

import hashlib
from typing import Final

from config.projects import ProjectSettings
from workers.releases.model import Release
from workers.releases.origin import DeploymentReport, DeploymentRequest, ReportState, StatusReport
from workers.releases.status import Status

CONTEXT: Final = "switchover/"
"""What every status of ours begins with, so that no trigger waits for it."""
LONGEST_LINE: Final = 140

_STATUSES: Final = {
    Status.QUEUED: ReportState.PENDING,
    Status.RUNNING: ReportState.RUNNING,
    Status.WAITING: ReportState.PENDING,
    Status.LIVE: ReportState.SUCCESS,
    Status.REPLACED: ReportState.SUCCESS,
    Status.FAILED: ReportState.FAILURE,
    Status.ROLLED_BACK: ReportState.FAILURE,
    Status.CANCELLED: ReportState.CANCELED,
    Status.SUPERSEDED: ReportState.CANCELED,
}
_DEPLOYMENTS: Final = _STATUSES | {
    Status.WAITING: ReportState.RUNNING,
    Status.REPLACED: ReportState.INACTIVE,
}


def status_of(release: Release, page: str | None) -> StatusReport:
    """Return the commit status of a release; it is the same for as long as status and step are."""
    return StatusReport(_STATUSES[release.status], CONTEXT + release.project, line_of(release), page)


def digest_of(report: StatusReport) -> str:
    """Return what two reports that say the same have in common."""
    return hashlib.sha256(f"{report.state}\n{report.description}".encode()).hexdigest()[:16]


def deployment_state(release: Release) -> ReportState | None:
    """Return how the deployment of a release stands; None before it has begun."""
    return None if release.status is Status.QUEUED else _DEPLOYMENTS[release.status]


def deployment_request(release: Release, project: ProjectSettings) -> DeploymentRequest:
    """Return the deployment of a release; its description is that of no other."""
    ref = release.ref or release.commit
    return DeploymentRequest(
        commit=release.commit,
        ref=ref.removeprefix("refs/heads/").removeprefix("refs/tags/"),
        environment=project.report.environment,
        description=f"Switchover release {release.id} (#{release.number} of {release.project})"[
            :LONGEST_LINE
        ],
        tag=ref.startswith("refs/tags/"),
        production=project.flow != "preview",
    )


def deployment_report(
    release: Release, project: ProjectSettings, state: ReportState, page: str | None
) -> DeploymentReport:
    """Return how the deployment of a release stands, in words."""
    return DeploymentReport(state, line_of(release), page, project.target.public_url or None)


def page_of(release: Release, public_url: str | None) -> str | None:
    """Return where people read more about a release; None where `server.public_url` is not set."""
    return None if public_url is None else f"{public_url}/#release-{release.id}"


def line_of(release: Release) -> str:
    """Return one line of at most 140 characters: how the release stands, and why where it went wrong."""
    name = f"Release #{release.number}"
    match release.status:
        case Status.QUEUED:
            return f"{name} is queued"
        case Status.RUNNING:
            return f"{name}: {release.step or 'begun'}"
        case Status.WAITING:
            return f"{name} waits for {release.step or 'its turn'}"
        case Status.LIVE | Status.REPLACED:
            return f"{name} went live"
        case Status.FAILED:
            where = f" at {release.step}" if release.step else ""
            return _cut(f"{name} failed{where}: {release.reason}")
        case _:
            return _cut(f"{name} was {release.status.value.replace('_', ' ')}: {release.reason}")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."
