"""Every statement that a program may yield, with parameters, for what must hold of each text."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from consistency.outbox.statements import DeleteOutbox, ReadOutbox
from decision_engine import archive
from decision_engine import loss_statements as losses
from decision_engine.record import statements as ledger
from decision_engine.record.loss import ReadLoss
from ingestion import statements as ingestion
from tests.contracts.rows import (
    a_batch,
    a_decision,
    a_key,
    a_parked,
    a_policy,
    a_profile,
    a_reservation,
    a_review,
    a_transaction,
    an_artifact,
    an_event,
    an_inbox_row,
    an_offer,
)

#: A text that is harmless, one that is not, and one that is empty.
NAMES: Final = ("c-1", "it's `\\ -- é", "")
MOVES: Final = tuple(ingestion.PersonMove(name, "c.c-1", "p-1") for name in NAMES[:2])
INGESTED: Final = ingestion.IngestionBatchRow(
    "b-1", "s-1", "1", "9", 9, 8, 1, 0, 0, 1_000, 2_000, "v1"
)


def _choices(kind: type, **values: Sequence[object]) -> list[Any]:
    """Return a statement for each combination of values."""
    return [kind(**dict(zip(values, each, strict=True))) for each in product(*values.values())]


PAGE: Final[Mapping[str, Sequence[object]]] = {"limit": [20], "before": [None, (7_000, "d-0001")]}
TIME: Final[Mapping[str, Sequence[object]]] = {"from_us": [None, 10], "to_us": [None, 9_000]}

#: What asks for rows, or changes rows that are there.
SEARCHES: Final[tuple[Any, ...]] = (
    ledger.LockPersons(NAMES),
    ledger.ReadPersons(NAMES),
    ledger.ReadCustomers(NAMES),
    ledger.ReadProfiles(NAMES),
    ledger.ReadReservations(NAMES, 5),
    ledger.ReadContracts(NAMES),
    ledger.ReadKeys((("app", "k-1"), ("app", "k-2"), ("web", "k-1"))),
    ledger.ReadRecent(NAMES, 5),
    ledger.ReadBatch("l-1", 1),
    ledger.ReadLaneHeads(),
    ledger.ReadOpenReviews(NAMES),
    ledger.CloseReview("r-0001", "d-0002", "a person", "a note", 9_000),
    archive.ReadDecision("d-0001"),
    *_choices(
        archive.ListDecisions,
        **PAGE,
        **TIME,
        customer_id=["", "c-1"],
        outcome=["", "APPROVED"],
        policy_id=["", "p-1"],
    ),
    archive.ReadReview("r-0001"),
    archive.ReadReviewsOf("d-0001"),
    *_choices(archive.ListReviews, **PAGE, state=["", "OPEN"]),
    archive.ReadKey("app POST /v1/x", "k-1"),
    *_choices(archive.ListTransactions, customer_id=["c-1"], **PAGE, **TIME),
    archive.ReadCustomerProfile("c-1"),
    archive.ReadNewestInstant(),
    *_choices(archive.ListPolicies, policy_id=["", "p-1"]),
    archive.SetPolicyParts("personal-loan", 1, b"{}"),
    archive.ReadArtifacts(),
    ingestion.ReadInbox(NAMES, (("card/c-1/1", 1), ("card/c-1/1", 2), ("s", 1))),
    ingestion.ReadTransactions(NAMES),
    ingestion.ReadMonth("c-1", 24_323),
    ingestion.ListIndexed("c-1", 50),
    ingestion.ReadApplied(NAMES),
    ingestion.MovePersons(MOVES),
    ingestion.MarkReversed(NAMES),
    ReadLoss(()),
    ReadLoss(NAMES),
    losses.ReadOpenWindows(),
    losses.ReadWindow("w-1"),
    *_choices(losses.ListWindows, **PAGE),
    losses.CountWindows(),
    losses.CountWaiting(5),
    losses.ReadCustomersOf("c.c-1", 50),
    losses.ReleaseWindow("w-1", 9_000, "a person", "a note"),
    ReadOutbox(100),
    DeleteOutbox((1, 2, 3)),
)
#: What adds rows, and looks for none but those in its way.
INSERTS: Final[tuple[Any, ...]] = (
    ledger.InsertBatch(a_batch()),
    ledger.InsertDecisions((a_decision(1), a_decision(2, score=None, evidence=None))),
    ledger.InsertReservations((a_reservation(1), a_reservation(2))),
    ledger.InsertOffers((an_offer(1), an_offer(2))),
    ledger.InsertOutbox((an_event(1), an_event(2))),
    ledger.InsertReviews((a_review(1), a_review(2))),
    archive.InsertKey(a_key()),
    archive.InsertPolicy(a_policy()),
    archive.InsertArtifact(an_artifact()),
    ingestion.EnsurePersons((ingestion.PersonRow("p-1", ""), ingestion.PersonRow("p-2", "1:ab"))),
    ingestion.LockProfiles(NAMES),
    ingestion.WriteProfiles((a_profile(1), a_profile(2, customer_id="c-2"))),
    ingestion.InsertTransactions((a_transaction(1), a_transaction(2))),
    ingestion.InsertInbox((an_inbox_row(1), an_inbox_row(2))),
    ingestion.InsertParked((a_parked(),)),
    ingestion.InsertIngestionBatch(INGESTED),
    losses.InsertWindow(losses.StoredWindow("w-1", 5, "a person", "it's lost", "RESTORE")),
    losses.InsertAudit(losses.AuditRow("a-1", 5, "a person", "open", "w-1", "it's lost")),
)
STATEMENTS: Final = (*SEARCHES, *INSERTS)

#: What may read a table from one end to the other, and why.
WALKS: Final[Mapping[Any, str]] = {
    archive.ListPolicies(): "gives every version of every policy, some tens",
    archive.ReadArtifacts(): "gives every artifact, some tens; at the start of a process",
    archive.ReadNewestInstant(): "looks at every customer; when an old data folder is opened",
    **dict.fromkeys(
        (
            ReadLoss(()),
            ReadLoss(NAMES),
            losses.ReadOpenWindows(),
            *_choices(losses.ListWindows, **PAGE),
            losses.CountWindows(),
        ),
        "the table has a row for each disaster that ever was",
    ),
    ledger.ReadLaneHeads(): "goes through the keys of the batches; at the start and for proofs",
}


def texts(
    known: Mapping[type, Any], statements: Sequence[Any]
) -> Iterator[tuple[Any, str, Sequence[Any]]]:
    """Give each call of each statement: the statement, its text, its parameters."""
    for statement in statements:
        for text, params in known[type(statement)](statement).calls:
            yield statement, text, params
