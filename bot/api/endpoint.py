"""What an endpoint is, and how a request becomes a call of its handler."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.auth import Identity, identify
from bot.bodies import read_model
from bot.envelope import Problem
from config.settings import Role
from workers.wiring import WebServices

Method = Literal["GET", "POST", "PUT", "DELETE"]
Shape = TypeVar("Shape", bound=BaseModel)

_ID: Final = re.compile(r"[A-Za-z0-9._~:-]{1,160}", re.ASCII)
_MEDIA: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers; without content the answer has no body."""

    content: BaseModel | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    """None: the endpoint's own status."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authorised and read. Handlers run in a thread and may ask the store."""

    request: Request
    services: WebServices
    identity: Identity | None
    body: BaseModel | None = None
    query: BaseModel | None = None

    @property
    def who(self) -> Identity:
        """Return who asks; only for endpoints that need a role."""
        if self.identity is None:
            raise TypeError("this endpoint asks for no token")
        return self.identity

    @property
    def id(self) -> str:
        """Return the `{id}` of the path; `Problem` 404 for one that can be nobody's."""
        text: str = self.request.path_params["id"]
        if not _ID.fullmatch(text):
            raise Problem(404, "There is nothing with this id.")
        return text

    def body_as(self, shape: type[Shape]) -> Shape:
        """Return the body, which was read as this model."""
        return _typed(self.body, shape)

    def query_as(self, shape: type[Shape]) -> Shape:
        """Return the query, which was read as this model."""
        return _typed(self.query, shape)


Handler = Callable[[Call], Reply]
Raw = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path. `role` None: no token needed. `raw` handlers make their answer themselves."""

    method: Method
    path: str
    summary: str
    tag: str
    role: Role | None
    handler: Handler | None = None
    raw: Raw | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    body: type[BaseModel] | None = None
    body_optional: bool = False
    query: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()
    media: str = _MEDIA
    request_headers: Mapping[str, str] = field(default_factory=dict)

    async def serve(self, request: Request) -> Response:
        """Authorise, read, call, answer."""
        if self.raw is not None:
            if self.role is not None:
                await self._authorise(request)
            return await self.raw(request)
        services: WebServices = request.app.state.services
        identity = None if self.role is None else await self._authorise(request)
        body = (
            None if self.body is None else await read_model(request, self.body, optional=self.body_optional)
        )
        call = Call(request, services, identity, body, self._read_query(request))
        if self.handler is None:
            raise TypeError(f"{self.method} {self.path} has no handler")
        return self._answer(await run_in_threadpool(self.handler, call))

    async def _authorise(self, request: Request) -> Identity:
        identity = await identify(request, request.app.state.services)
        if self.role is not None:
            identity.must(self.role, f"{self.method} {self.path}")
        return identity

    def _read_query(self, request: Request) -> BaseModel | None:
        if self.query is None:
            return None
        return self.query.model_validate(
            {name: value for name, value in request.query_params.items() if name != "token"}
        )

    def _answer(self, reply: Reply) -> Response:
        status = reply.status or self.status
        if reply.content is None:
            return Response(status_code=status, headers=dict(reply.headers))
        text = reply.content.model_dump_json(by_alias=True)
        return Response(text, status, dict(reply.headers), media_type=_MEDIA)


def _typed(value: BaseModel | None, shape: type[Shape]) -> Shape:
    if not isinstance(value, shape):
        raise TypeError(f"the endpoint declares no {shape.__name__}")
    return value
