"""
Run the linters and the test suites, and say how long each took.

`check` stops before everything that needs a server or a process of its own; `all` runs the rest
as well. Every step runs even when an earlier one failed; the last line is the sum of all pytest
runs in pytest's own form.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BIN: Final = ROOT / ".venv" / "bin"
CORE: Final = ("domain", "decision_engine", "ingestion", "consistency")

LINTERS: Final = (
    ("lint", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("types", ("mypy",)),
    ("imports", ("lint-imports",)),
)
LINTER_LIMIT_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Folders of tests that run as one pytest process."""

    name: str
    folders: tuple[str, ...]
    options: tuple[str, ...]
    limit_s: int


FAST: Final = Suite(
    name="fast",
    folders=("tests/unit", "tests/contracts", "tests/simulation"),
    options=("-n", "2", "--cov", "--cov-report="),
    limit_s=600,
)
SLOW: Final = (
    Suite(name="integration", folders=("tests/integration",), options=(), limit_s=1200),
    Suite(name="e2e", folders=("tests/e2e",), options=(), limit_s=900),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one step went."""

    name: str
    ok: bool
    seconds: float
    counts: Counter[str]


def main(arguments: Sequence[str]) -> int:
    """Run `check` or `all`; return 0 only when every step succeeded."""
    if list(arguments) not in (["check"], ["all"]):
        print("usage: python -m tools.run_tests check|all", file=sys.stderr)
        return 2
    results = list(_steps(whole=arguments[0] == "all"))
    _print_minutes(results)
    print_summary(results)
    return 0 if all(result.ok for result in results) else 1


def _steps(*, whole: bool) -> Iterator[Result]:
    for name, command in LINTERS:
        yield _command(name, command)
    yield run_suite(FAST)
    yield _core_coverage()
    if whole:
        for suite in SLOW:
            yield run_suite(suite)


def _command(name: str, command: Sequence[str], limit_s: int = LINTER_LIMIT_S) -> Result:
    print(f"--- {name}: {' '.join(command)}", flush=True)
    started = time.monotonic()
    code = run([str(BIN / command[0]), *command[1:]], limit_s)
    return Result(name=name, ok=code == 0, seconds=time.monotonic() - started, counts=Counter())


def run_suite(suite: Suite) -> Result:
    """Run one suite; a suite that ran no test has proved nothing, so it fails."""
    print(f"--- {suite.name}: pytest {' '.join(suite.folders)}", flush=True)
    there = [folder for folder in suite.folders if (ROOT / folder).is_dir()]
    for folder in sorted(set(suite.folders) - set(there)):
        print(f"{folder}: this folder does not exist", flush=True)
    started = time.monotonic()
    code, counts = _pytest(suite, there) if there else (1, Counter[str]())
    seconds = time.monotonic() - started
    return Result(name=suite.name, ok=code == 0, seconds=seconds, counts=counts)


def _pytest(suite: Suite, folders: Sequence[str]) -> tuple[int, Counter[str]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(BIN / "pytest"), *suite.options, f"--junitxml={report}", *folders]
        code = run(command, suite.limit_s)
        return code, counts_of(report) if report.exists() else Counter()


def counts_of(report: Path) -> Counter[str]:
    """Count the outcomes in a JUnit report."""
    counts: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by our own pytest
        counts[_outcome(case)] += 1
    return counts


def _outcome(case: ET.Element) -> str:
    if case.find("failure") is not None:
        return "failed"
    if case.find("error") is not None:
        return "errors"
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "xfailed" if skipped.get("type") == "pytest.xfail" else "skipped"


def _core_coverage() -> Result:
    least = os.environ.get("COVER_MIN", "100")
    include = ",".join(f"{package}/*" for package in CORE)
    command = ("coverage", "report", f"--include={include}", f"--fail-under={least}")
    return _command("coverage of the core", command)


def run(command: Sequence[str], limit_s: float) -> int:
    """Run in a process group of its own, so that a hung suite takes its children with it."""
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait(limit_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
    print(f"stopped: it did not end within {limit_s} s", flush=True)
    return 1


def _print_minutes(results: Sequence[Result]) -> None:
    print("\n--- minutes")
    for result in results:
        counted = ", ".join(f"{count} {word}" for word, count in sorted(result.counts.items()))
        verdict = "ok" if result.ok else "FAILED"
        print(f"{result.name:<22}{result.seconds / 60:6.2f}  {verdict:<7} {counted}".rstrip())


def print_summary(results: Sequence[Result]) -> None:
    """Print the sum of all pytest runs, in the form of pytest's own last line."""
    total = sum((result.counts for result in results), Counter[str]())
    words = ("failed", "passed", "skipped", "xfailed", "errors")
    counted = ", ".join(f"{total[word]} {word}" for word in words if total[word])
    seconds = sum(result.seconds for result in results)
    line = f" {counted or 'no tests ran'} in {seconds:.2f}s "
    print(line.center(80, "="), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
