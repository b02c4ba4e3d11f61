"""Logs: their shape, their way, and what never shows in them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from config.logging import MASK, configure_logging, redact

from .samples import SECRET


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_a_line_is_one_json_object() -> None:
    stream = io.StringIO()
    configure_logging("info", "auto", stream)

    structlog.get_logger("switchover").info("release went live", release="r1", number=3)

    [line] = lines(stream)
    assert line["event"] == "release went live"
    assert (line["release"], line["number"], line["level"]) == ("r1", 3, "info")
    assert line["timestamp"].endswith("Z")
    assert line["logger"] == "switchover"


def test_on_a_terminal_a_line_has_colours() -> None:
    stream = Terminal()
    configure_logging("info", "auto", stream)

    structlog.get_logger("switchover").info("release went live", release="r1")

    assert "\x1b[" in stream.getvalue()
    assert "release went live" in stream.getvalue()


def test_console_without_a_terminal_has_no_colours() -> None:
    stream = io.StringIO()
    configure_logging("info", "console", stream)

    structlog.get_logger("switchover").info("hello")

    assert "hello" in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_records_of_the_standard_library_take_the_same_way(form: Any) -> None:
    stream = io.StringIO()
    uvicorn = logging.getLogger("uvicorn.access")
    former = io.StringIO()
    uvicorn.addHandler(logging.StreamHandler(former))
    configure_logging("info", form, stream)

    uvicorn.info('%s - "%s %s"', "127.0.0.1", "GET", f"/api?x=1&token={SECRET}&y=2")
    logging.getLogger("celery.worker").warning("lost the broker")

    first, second = stream.getvalue().splitlines()
    assert f"token={MASK}&y=2" in first
    assert SECRET not in first
    assert "lost the broker" in second
    assert former.getvalue() == ""


def test_httpx_speaks_from_warning_up() -> None:
    stream = io.StringIO()
    configure_logging("debug", "json", stream)

    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("httpx").warning("trouble")

    assert [line["event"] for line in lines(stream)] == ["trouble"]


def test_what_lies_under_the_level_is_left_out() -> None:
    stream = io.StringIO()
    configure_logging("warning", "json", stream)

    structlog.get_logger("switchover").info("chatter")
    logging.getLogger("celery").info("chatter")

    assert stream.getvalue() == ""


def test_setting_up_twice_writes_each_line_once() -> None:
    stream = io.StringIO()
    configure_logging("info", "json", io.StringIO())
    configure_logging("info", "json", stream)

    structlog.get_logger("switchover").info("once")

    assert len(lines(stream)) == 1


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "values",
    [
        {"token": SECRET},
        {"X-Hub-Signature-256": SECRET},
        {"headers": {"Authorization": SECRET, "Set-Cookie": [SECRET]}},
        {"platforms": [{"client_secret": SECRET}]},
        {"url": f"https://x/api?token={SECRET}"},
        {"redis": f"redis://:{SECRET}@localhost:6379/0"},
        {"clone": f"https://git:{SECRET}@example.com/x.git"},
        {"header": f"Bearer {SECRET}"},
    ],
)
def test_secrets_never_reach_a_line(form: Any, values: dict[str, Any]) -> None:
    stream = io.StringIO()
    configure_logging("info", form, stream)
    log = structlog.get_logger("switchover")

    log.info("call", **values)
    log.bind(**values).warning("bound")
    with structlog.contextvars.bound_contextvars(**values):
        logging.getLogger("foreign").error("context")

    assert len(stream.getvalue().splitlines()) == 3
    assert SECRET not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_is_shown_without_secrets(form: Any) -> None:
    stream = io.StringIO()
    configure_logging("info", form, stream)
    hidden = SECRET

    try:
        int(f"https://x/?token={hidden}")
    except ValueError:
        structlog.get_logger("switchover").exception("failed")
        logging.getLogger("foreign").exception("failed too")

    assert stream.getvalue().count("ValueError: invalid literal") == 2
    assert SECRET not in stream.getvalue()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc/?&=", max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    )
)
def test_what_is_no_secret_stays_as_it_is(value: Any) -> None:
    assert redact(value) == value


def test_a_level_that_a_library_left_behind_hides_nothing() -> None:
    stream = io.StringIO()
    logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)

    configure_logging("info", "json", stream)
    logging.getLogger("uvicorn.access").info("seen")

    assert "seen" in stream.getvalue()
