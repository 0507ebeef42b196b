"""The request bodies about policies: a document of JDM, and cases to simulate."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from adapters.inbound.http.bodies import ATTRIBUTE, Override, is_override, values_by_name
from adapters.inbound.http.fields import OptionalName, parsed
from adapters.inbound.http.queries import VERSION_MAX
from adapters.inbound.http.strict_json import NotWhole
from adapters.inbound.http.validation import StrictModel
from decision_engine.policy_desk import TrialCase
from domain.errors import InvalidInputError

CASES_MAX: Final = 500
INPUTS_MAX: Final = 1000


def _inputs(value: object, pointer: str) -> Mapping[str, Override]:
    if not isinstance(value, dict) or len(value) > INPUTS_MAX:
        raise InvalidInputError.at(pointer, "inputs-format", "an object of up to 1000 inputs")
    for name, given in value.items():
        if ATTRIBUTE.fullmatch(name) is None or not is_override(given):
            raise InvalidInputError.at(
                pointer,
                "inputs-format",
                "input names with text, true, false, a whole number or null",
            )
    return value


def _policy(value: object, pointer: str) -> dict[str, Any] | int:
    if isinstance(value, dict):
        return value
    if type(value) is int and 1 <= value <= VERSION_MAX:
        return value
    raise InvalidInputError.at(
        pointer, "policy-format", "a policy document, or the number of a version"
    )


def _attribute(value: object, pointer: str) -> str:
    if isinstance(value, str) and ATTRIBUTE.fullmatch(value) is not None:
        return value
    raise InvalidInputError.at(pointer, "inputs-format", "the dotted name of an input")


Inputs = Annotated[
    Mapping[str, Override],
    parsed(_inputs),
    WithJsonSchema(
        values_by_name(
            INPUTS_MAX, "Inputs of the policy by dotted name; null, or none, is missing."
        )
    ),
]
InputName = Annotated[
    str,
    parsed(_attribute),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_.]{0,63}$"}),
]
Policy = Annotated[
    dict[str, Any] | int | None,
    parsed(_policy),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": True},
                {"type": "integer", "minimum": 1, "maximum": VERSION_MAX},
            ],
            "description": "A policy document, or a version; without it, the active one.",
        }
    ),
]


class PolicyDocumentBody(BaseModel):
    """A policy file as it is: JDM with `x-policy` (decision_engine/policy/FORMAT.md)."""

    model_config = ConfigDict(title="PolicyDocument", extra="allow", hide_input_in_errors=True)


class CaseBody(StrictModel):
    """A case: what is known about an application, without a customer."""

    model_config = ConfigDict(title="TrialCase")

    name: OptionalName = None
    inputs: Inputs
    stale: list[InputName] = Field(default_factory=list, max_length=100)


class SimulateBody(StrictModel):
    """Cases to put through the active policy and another one."""

    model_config = ConfigDict(title="Simulation")

    policy: Policy = None
    cases: list[CaseBody] = Field(min_length=1, max_length=CASES_MAX)

    def policy_given(self) -> bytes | int | None:
        """Return the document as JSON, the version, or None."""
        if isinstance(self.policy, dict):
            return json.dumps(self.policy, default=_number).encode()
        return self.policy

    def trial_cases(self) -> list[TrialCase]:
        """Return the cases; one without a name is called by its number, from 1."""
        return [
            TrialCase(case.name or str(number), dict(case.inputs), tuple(case.stale))
            for number, case in enumerate(self.cases, start=1)
        ]


def _number(_: NotWhole) -> float:
    """Stand for a number with a fraction: the language has none but where nodes are drawn."""
    return 0.5
