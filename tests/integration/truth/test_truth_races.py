"""The anomalies of tests/contracts/test_truth_races.py on a real server, and what prevents them."""

import threading
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from adapters.stores.sql.mysql_words import MysqlWords
from adapters.stores.sql.rendering import Renderer
from adapters.stores.sql.statements import renderers
from decision_engine.record.statements import LockPersons, ReadPersons
from tests.contracts.mysql import LIMIT_S, Server
from tests.contracts.races import LIMIT, Ring, Rings, two_batches_reserve, two_close_both
from tests.contracts.test_truth_races import (  # the promises of that module
    test_a_batch_is_written_once_and_whole,
    test_after_a_deadlock_the_one_did_all_and_the_other_nothing,
    test_batches_follow_one_another,
    test_no_update_is_lost,
    test_two_batches_cannot_both_see_the_limit_free,
    test_two_who_rely_on_each_others_row_take_turns,
)

__all__ = [
    "test_a_batch_is_written_once_and_whole",
    "test_after_a_deadlock_the_one_did_all_and_the_other_nothing",
    "test_batches_follow_one_another",
    "test_no_update_is_lost",
    "test_two_batches_cannot_both_see_the_limit_free",
    "test_two_who_rely_on_each_others_row_take_turns",
]
ROUNDS = 3
KNOWN = renderers(MysqlWords())
LOCKLESS = {**KNOWN, LockPersons: KNOWN[ReadPersons]}


def server_rings(server: Server, known: Mapping[type, Renderer] = KNOWN) -> Iterator[Ring]:
    for _ in range(ROUNDS):
        middle = threading.Barrier(2)
        with server.threaded(known=known) as opened:
            yield Ring([opened.port], opened.run, partial(_meet, middle))


def _meet(middle: threading.Barrier) -> None:
    middle.wait(LIMIT_S)


@pytest.fixture
def rings(server: Server) -> Rings:
    return partial(server_rings, server)


def test_whoever_finds_the_person_locked_is_told_at_once(rings: Rings) -> None:
    for ring in rings():
        assert two_batches_reserve(ring)[0] == ["busy", "reserved"]


def test_one_of_two_in_a_circle_is_given_up(rings: Rings) -> None:
    for ring in rings():
        assert two_close_both(ring) == ([0, 2], 1)


def test_without_the_persons_lock_too_much_is_reserved(server: Server) -> None:
    for ring in server_rings(server, LOCKLESS):
        outcomes, reserved = two_batches_reserve(ring)

        assert outcomes == ["reserved", "reserved"]
        assert reserved > LIMIT
