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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutation.corpus import ROOT, Subject, cards, subjects
from tests.mutation.judge import Replacement, outputs, use
from tests.mutation.mutants import Mutant, functions_of, mutants_of

FILES: Final = tuple(
    ROOT / "decision_engine" / "policy" / f"{name}.py"
    for name in (
        *("closures", "codegen", "steps", "rows", "evaluation", "values", "scorecard", "run"),
        *("compile", "layout", "conditions", "trace"),
    )
)
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
JUDGED: Final = Path(__file__).with_name("functions.json")
PROCESSES: Final = 2
SLOWER: Final = 8
MEMORY: Final = 2_000_000_000
SURVIVED: Final = 0
DIFFERED: Final = 10
RAISED: Final = 11


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a mutant ended: `survived`, `differed`, `raised` or `stopped`."""

    mutant: Mutant
    end: str


class Campaign:
    """The corpus with the bytes of the sound engine."""

    def __init__(self) -> None:
        self._subjects: list[Subject] = subjects()
        self._cards = cards()
        started = time.process_time()
        self.expected = list(outputs(self._subjects, self._cards))
        self._limit_s = int(SLOWER * (time.process_time() - started)) + 5

    def run(self, mutants: Sequence[Mutant]) -> Iterator[Verdict]:
        """Yield a verdict for each mutant, in the order in which they end."""
        running: dict[int, Mutant] = {}
        for mutant in mutants:
            if len(running) == PROCESSES:
                yield self._ended(running)
            running[self._start(mutant)] = mutant
        while running:
            yield self._ended(running)

    def _ended(self, running: dict[int, Mutant]) -> Verdict:
        process, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        ends = {SURVIVED: "survived", DIFFERED: "differed", RAISED: "raised"}
        return Verdict(running.pop(process), ends.get(code, "stopped"))

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
            use(Replacement(mutant.file.removesuffix(".py"), mutant.code))
            found = 0
            for mine, sound in zip(
                outputs(self._subjects, self._cards), self.expected, strict=False
            ):
                found += 1
                if mine != sound:
                    return DIFFERED
        except BaseException:  # noqa: BLE001 - whatever a mutant raises, it is dead
            return RAISED
        return SURVIVED if found == len(self.expected) else DIFFERED


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
        (path.name, function)
        for path in FILES
        if path.name in judged
        for function, code in functions_of(path).items()
        if judged[path.name].get(function) != code
    }


def mark_judged(files: Iterable[str]) -> None:
    """Write down the functions of whole files as they are: a campaign has just judged them."""
    judged = json.loads(JUDGED.read_text())
    judged |= {path.name: functions_of(path) for path in FILES if path.name in set(files)}
    JUDGED.write_text(json.dumps(judged, indent=1, sort_keys=True) + "\n")


def listed() -> dict[str, str]:
    """Return the known survivors with their reasons."""
    table = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))
    return {
        f"{each['file']} {each['function']}: {each['change']}": each["reason"]
        for each in table.get("survivor", ())
    }


def check_mutants(mutants: Iterable[Mutant]) -> dict[str, int]:
    """Judge the mutants; return how they ended (see `compare`)."""
    verdicts = list(Campaign().run(list(mutants)))
    compare(verdicts, listed())
    return {"mutants": len(verdicts), **Counter(verdict.end for verdict in verdicts)}


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
    dead = sorted({verdict.mutant.name for verdict in verdicts} & known.keys() - survived)
    if dead:
        raise AssertionError("\n".join(["listed as survivors, but killed:", *dead]))
