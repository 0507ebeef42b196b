"""
Whatever a file or an expression holds: a result, or a refusal with a sentence; never more.

`check_fuzz` feeds random inputs to every reader of the policy engine. What is accepted is also
compiled, evaluated on random inputs (missing and wrong ones too) and traced. Some inputs run under
a counter of Python calls and some under a meter of memory: both must stay within a line over the
length of the input, so that no text can be slow or large out of proportion.
"""

import json
import random
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import FrameType
from typing import Any, Final, NoReturn

from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.kinds import Kind
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.reason_table import ReasonTable, check_codes
from decision_engine.policy.reasons import rank_reasons
from decision_engine.policy.render import text_of
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, Ref
from decision_engine.policy.trace import TraceEntry, trace, trace_digest
from decision_engine.policy.unary import parse_unary
from tests.integration.policy import fuzz_inputs

#: Python calls that one input may cost: for each of its characters, and at all. A sound policy of
#: 7,600 characters costs about 12 a character; a scorecard's table of probabilities is the rest.
STEPS_PER_CHARACTER: Final = 400
STEPS: Final = 400_000
#: Bytes of memory at the worst moment, the same way.
MEMORY_PER_CHARACTER: Final = 600
MEMORY: Final = 8_000_000
SENTENCE_MOST: Final = 400
REFUSAL_MOST: Final = 600_000
#: A number has 60 digits before the point and 119 after it; a list of a cell is the longest.
EVIDENCE_MOST: Final = 10_000
#: One input in so many is run under the counter of calls, and one under the meter of memory.
COUNTED: Final = 10
METERED: Final = 25

CARD: Final = Scorecard.parse(json.dumps(fuzz_inputs.CARD).encode())
TABLE: Final = ReasonTable.parse(json.dumps(fuzz_inputs.REASONS).encode())
LOAN_TEXT: Final = json.dumps(fuzz_inputs.LOAN).encode()
LOAN: Final = compile_policy(LOAN_TEXT, {CARD.id: CARD})

Target = Callable[[random.Random, "Tally"], None]


class BrokenPromiseError(AssertionError):
    """One input broke the promise; the text names its number, so that it can be run again."""


class _TooManyStepsError(BaseException):
    """Not an `Exception`: nothing under test may catch it."""


@dataclass(slots=True)
class Tally:
    """What the inputs of one run came to; `size` is that of the input under way."""

    found: Counter[str] = field(default_factory=Counter)
    size: int = 0
    steps: int = 0
    memory: int = 0

    def read(self, what: str, raw: bytes | str, reader: Callable[[], Any]) -> Any:
        """Return what the reader returns, or None for a refusal that is as it should be."""
        self.size += len(raw)
        try:
            value = reader()
        except (PolicyError, ExpressionError) as refused:
            _check_refusal(refused, raw)
            self.found[f"{what} refused"] += 1
            return None
        self.found[f"{what} accepted"] += 1
        return value


def check_fuzz(count: int, seed: int) -> dict[str, int]:
    """Run `count` inputs; return how many were accepted and refused, and the worst cost."""
    tally = Tally()
    for number in range(count):
        run_input(number, seed, tally)
    kinds = ("policy", "expression", "cell", "schema", "scorecard", "reasons")
    verdicts = [f"{kind} {verdict}" for kind in kinds for verdict in ("accepted", "refused")]
    if idle := [verdict for verdict in (*verdicts, "evaluated") if not tally.found[verdict]]:
        raise BrokenPromiseError(f"of {count} inputs none was: {', '.join(idle)}")
    counted = {"most calls": tally.steps, "most bytes": tally.memory}
    return {"inputs": count, **dict(sorted(tally.found.items())), **counted}


