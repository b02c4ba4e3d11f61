"""Every answer that is not what was asked for: one shape, whatever went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workers.errors import NotAllowed, NotFound, StoreAway, SwitchoverError

RETRY_AFTER_SECONDS = 5
"""How long a caller should wait before it tries again what the store was away for."""

REQUEST_ID = "switchover.request_id"
"""Key of the request's id in the ASGI scope."""

_MOST_FAULTS = 10


class Problem(Exception):
    """A refusal with its HTTP status. `message` is one sentence; `detail` tells more, where there is more."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.headers = dict(headers or {})


class ErrorView(BaseModel):
    """What every error looks like."""

    status: int
    message: str
    title: str
    detail: str | None
    trace_id: str


def problem_of(error: Exception) -> Problem:
    """Return how an error is answered; anything unforeseen is a 500 that tells nothing of its inside."""
    match error:
        case Problem():
            return error
        case NotFound():
            return Problem(404, _sentence(error))
        case NotAllowed():
            return Problem(409, _sentence(error))
        case StoreAway():
            return Problem(
                503,
                "The store is away; nothing was written. Try again in a few seconds.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
        case HTTPException():
            return Problem(error.status_code, _http_words(error), headers=error.headers)
        case ValidationError():
            return _invalid(error)
        case _:
            return Problem(500, "Something went wrong inside Switchover; its log has this trace_id.")


def envelope(problem: Problem, trace_id: str) -> Response:
    """Return the problem as an answer."""
    view = ErrorView(
        status=problem.status,
        message=problem.message,
        title=title_of(problem.status),
        detail=problem.detail,
        trace_id=trace_id,
    )
    return JSONResponse(view.model_dump(), problem.status, problem.headers)


async def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error that a handler raised; the shape that Starlette wants of an exception handler."""
    return envelope(problem_of(error), trace_id_of(request))


HANDLED = (HTTPException, Problem, SwitchoverError, ValidationError)
"""Errors that are answers; all others are faults of ours, and logged."""


def trace_id_of(request: Request) -> str:
    """Return the id that the answer carries as X-Request-Id."""
    return str(request.scope.get(REQUEST_ID, ""))


def title_of(status: int) -> str:
    """Return HTTP's own name of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _http_words(error: HTTPException) -> str:
    if error.status_code == 404:
        return "There is nothing at this address; /api/docs lists what there is."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "other methods")
        return f"This address takes {allowed} only."
    return str(error.detail)


def _invalid(error: ValidationError) -> Problem:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if faults and faults[0]["type"] == "json_invalid":
        return Problem(400, "The body is not JSON in UTF-8.", detail=faults[0]["msg"])
    told = "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in faults[:_MOST_FAULTS]
    )
    return Problem(422, "The request has values that cannot be used.", detail=told)
