"""The API's own description: whole, well-formed, and true to the routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from bot.asgi import make_app
from tests.web.web import Web

pytestmark = pytest.mark.anyio


async def described(web: Web) -> dict[str, Any]:
    """Return the description as it is served."""
    answer = await web.http.get("/api/openapi.json")
    document: dict[str, Any] = answer.json()
    return document


async def test_the_description_covers_every_route_and_nothing_else(web: Web) -> None:
    document = await described(web)

    routes = {
        (route.path, method)
        for route in make_app(web.services).routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    told = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert told == routes


async def test_every_schema_is_a_json_schema_and_every_reference_leads_somewhere(web: Web) -> None:
    document = await described(web)
    schemas = document["components"]["schemas"]

    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for reference in references_in(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


async def test_every_operation_has_a_name_of_its_own_and_the_envelope_for_its_errors(web: Web) -> None:
    document = await described(web)
    operations = [operation for item in document["paths"].values() for operation in item.values()]

    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorView"}


async def test_a_release_is_as_it_is_described(web: Web) -> None:
    document = await described(web)
    release_id = await web.released()

    release = (await web.ask("GET", f"/releases/{release_id}")).json()

    schema = {"$ref": "#/components/schemas/ReleaseView", "components": document["components"]}
    Draft202012Validator(schema).validate(release)


def references_in(value: Any) -> Iterator[str]:
    """Yield every reference below a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from references_in(each)
