"""A group of commands that imports a command when it is run, and none to list them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

Place = tuple[str, str]
"""Where a command is (`module:name`) and its one line of help."""


class LazyGroup(click.Group):
    """See the module."""

    def __init__(self, *arguments: Any, commands_at: Mapping[str, Place] | None = None, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._places = dict(commands_at or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names in the order of the table."""
        del ctx
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in self._places.items()])
