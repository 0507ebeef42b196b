"""
Faults of the engine are seen by the corpus: those in functions that changed since all were judged.

`make prove` tries every mutant of every function (row `policy-mutants`).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from decision_engine.policy.compile import CompiledPolicy
from tests.mutation.campaign import (
    FILES,
    Verdict,
    all_mutants,
    changed_functions,
    check_files,
    compare,
    listed,
    unjudged,
)
from tests.mutation.corpus import ROOT, subjects
from tests.mutation.judge import Engine
from tests.mutation.mutants import file_of, functions_of, mutants_of

MUTANTS_MOST = 150
SMALL = ("arithmetic", "comparison", "logic")
PROGRAM = """
import json, sys
from tests.mutation.campaign import all_mutants, check_mutants
names, policies = json.load(sys.stdin)
wanted = set(names)
print(json.dumps(check_mutants((m for m in all_mutants() if m.name in wanted), policies)))
"""


def judged(names: list[str], policies: tuple[str, ...] = ()) -> dict[str, int]:
    """Judge mutants in a process of its own: it forks, and pytest has threads."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([names, policies]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert not done.returncode, done.stderr[-4_000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_mutants_of_changed_functions_are_seen() -> None:
    """
    At most so many, evenly from all, and none that the list knows; the proof row tries the rest.

    Files of which no campaign has judged everything are not asked: `unjudged` names them.
    """
    changed = changed_functions()
    names = [
        each.name
        for each in all_mutants()
        if (each.file, each.function) in changed and each.name not in listed()
    ]
    chosen = names[:: -(-len(names) // MUTANTS_MOST)] if names else []

    assert not chosen or judged(chosen)["all killed"] == len(chosen)


def test_mutants_die_and_a_listed_one_survives() -> None:
    killed = [
        each.name
        for each in all_mutants()
        if (each.file, each.function) == ("closures.py", "_joined")
    ]
    survivor = next(iter(listed()))

    found = judged([*killed, survivor], SMALL)
    assert found["all survived"] == 1
    assert found["all mutants"] == len(killed) + 1 > 5


def test_every_policy_of_the_corpus_is_evaluated_or_refused_as_it_should_be() -> None:
    """A policy that is refused by accident would judge nothing."""
    engine = Engine()
    for subject in subjects():
        for policy, inputs in subject.policies:
            found = engine.compiled(policy, subject)
            assert isinstance(found, CompiledPolicy) == bool(inputs), subject.name


def test_a_survivor_that_is_not_listed_fails() -> None:
    survivor = next(iter(listed()))
    (mutant,) = [each for each in all_mutants() if each.name == survivor]

    with pytest.raises(AssertionError, match="1 mutants survived"):
        compare([Verdict(mutant, "survived")], {})
    with pytest.raises(AssertionError, match="but killed"):
        compare([Verdict(mutant, "raised")], listed())


def test_every_listed_survivor_exists_and_has_a_reason() -> None:
    """The files that are not judged yet may have entries of an earlier time."""
    names = {each.name for each in all_mutants()}
    waiting = set(unjudged())

    asked = {name for name in listed() if name.partition(" ")[0] not in waiting}
    assert not sorted(asked - names)
    assert all(reason.strip() for reason in listed().values())


def test_all_is_not_judged_while_a_file_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.mutation.campaign.unjudged", lambda: ["run.py"])

    with pytest.raises(AssertionError, match=r"not judged yet .*run\.py"):
        check_files()


def test_a_changed_function_is_noticed_and_a_moved_one_is_not(tmp_path: Path) -> None:
    source = FILES[0].read_text(encoding="utf-8")
    moved, changed = (tmp_path / name / FILES[0].name for name in ("moved", "changed"))
    for path, text in (
        (moved, f"# moved\n\n{source}"),
        (changed, source.replace("is not negated", "is negated")),
    ):
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")

    before, after = functions_of(FILES[0]), functions_of(changed)
    assert functions_of(moved) == before
    assert {name for name in before if before[name] != after[name]} == {"_null_test"}
    assert [each.name for each in mutants_of(moved)] == [each.name for each in mutants_of(FILES[0])]


@pytest.mark.parametrize("path", FILES, ids=file_of)
def test_the_names_of_mutants_are_different(path: Path) -> None:
    names = [each.name for each in mutants_of(path)]

    assert len(set(names)) == len(names) > 0
