"""
Reading all inputs at once, for when nothing is missing: one generated function a policy.

It gives exactly what the readers of the fields give, or nothing as soon as one of them would give
None; the caller then reads field by field and knows what is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import itemgetter
from typing import Any, Final

from decision_engine.policy.codegen import Builder
from decision_engine.policy.kinds import ListOf
from decision_engine.policy.layout import Layout
from decision_engine.policy.limits import SCALE, WHOLE_DIGITS
from decision_engine.policy.run import NoAnswerError
from decision_engine.policy.scaled import bounds_of, largest_of, scale_of, written
from decision_engine.policy.schema import Field, whole
from decision_engine.policy.values import EXACT, QUANTA

ReadAll = Callable[[Mapping[str, Any]], list[Any] | None]
Take = Callable[[Mapping[str, Any]], tuple[Any, ...]]
ReadScaled = Callable[[tuple[Any, ...]], tuple[Any, ...]]
ExactValues = Callable[[tuple[Any, ...]], dict[str, Any]]

_TYPES: Final[Mapping[object, type]] = {"number": Decimal, "string": str, "boolean": bool}
#: Under 10^18, and one bit more than all smaller ones: integers up to it can be tested together.
_FEW: Final = 2**59 - 1
#: With so many digits in all, quantizing to a scale refuses 10^18 and more by itself.
_QUANTIZE: Final = tuple(
    Context(prec=WHOLE_DIGITS + scale, traps=[Inexact, InvalidOperation]).quantize
    for scale in range(SCALE + 1)
)


def read_all(fields: Sequence[Field]) -> ReadAll:
    """Return a function that gives the values of all fields in order, or None."""
    plain = [field for field in fields if not is_list(field)]
    lists = [
        (place, field.name, field.reader()) for place, field in enumerate(fields) if is_list(field)
    ]
    take, kinds, check = taker([field.name for field in plain]), types_of(plain), _checked(plain)

    def read(inputs: Mapping[str, Any]) -> list[Any] | None:
        try:
            values = take(inputs)
            facts = check(values) if tuple(map(type, values)) == kinds else None
        except (KeyError, NoAnswerError, ArithmeticError):
            return None
        if lists and facts is not None:
            for place, name, reader in lists:
                facts.insert(place, reader(inputs.get(name)))
            return None if None in facts else facts
        return facts

    return read


def is_list(field: Field) -> bool:
    """Tell whether a field holds a list, which has no type of its own to look at."""
    return isinstance(field.kind, ListOf)


def taker(names: Sequence[str]) -> Take:
    """Return a function that takes the values of these names, or raises KeyError."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda inputs: tuple([inputs[name] for name in names])


def types_of(fields: Sequence[Field]) -> tuple[type, ...]:
    """Return the type that a value of each field has; no other type is one."""
    return tuple(_TYPES[field.kind] for field in fields)


def _checked(fields: Sequence[Field]) -> Callable[[tuple[Any, ...]], list[Any]]:
    build = Reading(Layout())
    values = ", ".join(f"v{place}" for place in range(len(fields)))
    return build.function("\n ".join([*build.reading(fields), f"return [{values}]"]))


def scaled_reader(fields: Sequence[Field]) -> ReadScaled:
    """
    Return a function of a value for each field that gives them with numbers as scaled integers.

    The values are of the types of `types_of`. The function raises NoAnswerError, ArithmeticError or
    ValueError for what is no value.
    """
    build = Reading(Layout())
    return build.function("\n ".join([*build.scaling(fields), _back(fields)]))


def json_reader(fields: Sequence[Field]) -> ReadScaled:
    """
    Return the same for numbers as JSON has them.

    Those of fields without decimals are `int`; others `int`, or the literal that a decoder took for
    a number, as bytes: `b"5200.50"`. Another type raises TypeError or NoAnswerError, but a boolean
    is taken for 0 or 1: decoders tell it from an `int`.
    """
    build = Reading(Layout())
    return build.function("\n ".join([*build.scaling_json(fields), _back(fields)]))


def exact_values(scales: Mapping[str, int | None]) -> ExactValues:
    """Return a function that gives scaled values by name, as the exact ones that they stand for."""
    build = Builder(Layout())
    names = "".join(f"v{place}, " for place in range(len(scales)))
    pairs = [
        f"{build.constant(name)}: {build.unscaled(f'v{place}', scale)}"
        for place, (name, scale) in enumerate(scales.items())
    ]
    lines = [f"{names}= facts", f"return {{{', '.join(pairs)}}}"]
    return build.function("\n ".join(lines[not names :]))


