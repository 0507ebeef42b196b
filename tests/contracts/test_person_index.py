"""Whoever a CPF is first met as, it stays: also while processes begin to use another index key."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import SqliteKeyVault
from adapters.security.sealing import SealingVault
from domain.errors import GoneError, PermanentError
from domain.identifiers import person_of_index
from domain.ports.time import Deadline
from tests.contracts.opened import NEVER, HandClock, Runner

CPF: Final = "52998224725"
OTHER: Final = "11144477735"
SECRETS: Final = {str(version): bytes([version]) * 32 for version in (1, 2, 3)}


def ring(current: int, *versions: int) -> KeyRing:
    known = versions or tuple(range(1, current + 1))
    return KeyRing(str(current), {str(each): SECRETS[str(each)] for each in known})


class Opening(Protocol):
    """Opens a vault on the store of this test with an index key, as a process does."""

    def __call__(self, index: KeyRing) -> SealingVault: ...


class Rotation:
    """Processes with different index keys on one store of person keys."""

    def __init__(self, opening: Opening, run: Runner) -> None:
        self.opening, self.run = opening, run

    def index(self, vault: SealingVault, cpf: str = CPF) -> str:
        return self.run(vault.person_index(cpf, NEVER))

    def registered(self, vault: SealingVault, cpf: str = CPF) -> str:
        """As the edge does: find the person, then seal."""
        return self.run(register(vault, cpf))


async def register(vault: SealingVault, cpf: str) -> str:
    index = await vault.person_index(cpf, NEVER)
    await vault.seal(person_of_index(index), "cpf", cpf, NEVER)
    return index


@contextmanager
def sqlite_rotation(folder: Path) -> Iterator[Rotation]:
    """One process at a time; several at once share a file here only because nobody caches."""
    kek = KeyRing.load_or_create(folder / "kek.key")
    opened: list[SqliteKeyVault] = []

    def opening(index: KeyRing) -> SealingVault:
        vault = SqliteKeyVault(
            folder / "keys.sqlite", kek=kek, index=index, clock=HandClock(), cached_keys_max=10
        )
        opened.append(vault)
        return vault

    try:
        yield Rotation(opening, asyncio.run)
    finally:
        for vault in opened:
            vault.close()


@pytest.fixture
def rotation(tmp_path: Path) -> Iterator[Rotation]:
    with sqlite_rotation(tmp_path) as made:
        yield made


def test_without_a_rotation_it_is_the_blind_index(rotation: Rotation) -> None:
    vault = rotation.opening(ring(1))

    assert rotation.registered(vault) == vault.blind_index(CPF)
    assert rotation.index(vault) == vault.blind_index(CPF)
    assert rotation.index(vault, OTHER) == vault.blind_index(OTHER)


def test_a_known_person_stays_who_it_is_and_a_new_one_gets_the_new_key(
    rotation: Rotation,
) -> None:
    known = rotation.registered(rotation.opening(ring(1)))

    after = rotation.opening(ring(2))

    assert rotation.registered(after) == known
    assert rotation.registered(after, OTHER) == after.blind_index(OTHER)
    assert after.blind_index(OTHER).startswith("2:")


def test_a_process_that_does_not_know_the_new_key_yet_follows(rotation: Rotation) -> None:
    before, after = rotation.opening(ring(1)), rotation.opening(ring(2))

    new = rotation.registered(after)

    assert new.startswith("2:")
    assert rotation.registered(before) == new


def test_processes_of_every_age_that_race_for_a_cpf_make_one_person(rotation: Rotation) -> None:
    vaults = [rotation.opening(keys) for keys in (ring(1), ring(1, 1, 2), ring(2), ring(3))]
    cpfs = [f"{number:011d}" for number in range(12)]

    async def race() -> list[list[str]]:
        async def one(vault: SealingVault) -> list[str]:
            return await asyncio.gather(*(register(vault, cpf) for cpf in cpfs))

        return await asyncio.gather(*(one(vault) for vault in vaults))

    found = rotation.run(race())

    assert len({tuple(each) for each in found}) == 1
    assert len(set(found[0])) == len(cpfs)


def test_an_erased_person_does_not_come_back_under_the_new_key(rotation: Rotation) -> None:
    before = rotation.opening(ring(1))
    known = rotation.registered(before)
    rotation.run(before.destroy(person_of_index(known), NEVER))

    after = rotation.opening(ring(2))

    assert rotation.index(after) == known
    with pytest.raises(GoneError):
        rotation.registered(after)


def test_after_the_back_fill_an_old_version_can_be_taken_out(rotation: Rotation) -> None:
    old = rotation.registered(rotation.opening(ring(1)))
    both = rotation.opening(ring(2))
    new = rotation.registered(both, OTHER)

    assert rotation.run(both.point(CPF, old, NEVER)) == 1
    assert rotation.run(both.point(CPF, old, NEVER)) == 0
    assert rotation.run(both.point(OTHER, new, NEVER)) == 0

    later = rotation.opening(ring(2, 2))
    assert rotation.registered(later) == old
    assert rotation.registered(later, OTHER) == new


def test_without_the_back_fill_the_harm_is_named(rotation: Rotation) -> None:
    old = rotation.registered(rotation.opening(ring(1)))
    # Taken out too early: the same CPF is now two persons.
    rotation.registered(rotation.opening(ring(2, 2)))

    with pytest.raises(PermanentError, match="two persons"):
        rotation.run(rotation.opening(ring(2)).point(CPF, old, NEVER))


def test_past_the_deadline_nobody_is_claimed(rotation: Rotation) -> None:
    vault = rotation.opening(ring(2))
    vault._clock.advance(10)  # type: ignore[attr-defined]

    with pytest.raises(Exception, match="time"):
        rotation.run(vault.person_index(CPF, Deadline(9)))
    assert rotation.run(vault._row(person_of_index(vault._by_age(CPF)[0]), NEVER)) is None


#: What processes do in the course of two rotations; a phase begins when all have ended the last.
PHASES: Final[Sequence[Sequence[KeyRing]]] = (
    (ring(1), ring(1, 1, 2)), (ring(1, 1, 2), ring(2)), (ring(2), ring(2, 2)),
    (ring(2, 2), ring(3, 2, 3)), (ring(3, 2, 3), ring(3, 3)),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 3)), max_size=30))
def test_over_two_rotations_each_cpf_is_one_person(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int]]
) -> None:
    cpfs = [f"{number:011d}" for number in range(4)]
    met: dict[str, str] = {}
    with sqlite_rotation(tmp_path_factory.mktemp("rotation")) as rotation:
        opened = cache(lambda phase, process: rotation.opening(PHASES[phase][process]))
        done: set[int] = set()
        for phase, process, number in sorted(steps, key=lambda step: step[0]):
            # Before a version is taken out, every person must be found without it.
            for must in {place for place in (1, 3) if place < phase} - done:
                done.add(must)
                for cpf, index in met.items():
                    rotation.run(opened(must, 1).point(cpf, index, NEVER))
            index = rotation.registered(opened(phase, process), cpfs[number])
            assert met.setdefault(cpfs[number], index) == index
