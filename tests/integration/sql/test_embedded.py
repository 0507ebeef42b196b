"""An embedded file with rows: upgraded where the platform starts, whatever happens meanwhile."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw

from adapters.bootstrap.stores import open_stores, truth_layout
from adapters.settings import EmbeddedSettings
from adapters.stores.embedded.opening import open_writer, version_of
from adapters.stores.sql.migrations.embedded import step_down
from adapters.stores.sql.schema import VERSION
from decision_engine.record.statements import InsertDecisions, ReadKeys
from domain.ports.time import Deadline
from tests.contracts.rows import a_decision, committing
from tests.integration.sql.file_history import check_file, expanded, make_old

ROWS = 100_000
#: A process that dies in the middle of an upgrade: after its last statement, before the commit.
DYING = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
import apsw
from adapters.stores.embedded.opening import open_writer
from tests.integration.sql.file_history import expanded

def die():
    os.kill(os.getpid(), signal.SIGKILL)

apsw.connection_hooks.append(lambda connection: connection.create_scalar_function("die", die))
layout = expanded()
last = layout.upgrades[-1] + "SELECT die();"
open_writer(Path(sys.argv[1]), replace(layout, upgrades=(*layout.upgrades[:-1], last)), None)
"""


def test_a_full_file_goes_up_and_back_and_loses_nothing(tmp_path: Path) -> None:
    assert check_file(tmp_path / "truth.sqlite", ROWS)["file_rows"] == ROWS


def test_a_process_killed_in_an_upgrade_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "truth.sqlite"
    make_old(path, ROWS)
    with closing(apsw.Connection(str(path))) as connection:
        before = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()

    done = subprocess.run([sys.executable, "-c", DYING, str(path)], check=False)

    assert done.returncode == -9
    # Part of the upgrade had reached the disk.
    assert path.with_name("truth.sqlite-wal").stat().st_size > 0
    with closing(apsw.Connection(str(path))) as connection:
        assert version_of(connection) == 1
        assert connection.execute("SELECT name, sql FROM sqlite_master").fetchall() == before
        assert connection.execute("SELECT COUNT(*) FROM credit_decisions").fetchall() == [(ROWS,)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(open_writer(path, expanded(), None)) as connection:
        assert version_of(connection) == expanded().version


def test_the_platform_upgrades_its_own_folder_when_it_starts(tmp_path: Path) -> None:
    settings = EmbeddedSettings(data=tmp_path / "data")

    async def decide() -> None:
        stores = await open_stores(settings)
        deadline = Deadline.after(stores.clock, 60)
        insert = InsertDecisions((a_decision(),))
        await stores.truth.api.transact(lambda: committing(insert), deadline)
        await stores.close()

    async def recorded() -> int:
        stores = await open_stores(settings)
        row = a_decision()
        asked = ReadKeys(((row.client_id, row.idem_key),))
        (rows,) = await stores.truth.api.read([asked], Deadline.after(stores.clock, 60))
        await stores.close()
        return len(rows)

    asyncio.run(decide())
    path = settings.data / "truth.sqlite"
    with closing(open_writer(path, truth_layout(), None)) as connection:
        step_down(connection, 1)
    assert asyncio.run(recorded()) == 1
    with closing(apsw.Connection(str(path))) as connection:
        assert version_of(connection) == VERSION
