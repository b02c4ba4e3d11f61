"""Request bodies: read with a cap, refused while they stream, and turned into models."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from bot.envelope import Problem

LARGEST_API_BODY: Final = 1024 * 1024
BODY_SECONDS: Final = 60.0
"""A body that takes longer to arrive is given up."""

_JSON: Final = "application/json"
_FORM: Final = "multipart/form-data"

Shape = TypeVar("Shape", bound=BaseModel)


async def read_capped(receive: Receive, stated: str | None, most: int) -> bytes:
    """Return the body's bytes; `Problem` 413 as soon as more than `most` came, 408 when it is too slow.

    `stated` is the request's own Content-Length, which may lie and then only shortens the way to the 413.
    `ClientDisconnect` when the caller went away.
    """
    if _length(stated) > most:
        raise _too_large(most)
    late = False
    task = asyncio.current_task()

    def give_up() -> None:
        nonlocal late
        late = True
        if task is not None:
            task.cancel()

    # asyncio.timeout does the same at five times the price, which shows where every delivery pays it.
    timer = asyncio.get_running_loop().call_later(BODY_SECONDS, give_up)
    try:
        return await _read(receive, most)
    except asyncio.CancelledError:
        if not late or task is None or task.uncancel() > 0:
            raise
        raise Problem(408, f"The body did not arrive within {BODY_SECONDS:.0f} seconds.") from None
    finally:
        timer.cancel()


async def _read(receive: Receive, most: int) -> bytes:
    message = await receive()
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        message = await receive()


async def read_model(request: Request, shape: type[Shape], *, optional: bool) -> Shape:
    """Return the body as a model: JSON, or multipart form data whose parts are JSON.

    An empty body stands for the model's defaults where the body is optional. `Problem` 413, 415, 400;
    pydantic's `ValidationError` for values that do not fit.
    """
    stated = request.headers.get("content-length")
    body = await read_capped(request.receive, stated, LARGEST_API_BODY)
    if not body and optional:
        return shape()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "Send the body as it is, without a Content-Encoding.")
    if media_type == _FORM:
        return shape.model_validate_json(json.dumps(await _form_values(request, body)))
    if media_type != _JSON and not (optional and not media_type):
        raise Problem(415, f"Set Content-Type to {_JSON}, or send multipart form data with JSON parts.")
    return shape.model_validate_json(body)


async def _form_values(request: Request, body: bytes) -> dict[str, Any]:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    values: dict[str, Any] = {}
    async with Request(request.scope, replay).form(max_files=20, max_fields=50) as form:
        for name, part in form.multi_items():
            text = (await part.read()) if isinstance(part, UploadFile) else part
            values[name] = _json_or_text(name, text)
    return values


def _json_or_text(name: str, text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise Problem(400, f"The form's part {name[:80]} nests too deep.") from None
    except ValueError:
        return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _length(stated: str | None) -> int:
    return int(stated) if stated and stated.isascii() and stated.isdigit() and len(stated) < 19 else 0


def _too_large(most: int) -> Problem:
    return Problem(413, f"The body is larger than the {most} bytes that are taken here.")
