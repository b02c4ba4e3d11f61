"""Logging for every process: one line per event on stderr, in colour or as JSON, secrets masked."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "[redacted]"
QUIET = ("httpx", "httpcore", "urllib3", "markdown_it")
OWN_HANDLERS = ("uvicorn", "uvicorn.access", "uvicorn.error", "celery", "celery.task", "kombu")

_SECRET_WORDS = ("token", "secret", "authorization", "password", "passwd", "cookie", "signature")
_QUERY_TOKEN = re.compile(r"(?i)\b((?:\w+[_-])?token=)[^&\s\"'#]+")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+")
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/@:\"']*:)[^\s/@\"']+(?=@)", re.ASCII)
_DEEPEST = 20


def redact(value: Any) -> Any:
    """Return a logged value with all that looks secret masked, at any depth.

    Masked are values under keys that name a secret, `token=` in addresses, bearer tokens, and
    passwords in URLs. Other values come back as they are.
    """
    return _redacted(value, _DEEPEST)


def _redacted(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        masked = _QUERY_TOKEN.sub(rf"\1{MASK}", value)
        masked = _BEARER.sub(rf"\1{MASK}", masked)
        return _URL_PASSWORD.sub(rf"\1{MASK}", masked)
    if depth == 0:
        return MASK if isinstance(value, Mapping | list | tuple) else value
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret_key(key) and each else _redacted(each, depth - 1)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(each, depth - 1) for each in value]
    return value


def is_secret_key(key: object) -> bool:
    """Tell whether a key looks as if its value were a secret."""
    lower = str(key).lower()
    return any(word in lower for word in _SECRET_WORDS)


def _redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # The record and its exc_info are objects that later processors need as they are.
    kept = {key: event[key] for key in ("_record", "_from_structlog", "exc_info") if key in event}
    rest = {key: value for key, value in event.items() if key not in kept}
    return {**redact(rest), **kept}


def _redact_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if isinstance(event.get("exception"), str):
        event["exception"] = redact(event["exception"])
    return event


def configure_logging(
    level: str = "info",
    format: Literal["auto", "console", "json"] = "auto",  # noqa: A002 - the key's name in the file
    stream: TextIO | None = None,
) -> None:
    """Send all logging of this process to `stream` (stderr when None), replacing what was set up.

    `auto` is coloured text on a terminal and JSON elsewhere. Records of the standard library's
    logging (uvicorn, celery, httpx) take the same way; httpx speaks from WARNING up.
    """
    target = sys.stderr if stream is None else stream
    threshold = logging.getLevelNamesMapping()[level.upper()]
    on_terminal = target.isatty()
    as_json = format == "json" or (format == "auto" and not on_terminal)
    shared = _shared_processors()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_rendering(as_json=as_json, colors=on_terminal)
        )
    )
    _route_standard_library(handler, threshold)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(*, as_json: bool, colors: bool) -> list[Processor]:
    # Redaction comes last before rendering, so that nothing added on the way escapes it.
    # Tracebacks become plain text: one that shows local variables would show secrets.
    start: list[Processor] = [
        _redact_event,
        structlog.processors.format_exc_info,
        _redact_text,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    ]
    if as_json:
        return [*start, structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
    return [*start, structlog.dev.ConsoleRenderer(colors=colors)]


def _route_standard_library(handler: logging.Handler, threshold: int) -> None:
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(threshold)
    for name in OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)
