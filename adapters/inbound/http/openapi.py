"""The OpenAPI document, built from the same operations that the gates obey."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from adapters.inbound.http import examples
from adapters.inbound.http.fields import NAME_SCHEMA
from adapters.inbound.http.openapi_parts import (
    ABOUT,
    COMMON_HEADERS,
    HEADER_PARAMETERS,
    SECURITY_SCHEME,
    SHARED_SCHEMAS,
    TAGS,
)
from adapters.inbound.http.operation import Operation, Parameter
from adapters.inbound.http.problem_table import PROBLEMS
from adapters.inbound.http.replies import ProblemReply

Schema = dict[str, Any]

SCHEMAS: Final = "#/components/schemas/"
JSON_TYPE: Final = "application/json"


class _Plain(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's hook
        return False


def openapi_document(operations: Sequence[Operation], version: str) -> Schema:
    """Return the whole document for the operations given."""
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Credit decisions", "version": version, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": TAGS,
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "parameters": HEADER_PARAMETERS,
            "headers": COMMON_HEADERS,
            "securitySchemes": {"bearer": SECURITY_SCHEME},
        },
    }


def problem_codes(operation: Operation) -> list[str]:
    """Return every problem that an operation can answer with, in the order of the table."""
    codes = {"bad-header", "invalid-input", "overloaded", "unavailable", "internal"}
    codes |= {"deadline-exceeded", "throttled", "permanent", "bad-request", "headers-too-large"}
    if operation.success.media_type == JSON_TYPE:
        codes.add("not-acceptable")
    if operation.scope is not None:
        codes |= {"token-missing", "token-invalid", "token-expired", "scope-missing"}
        codes.add("rate-limited")
    if operation.body is not None:
        codes |= {code for code in PROBLEMS if code.startswith("json-")}
        codes |= {"body-too-large", "unsupported-media-type"}
    if operation.idempotent:
        codes |= {"idempotency-key-missing", "idempotency-key-reused", "request-in-progress"}
        codes |= {"ledger-busy", "outcome-unknown"}
    return [code for code in PROBLEMS if code in codes or code in operation.problems]


def _operation(operation: Operation) -> Schema:
    document: Schema = {
        "operationId": _operation_id(operation.method, operation.path),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description or operation.summary,
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": [] if operation.scope is None else [{"bearer": [operation.scope]}],
    }
    if operation.body is not None:
        document["requestBody"] = {
            "required": operation.body_required,
            "content": {
                JSON_TYPE: {
                    "schema": {"$ref": SCHEMAS + operation.body.__name__},
                    "examples": {"example": {"value": operation.body_example}},
                }
            },
        }
    return document


def _operation_id(method: str, path: str) -> str:
    words = path.replace("/v1", "").replace("{", "").replace("}", "").strip("/")
    return f"{method.lower()}_{words}".replace("/", "_").replace("-", "_").replace(".", "_")


def _parameters(operation: Operation) -> list[Schema]:
    found = [_path_parameter(name) for name in _names_in(operation.path)]
    found += [_query_parameter(parameter) for parameter in operation.query]
    headers = ["Correlation-Id", "Traceparent"]
    if operation.scope is not None:
        headers += ["Deadline-Ms", "Accept-Language"]
    if operation.idempotent:
        headers.insert(0, "Idempotency-Key")
    return found + [{"$ref": f"#/components/parameters/{name}"} for name in headers]


def _names_in(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_parameter(name: str) -> Schema:
    schema = {"type": "string", "enum": list(PROBLEMS)} if name == "code" else dict(NAME_SCHEMA)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _responses(operation: Operation) -> Schema:
    success = operation.success
    good: Schema = {
        "description": success.description,
        "headers": _headers(("Correlation-Id",), success.headers),
        "content": {success.media_type: _content(success.model, success.example)},
    }
    if success.links:
        good["links"] = dict(_link(*link) for link in success.links.items())
    responses: Schema = {str(success.status): good}
    for status, codes in _by_status(problem_codes(operation)).items():
        responses[str(status)] = _problem_response(codes)
    return dict(sorted(responses.items()))


def _link(target: str, part: str) -> tuple[str, Schema]:
    name = _operation_id(*target.split(" "))
    return name, {"operationId": name, "parameters": {"id": f"$response.body#/{part}"}}


def _content(model: type[BaseModel] | None, example: Any) -> Schema:
    if model is None:
        return {"schema": {"type": "string"} if isinstance(example, str) else {"type": "object"}}
    return {
        "schema": {"$ref": SCHEMAS + model.__name__},
        "examples": {"example": {"value": example}},
    }


def _by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(PROBLEMS[code].status, []).append(code)
    return found


def _problem_response(codes: Sequence[str]) -> Schema:
    kinds = [PROBLEMS[code] for code in codes]
    names = ["Correlation-Id"]
    if any(kind.retry_after_seconds for kind in kinds):
        names.append("Retry-After")
    if any(code.startswith("token-") or code == "scope-missing" for code in codes):
        names.append("WWW-Authenticate")
    return {
        "description": " · ".join(f"`{code}`: {PROBLEMS[code].detail}" for code in codes),
        "headers": _headers(names, {}),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": SCHEMAS + ProblemReply.__name__},
                "examples": {code: {"value": _problem_example(code)} for code in codes},
            }
        },
    }


def _problem_example(code: str) -> Schema:
    kind = PROBLEMS[code]
    if code == examples.PROBLEM["code"]:
        return dict(examples.PROBLEM)
    return {
        "type": f"/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail,
        "code": code,
        "correlation_id": examples.PROBLEM["correlation_id"],
    }


def _headers(common: Iterable[str], own: Mapping[str, str]) -> Schema:
    shared: Schema = {name: {"$ref": f"#/components/headers/{name}"} for name in common}
    return shared | {
        name: {"description": text, "schema": {"type": "string"}} for name, text in own.items()
    }


def _schemas(operations: Iterable[Operation]) -> Schema:
    models: dict[str, type[BaseModel]] = {ProblemReply.__name__: ProblemReply}
    for operation in operations:
        for model in (operation.body, operation.success.model):
            if model is not None:
                models[model.__name__] = model
    wanted = [(models[name], "validation") for name in sorted(models)]
    _, schema = models_json_schema(
        wanted,  # type: ignore[arg-type]
        ref_template=SCHEMAS + "{model}",
        schema_generator=_Plain,
    )
    found: Schema = schema["$defs"]
    return found | SHARED_SCHEMAS