def run_input(number: int, seed: int, tally: Tally, targets: tuple[Target, ...] = ()) -> None:
    """Run one input of a seed; `targets` are what it is fed to, all readers when empty."""
    random_ = random.Random(f"{seed}/{number}")
    chosen = random_.choice(targets or TARGETS)
    tally.size = 0
    try:
        if number % COUNTED == 0:
            _count(lambda: chosen(random_, tally), tally)
        elif number % METERED == 1:
            _meter(lambda: chosen(random_, tally), tally)
        else:
            chosen(random_, tally)
    except (Exception, _TooManyStepsError) as error:
        what = f"{type(error).__name__}: {str(error)[:SENTENCE_MOST]}"
        raise BrokenPromiseError(f"input {number} of seed {seed}: {what}") from error


def _count(run: Callable[[], None], tally: Tally) -> None:
    steps = 0

    def step(_frame: FrameType, _event: str, _argument: Any) -> None:
        nonlocal steps
        steps += 1
        if steps > STEPS + STEPS_PER_CHARACTER * tally.size:
            _stop(steps, tally.size)

    before = sys.getprofile()
    sys.setprofile(step)
    try:
        run()
    finally:
        sys.setprofile(before)
    tally.steps = max(tally.steps, steps)


def _stop(steps: int, size: int) -> NoReturn:
    raise _TooManyStepsError(f"{steps} calls for {size} characters")


def _meter(run: Callable[[], None], tally: Tally) -> None:
    tracemalloc.start()
    try:
        run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    tally.memory = max(tally.memory, peak)
    if peak > MEMORY + MEMORY_PER_CHARACTER * tally.size:
        raise BrokenPromiseError(f"{peak} bytes for {tally.size} characters")


def _check_refusal(refused: PolicyError | ExpressionError, raw: bytes | str) -> None:
    said = str(refused)
    findings = refused.findings if isinstance(refused, PolicyError) else ()
    sentences = [item.sentence for item in findings if item.severity == "error"]
    for sentence in sentences or [said]:
        if not sentence.strip() or len(sentence) > SENTENCE_MOST:
            raise BrokenPromiseError(f"a sentence of {len(sentence)} characters")
    text = raw if isinstance(raw, str) else raw.decode(errors="replace")
    if len(said) > REFUSAL_MOST or (len(text) > SENTENCE_MOST and text in said):
        raise BrokenPromiseError("the refusal echoes its input")


def fuzz_expression(random_: random.Random, tally: Tally) -> None:
    """Read a text as an expression and as a cell; then in a place of a policy."""
    text, policy = fuzz_inputs.policy_with(random_)
    prefix = random_.choice((None, "p."))
    _again(tally.read("expression", text, lambda: parse_expression(text, prefix)))
    _again(tally.read("cell", text, lambda: parse_unary(text, Ref("a"))))
    raw = json.dumps(policy).encode()
    _use(tally.read("policy", raw, lambda: compile_policy(raw, {})), random_, tally)


def _again(tree: Expr | None) -> None:
    """An expression that was read can be written, and reads the same again."""
    if tree is None:
        return
    text = text_of(tree)
    try:
        again = text_of(parse_expression(text))
    except ExpressionError as refused:
        # The brackets that writing adds may reach the limits of length and depth.
        if not str(refused).startswith(("the text has more than", "the expression is nested")):
            raise
    else:
        if again != text:
            raise BrokenPromiseError("an expression changes when it is written and read again")


def fuzz_policy(random_: random.Random, tally: Tally) -> None:
    """Read a damaged policy, or bytes that are none."""
    raw = _file(random_, fuzz_inputs.LOAN)
    policy = tally.read("policy", raw, lambda: compile_policy(raw, {CARD.id: CARD}))
    _use(policy, random_, tally)


def fuzz_schema(random_: random.Random, tally: Tally) -> None:
    """Read a policy whose schema text was damaged."""
    text = _file(random_, fuzz_inputs.SCHEMA).decode(errors="surrogateescape")
    nodes = [dict(node) for node in fuzz_inputs.LOAN["nodes"]]
    nodes[0] = {**nodes[0], "content": {"schema": text}}
    raw = json.dumps({**fuzz_inputs.LOAN, "nodes": nodes}).encode()
    policy = tally.read("schema", raw, lambda: compile_policy(raw, {CARD.id: CARD}))
    _use(policy, random_, tally)


