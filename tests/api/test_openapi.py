from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from supportapi.api.app import ROUTES, openapi_document
from supportapi.api.operation import OPERATION

if TYPE_CHECKING:
    from tests.api.world import Api

COMMITTED = Path(__file__).parents[2] / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return msgspec.json.decode(openapi_document())


def test_the_committed_document_is_this_one() -> None:
    assert COMMITTED.read_bytes() == openapi_document(), "run `make openapi`"


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_handler_is_documented(document: dict[str, Any]) -> None:
    documented = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}

    assert documented == {route.opt[OPERATION].id for route in ROUTES}
    assert len(documented) == len(ROUTES)


def test_every_failure_has_our_envelope(document: dict[str, Any]) -> None:
    ours = {"$ref": "#/components/schemas/Failure"}
    shapes = [
        response["content"]["application/json"]["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if status >= "400" and operation["operationId"] != "getReadiness"
    ]

    assert shapes
    assert all(shape == ours for shape in shapes)


def test_names_are_plain(document: dict[str, Any]) -> None:
    assert all(name.isalnum() for name in document["components"]["schemas"])


def test_what_may_be_left_out_of_a_body_says_its_default_in_words(document: dict[str, Any]) -> None:
    grain = document["components"]["schemas"]["MetricsQuery"]["properties"]["grain"]

    # openapi-typescript makes a field with a `default` one that must be sent.
    assert "default" not in grain
    assert grain["description"].endswith('Default: "day".')


def test_every_field_is_promised_unless_it_may_be_left_out(document: dict[str, Any]) -> None:
    row = document["components"]["schemas"]["CallRow"]

    assert set(row["required"]) == set(row["properties"])


def test_instants_and_enumerations_are_typed(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert schemas["CallRow"]["properties"]["started_at"]["format"] == "date-time"
    assert schemas["Job"]["properties"]["state"]["type"] == "string"


def test_query_parameters_keep_their_limits(document: dict[str, Any]) -> None:
    parameters = {found["name"]: found for found in document["paths"]["/api/calls"]["get"]["parameters"]}

    assert parameters["per_page"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert parameters["region"]["explode"] is True


def test_a_bundle_is_made_of_the_queries_and_answers_of_the_routes(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    query = schemas["Bundle"]["properties"]["queries"]["additionalProperties"]
    part = schemas["BundleAnswer"]["properties"]["data"]["additionalProperties"]

    assert query["discriminator"]["mapping"]["calls"] == "#/components/schemas/CallsQuery"
    assert schemas["CallsQuery"]["required"] == ["kind"]
    assert {choice["$ref"].rpartition("/")[2] for choice in part["anyOf"]} <= set(schemas)


def test_what_tells_kinds_of_queries_apart_is_no_query_parameter(document: dict[str, Any]) -> None:
    names = {found["name"] for found in document["paths"]["/api/metrics"]["get"]["parameters"]}

    assert "grain" in names
    assert "kind" not in names


@pytest.mark.anyio
async def test_it_is_served_without_a_token(api: Api) -> None:
    response = await api.client.get("/openapi.json")

    assert response.content == openapi_document()


@pytest.mark.anyio
async def test_the_docs_need_no_other_host(api: Api) -> None:
    page = await api.client.get("/docs")
    assets = [
        await api.client.get(f"/docs/assets/{name}") for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js")
    ]

    assert "http" not in page.text.replace("http-equiv", "")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert [asset.status_code for asset in assets] == [200, 200, 200]


def test_every_field_and_parameter_says_what_it_is(document: dict[str, Any]) -> None:
    silent = [name for name, schema in fields(document) if "description" not in schema]

    assert silent == []


def test_every_value_that_cannot_be_guessed_has_an_example(document: dict[str, Any]) -> None:
    bare = [name for name, schema in fields(document) if needs_example(schema) and not examples_of(schema)]

    assert bare == []


def test_every_example_is_a_value_that_may_come(document: dict[str, Any]) -> None:
    wrong = [
        (name, example, found.message)
        for name, schema in fields(document)
        for example in examples_of(schema)
        for found in Draft202012Validator(
            {**schema.get("schema", schema), "components": document["components"]}
        ).iter_errors(example)
    ]

    assert wrong == []


def test_no_object_is_one_without_any_field(document: dict[str, Any]) -> None:
    closed = [
        name
        for name, schema in fields(document)
        for choice in schema.get("anyOf", [schema])
        if choice.get("type") == "object" and "additionalProperties" not in choice
    ]

    assert closed == []


def test_clients_can_tell_failures_apart_by_their_codes(document: dict[str, Any]) -> None:
    codes = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]

    assert {"VALIDATION_ERROR", "METHOD_NOT_ALLOWED", "INTERNAL", "WARMING_UP"} <= set(codes)


def fields(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    of_schemas = [
        (f"{name}.{field}", schema)
        for name, struct in document["components"]["schemas"].items()
        for field, schema in struct.get("properties", {}).items()
    ]
    of_operations = [
        (f"{operation['operationId']}({parameter['name']})", parameter)
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
    ]
    return of_schemas + of_operations


def examples_of(schema: dict[str, Any]) -> list[Any]:
    return [schema["example"]] if "example" in schema else schema.get("examples", [])


def needs_example(schema: Any) -> bool:
    if schema is True:
        return True
    schema = schema.get("schema", schema)
    if "$ref" in schema or "enum" in schema or schema.get("type") in {"boolean", "null"}:
        return False
    inner = [*schema.get("anyOf", ()), *(schema[name] for name in ("items", "additionalProperties") if name in schema)]
    return any(needs_example(part) for part in inner) if inner else True
