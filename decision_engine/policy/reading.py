"""
Reading all inputs at once, for when nothing is missing: one generated function a policy.

It gives exactly what the readers of the fields give, or None as soon as one of them would give
None; the caller then reads field by field and knows what is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from operator import itemgetter
from typing import Any, Final

from decision_engine.policy.codegen import Builder
from decision_engine.policy.kinds import ListOf
from decision_engine.policy.layout import Layout
from decision_engine.policy.limits import SCALE, WHOLE_DIGITS
from decision_engine.policy.schema import Field, whole
from decision_engine.policy.values import QUANTA

ReadAll = Callable[[Mapping[str, Any]], list[Any] | None]

_TYPES: Final[Mapping[object, type]] = {"number": Decimal, "string": str, "boolean": bool}
#: With so many digits in all, quantizing to a scale refuses 10^18 and more by itself.
_QUANTIZE: Final = tuple(
    Context(prec=WHOLE_DIGITS + scale, traps=[Inexact, InvalidOperation]).quantize
    for scale in range(SCALE + 1)
)


def read_all(fields: Sequence[Field]) -> ReadAll:
    """Return a function that gives the values of all fields in order, or None."""
    plain = [field for field in fields if not isinstance(field.kind, ListOf)]
    if len(plain) < 2:  # noqa: PLR2004 - an item getter of one name gives no tuple
        return lambda _: None
    take = itemgetter(*(field.name for field in plain))
    kinds = tuple(_TYPES[field.kind] for field in plain)
    lists = [
        (place, field.name, field.reader())
        for place, field in enumerate(fields)
        if isinstance(field.kind, ListOf)
    ]
    check = _Reading(Layout()).function_of(plain)

    def read(inputs: Mapping[str, Any]) -> list[Any] | None:
        try:
            values = take(inputs)
            facts = check(values) if tuple(map(type, values)) == kinds else None
        except (KeyError, ArithmeticError):
            return None
        return facts

    def read_lists(inputs: Mapping[str, Any]) -> list[Any] | None:
        facts = read(inputs)
        if facts is None:
            return None
        for place, name, reader in lists:
            facts.insert(place, reader(inputs.get(name)))
        return None if None in facts else facts

    return read_lists if lists else read


class _Reading(Builder):
    """Writes a function of values of the right types that tells whether they are in order."""

    def function_of(self, fields: Sequence[Field]) -> Callable[[tuple[Any, ...]], list[Any] | None]:
        names = [f"v{place}" for place in range(len(fields))]
        pairs = list(zip(names, fields, strict=True))
        lines = [
            f"{', '.join(names)} = facts",
            *[self._quantized(name, item) for name, item in pairs if item.kind == "number"],
        ]
        tests = [test for name, item in pairs if (test := self._fits(name, item))]
        values = f"[{', '.join(names)}]"
        lines.append(f"return {values} if {' and '.join(tests) or 'True'} else None")
        return self.function("\n ".join(lines))

    def _quantized(self, name: str, field: Field) -> str:
        scale = SCALE if field.scale is None else field.scale
        self._namespace[f"quantize_{scale}"] = _QUANTIZE[scale]
        return f"{name} = quantize_{scale}({name}, {self._constant(QUANTA[scale])})"

    def _fits(self, name: str, field: Field) -> str:
        if field.kind == "boolean":
            return ""
        if field.kind == "string":
            return self._fitting_text(name, field)
        low = "" if field.minimum is None else f"{self._constant(field.minimum)} <= "
        high = "" if field.maximum is None else f" <= {self._constant(field.maximum)}"
        # A NaN is quantized to itself, and is equal to nothing.
        return f"{low}{name}{high}" if low or high else f"{name} == {name}"

    def _fitting_text(self, name: str, field: Field) -> str:
        if field.enum:
            return f"{name} in {self._constant(frozenset(field.enum))}"
        self._namespace["is_text"] = whole
        return f"is_text({name})"
