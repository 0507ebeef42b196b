"""
What is kept of an evaluation: policy, inputs, derived values and the bitmap, in canonical bytes.

The bytes are those of `encode` over `{"bits", "inputs", "policy", "values"}` with every value as
its one text. For a policy that is all code they are prepared: names, order and punctuation are
written once, and an evaluation fills in its texts.
"""

from collections.abc import Callable, Mapping
from functools import partial
from json import encoder
from operator import mod
from typing import Any, Final

from decision_engine.policy.codegen import Builder
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.evaluation import Evaluation, pack
from decision_engine.policy.layout import Layout
from decision_engine.policy.quick import AtOnce, InputStruct
from decision_engine.policy.values import Value, plain
from domain.canonical import encode

Inputs = Mapping[str, Value | None]
Record = Callable[[Inputs, Evaluation], bytes]
_Fill = Callable[[tuple[Any, ...], tuple[Any, ...], bytearray], str]

#: All fractions of so few decimals have their texts prepared.
_PREPARED: Final = 3


def recorder(policy: CompiledPolicy) -> Record:
    """
    Return what gives the record of an evaluation by this policy.

    An input that the policy reads and that is not there is null, as is a value that is missing.
    """
    quick = policy.quick
    if not isinstance(quick, AtOnce):
        return partial(_written, policy)
    fill, part = _prepared(policy, quick), quick.part

    def record(inputs: Inputs, found: Evaluation) -> bytes:
        if type(inputs) is InputStruct and inputs.reader is quick:
            made = found.made_by(part)
            if made is not None:
                return fill(inputs.facts, made[0], made[2]).encode()
        return _written(policy, inputs, found)

    return record


def _written(policy: CompiledPolicy, inputs: Inputs, found: Evaluation) -> bytes:
    read = {field.name: inputs.get(field.name) for field in policy.reads}
    return encode(
        {
            "bits": found.bits.hex(),
            "inputs": _texts(read),
            "policy": policy.hash,
            "values": _texts(found.values),
        }
    )


def _texts(values: Inputs) -> dict[str, str | None]:
    return {name: None if value is None else plain(value) for name, value in values.items()}


def _prepared(policy: CompiledPolicy, quick: AtOnce) -> _Fill:
    build = _Filling(policy)
    read = build.part("r", quick.scales.inputs)
    made = build.part("v", quick.scales.derived)
    head, tail = f'","inputs":{{{read}}},"policy":"{policy.hash}"', f',"values":{{{made}}}}}'
    return build.filling('{"bits":"%s' + head + tail)


class _Filling(Builder):
    """Writes the function that fills the texts of one policy's values into their places."""

    def __init__(self, policy: CompiledPolicy) -> None:
        super().__init__(Layout())
        self._fields = policy.fields
        self._texts: list[str] = []
        self._taken: list[str] = []
        self._namespace |= {"quoted": encoder.encode_basestring, "plain": plain, "filled": mod}
        self._namespace["bits_of"] = _bits
        self._truths = self.constant('"true"'), self.constant('"false"')

    def part(self, variable: str, scales: Mapping[str, int | None]) -> str:
        """Return the members of an object, with a place for the text of each value."""
        names = [f"{variable}{place}" for place in range(len(scales))]
        self._taken.append("".join(f"{name}, " for name in names))
        members = []
        for (name, scale), source in sorted(zip(scales.items(), names, strict=True)):
            members.append(f"{encoder.encode_basestring(name)}:{self._place(name, scale, source)}")
        return ",".join(members)

    def _place(self, name: str, scale: int | None, source: str) -> str:
        if scale == 0:
            self._texts.append(source)
            return '"%d"'
        if scale is not None:
            self._namespace[f"text_{scale}"] = text_of(scale)
            self._texts.append(f"text_{scale}({source})")
            return '"%s"'
        self._texts.append(self._quoted(self._fields[name].kind, source))
        return "%s"

    def _quoted(self, kind: object, source: str) -> str:
        if kind == "boolean":
            true, false = self._truths
            return f"({true} if {source} else {false})"
        return f"quoted({source})" if kind == "string" else f"quoted(plain({source}))"

    def filling(self, template: str) -> _Fill:
        """Return the function of inputs, derived values and codes."""
        read, made = self._taken
        lines = [f"{read}= facts"] if read else []
        lines += [f"{made}= made"] if made else []
        texts = "".join(f"{text}, " for text in ("bits_of(codes)", *self._texts))
        lines.append(f"return filled({self.constant(template)}, ({texts}))")
        return self.function("\n ".join(lines), "facts, made, codes")


def _bits(codes: bytearray) -> str:
    return pack(bytes(codes)).hex()


def text_of(scale: int) -> Callable[[int], str]:
    """Return a function that gives the text of a scaled integer, without trailing zeros."""
    size = 10**scale
    prepared = [_tail(rest, scale) for rest in range(size)] if scale <= _PREPARED else None

    def text(number: int) -> str:
        if number < 0:
            return f"-{text(-number)}"
        whole, rest = divmod(number, size)
        return f"{whole}{_tail(rest, scale) if prepared is None else prepared[rest]}"

    return text


def _tail(rest: int, scale: int) -> str:
    return f".{rest:0{scale}}".rstrip("0") if rest else ""
