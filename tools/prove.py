"""
Run every proof row at full counts and write dated results to docs/proofs/.

Resumable: a row that held is not run again for the same seed and the same state of the code, so
a stopped run goes on where it was.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from tools.proof_rows import ROWS, Row

ROOT: Final = Path(__file__).resolve().parent.parent
DEFAULT_SEED: Final = 20261210


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one row did."""

    name: str
    promise: str
    held: bool
    seconds: float
    measured: Mapping[str, Any]
    error: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """The rows that held so far, for one seed and one state of the code."""

    file: Path
    seed: int
    code: str
    outcomes: dict[str, Outcome]

    @classmethod
    def load(cls, file: Path, seed: int, code: str) -> Self:
        """Read the state; another seed or other code starts afresh."""
        stored = json.loads(file.read_text()) if file.exists() else {}
        if (stored.get("seed"), stored.get("code")) != (seed, code):
            return cls(file, seed, code, {})
        held = [Outcome(**each) for each in stored["outcomes"] if each["held"]]
        return cls(file, seed, code, {each.name: each for each in held})

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome; it survives a stop from here on."""
        self.outcomes[outcome.name] = outcome
        self.file.parent.mkdir(exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps(self.document()))
        fresh.replace(self.file)

    def document(self) -> dict[str, Any]:
        """Return everything that is known, ready for JSON."""
        outcomes = [asdict(each) for each in self.outcomes.values()]
        return {"seed": self.seed, "code": self.code, "outcomes": outcomes}


def main(arguments: Sequence[str]) -> int:
    """Run the rows that are asked for; return 0 only when all of them held."""
    options = _options(arguments)
    rows = [row for row in ROWS if not options.row or row.name in options.row]
    if options.list or not rows:
        print("\n".join(f"{row.name}: {row.promise}" for row in ROWS) or "no proof row yet")
        return 0 if options.list else 2
    state = State.load(ROOT / ".prove" / "state.json", options.seed, code_state(ROOT))
    for row in rows:
        if row.name not in state.outcomes:
            state.add(prove(row, options.seed))
    outcomes = [state.outcomes[row.name] for row in rows]
    print(f"results: {write_report(ROOT / 'docs' / 'proofs', state, outcomes)}")
    return 0 if all(outcome.held for outcome in outcomes) else 1


def prove(row: Row, seed: int) -> Outcome:
    """Run one row; whatever it raises means that the promise did not hold."""
    print(f"{row.name}: seed {seed} …", flush=True)
    started = time.monotonic()
    measured: Mapping[str, Any] = {}
    error = ""
    try:
        measured = row.run(seed)
    except Exception as raised:  # noqa: BLE001 - a row that breaks did not hold; the others still run
        error = f"{type(raised).__name__}: {raised}"
    seconds = round(time.monotonic() - started, 3)
    print(f"{row.name}: {error or 'held'} ({seconds:.1f} s)", flush=True)
    return Outcome(
        name=row.name,
        promise=row.promise,
        held=not error,
        seconds=seconds,
        measured=dict(measured),
        error=error,
    )


def write_report(folder: Path, state: State, outcomes: Sequence[Outcome]) -> Path:
    """Write the dated results as JSON and as a page; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    day = datetime.now(UTC).date().isoformat()
    name = f"{day}-{state.code[:12]}-{state.seed}"
    document = {**state.document(), "date": day, "outcomes": [asdict(each) for each in outcomes]}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n")
    page = folder / f"{name}.md"
    page.write_text(_page(day, state, outcomes))
    return page


def code_state(root: Path) -> str:
    """Return the commit; with uncommitted changes also a hash of them."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", "HEAD").strip() or "no-commit"
    changes = _git(root, "status", "--porcelain") + (_git(root, "diff", "HEAD"))
    if not changes:
        return commit
    return f"{commit[:12]}-changed-{hashlib.sha256(changes.encode()).hexdigest()[:12]}"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--row", action="append", help="run this row only; may be repeated")
    parser.add_argument("--list", action="store_true", help="show the rows and stop")
    return parser.parse_args(arguments)


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _page(day: str, state: State, outcomes: Sequence[Outcome]) -> str:
    head = f"# Proofs of {day}\n\nSeed {state.seed}, code `{state.code}`.\n\n"
    table = "| row | promise | held | seconds | measured |\n|---|---|---|---|---|\n"
    return head + table + "".join(_line(each) for each in outcomes)


def _line(outcome: Outcome) -> str:
    measured = ", ".join(f"{key} {value}" for key, value in outcome.measured.items())
    found = (outcome.error or measured).replace("|", "/").replace("\n", " ")
    held = "yes" if outcome.held else "**no**"
    return f"| {outcome.name} | {outcome.promise} | {held} | {outcome.seconds:.1f} | {found} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
