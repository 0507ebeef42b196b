"""Run the corpus with one engine, mutated or not, and give its bytes item by item."""

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from tests.mutation.corpus import Subject

PACKAGE: Final = "decision_engine.policy"


class Replacement(MetaPathFinder, Loader):
    """Loads one module from other code than its file holds."""

    def __init__(self, module: str, code: str) -> None:
        self._module = f"{PACKAGE}.{module}"
        self._code = code

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Answer for the replaced module only."""
        return ModuleSpec(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the other code as the module."""
        exec(compile(self._code, f"<mutant of {self._module}>", "exec"), module.__dict__)  # noqa: S102


def use(replacement: Replacement | None) -> None:
    """Forget the engine of this process, so that the next import loads it with the replacement."""
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]
    if replacement is not None:
        sys.meta_path.insert(0, replacement)


def outputs(subjects: list[Subject], cards: list[bytes]) -> Iterator[bytes]:
    """Yield a hash for every file and every evaluation of the corpus."""
    engine = _Engine()
    yield _hash(engine.builtins())
    for subject in subjects:
        yield from engine.subject(subject)
    for card in cards:
        yield _hash(engine.card(card))


class _Engine:
    """The functions of the engine that this process has loaded."""

    def __init__(self) -> None:
        self.compile = importlib.import_module(f"{PACKAGE}.compile").compile_policy
        self.trace_module = importlib.import_module(f"{PACKAGE}.trace")
        self.scorecard = importlib.import_module(f"{PACKAGE}.scorecard").Scorecard
        self.unpack = importlib.import_module(f"{PACKAGE}.evaluation").unpack
        self.refused = importlib.import_module(f"{PACKAGE}.findings").PolicyError
        self.failed = importlib.import_module("domain.errors").PermanentError

    def subject(self, subject: Subject) -> Iterator[bytes]:
        """Compile the policy, then evaluate and trace it on each of its inputs."""
        try:
            cards = [self.scorecard.parse(raw) for raw in subject.models]
            policy = self.compile(subject.policy, {card.id: card for card in cards})
        except self.refused as refused:
            yield _hash(refused.findings)
            return
        parts = ("hash", "header", "inputs", "reads", "derived", "rules", "models", "functions")
        yield _hash([getattr(policy, part) for part in parts])
        functions = dict.fromkeys(policy.functions, host)
        if functions:
            yield _hash(_raised(lambda: policy.evaluate(subject.inputs[0], {}), self.failed))
        for inputs in subject.inputs:
            found = policy.evaluate(inputs, functions)
            yield _hash((found, [each.consequence for each in found.results]))
            yield _hash(self.unpack(found.bits, len(found.results)))
            entries = self.trace_module.trace(policy, inputs, functions)
            yield _hash([each.plain() for each in entries])
            yield _hash(self.trace_module.trace_digest(entries))

    def builtins(self) -> object:
        """What generated code can reach without a name of its own."""
        codegen = importlib.import_module(f"{PACKAGE}.codegen")
        layout = importlib.import_module(f"{PACKAGE}.layout").Layout()
        constant = importlib.import_module(f"{PACKAGE}.syntax").Literal(value=True)
        return codegen.value_function(constant, layout).__globals__["__builtins__"]

    def card(self, raw: bytes) -> Any:
        """Read a scorecard, sound or not."""
        try:
            card = self.scorecard.parse(raw)
        except self.refused as refused:
            return refused.findings
        numeric = [(each.numeric, each.best) for each in card.attributes]
        return card, numeric, [card.pd(score) for score in (card.low, card.high)]


def host(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """A function of the host: it depends on every argument, and has no answer now and then."""
    numbers = [value for value in arguments.values() if type(value) is Decimal]
    total = sum(numbers, Decimal(0)).quantize(Decimal("0.01"))
    text = str(sorted(map(str, arguments)))
    answers = {
        "v": None if total > 9 else total,
        "w": "late" if arguments.get("r") else text,
        "z": total > 1,
        "monthly_rate": Decimal("0.0250"),
    }
    return answers | dict.fromkeys(("principal", "iof", "instalment"), abs(total))


def _raised(run: Callable[[], object], expected: type[Exception]) -> str:
    try:
        run()
    except expected as error:
        return str(error)
    return "nothing"


def _hash(value: Any) -> bytes:
    return hashlib.sha256(repr(value).encode(errors="backslashreplace")).digest()
