"""
Try mutants, each in a process of its own, and compare what is left with the list.

A mutant is killed when one hash of the corpus differs, or when it raises, or when it needs many
times the processor seconds or the memory of the sound engine. What survives gives equal bytes on
the whole corpus, and must stand in survivors.toml with a reason.
"""

import gc
import json
import os
import resource
import signal
import time
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutation.corpus import ROOT, subjects
from tests.mutation.judge import Engine, imports, use
from tests.mutation.mutants import Mutant, file_of, functions_of, mutants_of

FILES: Final = tuple(
    ROOT / "decision_engine" / "policy" / f"{name}.py"
    for name in (
        *("closures", "rows", "conditions", "trace", "layout", "scorecard", "run", "flow"),
        *("unique", "collect", "each", "list_values", "table_index", "spans"),
        *("functions/dates", "functions/lists", "functions/numbers", "functions/operations"),
        *("functions/registry", "functions/signature", "functions/texts"),
        *("codegen", "statements", "fused", "scaled", "whole", "quick", "reading", "answers"),
        *("steps", "compile", "evaluation", "values"),
    )
)
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
JUDGED: Final = Path(__file__).with_name("functions.json")
PROCESSES: Final = 2
SLOWER: Final = 3
#: Processor seconds that a mutant may take in any case.
GRACE_S: Final = 5
MEMORY: Final = 2_000_000_000
SURVIVED: Final = 0
RAISED: Final = 1
#: And from there on the number of the policy that told the difference.
DIFFERED: Final = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a mutant ended: `survived`, `differed`, `raised` or `stopped`."""

    mutant: Mutant
    end: str


class Campaign:
    """The corpus with the bytes of the sound engine."""

    def __init__(self, processes: int = PROCESSES, names: Collection[str] = ()) -> None:
        """`names` are the policies that judge; none are all."""
        self._processes = processes
        self._subjects = [each for each in subjects() if not names or each.name in names]
        engine = Engine()
        self._expected: list[list[bytes]] = []
        self._seconds: list[float] = []
        for subject in self._subjects:
            started = time.process_time()
            self._expected.append(list(engine.outputs(subject)))
            self._seconds.append(time.process_time() - started)
        self._limit_s = int(SLOWER * sum(self._seconds)) + GRACE_S
        #: What killed last is tried first: neighbouring mutants die of the same policies.
        self._order = list(range(len(self._subjects)))
        imports()  # read once, not by every mutant
        gc.collect()
        gc.freeze()

    def run(self, mutants: Sequence[Mutant]) -> Iterator[Verdict]:
        """Yield a verdict for each mutant, in the order in which they end."""
        running: dict[int, Mutant] = {}
        for mutant in mutants:
            if len(running) == self._processes:
                yield self._ended(running)
            running[self._start(mutant)] = mutant
        while running:
            yield self._ended(running)

    def _ended(self, running: dict[int, Mutant]) -> Verdict:
        process, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        if code >= DIFFERED:
            self._order.remove(code - DIFFERED)
            self._order.insert(0, code - DIFFERED)
        ends = {SURVIVED: "survived", RAISED: "raised"}
        return Verdict(
            running.pop(process), ends.get(code, "differed" if code >= DIFFERED else "stopped")
        )

    def _start(self, mutant: Mutant) -> int:
        process = os.fork()
        if process == 0:
            os._exit(self._judge(mutant))
        return process

    def _judge(self, mutant: Mutant) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (self._limit_s, self._limit_s))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        gc.disable()
        try:
            module = mutant.file.removesuffix(".py").replace("/", ".")
            use(module, mutant.code)
            engine = Engine()
            for index in self._order:
                self._give_time(self._seconds[index])
                if not self._same(engine, index):
                    return DIFFERED + index
        except BaseException:  # noqa: BLE001 - whatever a mutant raises, it is dead
            return RAISED
        return SURVIVED

    def _give_time(self, sound_s: float) -> None:
        """Let the next policy take so much longer: a loop without an end is soon over."""
        most = int(time.process_time() + SLOWER * sound_s) + GRACE_S
        resource.setrlimit(resource.RLIMIT_CPU, (min(most, self._limit_s), self._limit_s))

    def _same(self, engine: Engine, index: int) -> bool:
        expected = self._expected[index]
        found = 0
        for mine, sound in zip(engine.outputs(self._subjects[index]), expected, strict=False):
            found += 1
            if mine != sound:
                return False
        return found == len(expected)


def all_mutants() -> list[Mutant]:
    """Return every mutant of every file."""
    return [mutant for path in FILES for mutant in mutants_of(path)]


def changed_functions() -> set[tuple[str, str]]:
    """
    Return (file, function) of what differs from what the last whole campaign judged.

    A file that no campaign has judged yet is not among them: `make prove` tries all of it.
    """
    judged = json.loads(JUDGED.read_text())
    return {
        (file_of(path), function)
        for path in FILES
        if file_of(path) in judged
        for function, code in functions_of(path).items()
        if judged[file_of(path)].get(function) != code
    }


def unjudged() -> list[str]:
    """Return the files of which no whole campaign was ever run: their faults may go unseen."""
    judged = json.loads(JUDGED.read_text())
    return [file_of(path) for path in FILES if file_of(path) not in judged]


def mark_judged(files: Iterable[str]) -> None:
    """Write down the functions of whole files as they are: a campaign has just judged them."""
    judged = json.loads(JUDGED.read_text())
    judged |= {file_of(path): functions_of(path) for path in FILES if file_of(path) in set(files)}
    JUDGED.write_text(json.dumps(judged, indent=1, sort_keys=True) + "\n")


def listed() -> dict[str, str]:
    """Return the known survivors with their reasons."""
    table = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))
    return {
        f"{each['file']} {each['function']}: {each['change']}": each["reason"]
        for each in table.get("survivor", ())
    }


def check_files(files: Sequence[str] = ()) -> dict[str, int]:
    """
    Judge every mutant of these files, else of all; return how they ended, by file.

    Raises:
        AssertionError: see `compare`; or no files are named, and some were never judged.
    """
    waiting = unjudged()
    if not files and waiting:
        raise AssertionError(f"not judged yet (python -m tests.mutation FILE): {waiting}")
    return check_mutants(each for each in all_mutants() if not files or each.file in files)


def check_mutants(mutants: Iterable[Mutant], names: Collection[str] = ()) -> dict[str, int]:
    """Judge the mutants by the policies named, else by all (see `compare` and `counts`)."""
    verdicts = list(Campaign(names=names).run(list(mutants)))
    compare(verdicts, listed())
    return counts(verdicts)


def counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many mutants ended how, by file, and in all."""
    found: Counter[str] = Counter()
    for verdict in verdicts:
        for what in (verdict.mutant.file, "all"):
            found[f"{what} mutants"] += 1
            found[f"{what} {'survived' if verdict.end == 'survived' else 'killed'}"] += 1
    return dict(found)


def compare(verdicts: Sequence[Verdict], known: Mapping[str, str]) -> None:
    """
    Hold what survived against the list.

    Raises:
        AssertionError: one survived that the list does not know, or knows without a reason; or
            one that the list knows was killed.
    """
    survived = {verdict.mutant.name for verdict in verdicts if verdict.end == "survived"}
    fresh = sorted(name for name in survived if not known.get(name))
    if fresh:
        raise AssertionError("\n".join([f"{len(fresh)} mutants survived:", *fresh]))
    dead = listed_but_killed(verdicts, known)
    if dead:
        raise AssertionError("\n".join(["listed as survivors, but killed:", *dead]))


def listed_but_killed(verdicts: Iterable[Verdict], known: Mapping[str, str]) -> list[str]:
    """Return the names of the list that it should not have."""
    killed = {each.mutant.name for each in verdicts if each.end != "survived"}
    return sorted(killed & known.keys())
