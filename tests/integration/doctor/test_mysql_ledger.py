"""`creditctl decision verify` and `pack` on a ledger that a server holds."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.bootstrap.evidence import verify_ledger
from adapters.inbound.cli.decision_proofs import VERIFIER
from adapters.security.signing_key import SigningKey
from adapters.stores.sql.mysql_ledger import MysqlLedger
from decision_engine.record.verify import Tally
from decision_engine.record.verify import verify_ledger as find_faults
from domain.errors import TransientError
from tests.integration.doctor.ledgers import ServedLedger
from tests.integration.doctor.site import Shell, Site
from tests.integration.ledger.build import build_ledger, live_on
from tests.integration.ledger.faults import FAULTS, ONLY_BY_ANCHORS, OUTSIDE
from tests.integration.ledger.site import Expected
from tests.integration.ledger.site import Site as LedgerSite
from tests.services.proxy import proxied

DECISIONS = 300
SEED = 20261211
#: A comparison of texts on a server passes over spaces at their ends.
PADDED = ("lane", "lane ")
#: What a column of a server cannot hold.
UNHELD = frozenset(
    {
        "a text that is none",
        "a number that is text",
        "a number that is a fraction",
        "a place that is a fraction",
        "a place that is text",
        "a day beyond the calendar",
        "evidence that is a number",
        "decision in a lane of bytes",
    }
)


@pytest.fixture(scope="module")
def ledger(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLedger]:
    data = tmp_path_factory.mktemp("ledger") / "data"
    build_ledger(data, DECISIONS, SEED)
    live_on(data, SEED)
    made = ServedLedger(site.admin, data)
    made.fill()
    yield made
    site.run("DELETE FROM credit_decisions")
    site.run("DELETE FROM ledger_batches")


@pytest.fixture
def shell(site: Site, ledger: ServedLedger) -> Shell:
    return Shell({**site.settings, "CREDITCTL_DATA": str(ledger.data)})


def test_a_ledger_on_a_server_is_as_whole_as_its_copy(ledger: ServedLedger) -> None:
    found = verify_ledger(ledger.data, None, ledger.url)
    copy = verify_ledger(ledger.data, None)

    assert found["valid"] is True
    assert {**found, "seconds": 0} == {**copy, "seconds": 0}
    assert found["decisions"] == DECISIONS


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in UNHELD])
def test_a_fault_is_found_and_named(ledger: ServedLedger, name: str) -> None:
    with ledger.tampered(FAULTS[name], SEED) as expected:
        found = verify_ledger(ledger.data, None, ledger.url)

    problems: Any = found["problems"]
    assert found["valid"] is False
    for code, place in expected:
        assert any(each.startswith(f"{code} at {place}") for each in problems), problems


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_outside_the_proof_is_not_guessed_at(ledger: ServedLedger, name: str) -> None:
    with ledger.tampered(OUTSIDE[name], SEED):
        assert verify_ledger(ledger.data, None, ledger.url)["valid"] is True


@pytest.mark.parametrize("name", ONLY_BY_ANCHORS)
def test_without_anchors_these_would_go_unnoticed(
    ledger: ServedLedger, name: str, tmp_path: Path
) -> None:
    nothing = tmp_path / "no-anchors"
    nothing.touch()

    with ledger.tampered(FAULTS[name], SEED):
        assert verify_ledger(ledger.data, nothing, ledger.url)["valid"] is True


def test_lanes_that_the_server_takes_for_one_are_told_apart(ledger: ServedLedger) -> None:
    def two_lanes(site: LedgerSite) -> list[Expected]:
        text = "UPDATE credit_decisions SET lane = ? WHERE decision_id = ?"
        for lane in PADDED:
            site.run(text, lane, site.decision("LENGTH(lane) = 36").decision_id)
        return []

    with ledger.tampered(two_lanes, SEED), closing(MysqlLedger(ledger.url)) as reader:
        lanes = reader.lanes()
        held = [len(list(reader.decisions(lane))) for lane in PADDED]

    assert set(PADDED) <= set(lanes)
    assert held == [1, 1]


def test_pages_of_any_size_give_the_same_rows(ledger: ServedLedger) -> None:
    def walked(page: int) -> list[Any]:
        with closing(MysqlLedger(ledger.url, page=page)) as reader:
            lanes = reader.lanes()
            return [
                (list(reader.batches(lane)), list(reader.decisions(lane)), reader.totals())
                for lane in lanes
            ]

    whole = walked(10 * DECISIONS)

    assert sum(len(decisions) for _, decisions, _ in whole) == DECISIONS
    assert walked(1 + DECISIONS // 40) == whole


def test_it_sees_one_committed_state_whatever_is_written_meanwhile(
    ledger: ServedLedger, site: Site
) -> None:
    tally = Tally()
    with closing(MysqlLedger(ledger.url, page=16)) as reader:
        assert reader.totals()[1] == DECISIONS
        try:
            site.run("DELETE FROM credit_decisions")
            faults = list(find_faults(reader, tally))
        finally:
            ledger.fill()

    assert faults == []
    assert tally.decisions == DECISIONS


@pytest.mark.usefixtures("ledger")
def test_a_connection_that_breaks_is_no_fault_of_the_ledger(site: Site) -> None:
    with (
        proxied(site.mysql_port) as proxy,
        closing(MysqlLedger(site.mysql(port=proxy.port), page=4)) as reader,
    ):
        rows = reader.decisions(reader.lanes()[0])
        next(rows)
        proxy.cut()
        with pytest.raises(TransientError, match="breaks the connection off"):
            list(rows)


def test_the_command_takes_the_database_of_the_environment(
    shell: Shell, ledger: ServedLedger
) -> None:
    whole = shell("decision", "verify", "--json")
    with ledger.tampered(FAULTS["byte in reply"], SEED):
        touched = shell("decision", "verify", "--json")
        # The folder's own ledger is whole.
        apart = shell("decision", "verify", "--data", str(ledger.data), "--json")

    assert (whole.exit_code, touched.exit_code, apart.exit_code) == (0, 1, 0)
    assert json.loads(whole.stdout)["decisions"] == DECISIONS


@pytest.mark.usefixtures("ledger")
def test_whoever_verifies_needs_no_right_but_to_read(shell: Shell, site: Site) -> None:
    with site.user("SELECT ON credit.*") as url:
        result = shell("decision", "verify", "--mysql-url", url, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["decisions"] == DECISIONS


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"password": "wrong"}, 4, "refuses user or password"),
        ({"port": 1}, 3, "refuses the connection"),
        ({"database": "persons"}, 4, "lacks a table"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_one_sentence(
    shell: Shell, site: Site, changes: dict[str, Any], code: int, words: str
) -> None:
    result = shell("decision", "verify", "--mysql-url", site.mysql(**changes))

    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_a_decision_is_proven_and_packed(shell: Shell, site: Site, tmp_path: Path) -> None:
    SigningKey.load_or_create(site.keys / "signing.key")
    ((decision,),) = site.run(
        "SELECT decision_id FROM credit_decisions WHERE evidence IS NOT NULL LIMIT 1"
    )
    out = tmp_path / "pack.json"

    proof = shell("decision", "verify", decision, "--json")
    packed = shell("decision", "pack", decision, "--out", str(out))
    keys = json.loads(shell("decision", "key", "--json").stdout)
    public = keys["public_keys"][keys["current"]]
    checked = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(out), "--key", public],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (proof.exit_code, packed.exit_code) == (0, 0), packed.output
    assert json.loads(proof.stdout)["decision_id"] == decision
    assert checked.returncode == 0, checked.stdout + checked.stderr
