"""`python -m tests.mutation [all | FILE.py | FILE.py:FUNCTION]`: try mutants by hand."""

import sys
from collections import Counter
from collections.abc import Sequence

from tests.mutation.campaign import Campaign, all_mutants, listed, mark_judged


def main(arguments: Sequence[str]) -> int:
    """Print each survivor as an entry of survivors.toml; 0 when all of them are listed."""
    wanted = arguments[0] if arguments else "all"
    chosen = [
        mutant
        for mutant in all_mutants()
        if wanted in ("all", mutant.file, f"{mutant.file}:{mutant.function}")
    ]
    ends: Counter[str] = Counter()
    known, fresh = listed(), 0
    for verdict in Campaign().run(chosen):
        ends[verdict.end] += 1
        mutant = verdict.mutant
        if verdict.end == "survived" and not known.get(mutant.name):
            fresh += 1
            sys.stdout.write(
                f"\n# line {mutant.line}\n[[survivor]]\nfile = {mutant.file!r}\n"
                f"function = {mutant.function!r}\nchange = '''{mutant.change}'''\nreason = ''\n"
            )
            sys.stdout.flush()
    sys.stdout.write(f"\n# {len(chosen)} mutants: {dict(ends)}\n")
    if ":" not in wanted and not fresh:
        mark_judged({mutant.file for mutant in chosen})
    return int(fresh > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
