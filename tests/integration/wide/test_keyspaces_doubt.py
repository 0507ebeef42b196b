"""Errors of the coordinator, with and without effect: no write is lost, doubled or misjudged."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.stores.keyspaces.retrying import Retries
from adapters.stores.keyspaces.session import Limits
from adapters.stores.keyspaces.storage import KeyspacesStorage
from domain.errors import DeadlineExceededError, ThrottledError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.integration.shared.caches import Loop
from tests.integration.wide import lies
from tests.integration.wide.lies import Error, Lie, lying
from tests.integration.wide.stores import PATIENT, Server, profile, soon, store_on, transactions

APPLIED, SAME, STALE, CONFLICT = Applied.APPLIED, Applied.SAME, Applied.STALE, Applied.CONFLICT
#: Waits of no length: `chance` is 0.
QUICK = replace(PATIENT, request_s=5.0, retries=Retries(base_s=0.0))


@pytest.fixture
def store(server: Server, loop: Loop) -> Iterator[KeyspacesStorage]:
    with store_on(server.address, loop, limits=QUICK, chance=0.0) as made:
        loop(made.check(soon()))
        yield made


def put(store: KeyspacesStorage, loop: Loop, *rows: ProjectionRow) -> list[Applied]:
    return list(loop(store.put_if_newer(rows, soon())))


def stored(server: Server) -> dict[str, tuple[int, str]]:
    found = server.rows(
        "SELECT data_type, version, payload FROM creditplatform.creditdata WHERE customer_id='c-1'"
    )
    return {data_type: (version, payload) for data_type, version, payload in found}


ERRORS = [
    pytest.param(error, id=name)
    for name, error in vars(lies).items()
    if name.isupper() and callable(error)
]


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("before", [None, 1, 2])
def test_a_profile_whose_answer_was_lost_is_written_once(
    store: KeyspacesStorage, server: Server, loop: Loop,
    error: Error, before: int | None, *, effect: bool,
) -> None:  # fmt: skip
    if before is not None:
        put(store, loop, profile(before))
    row = profile(3 if before else 1)

    with lying(store, Lie(error, effect)) as liar:
        assert put(store, loop, row) == [APPLIED]

    assert stored(server) == {row.data_type: (row.version, row.payload.decode())}
    assert store.metrics()["writes_in_doubt"] == 1
    assert store.metrics()["retries"] == 1
    # The write, the read-back, and the write again where it had no effect.
    assert len(liar.sent) == (2 if effect else 3)
    assert put(store, loop, row) == [SAME]


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("error", ERRORS)
def test_a_batch_whose_answer_was_lost_is_written_once(
    store: KeyspacesStorage, server: Server, loop: Loop, error: Error, *, effect: bool
) -> None:
    rows = transactions(range(20))

    with lying(store, None, Lie(error, effect)) as liar:
        assert put(store, loop, *rows) == [APPLIED] * 20

    assert len(liar.sent) == 3
    assert stored(server) == {row.data_type: (1, row.payload.decode()) for row in rows}
    assert put(store, loop, *rows) == [SAME] * 20


@pytest.mark.parametrize(("found", "verdict"), [(3, STALE), (2, CONFLICT), (1, APPLIED)])
def test_a_write_in_doubt_is_judged_by_what_another_writer_left(
    store: KeyspacesStorage, server: Server, loop: Loop, found: int, verdict: Applied
) -> None:
    put(store, loop, profile(found, b"another's"))

    with lying(store, Lie(lies.CAS, effect=False)):
        assert put(store, loop, profile(2)) == [verdict]

    left = (2, "payload 2") if verdict is APPLIED else (found, "another's")
    assert stored(server) == {"CUSTOMER_PROFILE": left}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (lies.SIMPLE, ThrottledError), (lies.CAS, ThrottledError), (lies.READ, ThrottledError),
        (lies.FULL, ThrottledError), (lies.FEW, TransientError), (lies.BROKEN, TransientError),
        (lies.SILENT, TransientError),
    ],
)  # fmt: skip
def test_what_goes_on_is_told_after_three_attempts(
    store: KeyspacesStorage, loop: Loop, error: Error, kind: type[TransientError]
) -> None:
    wrong = [Lie(error, effect=False)] * 9

    with lying(store, *wrong) as liar, pytest.raises(kind) as caught:
        loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))

    assert type(caught.value) is kind
    assert len(liar.sent) == 3


def test_a_write_that_stays_in_doubt_is_told_and_may_be_called_again(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    with (
        lying(store, *[Lie(lies.CAS, effect=True)] * 9) as liar,
        pytest.raises(ThrottledError),
    ):
        put(store, loop, profile())

    # A write and a read-back, which have three attempts each.
    assert len(liar.sent) <= 2 * 3
    assert put(store, loop, profile()) == [SAME]
    assert stored(server) == {"CUSTOMER_PROFILE": (1, "payload 1")}


def test_all_calls_share_one_budget_of_retries(server: Server, loop: Loop) -> None:
    limits = Limits(retries=Retries(base_s=0.0, budget=5.0, share=0.1))
    with store_on(server.address, loop, limits=limits, chance=0.0) as store:
        loop(store.check(soon()))
        with lying(store, *[Lie(lies.FULL, effect=False)] * 999) as liar:
            for _ in range(50):
                with pytest.raises(ThrottledError):
                    loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))

        # One attempt a call, five of the budget, and a tenth of the calls.
        assert 50 < len(liar.sent) <= 50 + 5 + 5
        assert store.metrics()["retries_denied"] > 0

        # It comes back: the store is well again, and calls fill the budget.
        for _ in range(20):
            loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))
        with lying(store, Lie(lies.FULL, effect=False)):
            assert loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon())) is None


def test_no_attempt_begins_after_the_deadline(store: KeyspacesStorage, loop: Loop) -> None:
    with lying(store) as liar, pytest.raises(DeadlineExceededError):
        loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon(-1)))
    assert liar.sent == []


def test_what_cannot_help_is_not_tried_again(store: KeyspacesStorage, loop: Loop) -> None:
    refused = Lie(lambda: lies.DENIED, effect=False)
    with lying(store, refused) as liar, pytest.raises(TransientError, match="forbids"):
        loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))
    assert len(liar.sent) == 1
