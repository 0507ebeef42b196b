"""Two real servers of which one copies the other: who answers a list, and when."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_lag import ASKED_EVERY_S
from adapters.stores.sql.mysql_reader import MysqlReplica, ReaderTruth
from adapters.stores.sql.mysql_truth import MysqlTruth
from decision_engine.archive import ListDecisions
from decision_engine.record.statements import InsertDecisions
from tests.contracts.mysql import LoopThread, Server
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.rows import a_decision, committing
from tests.services.mariadb import mariadb
from tests.services.provided import skipping
from tests.services.server import Launch, Running, start
from tests.unit.sql.test_reader import Counting


def launch(*options: str) -> Callable[[Path], Launch]:
    def made(folder: Path) -> Launch:
        usual = mariadb(folder)
        return replace(usual, command=(*usual.command, "--log-bin=log", *options))

    return made


@dataclass(slots=True)
class Pair:
    """A truth on a writer and its replica, on a clock that stands still."""

    source: Server
    copy: Server
    process: Running
    loop: LoopThread = field(default_factory=LoopThread)
    clock: HandClock = field(default_factory=HandClock)
    monitoring: Counting = field(default_factory=Counting)
    truth: ReaderTruth = field(init=False)

    def __post_init__(self) -> None:
        writer = MysqlTruth(self.source.address, self.clock)
        reader = MysqlReplica(self.copy.address, self.clock, 1)
        self.truth = ReaderTruth(writer, reader, self.clock, self.monitoring)

    def follow(self) -> None:
        """Wait until the replica has everything."""
        ((place,),) = self.source.run("SELECT @@gtid_binlog_pos")
        assert self.copy.run(f"SELECT MASTER_GTID_WAIT('{place}', 20)") == [(0,)]

    def listed(self, endpoint: str, why: str) -> int:
        """Return how many decisions a list shows, once this endpoint has given it."""
        self.clock.advance(ASKED_EVERY_S)
        labels = {"endpoint": endpoint, "why": why}
        before = self.monitoring.metrics.value("truth_reads_total", **labels)
        (rows,) = self.loop(self.truth.read([ListDecisions(9)], NEVER))
        assert self.monitoring.metrics.value("truth_reads_total", **labels) == before + 1
        return len(rows)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    servers: list[Running] = []
    try:
        with skipping("MariaDB"):
            servers.append(start("source", tmp_path / "source", launch("--server-id=1")))
        options = ("--server-id=2", "--read-only=1", "--slave-net-timeout=4")
        servers.append(start("copy", tmp_path / "copy", launch(*options)))
        one, two = (MysqlAddress.parse(s.settings["MYSQL_URL"], "MYSQL_URL") for s in servers)
        ((place,),) = Server(one).run("SELECT @@gtid_binlog_pos")
        Server(two).run(
            "RESET MASTER",
            f"SET GLOBAL gtid_slave_pos = '{place}'",
            f"CHANGE MASTER TO MASTER_HOST = '{one.host}', MASTER_PORT = {one.port},"
            f" MASTER_USER = '{one.user}', MASTER_PASSWORD = '{one.password}',"
            " MASTER_USE_GTID = slave_pos",
            "START SLAVE",
        )
        source = Server.prepared(servers[0].settings["MYSQL_URL"])
        yield Pair(source, Server(replace(source.address, port=two.port)), servers[1])
    finally:
        for each in servers:
            each.stop()


def test_a_replica_lists_while_it_follows_and_the_writer_when_it_does_not(pair: Pair) -> None:
    pair.loop(pair.truth.transact(lambda: committing(InsertDecisions((a_decision(),))), NEVER))
    pair.follow()
    assert pair.listed("reader", "fresh") == 1

    pair.copy.run("STOP SLAVE SQL_THREAD")
    more = (a_decision(2),)
    pair.loop(pair.truth.transact(lambda: committing(InsertDecisions(more)), NEVER))
    assert pair.listed("writer", "stopped") == 2

    pair.copy.run("START SLAVE SQL_THREAD")
    pair.follow()
    assert pair.listed("reader", "fresh") == 2

    pair.process.stop()
    assert pair.listed("writer", "error") == 2
