"""The database behind the desks, looked at from beside: what is recorded, and what is left open."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from adapters.mysql_address import MysqlAddress
from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import verify_lane
from tests.contracts.mysql import Server
from tests.integration.ledger_faults.desk import Desk

CLERK: Final = "clerk"
LIMIT: Final = 1_000_00
PATIENCE_S: Final = 20.0
#: The server shows its transactions anew when nobody has looked for a tenth of a second.
POLL_S: Final = 0.12


@dataclass(frozen=True, slots=True)
class Bank:
    """A database with the schema; `address` is that of a user who may only read and write rows."""

    server: Server
    address: MysqlAddress

    @classmethod
    def opened(cls, url: str) -> "Bank":
        """Make the database and its user: who has more rights would write past `read_only`."""
        server = Server.prepared(url)
        name, host = server.address.database, server.address.host
        server.run(
            f"CREATE USER IF NOT EXISTS '{CLERK}'@'{host}' IDENTIFIED BY '{CLERK}'",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO '{CLERK}'@'{host}'",
        )
        return cls(server, replace(server.address, user=CLERK, password=CLERK))

    def through(self, port: int) -> MysqlAddress:
        """Return the address by way of a proxy."""
        return replace(self.address, port=port)

    def add_persons(self, names: Iterable[str]) -> None:
        """Let persons be known, each as one customer."""
        known = list(names)
        persons = ", ".join(f"('{name}', '')" for name in known)
        customers = ", ".join(f"('c-{name}', '{name}', 1, '', '', '{{}}', 0, 0)" for name in known)
        self.server.run(
            f"INSERT INTO persons (person_id, cpf_index) VALUES {persons}",  # noqa: S608
            "INSERT INTO customers (customer_id, person_id, profile_version, cpf_index, status,"  # noqa: S608
            f" profile, created_us, updated_us) VALUES {customers}",
        )

    # --- what is recorded ----------------------------------------------------------------------

    def decisions(self) -> list[DecisionRow]:
        """Return every decision, as the verifier wants them."""
        names = ", ".join(each.name for each in fields(DecisionRow))
        text = f"SELECT {names} FROM credit_decisions ORDER BY lane_seq, decision_id"  # noqa: S608
        return [DecisionRow(*row) for row in self.server.run(text)]

    def faults(self, *desks: Desk) -> list[Any]:
        """Return whatever is wrong with the ledger, and with what clients were told."""
        decisions = self.decisions()
        found = [*self.broken_lanes(decisions), *self._over_the_limit()]
        outbox = self.server.run("SELECT count(*) FROM outbox")
        if outbox != [(len(decisions),)]:
            found.append(f"{outbox} events for {len(decisions)} decisions")
        rows = {row.idem_key: (row.decision_id, row.reply) for row in decisions}
        for made in desks:
            found += [
                f"{key} was answered {len(replies)} ways, or otherwise than recorded"
                for key, replies in made.answers.items()
                if replies != {rows.get(key)}
            ]
        return found

    def broken_lanes(self, decisions: list[DecisionRow]) -> Iterator[Any]:
        """Yield what does not verify."""
        names = ", ".join(each.name for each in fields(BatchRow))
        text = f"SELECT {names} FROM ledger_batches ORDER BY lane, sequence"  # noqa: S608
        lanes: dict[str, list[BatchRow]] = {}
        for row in self.server.run(text):
            lanes.setdefault(row[0], []).append(BatchRow(*row))
        for lane, batches in lanes.items():
            yield from verify_lane(lane, batches, [row for row in decisions if row.lane == lane])
        for row in decisions:
            if row.lane not in lanes:
                yield f"{row.decision_id} is of no lane"

    def _over_the_limit(self) -> Iterator[str]:
        """Yield persons who got more than their limit, or less than they could have had."""
        approved = Counter(
            dict(self.server.run(
                "SELECT person_id, count(*) FROM credit_decisions WHERE outcome = 'APPROVED'"
                " GROUP BY person_id"
            ))
        )  # fmt: skip
        reserved = self.server.run(
            "SELECT person_id, count(*), sum(principal) FROM reservations GROUP BY person_id"
        )
        if approved != {person: number for person, number, _ in reserved}:
            yield "reservations do not fit the approvals"
        yield from (f"{person}: {total} reserved" for person, _, total in reserved if total > LIMIT)
        declined = self.server.run(
            "SELECT DISTINCT person_id FROM credit_decisions WHERE outcome = 'DECLINED'"
            " AND amount < 50000"
        )
        yield from (f"{person} got too little" for (person,) in declined if approved[person] < 3)

    # --- what is left open ---------------------------------------------------------------------

    def sessions(self) -> list[Any]:
        """Return the sessions of the desks."""
        return self.server.run(
            f"SELECT id, command, time FROM information_schema.processlist WHERE user = '{CLERK}'"  # noqa: S608
        )

    def open_transactions(self) -> list[Any]:
        """Return the transactions that are open, or were when somebody looked just before."""
        return self.server.run(
            "SELECT trx_mysql_thread_id, trx_state, trx_started, trx_rows_locked, trx_query"
            " FROM information_schema.innodb_trx"
        )

    async def settled(self) -> None:
        """Wait until no transaction is open: a session that was left takes a moment to end."""
        async with asyncio.timeout(PATIENCE_S):
            while self.open_transactions():  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)

    async def left_alone(self) -> None:
        """Wait until the server has forgotten every session of the desks; it must."""
        async with asyncio.timeout(PATIENCE_S):
            while self.sessions() or self.open_transactions():  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
