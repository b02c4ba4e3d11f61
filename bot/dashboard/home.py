"""The dashboard's page and the form to log in. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.api.models import BriefRelease, LaneView, ReleaseView, StandingView, TargetView
from bot.dashboard.look import asset, commit, page, tag, text
from bot.dashboard.state import State

_LOG_LINES: Final = 12


def login_page(nonce: str, fault: str | None = None) -> str:
    """Return the form to log in with a token of the configuration."""
    form = (
        '<form class="login card"><h3>Log in</h3>'
        '<p class="soft small">With a token from access.tokens of the configuration.</p>'
        '<label for="token" class="small">Token</label>'
        '<input id="token" type="password" autocomplete="current-password" required autofocus>'
        f'<p id="fault" class="failed small" role="alert">{text(fault or "")}</p>'
        "<button>Log in</button></form>"
    )
    return page("Switchover: log in", _DOCS, form, nonce, asset("login.js"))


_DOCS = '<a href="/api/docs">API</a>'


def home_page(state: State, nonce: str) -> str:
    """Return the dashboard."""
    nav = (
        f"{_DOCS}<span>{text(state.identity.name)} ({text(state.identity.role)})</span>"
        '<button data-path="/api/v1/auth/logout" data-reload="1">Log out</button>'
    )
    seen = datetime.fromtimestamp(state.now).astimezone().strftime("%H:%M:%S %Z")
    body = (
        _missing(state.missing)
        + f'<h2>Targets</h2><div class="grid">{"".join(map(_target, state.targets)) or _NO_TARGETS}</div>'
        + f"<h2>Releases</h2>{_releases(state)}"
        + f"<h2>Failed queue</h2>{_failed(state)}"
        + f'<p id="seen" class="soft small">As of {text(seen)}.</p>'
    )
    return page("Switchover", nav, body, nonce, asset("home.js"))


_NO_TARGETS = '<p class="soft">No project is configured yet.</p>'


def _missing(missing: str | None) -> str:
    if missing is None:
        return ""
    return f'<div class="card note bad">Releases do not move: {text(missing)}.</div>'


def _target(target: TargetView) -> str:
    name = text(target.name)
    if target.address:
        name = f'<a href="{text(target.address)}" rel="noreferrer">{name}</a>'
    lock = ""
    if target.lock:
        age, holder = target.lock.age_seconds, text(target.lock.release)
        lock = f'<p class="small soft">Locked for {age:.0f} s by {holder}</p>'
    gone = "" if target.configured else '<p class="small soft">Not configured any more.</p>'
    return f'<div class="card"><h3>{name}</h3>{gone}{"".join(map(_lane, target.lanes))}{lock}</div>'


def _lane(lane: LaneView) -> str:
    live = _brief(lane.live) if lane.live else '<span class="soft">nothing of ours is live</span>'
    lines = [f"<div>{text(lane.project)}: {live}</div>"]
    if lane.not_live_because and lane.newest:
        lines.append(
            f'<div class="small">Newest is #{lane.newest.number} {commit(lane.newest.commit)}, not live: '
            f"{text(lane.not_live_because)}</div>"
        )
    lines += [
        _standing(word, facts)
        for word, facts in (("Frozen", lane.freeze), ("Pinned", lane.pin), ("Held", lane.hold))
        if facts is not None
    ]
    return "".join(lines)


def _standing(word: str, facts: StandingView) -> str:
    by = f" by {text(facts.author)}" if facts.author else ""
    until = f" until {text(facts.until)}" if facts.until else ""
    return f'<div class="small waiting">{word}{by}{until}: {text(facts.reason or "no reason given")}</div>'


def _brief(release: BriefRelease) -> str:
    return f"{tag(release.status)} #{release.number} {commit(release.commit)}"


def _releases(state: State) -> str:
    if not state.releases:
        return '<p class="soft">Nothing was released yet: push to a branch that a trigger takes.</p>'
    rows = "".join(_row(release, state) for release in state.releases)
    return (
        '<div class="scroll"><table><thead><tr><th>Release</th><th>Commit</th><th>Status</th><th>Why</th>'
        f"<th>Began (UTC)</th><th></th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(release: ReleaseView, state: State) -> str:
    steps = "".join(
        f'<li class="{text(step.status)}" title="{text(step.name)}: {text(step.status)}"></li>'
        for step in release.steps
    )
    actor = f" by {text(release.trigger.actor)}" if release.trigger.actor else ""
    return (
        f"<tr id='release-{text(release.id)}'><td>{text(release.project)} #{release.number}"
        f"<div class='small soft'>{text(release.trigger.kind)}{actor}</div></td>"
        f"<td>{commit(release.commit)}</td>"
        f"<td>{tag(release.status)}<ul class='steps'>{steps}</ul></td>"
        f"<td class='small'>{text(release.reason)}{_downtime(release)}</td>"
        f"<td class='small soft'>{text(release.created_at[:19].replace('T', ' '))}</td>"
        f"<td>{_actions(release, state)}</td></tr>"
    )


def _downtime(release: ReleaseView) -> str:
    seen = release.downtime
    if seen is None:
        return ""
    unseen = f", nobody looked for {seen.unobserved_ms} ms" if seen.unobserved_ms else ""
    return (
        f"<div class='soft'>{seen.probes} probes, {seen.failed} failed, longest gap "
        f"{seen.longest_gap_ms} ms{unseen}</div>"
    )


def _actions(release: ReleaseView, state: State) -> str:
    if not state.identity.may("operator"):
        return ""
    path = f"/api/v1/releases/{release.id}"
    if release.status in ("queued", "running", "waiting"):
        return _button(f"{path}/cancel", "Cancel", f"Cancel release #{release.number}?")
    if release.status == "live":
        return _button(
            f"{path}/rollback", "Roll back", f"Take release #{release.number} back and pin its lane?"
        )
    return ""


def _failed(state: State) -> str:
    if not state.failed:
        return '<p class="soft">Empty.</p>'
    return "".join(_failure(release, state) for release in state.failed)


def _failure(release: ReleaseView, state: State) -> str:
    failure = release.failure
    log = "\n".join(failure.log[-_LOG_LINES:]) if failure else ""
    path = f"/api/v1/queue/failed/{release.id}"
    buttons = _button(f"{path}/retry", "Retry") if state.identity.may("operator") else ""
    if state.identity.may("admin"):
        buttons += " " + _button(path, "Discard", f"Discard release #{release.number}?", method="DELETE")
    where = f" at {text(failure.step)} ({text(failure.cause)})" if failure and failure.step else ""
    tail = (
        f"<details><summary class='small'>Last log lines</summary><pre>{text(log)}</pre></details>"
        if log
        else ""
    )
    return (
        f'<div class="card note bad">{tag(release.status)} {text(release.project)} #{release.number} '
        f"{commit(release.commit)}{where}<div>{text(failure.message if failure else release.reason)}</div>"
        f"{tail}<div>{buttons}</div></div>"
    )


def _button(path: str, words: str, ask: str = "", method: str = "POST") -> str:
    attributes = f'data-path="{text(path)}" data-method="{method}" data-ask="{text(ask)}"'
    return f"<button {attributes}>{text(words)}</button>"
