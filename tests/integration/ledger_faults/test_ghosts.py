"""A session that the server still holds after its writer left: it must not keep persons locked."""

import asyncio
from dataclasses import dataclass

from decision_engine.record.entry import Done
from domain.errors import AmbiguousError
from tests.integration.ledger_faults.bank import LIMIT, Bank
from tests.integration.ledger_faults.desk import desk
from tests.services.proxy import NONE, FaultProxy, Faults, Verdict, Way, proxied
from tests.unit.record.toy import entry

WRITING = b"INSERT INTO ledger_batches"


@dataclass(slots=True)
class Cable:
    """Once a batch is to be written nothing arrives any more, on no connection; nobody is told."""

    pulled: bool = False

    def judge(self, way: Way, data: bytes) -> Verdict:
        self.pulled = self.pulled or (way is Way.REQUEST and WRITING in data)
        return Verdict.DROP if self.pulled else Verdict.PASS


async def lose_a_writer(bank: Bank, proxy: FaultProxy) -> None:
    address = bank.through(proxy.port)
    async with desk(address, lookups=bank.address, trip_seconds=0.3) as made:
        await made.settle(entry("before", person="p", limit=LIMIT))
        lanes = made.seen.counts["ledger_lanes_opened_total"]
        proxy.faults = Faults(judge=Cable().judge)
        told = await made.ask(entry("lost", person="p", limit=LIMIT))
        assert isinstance(told, AmbiguousError)
        assert bank.open_transactions(), "the server knows that its client has gone"
        proxy.faults = NONE
        # Its person was locked by the session that was left, and would be until it ends by itself.
        async with asyncio.timeout(20):
            assert isinstance(await made.settle(entry("lost", person="p", limit=LIMIT)), Done)
        assert made.seen.counts["ledger_lanes_opened_total"] == lanes + 1
        assert not made.seen.counts["ledger_busy_total"]
        await bank.settled()
        assert bank.faults(made) == []


def test_whoever_opens_a_fresh_lane_ends_the_session_of_the_old_one(bank: Bank) -> None:
    bank.add_persons(["p"])

    with proxied(bank.address.port) as proxy:
        asyncio.run(lose_a_writer(bank, proxy))
