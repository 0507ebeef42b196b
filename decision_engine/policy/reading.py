"""
Reading all inputs at once, for when nothing is missing: one generated function a policy.

It gives exactly what the readers of the fields give, or nothing as soon as one of them would give
None; the caller then reads field by field and knows what is missing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import itemgetter
from typing import Any, Final

from decision_engine.policy.codegen import Builder
from decision_engine.policy.kinds import ListOf
from decision_engine.policy.layout import Layout
from decision_engine.policy.limits import SCALE, WHOLE_DIGITS
from decision_engine.policy.run import NoAnswerError
from decision_engine.policy.schema import Field, whole
from decision_engine.policy.values import QUANTA

ReadAll = Callable[[Mapping[str, Any]], list[Any] | None]
Take = Callable[[Mapping[str, Any]], tuple[Any, ...]]

_TYPES: Final[Mapping[object, type]] = {"number": Decimal, "string": str, "boolean": bool}
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


class Reading(Builder):
    """Writes what takes values of the right types from `facts`, each to a local variable."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._namespace |= {"NoAnswer": NoAnswerError, "each": map, "is_text": whole}

    def reading(self, fields: Sequence[Field]) -> Iterator[str]:
        """Yield lines that raise `NoAnswerError` or ArithmeticError for what is no value."""
        names = [f"v{place}" for place in range(len(fields))]
        if names:
            yield f"{', '.join(names)}, = facts"
        pairs = list(zip(names, fields, strict=True))
        for scale in sorted({_scale(field) for field in fields if field.kind == "number"}):
            yield self._quantized([n for n, f in pairs if _is_of(f, scale)], scale)
        tests = [test for name, field in pairs if (test := self._fits(name, field))]
        if tests:
            yield f"if not ({' and '.join(tests)}): raise NoAnswer"

    def _quantized(self, names: list[str], scale: int) -> str:
        self._namespace[f"quantize_{scale}"] = _QUANTIZE[scale]
        quanta = self._constant((QUANTA[scale],) * len(names))
        listed = "".join(f"{name}, " for name in names)
        return f"{listed} = each(quantize_{scale}, ({listed}), {quanta})"

    def _fits(self, name: str, field: Field) -> str:
        if field.kind == "boolean":
            return ""
        if field.kind == "string":
            enum = frozenset(field.enum)
            return f"{name} in {self._constant(enum)}" if enum else f"is_text({name})"
        low = "" if field.minimum is None else f"{self._constant(field.minimum)} <= "
        high = "" if field.maximum is None else f" <= {self._constant(field.maximum)}"
        # A NaN is quantized to itself, and is equal to nothing.
        return f"{low}{name}{high}" if low or high else f"{name} == {name}"


def _scale(field: Field) -> int:
    return SCALE if field.scale is None else field.scale


def _is_of(field: Field, scale: int) -> bool:
    return field.kind == "number" and _scale(field) == scale
