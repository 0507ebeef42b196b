"""Use cases that record what reaches them and answer with the examples of the contract."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from adapters.inbound.http.use_cases import Document, UseCases
from adapters.security.rate_limits import RateClass
from decision_engine.commands import (
    CloseReviewCommand,
    Created,
    DecideCommand,
    Recorded,
    RequestReviewCommand,
    WhatIfCommand,
)
from decision_engine.customers import TransactionQuery
from decision_engine.decisions import DecisionQuery
from decision_engine.hot_lists import HotListQuery
from decision_engine.loss_window import OpenWindowCommand, ReleaseWindowCommand, WindowQuery
from decision_engine.pages import Page
from decision_engine.policy_desk import TrialCase
from decision_engine.review import ReviewQuery
from domain.errors import InvalidInputError
from domain.ports.time import Deadline

#: Where a fake list goes on after its first page.
NEXT = (1_765_375_391_512_000, examples.DECISION_ID)


@dataclass
class FakeLimits:
    """Refuses for `wait_s` seconds; `seen` holds who asked, and for which class."""

    wait_s: float = 0.0
    seen: list[tuple[str, str]] = field(default_factory=list)

    async def admit(self, caller: str, kind: RateClass) -> float:
        self.seen.append((caller, kind.value))
        return self.wait_s


@dataclass
class FakeUseCases:
    """Every use case; `seen` holds what reached one, `error` is raised instead of an answer."""

    seen: list[object] = field(default_factory=list)
    error: BaseException | None = None
    kept: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    ready: str = "ready"

    def as_use_cases(self) -> UseCases:
        return UseCases(
            decide=self.decide,
            what_if=self.what_if,
            quote=self.quote,
            read_decision=self.read_decision,
            list_decisions=self.list_decisions,
            explain=self.explain,
            replay=self.replay,
            request_review=self.request_review,
            list_reviews=self.list_reviews,
            close_review=self.close_review,
            read_customer=self.read_customer,
            list_transactions=self.list_transactions,
            accept_events=self.accept_events,
            list_policies=self.list_policies,
            show_policy=self.show_policy,
            check_policy=self.check_policy,
            simulate_policy=self.simulate_policy,
            diff_policy=self.diff_policy,
            open_loss_window=self.open_loss_window,
            list_loss_windows=self.list_loss_windows,
            release_loss_window=self.release_loss_window,
            list_hot_by_type=self.list_hot,
            list_hot_by_status=self.list_hot,
            health=self.health,
        )

    def _see(self, thing: object) -> None:
        self.seen.append(thing)
        if self.error is not None:
            raise self.error

    async def decide(self, command: DecideCommand) -> Recorded:
        self._see(command)
        return self._once(command.client_id, command.idem_key, command.command_hash)

    def _once(self, client_id: str, idem_key: str, command_hash: str) -> Recorded:
        reply = to_json(examples.DECISION | {"attempt": len(self.seen)})
        held_hash, held = self.kept.setdefault((client_id, idem_key), (command_hash, reply))
        if held_hash != command_hash:
            raise InvalidInputError("the key is taken", code="idempotency-key-reused")
        return Recorded(examples.DECISION_ID, held, held is not reply)

    async def what_if(self, command: WhatIfCommand) -> Document:
        self._see(command)
        return examples.WHAT_IF

    def quote(self, body: Document) -> Document:
        self._see(body)
        return examples.QUOTE

    async def read_decision(self, decision_id: str, language: str, deadline: Deadline) -> Document:
        self._see(("read_decision", decision_id, language, deadline))
        return examples.DECISION

    async def list_decisions(self, query: DecisionQuery) -> Page:
        self._see(query)
        return Page(list(examples.DECISION_PAGE["items"]), NEXT if query.before is None else None)

    async def explain(self, decision_id: str, language: str, deadline: Deadline) -> Document:
        self._see(("explain", decision_id, language, deadline))
        return examples.EXPLANATION

    async def replay(self, decision_id: str, deadline: Deadline) -> Document:
        self._see(("replay", decision_id, deadline))
        return examples.REPLAY

    async def request_review(self, command: RequestReviewCommand) -> Created:
        self._see(command)
        replayed = (command.client_id, command.idem_key) in self.kept
        self.kept[command.client_id, command.idem_key] = (command.command_hash, b"")
        return Created(201, to_json(examples.REVIEW), replayed)

    async def list_reviews(self, query: ReviewQuery) -> Page:
        self._see(query)
        return Page([dict(examples.REVIEW)], None)

    async def close_review(self, command: CloseReviewCommand) -> Recorded:
        self._see(command)
        return self._once(command.client_id, command.idem_key, command.command_hash)

    async def read_customer(self, customer_id: str, deadline: Deadline) -> Document:
        self._see(("read_customer", customer_id, deadline))
        return examples.CUSTOMER

    async def list_transactions(self, query: TransactionQuery) -> Page:
        self._see(query)
        return Page(list(examples.TRANSACTION_PAGE["items"]), None)

    async def accept_events(
        self, documents: Sequence[object], deadline: Deadline
    ) -> list[dict[str, Any]]:
        self._see(("accept_events", documents, deadline))
        return [{"event_id": examples.EVENT_ID, "status": "accepted"} for _ in documents]

    async def list_policies(self, deadline: Deadline) -> Document:
        self._see(("list_policies", deadline))
        return examples.POLICY_LIST

    async def show_policy(self, policy_id: str, deadline: Deadline) -> Document:
        self._see(("show_policy", policy_id, deadline))
        return examples.POLICY_SHOWN

    async def check_policy(self, policy_id: str, policy: bytes, deadline: Deadline) -> Document:
        self._see(("check_policy", policy_id, policy, deadline))
        return examples.POLICY_CHECK

    async def simulate_policy(
        self,
        policy_id: str,
        policy: bytes | int | None,
        cases: Sequence[TrialCase],
        deadline: Deadline,
    ) -> Document:
        self._see(("simulate_policy", policy_id, policy, cases, deadline))
        return examples.SIMULATION

    async def diff_policy(
        self, policy_id: str, before: int | None, after: int | None, deadline: Deadline
    ) -> Document:
        self._see(("diff_policy", policy_id, before, after, deadline))
        return examples.POLICY_DIFF

    async def open_loss_window(self, command: OpenWindowCommand) -> Created:
        self._see(command)
        return Created(201, to_json(examples.LOSS_WINDOW), replayed=False)

    async def list_hot(self, query: HotListQuery) -> Page:
        self._see(query)
        return Page(list(examples.HOT_ROW_PAGE["items"]), None)

    async def list_loss_windows(self, query: WindowQuery) -> Page:
        self._see(query)
        return Page([dict(examples.LOSS_WINDOW)], None)

    async def release_loss_window(self, command: ReleaseWindowCommand) -> Created:
        self._see(command)
        return Created(201, to_json(examples.LOSS_RELEASE), replayed=False)

    async def health(self) -> Document:
        return examples.READY | {"status": self.ready}
