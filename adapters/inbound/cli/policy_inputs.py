"""The inputs of `policy eval`: one JSON object, or NDJSON with one object a line."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters.inbound.cli.failures import BadUsage
from adapters.inbound.cli.files import read_file
from decision_engine.policy import strict_json
from decision_engine.policy.findings import PolicyError

NDJSON: Final = frozenset({".ndjson", ".jsonl"})


@dataclass(frozen=True, slots=True)
class Inputs:
    """What to run the policy on; `many` when the file holds one input a line."""

    values: tuple[dict[str, Any], ...]
    many: bool


def read_inputs(path: Path) -> Inputs:
    """
    Read a file of inputs.

    Raises:
        Failure: `BAD_USAGE`; nothing of the file is echoed.
    """
    raw = read_file(path)
    lines = [(n, line) for n, line in enumerate(raw.splitlines(), start=1) if line.strip()]
    if path.suffix in NDJSON:
        return _lines(lines)
    try:
        return Inputs((_object(strict_json.load(raw), "The input"),), many=False)
    except PolicyError as error:
        if len(lines) < 2:  # noqa: PLR2004
            raise BadUsage(f"The input cannot be read: {error}.") from error
    return _lines(lines)


def _lines(lines: Iterable[tuple[int, bytes]]) -> Inputs:
    return Inputs(tuple(_line(number, line) for number, line in lines), many=True)


def _line(number: int, line: bytes) -> dict[str, Any]:
    try:
        return _object(strict_json.load(line), f"Line {number}")
    except PolicyError as error:
        raise BadUsage(f"Line {number} cannot be read: {error}.") from error


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadUsage(f"{what} is not one JSON object of inputs.")
    return value
