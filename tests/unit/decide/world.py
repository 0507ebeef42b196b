"""A whole decision engine over stores in memory, deciding by the shipped policy."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from adapters.bootstrap.shipped import personal_loan
from decision_engine.archive import (
    InsertArtifact,
    InsertKey,
    InsertPolicy,
    ListDecisions,
    ListPolicies,
    ListReviews,
    ListTransactions,
    ReadArtifacts,
    ReadCustomerProfile,
    ReadDecision,
    ReadKey,
    ReadReview,
    ReadReviewsOf,
    SetPolicyParts,
    StoredArtifact,
    StoredDecision,
    StoredKey,
    StoredPolicy,
    StoredReview,
    StoredTransaction,
)
from decision_engine.case import CreditCase
from decision_engine.commands import DecideCommand, Recorded
from decision_engine.decide import CreditApproval
from decision_engine.gather import Gather, Tiers
from decision_engine.loss_check import LossCheck
from decision_engine.record.lookup import KeyLookup
from decision_engine.record.statements import CustomerRow, DecisionRow
from decision_engine.record.writer import LedgerWriter
from decision_engine.rulebook import Rulebook, Rulebooks, build_rulebook
from decision_engine.snapshot import Gathered, take_snapshot
from decision_engine.turns import in_time
from domain.application import CreditApplication
from domain.customer import CreditData, Delinquency, Month, Slot, Statement
from domain.errors import TransientError
from domain.identifiers import own_person
from domain.instants import epoch_micros
from domain.money import Money
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from domain.ports.truth import DuplicateKeyError
from domain.profile_bytes import profile_to_bytes
from tests.unit.record.memory_truth import MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock

AS_OF = datetime(2026, 6, 10, 12, tzinfo=UTC)
NEWEST = 2026 * 12 + 4
CLIENT = "lender"


@cache
def rulebook() -> Rulebook:
    return build_rulebook(personal_loan(), "2026.1")


def us(days_ago: float) -> int:
    return epoch_micros(AS_OF - timedelta(days=days_ago))


def good_profile(customer_id: str = "c-1", **changes: Any) -> CreditData:
    """Return a customer with income 5,000.00 who always paid: the shipped policy approves."""
    limit = changes.pop("limit", 16_000_00)
    months = {
        NEWEST - back: Month(
            statements={"cards": Statement(1, 6 - back, us(20 + 30 * back), limit // 20, limit)},
            delinquencies=(
                {"cards": Delinquency(1, 6 - back, changes["late"])}
                if "late" in changes and not back
                else {}
            ),
            payments=limit // 20,
            payment_count=1,
        )
        for back in range(6)
    }
    changes.pop("late", None)
    income = Slot(
        1, 1, us(changes.pop("income_age", 100)), {"monthly": 5_000_00, "basis": "verified"}
    )
    return replace(
        CreditData(
            customer_id=customer_id,
            person_id=own_person(customer_id),
            profile_version=12,
            slots={"income/crm": income},
            months=months,
            newest_month=NEWEST,
            newest_us=us(20),
        ),
        **changes,
    )


def grey_profile() -> CreditData:
    """Return a customer whose score lies in the grey zone: half of the limit used, nothing paid."""
    limit = 16_000_00
    months = {
        NEWEST - back: Month(
            statements={"cards": Statement(1, 6 - back, us(20 + 30 * back), limit // 2, limit)}
        )
        for back in range(6)
    }
    return good_profile(months=months)


def application(customer_id: str = "c-1", **changes: Any) -> CreditApplication:
    base: dict[str, Any] = {
        "customer_id": customer_id,
        "product": "personal_loan",
        "amount": Money(5_000_00),
        "term_months": 24,
    }
    return CreditApplication(**{**base, **changes})


def case(profile: CreditData | None, asked: CreditApplication | None = None) -> CreditCase:
    """Return the case of a profile, by the shipped policy."""
    gathered = Gathered(profile, "aurora")
    return CreditCase(
        application=asked or application(),
        rulebook=rulebook(),
        snapshot=take_snapshot(gathered, rulebook().fields, AS_OF),
    )


@dataclass
class MemoryTiers:
    """Cache and hot store in one, which can be away."""

    entries: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    rows: dict[tuple[str, str], ProjectionRow] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    before_read: Callable[[], Coroutine[Any, Any, None]] | None = None
    reads: list[str] = field(default_factory=list)

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        self._check("redis")
        if self.before_read is not None:
            # The real time of a test that lets it wait; `HandClock` stands still.
            await in_time(self.before_read(), deadline.at)
        return self.entries.get(key)

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        self._check("redis")
        self.entries.setdefault(key, (0, b""))

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        self.entries.pop(key, None)

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        self._check("dynamodb")
        if self.before_read is not None:
            await self.before_read()
        return self.rows.get((customer_id, data_type))

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        return []

    def _check(self, tier: str) -> None:
        self.reads.append(tier)
        if tier in self.away:
            raise TransientError(f"{tier} is away")


@dataclass
class MemoryCache(MemoryTiers):
    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        self._check("redis")
        if self.entries.get(key, (-1, b""))[0] < version:
            self.entries[key] = (version, value)


@dataclass
class MemoryHot(MemoryTiers):
    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        self._check("dynamodb")
        for row in rows:
            held = self.rows.get(row.key)
            if held is None or held.version < row.version:
                self.rows[row.key] = row
        return [Applied.APPLIED for _ in rows]


@dataclass
class MemoryWide(MemoryHot):
    """A hot store that also keeps histories."""

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        self._check("query")
        names = sorted(
            (key for name, key in self.rows if name == customer_id and key.startswith(prefix)),
            reverse=True,
        )
        older = [name for name in names if not before or name < before]
        return [self.rows[customer_id, name] for name in older[:limit]]


@dataclass
class MemoryProgress:
    """Implements `StreamProgress`: what waits is what the test says."""

    waiting_us: int | None = None
    away: bool = False

    async def oldest_waiting(self) -> int | None:
        if self.away:
            raise TransientError("the stream is away")
        return self.waiting_us


@dataclass
class ArchiveTruth(MemoryTruth):
    """The ledger's memory truth, with what reading use cases ask of it."""

    policies: list[StoredPolicy] = field(default_factory=list)
    artifacts: dict[str, StoredArtifact] = field(default_factory=dict)
    keys: dict[tuple[str, str], StoredKey] = field(default_factory=dict)
    transactions: list[StoredTransaction] = field(default_factory=list)
    away: bool = False
    before_read: Callable[[], Awaitable[None]] | None = None

    async def read(self, statements: Any, deadline: Deadline) -> list[list[Any]]:
        if self.away:
            raise TransientError("truth is away")
        if self.before_read is not None:
            await self.before_read()
        return await super().read(statements, deadline)

    def put_profile(self, profile: CreditData) -> None:
        name = profile.customer_id
        self.state.customers[name] = CustomerRow(name, profile.person_id, profile.profile_version)
        self.state.profiles[name] = profile_to_bytes(profile)

    def _on_read_customer_profile(self, s: ReadCustomerProfile) -> list[Any]:
        found = self.state.profiles.get(s.customer_id)
        return [] if found is None else [found]

    def _on_read_decision(self, s: ReadDecision) -> list[Any]:
        rows = self.state.decisions.values()
        return [stored(row) for row in rows if row.decision_id == s.decision_id]

    def _on_list_decisions(self, s: ListDecisions) -> list[Any]:
        rows = sorted(self.state.decisions.values(), key=lambda row: row.decision_id, reverse=True)
        kept = [
            row
            for row in rows
            if (not s.outcome or row.outcome == s.outcome)
            and (s.before is None or (row.decided_us, row.decision_id) < s.before)
        ]
        return [stored(row) for row in kept[: s.limit]]

    def _on_list_reviews(self, s: ListReviews) -> list[Any]:
        return [self._review(r.review_id) for r in self.state.reviews.values()][: s.limit]

    def _on_read_review(self, s: ReadReview) -> list[Any]:
        return [self._review(s.review_id)] if s.review_id in self.state.reviews else []

    def _on_read_reviews_of(self, s: ReadReviewsOf) -> list[Any]:
        rows = self.state.reviews.values()
        return [self._review(r.review_id) for r in rows if r.decision_id == s.decision_id]

    def _review(self, review_id: str) -> StoredReview:
        row = self.state.reviews[review_id]
        return StoredReview(
            row.review_id, row.decision_id, row.customer_id, row.state, row.cause, row.opened_us,
            "", "", "", 0,
        )  # fmt: skip

    def _on_read_key(self, s: ReadKey) -> list[Any]:
        row = self.keys.get((s.scope, s.idem_key))
        return [] if row is None else [row]

    def _on_insert_key(self, s: InsertKey) -> list[Any]:
        key = (s.row.scope, s.row.idem_key)
        if key in self.keys:
            raise DuplicateKeyError("idempotency_keys")
        self.keys[key] = s.row
        return []

    def _on_list_policies(self, s: ListPolicies) -> list[Any]:
        return [row for row in self.policies if s.policy_id in ("", row.policy_id)]

    def _on_insert_policy(self, s: InsertPolicy) -> list[Any]:
        same = [row for row in self.policies if row.policy_id == s.row.policy_id]
        self.policies = [row for row in self.policies if row not in same]
        self.policies += [s.row, *(replace(row, status="retired") for row in same)]
        return []

    def _on_set_policy_parts(self, s: SetPolicyParts) -> list[Any]:
        place = (s.policy_id, s.version)
        self.policies = [
            replace(row, parts=s.parts) if (row.policy_id, row.version) == place else row
            for row in self.policies
        ]
        return []

    def _on_read_artifacts(self, _: ReadArtifacts) -> list[Any]:
        return list(self.artifacts.values())

    def _on_insert_artifact(self, s: InsertArtifact) -> list[Any]:
        self.artifacts.setdefault(s.row.content_hash, s.row)
        return []

    def _on_list_transactions(self, s: ListTransactions) -> list[Any]:
        return self.transactions[: s.limit]


