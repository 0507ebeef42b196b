"""
Requests that arrive together, and a memory of every answer that came back.

What was answered before a crash is what must be found after it.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import aiohttp

from tests.e2e.people import Customer, Envelope, application
from tests.e2e.platform import CREATED, OK, Answer, Platform

T = TypeVar("T")

DECISIONS: Final = "/v1/credit-decisions"
BUSY: Final = 503
#: Decisions of one wave; a wave also reviews two cases and tells some events.
WAVE: Final = 60
PEOPLE: Final = tuple(Customer(customer_id=f"c-{number:02d}") for number in range(WAVE - 2))
#: Nobody knows what they earn, so they are referred and a person decides.
REFERRED: Final = tuple(Customer(customer_id=f"r-{number}", income=None) for number in range(2))


@dataclass(frozen=True, slots=True)
class Act:
    """A creating request: the same key and body must always get the same answer."""

    key: str
    path: str
    body: dict[str, Any]


@dataclass(slots=True)
class Load:
    """What was sent, and what was answered."""

    acts: dict[str, Act] = field(default_factory=dict)
    replies: dict[str, bytes] = field(default_factory=dict)
    #: Events that the platform said it had accepted.
    accepted: dict[str, Envelope] = field(default_factory=dict)
    waves: int = 0

    async def wave(self, platform: Platform) -> None:
        """Send one more wave; every request of it is on its way before any is answered."""
        number = self.waves
        self.waves += 1
        decisions = [decision(f"w{number}-{each.customer_id}", each) for each in PEOPLE]
        await together(
            *(self.send(platform, act) for act in decisions),
            *(self._review(platform, number, each) for each in REFERRED),
            self._tell(platform, list(told(number))),
        )

    async def send(self, platform: Platform, act: Act) -> Answer | None:
        """Send a request; None when no answer came, or one that says "try again"."""
        self.acts[act.key] = act
        try:
            answer = await platform.request("POST", act.path, act.body, Idempotency_Key=act.key)
        except aiohttp.ClientError:
            return None
        held = self.replies.get(act.key, answer.body)
        assert held == answer.body, f"{act.key} was answered before, and otherwise: {answer}"
        if answer.status == BUSY:
            return None
        assert answer.status == CREATED, (act, answer)
        self.replies[act.key] = answer.body
        return answer

    async def send_again(self, platform: Platform) -> None:
        """Send everything once more; all of it is answered now, and as it was before."""
        before = set(self.replies)
        sent = await together(*(self.send(platform, act) for act in self.acts.values()))
        for key, answer in zip(self.acts, sent, strict=True):
            assert answer is not None, f"{key} got no answer"
            assert answer.replayed or key not in before, f"{key} was recorded twice"

    async def _review(self, platform: Platform, number: int, customer: Customer) -> None:
        referred = await self.send(
            platform, decision(f"w{number}-{customer.customer_id}", customer)
        )
        if referred is None:
            return
        first = referred.document
        asked = Act(f"w{number}-ask-{customer.customer_id}", first["links"]["review"], {})
        closing = Act(
            f"w{number}-close-{customer.customer_id}",
            f"/v1/reviews/{first['review_id']}/decision",
            {"outcome": "DECLINED", "reasons": ["R90"]},
        )
        await together(self.send(platform, asked), self.send(platform, closing))

    async def _tell(self, platform: Platform, events: list[Envelope]) -> None:
        try:
            answer = await platform.request("POST", "/v1/events", {"events": events})
        except aiohttp.ClientError:
            return
        if answer.status != BUSY:
            assert answer.status == OK, answer
            assert {each["status"] for each in answer.document["results"]} == {"accepted"}
            self.accepted |= {each["event_id"]: each for each in events}


async def together(*calls: Awaitable[T]) -> list[T]:
    """Wait for all of them, then raise the first thing that went wrong."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


def decision(key: str, customer: Customer) -> Act:
    """Return a request for the smallest loan, so that nobody's limit is used up soon."""
    return Act(key, DECISIONS, application(customer.customer_id, amount="1000.00"))


def told(number: int) -> Iterable[Envelope]:
    """Return events: a new customer's, an old fact taken back, and two that claim one place."""
    fresh = Customer(customer_id=f"n-{number}")
    yield from fresh.events()
    yield purchase(number)
    reverses = {"reverses": purchase(number - 1)["event_id"]}
    yield _spender(number - 1).event("shop", 2, "transaction.reversed", reverses)
    rival = Customer(customer_id=f"x-{number}")
    for amount in ("1.00", "2.00"):
        event = rival.event(
            "shop", 1, "transaction.recorded", {"kind": "purchase", "amount": amount}
        )
        # The second one is set aside: its place in the stream is taken.
        yield event | {"event_id": event["event_id"][:-2] + amount[0] * 2}


def purchase(number: int) -> Envelope:
    """Return a fact that the next wave takes back; the book holds that of wave -1."""
    data = {"kind": "purchase", "amount": "9.00"}
    return _spender(number).event("shop", 1, "transaction.recorded", data)


def _spender(number: int) -> Customer:
    return Customer(customer_id=f"s-{number}")
