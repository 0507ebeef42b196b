"""What an input schema may say, and which names may not decide about credit."""

import json
from typing import Any

import pytest

from decision_engine.policy.parse import parse
from tests.unit.policy.build import Json, document, expressions, function, raw, schema_of
from tests.unit.policy.test_refusals import RULE, errors, warnings


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ("", "the input node needs content.schema: a JSON Schema as a text, with types"),
        (None, "the input node needs content.schema: a JSON Schema as a text, with types"),
        ("{", "content.schema: the file is not JSON"),
        ("[]", "content.schema must be an object"),
        (schema_of({}), "content.schema must name 1 to 1000 inputs"),
        ('{"properties": {"a": {"type": "number"}}}', 'the schema must have the type "object"'),
        (json.dumps({"type": "object", "allOf": []}), 'the schema has the unknown field "allOf"'),
        (
            json.dumps({"type": "object", "additionalProperties": True}),
            "the schema: additionalProperties must be false",
        ),
        (schema_of({"a-b": {"type": "number"}}), '"a-b" is no name: letters, digits and _'),
        (schema_of({"renda_líquida": {"type": "number"}}), '"renda_líquida" is no name: letters'),
        (schema_of({"a": 1}), 'the schema of "a" must be an object'),
        (schema_of({"a": {}}), '"a" needs a type: number, integer, string or boolean'),
        (schema_of({"a": {"type": "array"}}), '"a" needs a type: number, integer, string or bool'),
        (schema_of({"a": {"type": ["number", "string"]}}), '"a" needs a type: number, integer, s'),
        (schema_of({"a": {"type": "number", "format": "x"}}), 'the schema of "a" has the unknown'),
        (schema_of({"a": {"type": "number", "x-scale": 13}}), 'x-scale of "a" must be a whole num'),
        (schema_of({"a": {"type": "string", "x-scale": 2}}), 'x-scale of "a": only numbers have '),
        (schema_of({"a": {"type": "number", "enum": ["x"]}}), 'enum of "a" must be a list of tex'),
        (schema_of({"a": {"type": "string", "enum": []}}), 'enum of "a" must be a list of texts'),
        (schema_of({"a": {"type": "string", "enum": [1]}}), 'enum of "a" must be a list of differ'),
        (schema_of({"a": {"type": "string", "enum": ["x", "x"]}}), 'enum of "a" must be a list of'),
        (schema_of({"a": {"type": "number", "minimum": "1"}}), 'minimum of "a" must be a plain n'),
        (schema_of({"a": {"type": "string", "maximum": 1}}), 'maximum of "a" must be a plain num'),
        (schema_of({"a": {"type": "number", "x-maxAgeDays": -1}}), 'x-maxAgeDays of "a" must be '),
        (schema_of({"a": {"type": "number", "x-family": 1}}), 'x-family of "a" must be a text'),
        (schema_of({"a": {"type": "number", "x-label": 1}}), 'x-label of "a" must be a text, or a'),
        (schema_of({"o": {"type": "object", "x": 1}}), 'the schema of "o" has the unknown field "'),
    ],
)
def test_schemas(schema: Any, sentence: str) -> None:
    policy = document(RULE)
    policy["nodes"][0]["content"]["schema"] = schema

    assert any(found.startswith(sentence) for found in errors(policy)), errors(policy)


def test_everything_a_schema_can_say() -> None:
    leaf = {
        "type": ["number", "null"],
        "title": "Income",
        "description": "net",
        "minimum": 0,
        "maximum": 99.5,
        "x-scale": 2,
        "x-maxAgeDays": 45,
        "x-family": "income",
        "x-label": {"pt-BR": "renda", "en": "income"},
    }
    inputs: Json = {"n": {"type": "integer", "x-label": "months"}, "p": {"type": "object"}}
    inputs["p"] = {
        "type": "object",
        "required": ["income"],
        "additionalProperties": False,
        "properties": {"income": leaf, "s": {"type": "string", "enum": ["x"]}},
    }

    fields = {item.name: item for item in parse(raw(document(RULE, properties=inputs))).inputs}

    assert list(fields) == ["n", "p.income", "p.s"]
    income = fields["p.income"]
    assert (income.scale, income.max_age_days, income.family) == (2, 45, "income")
    assert (income.label_in("pt-BR"), income.label_in("en")) == ("renda", "income")
    assert (fields["n"].label_in("pt-BR"), fields["p.s"].label_in("en")) == ("months", "p.s")
    assert fields["p.s"].enum == ("x",)


@pytest.mark.parametrize(
    "name",
    ["sex", "person.gender", "raceCode", "raca", "client.cor", "health_score", "filiacaoSindical"],
)
def test_barred_names(name: str) -> None:
    key = name.rpartition(".")[2]
    inputs: Json = {"n": {"type": "integer"}, key: {"type": "string"}}

    (found,) = errors(document(RULE, properties=inputs))
    assert found.startswith(f'"{key}" may not enter a credit decision: ')
    assert errors(document(expressions("e", {name: "1"}), RULE)) != []
    call = function({key: "a"}, {"v": {"type": "number"}})
    assert errors(document(call, RULE)) != []


def test_names_that_only_look_barred() -> None:
    keys = ["correction", "essex", "policy", "racecourse", "score", "unions", "healthy"]
    inputs: Json = {"n": {"type": "integer"}} | {key: {"type": "number"} for key in keys}

    assert errors(document(RULE, properties=inputs)) == []


def test_proxies_and_idle_inputs_are_pointed_out() -> None:
    inputs: Json = {"n": {"type": "integer"}, "address": {"type": "object", "properties": {}}}
    inputs["address"]["properties"] = {"cep": {"type": "string"}}

    assert warnings(document(RULE, properties=inputs)) == [
        '"address.cep" can stand for a barred field ("cep"): test for disparity',
        "no expression reads this input",
    ]
