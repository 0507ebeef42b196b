"""The document is complete, and its examples are what its schemas say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapters.inbound.http.app import HttpPorts, build_app
from adapters.inbound.http.edge import Instruments
from adapters.inbound.http.problem_table import PROBLEMS
from adapters.security.request_keys import RequestKeys
from adapters.security.tokens import SCOPES, TokenKey
from adapters.system import SystemClock, SystemIds
from adapters.telemetry.logs import Logs
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from tests.integration.http.fakes import FakeLimits, FakeUseCases

Operation = tuple[str, dict[str, Any]]

#: Routes of the public contract that this version has, and those that must not be there yet.
THERE = {
    "POST /v1/credit-decisions", "GET /v1/credit-decisions", "GET /v1/credit-decisions/{id}",
    "GET /v1/credit-decisions/{id}/explanation", "POST /v1/credit-decisions/{id}/replay",
    "POST /v1/credit-decisions/{id}/review", "POST /v1/credit-decisions/what-if",
    "POST /v1/quotes", "GET /v1/customers/{id}", "GET /v1/customers/{id}/transactions",
    "POST /v1/events", "GET /v1/reviews", "POST /v1/reviews/{id}/decision", "GET /v1/policies",
    "GET /v1/policies/{id}", "POST /v1/policies/{id}/check", "POST /v1/policies/{id}/simulate",
    "GET /v1/policies/{id}/diff", "GET /v1/loss-windows", "POST /v1/loss-windows",
    "POST /v1/loss-windows/{id}/release", "GET /v1/hot-data/types/{id}",
    "GET /v1/hot-data/statuses/{id}", "GET /health/live", "GET /health/ready",
    "GET /openapi.json", "GET /docs", "GET /problems/{code}",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return document_of(tmp_path_factory.mktemp("keys"))


def document_of(folder: Path) -> dict[str, Any]:
    clock = SystemClock()
    telemetry = Telemetry(Metrics(), Logs(Silence(), clock))
    ports = HttpPorts(
        verifier=TokenKey.load_or_create(folder / "token.key").verifier(),
        limits=FakeLimits(),
        keys=RequestKeys(b"k" * 32),
        instruments=Instruments(clock, SystemIds(), telemetry),
        pages={},
    )
    return build_app(FakeUseCases().as_use_cases(), ports).openapi()


class Silence:
    def put(self, line: str) -> None:
        pass


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_routes_of_this_version_are_there_and_no_others(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == THERE


def test_every_operation_has_its_name_once(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]

    assert len(names) == len(set(names))


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        scopes = [scope for need in operation["security"] for scope in need["bearer"]]
        assert set(scopes) <= set(SCOPES), name
        assert bool(scopes) == (" /v1/" in name), name
        assert ("401" in operation["responses"]) == (" /v1/" in name), name


def test_every_operation_documents_its_errors(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        statuses = set(operation["responses"])
        assert {"400", "422", "500", "503"} <= statuses, name
        if "requestBody" in operation:
            assert {"413", "415", "406"} <= statuses, name


def test_every_creating_post_needs_a_key(document: dict[str, Any]) -> None:
    keyed = {
        name
        for name, operation in operations(document)
        if any("Idempotency-Key" in str(parameter) for parameter in operation["parameters"])
    }

    assert keyed == {
        "POST /v1/credit-decisions",
        "POST /v1/credit-decisions/{id}/review",
        "POST /v1/reviews/{id}/decision",
        "POST /v1/loss-windows",
        "POST /v1/loss-windows/{id}/release",
    }


def test_every_problem_but_those_of_the_server_is_documented(document: dict[str, Any]) -> None:
    shown = {
        code
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for code in response["content"].get("application/problem+json", {}).get("examples", {})
    }

    everywhere = {"route-not-found", "method-not-allowed"}
    later = {"conflict", "policy-version-taken"}
    assert set(PROBLEMS) - shown == everywhere | later


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for response in operation["responses"].values():
        yield from response["content"].values()


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        for content in contents(operation):
            schema = {**content["schema"], "components": document["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema)
            for example in content.get("examples", {}).values():
                assert validator.is_valid(example["value"]), (name, example)
                checked += 1

    assert checked > 100


def test_every_json_body_and_reply_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for content in contents(operation):
            if name != "GET /openapi.json" and "$ref" in content["schema"]:
                assert content["examples"], name


def test_no_optional_field_may_be_null(document: dict[str, Any]) -> None:
    for name in ("ApplicationBody", "WhatIfBody", "QuoteBody", "ReviewBody"):
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            assert "null" not in str(schema.get("anyOf", "")), (name, field)


def test_unknown_fields_are_refused_by_the_schemas_too(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("ApplicationBody", "WhatIfBody", "QuoteBody", "EventsBody", "EmptyBody"):
        assert schemas[name]["additionalProperties"] is False
