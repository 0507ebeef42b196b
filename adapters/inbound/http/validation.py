"""From raw bytes to a validated model, or to faults that name fields and never their values."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from adapters.inbound.http.refusals import ProblemError, fault
from adapters.inbound.http.strict_json import read_json
from domain.errors import Problem

M = TypeVar("M", bound=BaseModel)


class StrictModel(BaseModel):
    """A body of the contract: no unknown fields, no conversions, no input in errors."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True, frozen=True)


#: Our code and text for pydantic's own errors; those of the domain's parsers bring theirs.
_OWN: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("field-missing", "this field is mandatory"),
    "extra_forbidden": ("field-unknown", "an object holds a field that is not of this contract"),
    "model_type": ("type-object", "a JSON object is expected here"),
    "model_attributes_type": ("type-object", "a JSON object is expected here"),
    "dict_type": ("type-object", "a JSON object is expected here"),
    "list_type": ("type-list", "a JSON list is expected here"),
    "tuple_type": ("type-list", "a JSON list is expected here"),
    "too_short": ("list-length", "the list is too short"),
    "too_long": ("list-length", "the list is too long"),
}
_GENERAL: Final = ("type-wrong", "another type is expected here")


def read_model(model: type[M], raw: bytes) -> M:
    """
    Return the validated body.

    Raises:
        ProblemError: it is not strict JSON, or `invalid-input` with every fault found.
    """
    value = read_json(raw)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise ProblemError("invalid-input", _faults(found)) from None


def _faults(errors: Iterable[ErrorDetails]) -> list[Problem]:
    return [_fault(error) for error in errors]


def _fault(error: ErrorDetails) -> Problem:
    kind, place = error["type"], error["loc"]
    if kind == "extra_forbidden":
        # The last part is the unknown name itself, which the caller chose.
        place = place[:-1]
    code, detail = _OWN.get(kind, _GENERAL)
    if "-" in kind:
        # A code of ours, from a parser of the domain.
        code, detail = kind, error["msg"]
    return fault(_pointer(place), code, detail)


def _pointer(place: tuple[Any, ...]) -> str:
    return "".join(f"/{part}" for part in place)
