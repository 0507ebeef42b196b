"""
The policy engine beside `zen-engine`, in one run: the same file, the same context, CPU time.

Run: `.venv/bin/python -m bench policy`. The contenders take turns in rounds, so that whatever else
runs on the machine hits all of them; each figure is the CPU time of one evaluation. A bar that is
missed is printed as MISSED, and the bench fails.
"""

import gc
import json
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from time import process_time_ns
from typing import Any, Final

import zen

from adapters.bootstrap.shipped import personal_loan
from adapters.inbound.input_structs import input_reader
from bench.policy_documents import CONTEXT, TABLES, reference, table_policy
from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.document import ValueTable
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.json_inputs import read_inputs
from decision_engine.policy.record import Record, recorder
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.table_index import row_finder
from decision_engine.policy.values import Value
from domain.canonical import sha256_text

ROUNDS: Final = 15
CALLS: Final = 1_000
SIZES: Final = (15, 150, 1_500, 15_000)
MIB: Final = 1024 * 1024

PUBLISH_S: Final = 2.0
SHIPPED_MS: Final = 200.0
LAST_TO_FIRST: Final = 2.0
INDEX_MIB: Final = 64.0


@dataclass
class Bars:
    """What was promised, and whether it was kept."""

    missed: list[str] = field(default_factory=list)

    def judge(self, what: str, kept: bool) -> str:  # noqa: FBT001 - the verdict is the argument
        """Return the word that stands at the end of a line."""
        if not kept:
            self.missed.append(what)
        return "ok" if kept else "MISSED"


@dataclass(frozen=True)
class Measure:
    """One contender: what lies inside its boundary, in words, and how many times ZEN it must be."""

    name: str
    boundary: str
    call: Callable[[], object]
    bar: float = 0.0


def main() -> None:
    """Print all figures; raise SystemExit when a bar was missed."""
    bars = Bars()
    beside_zen(bars)
    table_sizes(bars)
    shipped(bars)
    if bars.missed:
        raise SystemExit(f"MISSED: {', '.join(bars.missed)}")


def beside_zen(bars: Bars) -> None:
    """Measure the reference policy."""
    document = reference()
    raw = json.dumps(document).encode()
    policy = compile_policy(raw, {})
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"reference": document}}})
    context = json.dumps(CONTEXT, separators=(",", ":")).encode()
    read, write = input_reader(policy), recorder(policy)
    inputs, struct = read_inputs(context), read(context)
    for given in (inputs, struct):
        agree(policy.evaluate(given, {}), engine.evaluate("reference", context)["result"])
    measures = (
        Measure(
            "zen", "JSON bytes in, result dict out", lambda: engine.evaluate("reference", context)
        ),
        Measure(
            "a untraced, struct in",
            "checked inputs in; the hits and all derived values out, as exact decimals",
            lambda: answer(policy.evaluate(struct, {})),
            8.0,
        ),
        Measure(
            "b untraced, bytes in",
            "JSON bytes in, read strictly and checked; then as a",
            lambda: answer(policy.evaluate(read(context), {})),
            4.0,
        ),
        Measure(
            "c recorded, struct in",
            "checked inputs in; all of them, the values and the bitmap in canonical bytes, hashed",
            lambda: record(policy, write, struct),
            3.0,
        ),
        Measure(
            "d outcome, struct in",
            "checked inputs in; the hits out, derived values not asked for",
            lambda: policy.evaluate(struct, {}).asks,
        ),
        Measure(
            "e untraced, mapping in",
            "names to exact decimals in, checked; then as a",
            lambda: answer(policy.evaluate(inputs, {})),
        ),
    )
    print(f"15 rules, {len(context)} bytes of context, {ROUNDS} rounds of {CALLS} calls, CPU µs")
    data, _ = record(policy, write, struct)
    if data != write(inputs, policy.evaluate(inputs, {})):
        raise RuntimeError("the record depends on how the inputs came")
    print(f"the record is {len(data)} bytes\n")
    print(f"{'':<24}{'min':>8}{'median':>8}{'x zen':>8}{'bar':>6}")
    rounds = interleaved(measures)
    base = rounds[measures[0].name]
    for measure in measures:
        own = rounds[measure.name]
        ratio = median(base) / median(own)
        worst = min(ratio, min(base) / min(own))
        verdict = bars.judge(measure.name, worst >= measure.bar) if measure.bar else ""
        print(
            f"{measure.name:<24}{min(own):>8.2f}{median(own):>8.2f}{ratio:>8.1f}"
            f"{measure.bar or '':>6} {verdict:<7} {measure.boundary}"
        )