def stored(row: DecisionRow) -> StoredDecision:
    names = StoredDecision.__dataclass_fields__
    return StoredDecision(**{name: getattr(row, name) for name in names})


@dataclass
class Counts:
    """Monitoring that remembers."""

    counted: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.counted[name] = self.counted.get(name, 0) + amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        pass

    def gauge(self, name: str, value: float, **labels: str) -> None:
        pass

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        pass


@dataclass
class World:
    """Everything that decides, over memory."""

    truth: ArchiveTruth = field(default_factory=ArchiveTruth)
    cache: MemoryCache = field(default_factory=MemoryCache)
    hot: MemoryHot = field(default_factory=MemoryHot)
    wide: MemoryWide = field(default_factory=MemoryWide)
    stream: MemoryProgress = field(default_factory=MemoryProgress)
    clock: HandClock = field(default_factory=lambda: HandClock(AS_OF))
    ids: CountingIds = field(default_factory=CountingIds)
    monitoring: Counts = field(default_factory=Counts)
    rulebooks: Rulebooks = field(default_factory=lambda: Rulebooks.empty("2026.1"))

    def __post_init__(self) -> None:
        self.rulebooks.activate(rulebook())
        parts = personal_loan()
        shelf = self.rulebooks.artifacts
        shelf[rulebook().policy.content_hash] = parts.policy
        model = rulebook().model
        assert model is not None
        shelf[model.hash] = parts.models[0]
        shelf[rulebook().reasons.hash] = parts.reasons
        shelf[rulebook().iof.hash] = parts.iof
        shelf[rulebook().funding.hash] = parts.funding
        self.gather = Gather(
            Tiers(self.cache, self.hot, self.hot, self.truth), self.clock, self.monitoring
        )

        self.losses = LossCheck(
            self.truth, self.hot, self.wide, self.stream, self.clock, self.monitoring
        )

    def deadline(self, seconds: float = 1.0) -> Deadline:
        return Deadline.after(self.clock, seconds)

    def run(
        self,
        work: Callable[["Engine"], Awaitable[Any]],
        runner: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
    ) -> Any:
        """Run work with a started engine, and stop the engine."""

        async def main() -> Any:
            writer = LedgerWriter(
                self.truth, self.clock, self.ids, FixedChance(), self.monitoring, "test"
            )
            await writer.start()
            approval = CreditApproval(
                self.gather,
                self.rulebooks,
                writer,
                KeyLookup(self.truth, self.clock),
                self.losses,
                self.clock,
                self.monitoring,
            )
            try:
                return await work(Engine(self, approval, writer))
            finally:
                await self.gather.close()
                await writer.stop()

        return runner(main())


@dataclass
class Engine:
    """A started engine."""

    world: World
    approval: CreditApproval
    writer: LedgerWriter

    def decide(
        self,
        key: str = "k1",
        asked: CreditApplication | None = None,
        command: str = "h",
        seconds: float = 1.0,
    ) -> Coroutine[Any, Any, Recorded]:
        """Return the decision of an application."""
        return self.approval(
            DecideCommand(
                client_id=CLIENT,
                idem_key=key,
                command_hash=command,
                application=asked or application(),
                language="en",
                deadline=self.world.deadline(seconds),
            )
        )


def mapping(value: object) -> Mapping[str, Any]:
    assert isinstance(value, Mapping)
    return value
