"""Run the corpus with one engine, mutated or not, and give its bytes item by item."""

import ast
import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from tests.mutation.corpus import ROOT, Inputs, Subject
from tests.mutation.features import Kept

PACKAGE: Final = "decision_engine.policy"
PRICED: Final = ("principal", "iof", "instalment", "total")


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


def use(module: str, code: str) -> None:
    """
    Let this process load one module, `steps` or `functions.dates`, from other code.

    What imports it, at first or second hand, is forgotten, and loaded again when next asked for.
    The rest stays: nothing in it knows of the module.
    """
    for name in _dependents(f"{PACKAGE}.{module}"):
        sys.modules.pop(name, None)
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            vars(sys.modules[package]).pop(last, None)
    sys.meta_path.insert(0, Replacement(module, code))


def _dependents(module: str) -> set[str]:
    """Return a module with all that import it."""
    known = imports()
    found, waiting = set[str](), {module}
    while waiting:
        found |= waiting
        waiting = {name for name, used in known.items() if used & waiting} - found
    return found


@cache
def imports() -> dict[str, frozenset[str]]:
    """Return what each module of the engine imports of the engine."""
    folder = ROOT / "decision_engine" / "policy"
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        used = set[str]()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                used |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        found[name] = frozenset(used)
    return found


class Engine:
    """The functions of the engine that this process has loaded."""

    def __init__(self) -> None:
        compiling = importlib.import_module(f"{PACKAGE}.compile")
        self.compile, self.build = compiling.compile_policy, compiling.build
        self.parse = importlib.import_module(f"{PACKAGE}.parse").parse
        self.trace_module = importlib.import_module(f"{PACKAGE}.trace")
        self.scorecard = importlib.import_module(f"{PACKAGE}.scorecard").Scorecard
        self.finder = importlib.import_module(f"{PACKAGE}.table_index").row_finder
        self.unpack = importlib.import_module(f"{PACKAGE}.evaluation").unpack
        self.refused = importlib.import_module(f"{PACKAGE}.findings").PolicyError
        self.entry = importlib.import_module(f"{PACKAGE}.values").Entry
        self.failed = importlib.import_module("domain.errors").PermanentError

    def outputs(self, subject: Subject) -> Iterator[bytes]:
        """Yield a hash for each file and each evaluation of a subject."""
        for number, (policy, inputs) in enumerate(subject.policies):
            compiled = self.compiled(policy, subject)
            yield from self._policy(compiled, inputs, traced=number == 0)
        if subject.policies:
            return
        yield _hash(self.builtins())
        for card in subject.models:
            yield _hash(self.card(card))

    def compiled(self, policy: bytes, subject: Subject) -> Any:
        """Return a policy of the corpus, or the findings that it is refused with."""
        cards = [self.scorecard.parse(raw) for raw in subject.models]
        models = {card.id: card for card in cards}
        if not subject.checked:
            return self.build(self.parse(policy), models)
        try:
            return self.compile(policy, models)
        except self.refused as refused:
            return refused.findings

    def _policy(self, policy: Any, given: Inputs, *, traced: bool) -> Iterator[bytes]:
        if isinstance(policy, list | tuple):
            yield _hash(policy)
            return
        parts = ("hash", "header", "inputs", "reads", "derived", "rules", "models", "functions")
        # Integers give the answers that decimals give, only faster: whether they do is told here.
        scales = repr(getattr(policy.quick, "scales", None))
        yield _hash([*(getattr(policy, part) for part in parts), scales])
        functions = dict.fromkeys(policy.functions, host)
        if functions:
            yield _hash(_raised(lambda: policy.evaluate(self.kept(given[0]), {}), self.failed))
        finders = list(self._finders(policy))
        before = None
        for inputs in map(self.kept, given):
            found = policy.evaluate(inputs, functions)
            consequences = [each.consequence for each in found.results]
            results = self.unpack(found.bits, len(found.results))
            yield _hash((found, found.asks, consequences, results))
            yield _hash((found == before, _by_whom(policy, found)))
            before = found
            yield from self._read(policy, inputs, functions)
            if finders:
                facts = policy.settle(policy.start(inputs, functions)).facts
                yield _hash([find(facts) for find in finders])
            if traced:
                entries = self.trace_module.trace(policy, inputs, functions)
                plain = [each.plain() for each in entries]
                yield _hash((plain, self.trace_module.trace_digest(entries)))

    def _read(
        self, policy: Any, inputs: Mapping[str, Any], functions: Mapping[str, Any]
    ) -> Iterator[bytes]:
        """Yield what complete inputs become when they are read once, from either form."""
        values = tuple(_as_json(field, inputs.get(field.name)) for field in policy.reads)
        for struct in (policy.struct(inputs), policy.struct_of(values)):
            if struct is not None:
                again = policy.evaluate(struct, functions)
                slowly = policy.quick.run(struct.facts, functions) is None
                yield _hash((dict(struct), len(struct), again, again.asks, slowly))
                yield from self._varied(policy, struct, functions)

    def _varied(
        self, policy: Any, struct: Mapping[str, Any], functions: Mapping[str, Any]
    ) -> Iterator[bytes]:
        """Yield what a struct becomes when some of its inputs are changed, and only those read."""
        numbers = [name for name, value in struct.items() if isinstance(value, Decimal)][:2]
        more = {name: struct[name] + 1 for name in numbers}
        for changes in (
            {},
            more,
            {"read by nobody": 1, **more},
            {**more, **dict.fromkeys(numbers)},
        ):
            varied = policy.varied(struct, changes)
            told = None if varied is None else (dict(varied), policy.evaluate(varied, functions))
            yield _hash((told, varied is struct))

    def _finders(self, policy: Any) -> Iterator[Callable[[list[Any]], Any]]:
        """
        Yield what tells, of each big table, the rows that its index leaves to be looked at.

        An index that leaves more than it should gives the same answers, only more slowly.
        """
        for node in policy.nodes:
            rows = getattr(node, "rules", getattr(node, "searched", ()))
            first = getattr(node, "hit_policy", "") in ("first", "priority")
            find = self.finder([row.condition for row in rows], policy.layout, first=first)
            if find is not None:
                yield find

    def kept(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return inputs with the objects that an evaluation kept as this engine's own."""
        return {name: self._own(value) for name, value in inputs.items()}

    def _own(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(map(self._own, value))
        return self.entry(value.fields) if isinstance(value, Kept) else value

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
        same = {card} == {self.scorecard.parse(raw)}
        return card, same, numeric, [card.pd(score) for score in (card.low, card.high)]


def _by_whom(policy: Any, found: Any) -> tuple[bool, Any]:
    """Tell whether the policy's one function made an evaluation, and that another did not."""
    part = getattr(policy.quick, "part", None)
    return found.made_by(part) is not None, found.made_by(host)


def _as_json(field: Any, value: Any) -> Any:
    """Return a value as JSON has it: what needs no decimals is an int."""
    if type(value) is not Decimal or not value.is_finite():
        return value
    whole = value == value.to_integral_value() and field.scale is not None
    return int(value) if whole else str(value).encode()


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
    return answers | dict.fromkeys(PRICED, abs(total))


def _raised(run: Callable[[], object], expected: type[Exception]) -> str:
    try:
        run()
    except expected as error:
        return str(error)
    return "nothing"


def _hash(value: Any) -> bytes:
    return hashlib.sha256(repr(value).encode(errors="backslashreplace")).digest()