def fuzz_scorecard(random_: random.Random, tally: Tally) -> None:
    """Read a damaged scorecard, and compile the sound policy with it."""
    raw = _file(random_, fuzz_inputs.CARD)
    card = tally.read("scorecard", raw, lambda: Scorecard.parse(raw))
    if card is not None:
        read = tally.read("policy", LOAN_TEXT, lambda: compile_policy(LOAN_TEXT, {CARD.id: card}))
        _use(read, random_, tally)


def fuzz_reasons(random_: random.Random, tally: Tally) -> None:
    """Read a damaged reason table, and rank with it."""
    raw = _file(random_, fuzz_inputs.REASONS)
    table = tally.read("reasons", raw, lambda: ReasonTable.parse(raw))
    if table is not None:
        check_codes(LOAN, table)
        _use(LOAN, random_, tally, table)


TARGETS: Final[tuple[Target, ...]] = (
    *(fuzz_expression, fuzz_expression, fuzz_expression, fuzz_policy, fuzz_policy),
    *(fuzz_schema, fuzz_scorecard, fuzz_reasons),
)


def _file(random_: random.Random, original: Mapping[str, Any]) -> bytes:
    what = random_.randrange(12)
    if what == 0:
        return random_.randbytes(random_.randrange(200))
    if what == 1:
        return random_.choice(fuzz_inputs.HUGE).encode()
    document = dict(original)
    if what % 2:
        document = fuzz_inputs.damaged(random_, document)
    raw = json.dumps(document).encode()
    return fuzz_inputs.mutated_bytes(random_, raw) if what % 2 == 0 or what == 3 else raw


def _use(
    policy: CompiledPolicy | None,
    random_: random.Random,
    tally: Tally,
    table: ReasonTable = TABLE,
) -> None:
    """Evaluate, trace and explain; only a code that the table lacks may be refused."""
    if policy is None:
        return
    tally.found["evaluated"] += 1
    functions = dict.fromkeys(policy.functions, host(random_.random()))
    for _ in range(2):
        inputs = {item.name: input_value(random_, item.kind) for item in policy.inputs}
        evaluation = policy.evaluate(inputs, functions)
        entries = trace(policy, inputs, functions)
        trace_digest(entries)
        longest = max((len(text) for each in entries for text in _texts(each)), default=0)
        if longest > EVIDENCE_MOST:
            raise BrokenPromiseError(f"the trace has a text of {longest} characters")
        outcome = random_.choice(("APPROVED", "DECLINED", "REFERRED", "COUNTER_OFFER"))
        tally.read("reasoning", b"", lambda: rank_reasons(evaluation, table, outcome))  # noqa: B023


def _texts(entry: TraceEntry) -> list[str]:
    """The values of an entry: what is written is bounded by the limit of an expression."""
    return [entry.value, *(text for each in entry.conditions for text in each[3:])]


def input_value(random_: random.Random, kind: Kind = "number") -> Any:
    """Return a value that is right, missing or wrong."""
    if random_.randrange(3):
        if kind != "number":
            return random_.choice(VALUES[:12])
        return Decimal(random_.randrange(-200, 10_000)).scaleb(-random_.choice((0, 0, 2)))
    return random_.choice(VALUES)


VALUES: Final[tuple[Any, ...]] = (
    *(
        None,
        "\ud800",
        "y\udfff",
        "\ud834\udd1e",
        True,
        False,
        "x",
        "y",
        "retail",
        "prime",
        "é\0",
        1,
        0.5,
        float("nan"),
    ),
    *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("-0")),
    *(Decimal("1E-999999"), Decimal(10) ** 17, Decimal("0.000000000001"), [], {}, object(), b"x"),
    *(10**400, Decimal("9" * 18), Decimal(f"{'9' * 18}.{'9' * 12}"), Decimal(5), Decimal("0.30")),
)


def host(seed: float) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return a function of the host that answers anything, the same for the same arguments."""

    def call(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        random_ = random.Random(f"{seed}{sorted(arguments.items())}")
        return {name: input_value(random_) for name in ("v", "rate", "instalment", "monthly_rate")}

    return call
