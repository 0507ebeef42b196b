"""
Every decision of a run decided again elsewhere, and every change of what it rests on found.

Everything here takes a data folder at rest, a run of `tests.e2e.runs` or that of a demo.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, Final

from adapters.bootstrap.shipped import personal_loan
from decision_engine.archive import StoredDecision
from decision_engine.replay import Replayed, replay_evidence
from decision_engine.rulebook import Artifacts, Rulebook, build_rulebook
from domain.canonical import encode
from tests.e2e.folder import Folder
from tests.e2e.platform import ROOT

#: Far from this machine's own; a POSIX zone needs no files, and plain C knows no accents.
SURROUNDINGS: Final = (
    {"PYTHONHASHSEED": "1", "TZ": "KIR-14", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONHASHSEED": "4242", "TZ": "WEST+11", "LC_ALL": "C.UTF-8", "PYTHONOPTIMIZE": "2"},
)
RESIDUAL: Final = "income.monthly - debt.service - exposure.service - price.instalment < 600"
#: What an altered rule must leave alone where it does not apply; the trace quotes every rule.
RESULTS: Final = frozenset(
    f"result.{name}" for name in ("outcome", "reasons", "offers", "score", "band", "bits")
)

Measured = Mapping[str, str | int | float | bool | None]
Facts = dict[str, Any]


# --- elsewhere -----------------------------------------------------------------------------------


def check_replay(data: Path) -> Measured:
    """Replay all decisions in fresh processes and raise unless every one is EQUAL."""
    decisions = Folder(data).decisions()
    counts = _counts(decisions)
    seen = set()
    with tempfile.TemporaryDirectory(prefix="replay-") as temporary:
        folder = Path(temporary)
        export(decisions, personal_loan(), folder)
        for surroundings in SURROUNDINGS:
            first, *lines = replayed_elsewhere(folder, surroundings)
            seen.add(json.dumps(first))
            unequal = [line for line in lines if line[1:] != ["EQUAL", True]]
            assert not unequal, unequal[:5]
            assert [line[0] for line in lines] == [stored.decision_id for stored in decisions]
    assert len(seen) == len(SURROUNDINGS), "the surroundings did not differ"
    return {"decisions": len(decisions), "replays": len(decisions) * len(SURROUNDINGS), **counts}


def _counts(decisions: Sequence[StoredDecision]) -> Counter[str]:
    counts = Counter(stored.outcome for stored in decisions)
    for stored in decisions:
        facts = json.loads(stored.evidence or b"")
        counts["with exposure"] += bool(facts["exposure"])
        counts["reviewed"] += bool(facts["human"])
    return counts


def export(decisions: Sequence[StoredDecision], artifacts: Artifacts, folder: Path) -> None:
    """Write evidence and reply of decisions, and the files they were decided with."""
    with (folder / "decisions.ndjson").open("w", encoding="utf-8") as file:
        for stored in decisions:
            assert stored.evidence is not None and stored.reply is not None  # noqa: PT018
            row = {"decision_id": stored.decision_id, "evidence": stored.evidence.decode()}
            file.write(json.dumps({**row, "reply": stored.reply.decode()}) + "\n")
    for name in ("policy", "reasons", "iof", "funding"):
        (folder / f"{name}.json").write_bytes(getattr(artifacts, name))
    for number, model in enumerate(artifacts.models):
        (folder / f"model-{number}.json").write_bytes(model)


def replayed_elsewhere(folder: Path, surroundings: Mapping[str, str]) -> list[Any]:
    """Return what a fresh process says to an export."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.replayer", str(folder)],
        cwd=ROOT,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- changes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A rulebook with one thing changed, and what a replay must name where it was read."""

    name: str
    rulebook: Rulebook
    #: The part of the manifest that differs in any case.
    part: str
    #: The entries that must be named for a decision, beside the part of the manifest.
    entries: Callable[[Facts], Sequence[str]]


def check_tampering(data: Path, count: int, seed: int) -> Measured:
    """Change everything that a decision rests on, one at a time, and raise if it is not named."""
    chance = Random(f"tampering/{seed}")
    decisions = Folder(data).decisions()
    chosen = chance.sample(decisions, min(count, len(decisions)))
    rulebook = build(personal_loan())
    changes = list(_changes())
    tried: Counter[str] = Counter()
    for stored in chosen:
        facts: Facts = json.loads(stored.evidence or b"")
        for name, tampered in _tampered(facts, chance):
            replayed, _ = replay_evidence(encode(tampered), rulebook)
            _must_name(replayed, name, stored)
            tried["recorded inputs"] += 1
        for change in changes:
            replayed, _ = replay_evidence(stored.evidence or b"", change.rulebook)
            _must_name(replayed, f"manifest.{change.part}", stored)
            for entry in change.entries(facts):
                _must_name(replayed, entry, stored)
            tried[change.name] += 1
    return {"decisions": len(chosen), **tried}


def _must_name(replayed: Replayed, name: str, stored: StoredDecision) -> None:
    found = replayed.differences
    assert replayed.verdict == "DIFFERENT", f"{stored.decision_id}: {name} was not noticed"
    assert name in found, f"{stored.decision_id}: {name} was not named, but {found}"


def _tampered(facts: Facts, chance: Random) -> Iterator[tuple[str, Facts]]:
    """Yield the evidence with one recorded input changed, and the name of that input."""
    for name, held in facts["inputs"].items():
        inputs = {**facts["inputs"], name: _other_input(held, chance)}
        yield f"inputs.{name}", {**facts, "inputs": inputs}
    application = facts["application"]
    for name, value in (("amount", "1234.56"), ("term_months", application["term_months"] + 1)):
        yield "application", {**facts, "application": {**application, name: value}}
    held = [*facts["exposure"], ["one more", 1_00, 1_00]]
    yield "exposure", {**facts, "exposure": held}
    if facts["exposure"]:
        source, principal, instalment = facts["exposure"][0]
        held = [[source, principal - 1, instalment], *facts["exposure"][1:]]
        yield "exposure", {**facts, "exposure": held}


def _other_input(held: Sequence[Any], chance: Random) -> list[Any]:
    state, text, observed = held
    others: list[list[Any]] = [
        ["stale" if state == "ok" else "ok", text, observed],
        [state, text, (observed or 0) + 1],
        [state, _other_text(text), observed],
    ]
    return chance.choice(others)


def _other_text(text: str | None) -> str | None:
    if text is None:
        return "1"
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def _changes() -> Iterator[Change]:
    shipped = personal_loan()
    document = json.loads(shipped.policy)
    yield Change("policy byte", build(_with_title(shipped)), "policy", lambda _: ())
    for rule_id, column, text, other in THRESHOLDS:
        policy = altered_policy(document, rule_id, column, text, other)
        rulebook = build(replace(shipped, policy=policy))
        yield Change("threshold", rulebook, "policy", _named(f"rules.{rule_id}"))
    policy = altered_policy(document, "band-c", "income_multiple", "5", "5.5")
    yield Change("threshold", build(replace(shipped, policy=policy)), "policy", _in_band_c)
    iof = replace(shipped, iof=_dearer(shipped.iof, -1, "flat"))
    yield Change("iof row read", build(iof), "iof", _named("tables.iof"))
    iof = replace(shipped, iof=_dearer(shipped.iof, 0, "flat"))
    yield Change("iof row not read", build(iof), "iof", lambda _: ())
    funding = replace(shipped, funding=_dearer(shipped.funding, -1, "margin"))
    yield Change("funding row read", build(funding), "funding", _named("tables.funding"))


#: One threshold of each rule: its column, its text, another text.
THRESHOLDS: Final = (
    ("late-now", "late_now", ">= 3", ">= 4"),
    ("amount-minimum", "amount", "< 1000", "< 1000.01"),
    ("amount-maximum", "amount", "> 50000", "> 50001"),
    ("term-range", "term", "not in [6..60]", "not in [6..61]"),
    ("grey-zone", "score", "[446..465]", "[446..466]"),
    ("score-cut-off", "score", "< 446", "< 445"),
    ("residual-income", "condition", RESIDUAL, RESIDUAL.replace("600", "601")),
)


def _named(name: str) -> Callable[[Facts], Sequence[str]]:
    return lambda _: (name,)


def _in_band_c(facts: Facts) -> Sequence[str]:
    """Return the row, and for the customers of the band what followed from it."""
    row = ("texts.Band.band-c",)
    return (*row, "values.band.income_multiple") if facts["result"]["band"] == "C" else row


def altered_policy(document: Any, rule_id: str, column: str, text: str, other: str) -> bytes:
    """Return the policy with one cell of one rule changed."""
    copied = json.loads(json.dumps(document))
    rules = [
        rule
        for node in copied["nodes"]
        for rule in node.get("content", {}).get("rules", ())
        if rule["_id"] == rule_id
    ]
    assert [rule[column] for rule in rules] == [text], f"{rule_id} reads otherwise now"
    rules[0][column] = other
    return json.dumps(copied, ensure_ascii=False).encode()


def _with_title(shipped: Artifacts) -> Artifacts:
    changed = shipped.policy.replace("Empréstimo".encode(), b"Emprestimo", 1)
    assert changed != shipped.policy
    return replace(shipped, policy=changed)


def _dearer(table: bytes, row: int, key: str) -> bytes:
    """Return a dated table with one rate of one row changed a little."""
    document = json.loads(table)
    document["rows"][row][key] = str(Decimal(document["rows"][row][key]) + Decimal("0.0001"))
    return json.dumps(document, ensure_ascii=False).encode()


def build(artifacts: Artifacts) -> Rulebook:
    """Return the rulebook of some files."""
    return build_rulebook(artifacts, version("tzdata"))


# --- a build with one altered rule ---------------------------------------------------------------


def check_altered_rules(data: Path) -> Measured:
    """Replay by builds with one rule altered; raise unless exactly what it touches is reported."""
    decisions = Folder(data).decisions()
    touched = {rule: _check_altered_rule(decisions, *rule) for rule in ALTERED}
    return {f"touched by {rule[0]}": count for rule, count in touched.items()}


def _check_altered_rule(
    decisions: Sequence[StoredDecision], rule_id: str, column: str, text: str, other: str
) -> int:
    shipped = personal_loan()
    policy = altered_policy(json.loads(shipped.policy), rule_id, column, text, other)
    altered = build(replace(shipped, policy=policy))
    # The build believes to be the one that decided: only results can tell.
    disguised = replace(altered, policy=build(shipped).policy)
    reported = {
        stored.decision_id
        for stored in decisions
        if RESULTS & set(replay_evidence(stored.evidence or b"", disguised)[0].differences)
    }
    expected = {
        stored.decision_id
        for stored in decisions
        if TOUCHED[rule_id](json.loads(stored.evidence or b""))
    }
    assert expected, f"nothing in this run is touched by {rule_id}"
    assert reported == expected, (rule_id, reported ^ expected)
    return len(expected)


#: Alterations whose reach can be told from the evidence by a plain comparison.
ALTERED: Final = (
    ("late-now", "late_now", ">= 3", ">= 2"),
    ("grey-zone", "score", "[446..465]", "[446..480]"),
    ("score-cut-off", "score", "< 446", "< 440"),
)


def _score_in(lowest: int, highest: int) -> Callable[[Facts], bool]:
    def within(facts: Facts) -> bool:
        score = facts["result"]["score"]
        return score is not None and lowest <= score <= highest

    return within


TOUCHED: Final[Mapping[str, Callable[[Facts], bool]]] = {
    "late-now": lambda facts: (
        facts["status"] == "present" and facts["inputs"]["behaviour.late_now"][:2] == ["ok", "2"]
    ),
    "grey-zone": _score_in(466, 480),
    "score-cut-off": _score_in(440, 445),
}
