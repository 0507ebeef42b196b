"""`python -m tests.mutation [FILE.py | FILE.py:FUNCTION ...]`: try mutants by hand."""

import argparse
import json
import sys
from collections.abc import Sequence

from tests.mutation.campaign import (
    Campaign,
    Verdict,
    all_mutants,
    counts,
    listed,
    listed_but_killed,
    mark_judged,
)


def main(arguments: Sequence[str]) -> int:
    """
    Print each survivor as an entry of survivors.toml; 0 when all of them are listed.

    A file of which all mutants were tried, and all survivors are listed, is then marked as judged.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("wanted", nargs="*", help="FILE.py or FILE.py:FUNCTION; none is all")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    chosen = [
        mutant
        for mutant in all_mutants()
        if not options.wanted
        or {mutant.file, f"{mutant.file}:{mutant.function}"} & set(options.wanted)
    ]
    verdicts: list[Verdict] = []
    known = listed()
    for verdict in Campaign(options.processes).run(chosen):
        verdicts.append(verdict)
        if verdict.end == "survived" and not known.get(verdict.mutant.name):
            _print(entry(verdict))
    _print("\n".join(f"# {name}: {count}" for name, count in counts(verdicts).items()))
    dead = listed_but_killed(verdicts, known)
    _print("\n".join(f"# listed, but killed: {name}" for name in dead))
    faulty = {each.mutant.file for each in verdicts if _faulty(each, known, dead)}
    whole = {name for name in options.wanted if ":" not in name}
    files = {mutant.file for mutant in chosen}
    mark_judged((files & whole if options.wanted else files) - faulty)
    return int(bool(faulty))


def entry(verdict: Verdict) -> str:
    """Return a survivor as an entry of survivors.toml, without its reason."""
    mutant = verdict.mutant
    return (
        f"\n# line {mutant.line}\n[[survivor]]\nfile = {json.dumps(mutant.file)}\n"
        f"function = {json.dumps(mutant.function)}\nchange = {json.dumps(mutant.change)}\n"
        'reason = ""'
    )


def _faulty(verdict: Verdict, known: dict[str, str], dead: Sequence[str]) -> bool:
    name = verdict.mutant.name
    return name in dead or (verdict.end == "survived" and not known.get(name))


def _print(text: str) -> None:
    if text:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