class Reading(Builder):
    """Writes what takes values of the right types from `facts`, each to a local variable."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._namespace |= {"NoAnswer": NoAnswerError, "each": map, "is_text": whole}
        self._namespace |= {"integer": int}

    def reading(self, fields: Sequence[Field]) -> Iterator[str]:
        """Yield lines that raise `NoAnswerError` or ArithmeticError for what is no value."""
        yield from self._taking(fields)
        for scale, names in _by_scale(fields):
            yield f"{_listed(names)}= {self._quantized(names, scale)}"
        yield from _refusing(self._fits(name, field) for name, field in _variables(fields))

    def scaling(self, fields: Sequence[Field]) -> Iterator[str]:
        """Yield the same with scaled integers; a NaN is a ValueError."""
        yield from self._taking(fields)
        for scale, names in _by_scale(fields):
            source = self._quantized(names, scale)
            if scale:
                source = f"each(multiply, {source}, {self._factors(names, scale)})"
            yield f"{_listed(names)}= each(integer, {source})"
        tests = (self._in_bounds(name, field, free=True) for name, field in _variables(fields))
        yield from _refusing(tests)

    def scaling_json(self, fields: Sequence[Field]) -> Iterator[str]:
        """Yield the same for numbers as JSON has them; what is unusually large is refused."""
        yield from self._taking(fields)
        for name, field in _variables(fields):
            scale = scale_of(field) if field.kind == "number" else 0
            if scale:
                self._namespace[f"scaled_{scale}"] = _scaled(scale)
                yield f"{name} = scaled_{scale}({name})"
        counts = [name for name, field in _variables(fields) if _counts(field)]
        together = [f"0 <= ({' | '.join(counts)}) <= {_FEW}"] if counts else []
        tests = (
            self._as_decoded(name, field)
            for name, field in _variables(fields)
            if not _counts(field)
        )
        yield from _refusing((*together, *tests))

    def _factors(self, names: Sequence[str], scale: int) -> str:
        return self.constant((Decimal(1).scaleb(scale),) * len(names))

    def _taking(self, fields: Sequence[Field]) -> Iterator[str]:
        if fields:
            yield f"{_listed(name for name, _ in _variables(fields))}= facts"

    def _quantized(self, names: Sequence[str], scale: int) -> str:
        self._namespace[f"quantize_{scale}"] = _QUANTIZE[scale]
        quanta = self.constant((QUANTA[scale],) * len(names))
        return f"each(quantize_{scale}, ({_listed(names)}), {quanta})"

    def _fits(self, name: str, field: Field) -> str:
        if field.kind != "number":
            return self._is_known(name, field)
        low = "" if field.minimum is None else f"{self.constant(field.minimum)} <= "
        high = "" if field.maximum is None else f" <= {self.constant(field.maximum)}"
        # A NaN is quantized to itself, and is equal to nothing.
        return f"{low}{name}{high}" if low or high else f"{name} == {name}"

    def _in_bounds(self, name: str, field: Field, *, free: bool) -> str:
        """With `free`, what is larger than any field admits is refused already: by quantizing."""
        if field.kind != "number":
            return self._is_known(name, field)
        low, high = bounds_of(field)
        largest = largest_of(scale_of(field)) if free else None
        least = "" if largest is not None and low == -largest else f"{written(low)} <= "
        most = "" if high == largest else f" <= {written(high)}"
        return f"{least}{name}{most}" if least or most else ""

    def _as_decoded(self, name: str, field: Field) -> str:
        """Raises TypeError for another type than a decoder gives; its texts are sound."""
        if field.kind == "boolean":
            true, false = self.constant(True), self.constant(False)  # noqa: FBT003 - the values
            return f"({name} is {true} or {name} is {false})"
        if field.kind == "string" and not field.enum:
            return f"{self.constant('')} <= {name}"
        whole = field.kind == "number" and not scale_of(field)
        return self._in_bounds(f"({name} | 0)" if whole else name, field, free=False)

    def _is_known(self, name: str, field: Field) -> str:
        if field.kind == "boolean":
            return ""
        enum = frozenset(field.enum)
        return f"{name} in {self.constant(enum)}" if enum else f"is_text({name})"


def _back(fields: Sequence[Field]) -> str:
    return f"return ({_listed(name for name, _ in _variables(fields))})"


def _counts(field: Field) -> bool:
    """Tell a number that is not negative, and may be as large as any."""
    return field.kind == "number" and field.minimum == 0 and field.maximum is None


def _scaled(scale: int) -> Callable[[object], int]:
    """Return a function that gives an int, or a number's literal, scaled; see `json_reader`."""
    size = int(10**scale)

    def scaled(value: object) -> int:
        if type(value) is int:
            return value * size
        if type(value) is not bytes:
            raise NoAnswerError
        whole, _, part = value.partition(b".")
        try:
            if part and len(part) <= scale:
                return int(whole + part.ljust(scale, b"0"))
        except ValueError:
            pass  # it has an exponent
        return _whole_number(EXACT.multiply(Decimal(value.decode()), size))

    return scaled


def _whole_number(value: Decimal) -> int:
    number = int(value)
    if number != value:
        raise NoAnswerError
    return number


def _variables(fields: Sequence[Field]) -> Iterator[tuple[str, Field]]:
    return ((f"v{place}", field) for place, field in enumerate(fields))


def _by_scale(fields: Sequence[Field]) -> list[tuple[int, list[str]]]:
    """Return the variables of all numbers, by their decimals."""
    found: dict[int, list[str]] = {}
    for name, field in _variables(fields):
        if field.kind == "number":
            found.setdefault(scale_of(field), []).append(name)
    return sorted(found.items())


def _refusing(tests: Iterable[str]) -> Iterator[str]:
    known = [test for test in tests if test]
    if known:
        yield f"if not ({' and '.join(known)}): raise NoAnswer"


def _listed(names: Iterable[str]) -> str:
    return "".join(f"{name}, " for name in names)
