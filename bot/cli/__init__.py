"""The `switchover` command. Each subcommand is imported when it is used, as some need heavy libraries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from bot.cli.frame import Invocation
from bot.cli.lazy import LazyGroup, Place
from config.environment import drop_celery_environment

COMMANDS: Final[dict[str, Place]] = {
    "up": ("bot.cli.processes:up", "Run everything: store, receiver, workers."),
    "serve": ("bot.cli.processes:serve", "Run the receiver, the API and the dashboard."),
    "worker": ("bot.cli.processes:worker", "Run a worker."),
    "sandbox": ("bot.cli.processes:sandbox", "Run a local Codesphere to try things on."),
    "check": ("bot.cli.check:check", "Check the configuration, offline."),
    "doctor": ("bot.cli.doctor:doctor", "Ask everything around whether releases can work, online."),
    "explain": ("bot.cli.explain:explain", "Say what a delivery would do, and why, offline."),
    "releases": ("bot.cli.releases:releases", "List, start, watch and steer releases."),
    "queue": ("bot.cli.queue:queue", "Failed releases and waiting work."),
    "deliveries": ("bot.cli.deliveries:deliveries", "Webhook deliveries and their verdicts."),
    "workspaces": ("bot.cli.workspaces:workspaces", "Workspaces that Switchover made."),
    "locks": ("bot.cli.locks:locks", "Who holds which target."),
    "freeze": ("bot.cli.standing:freeze", "Stop a project's releases."),
    "unfreeze": ("bot.cli.standing:unfreeze", "Let a frozen project's releases go on."),
    "unpin": ("bot.cli.standing:unpin", "Take a project's pin away; its newest commit is released."),
    "forget-repository": (
        "bot.cli.standing:forget_repository",
        "Follow the repository that has a project's name now.",
    ),
    "unhold": ("bot.cli.standing:unhold", "Let a lane go on that was held for a person to look at."),
    "reload": ("bot.cli.reload:reload", "Have a running Switchover read its configuration again."),
    "version": ("bot.cli.version:show_version", "Print the version."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file. Default: SWITCHOVER_CONFIG; no other place is looked at.",
)
@click.pass_context
def switchover(context: click.Context, config: Path | None) -> None:
    """Releases without downtime, started by webhooks.

    Commands that steer a running Switchover use SWITCHOVER_URL and SWITCHOVER_TOKEN.
    """
    environ = dict(context.obj or {})
    told = environ.get("SWITCHOVER_CONFIG")
    context.obj = Invocation(config or (Path(told) if told else None), environ)


def main() -> None:
    """Run the command line; an entry point."""
    drop_celery_environment(os.environ)
    switchover.main(prog_name="switchover", obj=dict(os.environ))
