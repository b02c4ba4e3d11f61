"""What all commands share: configuration, client, output, and the exit status of what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from bot.client import Client
    from config.settings import Settings

WRONG_USE: Final = 2
FAILED: Final = 1
DEFAULT_URL: Final = "http://127.0.0.1:8080"
_CALLERS_FAULT: Final = frozenset({400, 401, 402, 403, 413, 415, 422})

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


class Fault(click.ClickException):
    """Something that ends the command: words on stderr and, with --json, a document on stdout."""

    exit_code = FAILED

    def __init__(self, message: str, *, document: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self._document = document or {"error": {"message": message}}
        context = click.get_current_context(silent=True)
        self._as_json = bool(context and context.params.get("as_json"))

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell; called by click."""
        if self._as_json:
            print_json(self._document)
        click.echo(self.message, file=file, err=True)


class Misuse(Fault):
    """A `Fault` that is the caller's: wrong use, configuration or token."""

    exit_code = WRONG_USE


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the command line was started with."""

    config: Path | None
    environ: Mapping[str, str]

    def config_path(self) -> Path:
        """Return the configuration's path; `Fault` when none was named."""
        if self.config is None:
            raise Misuse("No configuration: name one with --config FILE or SWITCHOVER_CONFIG.")
        return self.config

    def settings(self, path: Path | None = None, *, needs_credentials: bool = True) -> Settings:
        """Return the configuration; `Fault` with every fault of it at once.

        Without `needs_credentials`, credentials that are not set here are no fault.
        """
        from config.credentials import stand_in
        from config.faults import ConfigurationError
        from config.settings import read_settings

        try:
            instead = None if needs_credentials else stand_in
            return read_settings(path or self.config_path(), self.environ, stand_in=instead)
        except ConfigurationError as error:
            faults = [{"path": fault.path, "message": fault.message} for fault in error.faults]
            raise Misuse(str(error), document={"ok": False, "faults": faults}) from None

    def settings_again(self) -> Settings:
        """Return the configuration as the file says now, or raise `ConfigurationError`."""
        from config.settings import read_settings

        return read_settings(self.config_path(), self.environ)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Return a client for SWITCHOVER_URL; what it raises becomes a `Fault`."""
        from bot.client import ApiError, Client, Unreachable

        token = self.environ.get("SWITCHOVER_TOKEN")
        if not token:
            raise Misuse("SWITCHOVER_TOKEN is not set: export a token of access.tokens.")
        url = self.environ.get("SWITCHOVER_URL") or DEFAULT_URL
        if not url.startswith(("http://", "https://")):
            raise Misuse(f"SWITCHOVER_URL is no web address: {url}")
        try:
            with Client(url, token) as client:
                yield client
        except ApiError as error:
            kind = Misuse if error.status in _CALLERS_FAULT else Fault
            detail = error.envelope.get("detail")
            words = f"{error} {detail}" if detail else str(error)
            raise kind(words, document={"error": error.envelope}) from None
        except Unreachable as error:
            raise Fault(f"{error}. Is SWITCHOVER_URL right?") from None


pass_invocation: Final[Callable[..., Any]] = click.pass_obj


def print_json(document: object) -> None:
    """Print the one document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows in columns as wide as what they hold, or `empty` when there are none."""
    if not rows:
        click.echo(empty)
        return
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    for line in (heads, *texts):
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def release_row(release: Mapping[str, Any]) -> tuple[object, ...]:
    """Return a release as a row under `RELEASE_HEADS`."""
    return (
        release["id"],
        f"{release['project']} #{release['number']}",
        release["commit"][:10],
        release["status"],
        release["step"],
        release["reason"],
    )


RELEASE_HEADS: Final = ("ID", "RELEASE", "COMMIT", "STATUS", "STEP", "REASON")


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else str(value)