def answer(evaluation: Evaluation) -> tuple[Mapping[str, Value | None], list[str]]:
    """Return what a caller decides with: the derived values, and the codes that hit."""
    return evaluation.values, [result.code for result in evaluation.asks]


def record(
    policy: CompiledPolicy, write: Record, inputs: Mapping[str, Value | None]
) -> tuple[bytes, str]:
    """Return the bytes that are kept of one evaluation, and their hash."""
    data = write(inputs, policy.evaluate(inputs, {}))
    return data, sha256_text(data)


def agree(ours: Evaluation, theirs: Mapping[str, Any]) -> None:
    """Refuse to measure two engines that do not say the same."""
    hits = [result.code for result in ours.results if result.result == "hit"]
    if hits != [row["code"] for row in theirs["rules"]] or not hits:
        raise RuntimeError("the engines disagree on the rules")
    for name, value in ours.values.items():
        found: Any = theirs
        for part in name.split("."):
            found = found[part]
        same = value == found if isinstance(value, str | bool) else value == Decimal(str(found))
        if not same:
            raise RuntimeError(f"the engines disagree on {name}: {value} and {found}")


def interleaved(measures: tuple[Measure, ...]) -> dict[str, list[float]]:
    """Return the CPU microseconds a call of every round, the contenders taking turns."""
    rounds: dict[str, list[float]] = {measure.name: [] for measure in measures}
    for _ in range(ROUNDS):
        for measure in measures:
            rounds[measure.name].append(cpu_us(measure.call, CALLS))
    return rounds


def cpu_us(call: Callable[[], object], calls: int) -> float:
    """Return the CPU microseconds of one call."""
    gc.collect()
    started = process_time_ns()
    for _ in range(calls):
        call()
    return (process_time_ns() - started) / calls / 1000


def table_sizes(bars: Bars) -> None:
    """Measure tables from 15 to 15,000 rows."""
    print(f"\n{'':<24}{'rows':>8}{'publish s':>10}{'first µs':>10}{'last µs':>9}{'index MiB':>10}")
    for kind in TABLES:
        for size in SIZES:
            raw = json.dumps(table_policy(kind, size)).encode()
            seconds = min(publish_s(raw, {}) for _ in range(3))
            policy = compile_policy(raw, {})
            first, last = (best_us(policy, kind, size, row) for row in (0, size - 1))
            mib = index_mib(policy)
            kept = seconds <= PUBLISH_S and mib <= INDEX_MIB and last <= LAST_TO_FIRST * first
            print(
                f"{kind:<24}{size:>8}{seconds:>10.3f}{first:>10.2f}{last:>9.2f}{mib:>10.2f}"
                f" {bars.judge(f'{kind} {size}', kept)}"
            )


def best_us(policy: CompiledPolicy, kind: str, size: int, row: int) -> float:
    """Return the CPU microseconds of finding one row, the best of some rounds."""
    inputs = TABLES[kind].inputs(size, row)
    found = policy.evaluate(inputs, {})
    if TABLES[kind].found(found) != row:
        raise RuntimeError(f"{kind} of {size}: row {row} was not found")
    calls = max(20, min(CALLS, 300_000 // size))
    return min(cpu_us(lambda: answer(policy.evaluate(inputs, {})), calls) for _ in range(7))


def publish_s(raw: bytes, models: Mapping[str, Scorecard]) -> float:
    """Return the CPU seconds from bytes to a policy that can decide."""
    gc.collect()
    started = process_time_ns()
    compile_policy(raw, models)
    return (process_time_ns() - started) / 1e9


def index_mib(policy: CompiledPolicy) -> float:
    """Return the memory that the index of the policy's table keeps."""
    conditions, first = conditions_of(policy)
    gc.collect()
    tracemalloc.start()
    held = row_finder(conditions, policy.layout, first=first)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del held
    return size / MIB


def conditions_of(policy: CompiledPolicy) -> tuple[list[Any], bool]:
    """Return the rows of the only table, and whether its first true row is all that counts."""
    for node in policy.nodes:
        if isinstance(node, ValueTable):
            return [row.condition for row in node.rows], True
    return [rule.condition for rule in policy.rules], False


def shipped(bars: Bars) -> None:
    """Measure the publishing of the policy that the project ships."""
    artifacts = personal_loan()
    models = {model.id: model for model in map(Scorecard.parse, artifacts.models)}
    ms = [publish_s(artifacts.policy, models) * 1000 for _ in range(5)]
    verdict = bars.judge("publish of the shipped policy", median(ms) <= SHIPPED_MS)
    print(f"\npublish of policies/personal-loan.json: {min(ms):.0f} to {max(ms):.0f} ms {verdict}")


if __name__ == "__main__":
    main()
