"""JSON without surprises: what two readers could understand differently is refused."""

import json
from decimal import Decimal
from typing import Any, Never

from decision_engine.policy.findings import PolicyError
from decision_engine.policy.limits import FILE_BYTES, JSON_DEPTH


def load(raw: bytes) -> Any:
    """
    Return the parsed text; numbers with a point are `Decimal`.

    Raises:
        PolicyError: too large, not UTF-8, not JSON, nested too deep, a duplicate key, NaN or
            Infinity, a lone surrogate.
    """
    if len(raw) > FILE_BYTES:
        raise PolicyError.of(f"the file has more than {FILE_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError.of("the file is not UTF-8 text") from error
    value = _parse(text)
    _walk(value)
    return value


def _parse(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
        )
    except RecursionError as error:
        raise PolicyError.of(f"the JSON is nested deeper than {JSON_DEPTH}") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PolicyError.of(f"the file is not JSON: {error.msg} at {place}") from error
    except (ValueError, ArithmeticError) as error:
        raise PolicyError.of("a number in the JSON is too long") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise PolicyError.of(f'the key "{twice}" stands twice in one object')
    return result


def _refuse_constant(name: str) -> Never:
    raise PolicyError.of(f"{name} is not a number")


def _walk(value: Any) -> None:
    level = [value]
    for _ in range(JSON_DEPTH + 1):
        # Plain texts are most of a big file, and hold nothing.
        level = [
            child
            for item in level
            if not (type(item) is str and item.isascii())
            for child in _children(item)
        ]
        if not level:
            return
    raise PolicyError.of(f"the JSON is nested deeper than {JSON_DEPTH}")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, str):
        _refuse_surrogates(value)
    return value if isinstance(value, list) else []


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PolicyError.of("a text holds half a character (a lone surrogate)") from error
