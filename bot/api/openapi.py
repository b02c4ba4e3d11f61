"""The API's own description (OpenAPI 3.1), made from the table of endpoints and their models. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bot.api.endpoint import Endpoint
from bot.api.models import VerdictView
from bot.envelope import ErrorView, title_of

JSON = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
_MEDIA: Final = "application/json"
_FORM: Final = "multipart/form-data"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_WORDS: Final = {"id": "The id", "name": "The project's name", "host": "The host's name in the configuration"}
_ALWAYS: Final = (500, 503)

WEBHOOK: Final = Endpoint(
    "POST",
    "/webhooks/{host}",
    "Take a delivery of a Git host (signed)",
    "receiver",
    None,
    answer=VerdictView,
    refusals=(400, 401, 404, 408, 413, 415),
)
"""The receiver is no endpoint of the table, as it reads raw bytes; here it is described like one."""


def document(endpoints: Iterable[Endpoint], *, version: str) -> JSON:
    """Return the whole description."""
    table = [WEBHOOK, *endpoints]
    paths: JSON = {}
    for endpoint in table:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    # A webhook that made releases is answered 202, one that made none 200, with the same body.
    hook = paths[WEBHOOK.path]["post"]["responses"]
    hook["202"] = {**hook["200"], "description": "Releases were made"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Switchover",
            "version": version,
            "description": "Releases without downtime, started by webhooks. Lists come newest first.",
        },
        "paths": paths,
        "components": {"schemas": _schemas(table), "securitySchemes": _SECURITY},
    }


_SECURITY: Final[JSON] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A configured or a temporary token"},
    "session": {"type": "apiKey", "in": "cookie", "name": "switchover_session"},
    "temporary": {"type": "apiKey", "in": "query", "name": "token", "description": "A temporary token"},
}


def _operation(endpoint: Endpoint) -> JSON:
    operation: JSON = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_headers(endpoint)],
        "responses": _responses(endpoint),
        "security": [] if endpoint.role is None else [{name: []} for name in _SECURITY],
    }
    if endpoint.role is not None:
        operation["description"] = f"Needs the role {endpoint.role}."
    if endpoint.body is not None:
        schema = {"schema": _reference(endpoint.body)}
        operation["requestBody"] = {
            "required": not endpoint.body_optional,
            "content": {_MEDIA: schema, _FORM: schema},
        }
    elif endpoint is WEBHOOK:
        content = {"schema": {"type": "object"}}
        operation["requestBody"] = {
            "required": True,
            "content": {_MEDIA: content, "application/x-www-form-urlencoded": content},
        }
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"[a-z0-9]+", endpoint.path.removeprefix("/api/v1"))
    return "_".join([endpoint.method.lower(), *words])


def _path_parameters(endpoint: Endpoint) -> list[JSON]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _WORDS[name],
            "schema": {"type": "string"},
        }
        for name in _PARAMETER.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[JSON]:
    if endpoint.query is None:
        return []
    schema = endpoint.query.model_json_schema(ref_template=_REF)
    return [
        {"name": name, "in": "query", "required": False, "schema": _inlined(body, schema.get("$defs", {}))}
        for name, body in schema["properties"].items()
    ]


def _inlined(schema: JSON, definitions: Mapping[str, JSON]) -> JSON:
    """Return the schema of a parameter without references, since parameters stand outside the models."""
    if "$ref" in schema:
        return definitions[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return {**schema, "anyOf": [_inlined(each, definitions) for each in schema["anyOf"]]}
    return schema


def _headers(endpoint: Endpoint) -> list[JSON]:
    return [
        {"name": name, "in": "header", "required": False, "description": words, "schema": {"type": "string"}}
        for name, words in endpoint.request_headers.items()
    ]


def _responses(endpoint: Endpoint) -> JSON:
    good: JSON = {"description": title_of(endpoint.status), "headers": {"X-Request-Id": _TEXT_HEADER}}
    if endpoint.answer is not None:
        good["content"] = {_MEDIA: {"schema": _reference(endpoint.answer)}}
    elif endpoint.status != 204:
        good["content"] = {endpoint.media: {"schema": {"type": "string"}}}
    if endpoint.status == 201:
        good["headers"]["Location"] = _TEXT_HEADER
    refusals = {*endpoint.refusals, *_ALWAYS}
    if endpoint.body is not None:
        refusals |= {400, 413, 415, 422}
    bad = {
        str(status): {
            "description": title_of(status),
            "content": {_MEDIA: {"schema": _reference(ErrorView)}},
        }
        for status in sorted(refusals)
    }
    return {str(endpoint.status): good, **bad}


_TEXT_HEADER: Final[JSON] = {"schema": {"type": "string"}}


def _reference(model: type[BaseModel]) -> JSON:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas(endpoints: Iterable[Endpoint]) -> JSON:
    given = {endpoint.answer for endpoint in endpoints if endpoint.answer} | {ErrorView}
    taken = {endpoint.body for endpoint in endpoints if endpoint.body}
    _, made = models_json_schema(
        [(model, "serialization") for model in sorted(given, key=_name)]
        + [(model, "validation") for model in sorted(taken, key=_name)],
        ref_template=_REF,
    )
    definitions: JSON = made["$defs"]
    return definitions


def _name(model: type[BaseModel]) -> str:
    return model.__name__
