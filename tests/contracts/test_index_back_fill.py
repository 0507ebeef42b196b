"""Everybody is found under a new index key, in steps that may end anywhere."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from adapters.security.sealing import SealingVault
from domain.customer import CreditData, Slot
from domain.identifiers import person_of_index
from domain.profile_bytes import profile_to_bytes
from ingestion.index_back_fill import BackFilled, IndexBackFill
from ingestion.statements import ProfileWrite, WriteProfiles
from tests.contracts.embedded import sqlite_truth
from tests.contracts.opened import NEVER
from tests.contracts.test_person_index import Rotation, register, ring, sqlite_rotation
from tests.contracts.truth_adapters import Store

CPFS = tuple(f"{number:011d}" for number in range(7))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The model's loop knows no threads, and the vault has some."""
    with sqlite_truth(tmp_path) as opened:
        yield Store(opened)


@pytest.fixture
def rotation(tmp_path: Path) -> Iterator[Rotation]:
    with sqlite_rotation(tmp_path) as made:
        yield made


async def customer(vault: SealingVault, number: int, *, held: bool) -> ProfileWrite:
    """A customer as ingestion leaves it; `held`: the sealed CPF was not replaced since."""
    index = await register(vault, CPFS[number])
    person_id = person_of_index(index)
    data: dict[str, object] = {"cpf_index": index}
    sealed = await vault.seal(person_id, "cpf", CPFS[number], NEVER)
    identity = {**data, "cpf": sealed} if held else {"name": "1.AAAA"}
    slots = {"identity/bureau": Slot(1, 1, 5, identity), "cpf/bureau": Slot(1, 1, 5, data)}
    profile = CreditData(
        customer_id=f"c-{number}", person_id=person_id, profile_version=1, slots=slots
    )
    return ProfileWrite(profile, profile_to_bytes(profile), index, 9)


def ingested(
    store: Store, rotation: Rotation, vault: SealingVault, without: Sequence[int] = ()
) -> dict[str, str]:
    """Every CPF as a customer; their indices."""
    writes = [
        rotation.run(customer(vault, number, held=number not in without)) for number in range(7)
    ]
    store.commit(WriteProfiles(tuple(writes)))
    return {CPFS[number]: write.cpf_index for number, write in enumerate(writes)}


def steps(store: Store, vault: SealingVault, after: str | None = "") -> list[BackFilled]:
    job = IndexBackFill(store.port, vault, store.clock, customers_max=3)
    done: list[BackFilled] = []
    while after is not None:
        done.append(store.run(job.step(after)))
        after = done[-1].after
    return done


def test_everybody_is_found_without_the_old_key(store: Store, rotation: Rotation) -> None:
    known = ingested(store, rotation, rotation.opening(ring(1)))

    done = steps(store, rotation.opening(ring(2)))

    later = rotation.opening(ring(2, 2))
    assert {cpf: rotation.registered(later, cpf) for cpf in CPFS} == known
    assert [(each.customers, each.missing) for each in done] == [(3, 3), (3, 3), (1, 1)]
    assert [each.after for each in done] == ["c-2", "c-5", None]


def test_a_job_that_ended_anywhere_may_go_on_or_begin_again(
    store: Store, rotation: Rotation
) -> None:
    ingested(store, rotation, rotation.opening(ring(1)))
    vault = rotation.opening(ring(2))
    store.run(IndexBackFill(store.port, vault, store.clock, customers_max=3).step())

    assert sum(each.missing for each in steps(store, vault, "c-2")) == 4
    again = steps(store, vault)
    assert (sum(each.customers for each in again), sum(each.missing for each in again)) == (7, 0)


def test_who_registers_meanwhile_is_one_person(store: Store, rotation: Rotation) -> None:
    known = ingested(store, rotation, rotation.opening(ring(1)))
    both, old = rotation.opening(ring(2)), rotation.opening(ring(1))
    job = IndexBackFill(store.port, both, store.clock, customers_max=3)

    store.run(job.step())
    found = [rotation.registered(vault, cpf) for cpf in CPFS for vault in (both, old)]
    steps(store, both, "c-2")

    later = rotation.opening(ring(2, 2))
    assert set(found) == set(known.values())
    assert {rotation.registered(later, cpf) for cpf in CPFS} == set(known.values())


def test_those_who_cannot_be_found_any_more_are_counted(store: Store, rotation: Rotation) -> None:
    before = rotation.opening(ring(1))
    known = ingested(store, rotation, before, without=(1, 4))
    rotation.run(before.destroy(person_of_index(known[CPFS[2]]), NEVER))

    done = steps(store, rotation.opening(ring(2)))

    assert sum(each.missing for each in done) == 4
    assert sum(each.unknown for each in done) == 2
    assert sum(each.erased for each in done) == 1
    assert sum(each.unread for each in done) == 0


def test_two_persons_of_one_cpf_are_told(store: Store, rotation: Rotation) -> None:
    ingested(store, rotation, rotation.opening(ring(1)))
    # Somebody took the old key out before the back-fill.
    rotation.registered(rotation.opening(ring(2, 2)), CPFS[3])

    done = steps(store, rotation.opening(ring(2)))

    assert sum(each.unread for each in done) == 1
    assert sum(each.missing for each in done) == 6
