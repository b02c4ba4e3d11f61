"""What the receiver is measured against: a bare Starlette route that answers 202 to any body."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def take(request: Request) -> Response:
    """Read the body and answer."""
    body = await request.body()
    return JSONResponse({"bytes": len(body)}, status_code=202)


if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=[Route("/webhooks/github", take, methods=["POST"])]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="critical",
        access_log=False,
    )
