"""What `make prove` runs at full counts: one row per promise."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

Measured = Mapping[str, str | int | float | bool | None]

ROOT: Final = Path(__file__).resolve().parent.parent
PLANS: Final = 100_000
POLICIES: Final = 5_000
HISTORIES: Final = 100_000
DEMO_LIMIT_S: Final = 1_800
ROUNDS: Final = 200
REPEATS: Final = 7
CUSTOMERS: Final = 30_000
TAMPERED: Final = 1_000
LEDGER: Final = 100_000
POLICY_PAIRS: Final = 100_000
MIGRATED: Final = 1_000_000
LARGE_FILE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One promise and the program that tries to break it.

    `run` gets a seed and returns what it counted and measured; it raises when the promise does
    not hold. The same seed must repeat the same history.
    """

    name: str
    promise: str
    run: Callable[[int], Measured]


def random_plans(seed: int) -> Measured:
    """Price random loans and check each against the exact functions."""
    from tests.unit.pricing.random_plans import check_random_plans  # noqa: PLC0415

    return _flat(check_random_plans(PLANS, seed))


def random_offers(seed: int) -> Measured:
    """Search offers for random policies and compare with brute force where it is possible."""
    from tests.unit.pricing.random_offers import check_random_offers  # noqa: PLC0415

    return _flat(check_random_offers(PLANS, seed))


def policy_branches(seed: int) -> Measured:
    """Evaluate random policies with switches, hit policies and sub-decisions."""
    from tests.integration.policy.branches import check_branches  # noqa: PLC0415

    return check_branches(POLICIES, seed)


def fold_book(seed: int) -> Measured:
    """Fold all customers of the book in any order."""
    from tests.unit.demo.fold_book import check_fold_book  # noqa: PLC0415

    return check_fold_book(None, seed)


def simulation(seed: int) -> Measured:
    """Live through 500 histories of the whole platform under faults."""
    from tests.simulation.platform.campaign import prove  # noqa: PLC0415

    return _flat(prove(seed))


def policy_fuzz(seed: int) -> Measured:
    """Feed 100,000 damaged files and expressions to the policy engine, and files of 16 MiB."""
    from tests.integration.policy.fuzz import check_fuzz  # noqa: PLC0415
    from tests.integration.policy.fuzz_large import check_large  # noqa: PLC0415

    return _flat({**check_fuzz(PLANS, seed), **check_large(LARGE_FILE)})


def policy_mutants(seed: int) -> Measured:
    """Try every small fault of the policy engine; the corpus has no other seed."""
    del seed
    from tests.mutation.campaign import check_files  # noqa: PLC0415

    return check_files()


def freshness(seed: int) -> Measured:
    """Play 100,000 histories of updates, fills, expiries, evictions and reads of a customer."""
    from tests.unit.decide.freshness import check_freshness  # noqa: PLC0415

    return check_freshness(HISTORIES, seed)


def exposure(seed: int) -> Measured:
    """Let 64 requests of one person meet, 200 times; then 64 other persons beside them."""
    from tests.integration.exposure.rounds import (  # noqa: PLC0415
        check_exposure,
        check_liveness,
    )

    return _flat({**check_exposure(ROUNDS, seed), **check_liveness(REPEATS, seed)})


def kill(seed: int) -> Measured:
    """Kill the platform under load at every named point."""
    from tests.integration.crash.checks import POINTS, check_crash_points  # noqa: PLC0415

    return _flat(check_crash_points(POINTS, seed))


def power_loss(seed: int) -> Measured:
    """Take the power away under load at every named point."""
    from tests.integration.crash.checks import POINTS, check_power_loss  # noqa: PLC0415

    return _flat(check_power_loss(POINTS, seed))


def replay(seed: int) -> Measured:
    """Decide for the whole book, replay it elsewhere, and change what was recorded."""
    from tests.e2e.replays import (  # noqa: PLC0415
        check_altered_rules,
        check_replay,
        check_tampering,
    )
    from tests.e2e.runs import make_run  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        make_run(data, CUSTOMERS, seed)
        found = [check_replay(data), check_tampering(data, TAMPERED, seed)]
        found.append(check_altered_rules(data))
    return {name: value for each in found for name, value in _flat(each).items()}


def migrations(seed: int) -> Measured:
    """Change the schema under a million decisions, on MariaDB and in a file; no chance in it."""
    del seed
    from tests.integration.sql.database import fresh  # noqa: PLC0415
    from tests.integration.sql.file_history import check_file  # noqa: PLC0415
    from tests.integration.sql.side_by_side import check_side_by_side  # noqa: PLC0415
    from tests.services.fleet import running  # noqa: PLC0415

    with running("mariadb") as servers:
        server = servers["mariadb"]
        with fresh(server.settings["MYSQL_URL"]) as url:
            found = dict(check_side_by_side(url, MIGRATED))
    with tempfile.TemporaryDirectory() as folder:
        return {"mariadb": server.version, **found, **check_file(Path(folder) / "t", MIGRATED)}


def tamper_evidence(seed: int) -> Measured:
    """Do to a ledger of 100,000 whatever somebody with the file in hand may do."""
    from tests.integration.ledger.checks import check_tamper_evidence  # noqa: PLC0415

    return check_tamper_evidence(LEDGER, seed)


def ledger_poison(seed: int) -> Measured:
    """Poison each place of a batch of 128 on MariaDB; no chance in it."""
    del seed
    from tests.integration.ledger_faults.checks import prove_poison  # noqa: PLC0415

    return prove_poison()


def ledger_outages(seed: int) -> Measured:
    """Kill MariaDB under load 20 times with each driver, stop it for 20 s, let it refuse writes."""
    from tests.integration.ledger_faults.checks import prove_outages  # noqa: PLC0415

    return prove_outages(seed)


def ledger_packets(seed: int) -> Measured:
    """Break the writer's connection at each packet, in each way; no chance in it."""
    del seed
    from tests.integration.ledger_faults.checks import prove_packets  # noqa: PLC0415

    return prove_packets()


def two_processes(seed: int) -> Measured:
    """Let 64 requests of one person meet in two processes on one MariaDB, 200 times."""
    from tests.integration.ledger_faults.checks import prove_two_processes  # noqa: PLC0415

    return prove_two_processes(seed)


def dying_database(seed: int) -> Measured:
    """Kill MariaDB behind the shipped program 20 times; when is the machine's chance."""
    del seed
    from tests.integration.ledger_faults.checks import prove_dying  # noqa: PLC0415

    return prove_dying()


def tiers_away(seed: int) -> Measured:
    """Take cache, hot and wide store away under load, each in three ways."""
    del seed
    from tests.integration.whole.outages import prove_outages  # noqa: PLC0415

    return prove_outages()


def scorecard(seed: int) -> Measured:
    """Measure the committed scorecard; its own seed is part of its definition."""
    del seed
    command = [sys.executable, "-m", "policies.measure_scorecard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {"table": done.stdout}


def policy_differential(seed: int) -> Measured:
    """Let our engine and the reference implementation of JDM answer the same questions."""
    from tests.integration.policy.differential.checks import check_differential  # noqa: PLC0415

    return _flat(check_differential(POLICY_PAIRS, seed))


def demo(seed: int) -> Measured:
    """Run the whole demo twice on one folder; its data has no other seed."""
    del seed
    with tempfile.TemporaryDirectory() as folder:
        first, second = (_demo(Path(folder) / "data") for _ in range(2))
    if first["fingerprint"] != second["fingerprint"]:
        raise AssertionError("the second run decided otherwise")
    for run in (first, second):
        if run["replays"]["tried"] != run["replays"]["equal"] or run["stores"]["differing"]:
            raise AssertionError("a replay or a store differs")
    return _flat(first)


def _demo(data: Path) -> dict[str, Any]:
    program = str(Path(sys.executable).parent / "creditctl")
    command = [program, "demo", "--once", "--json", "--data", str(data)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=DEMO_LIMIT_S
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _flat(found: Any) -> Measured:
    """Return counts as one flat mapping; what is nested stays readable as JSON."""
    held = found if isinstance(found, Mapping) else asdict(found)
    plain = (str, int, float, bool, type(None))
    return {
        name: value if isinstance(value, plain) else json.dumps(value, ensure_ascii=False)
        for name, value in held.items()
    }


ROWS: Final[tuple[Row, ...]] = (
    Row(
        name="random-plans",
        promise="100,000 random loans: plans, IOF and CET are exact",
        run=random_plans,
    ),
    Row(
        name="random-offers",
        promise="100,000 random searches: an offer is never above the ask nor worse priced",
        run=random_offers,
    ),
    Row(
        name="policy-branches",
        promise="5,000 random policies with branches: as the naive interpreter, and fail closed",
        run=policy_branches,
    ),
    Row(
        name="freshness",
        promise="100,000 histories: no read is older than what was acknowledged 2 s before",
        run=freshness,
    ),
    Row(
        name="fold-book",
        promise="30,000 customers: any order and duplication of events folds to the same bytes",
        run=fold_book,
    ),
    Row(
        name="scorecard",
        promise="the scorecard ranks and is calibrated out of sample",
        run=scorecard,
    ),
    Row(
        name="policy-fuzz",
        promise="100,000 damaged policies and expressions: a result or a sentence, within bounds",
        run=policy_fuzz,
    ),
    Row(
        name="policy-mutants",
        promise="every mutant of the policy engine is killed, or listed as giving equal bytes",
        run=policy_mutants,
    ),
    Row(
        name="simulation",
        promise="500 histories under faults at every await: no promise broken",
        run=simulation,
    ),
    Row(
        name="exposure",
        promise="64 requests of one person, 200 times: never over the limit, nobody held up",
        run=exposure,
    ),
    Row(
        name="kill",
        promise="killed under load at every named point: every answer is there, once",
        run=kill,
    ),
    Row(
        name="power-loss",
        promise="power lost under load at every named point: every answer is there, once",
        run=power_loss,
    ),
    Row(
        name="migrations",
        promise="the schema changes under 1,000,000 decisions: no lost write, no lock over 1 s",
        run=migrations,
    ),
    Row(
        name="replay",
        promise="every decision replays equal elsewhere, and every change is named",
        run=replay,
    ),
    Row(
        name="tamper-evidence",
        promise="a ledger of 100,000: every byte, row, pair and lane that was touched is named",
        run=tamper_evidence,
    ),
    Row(
        name="ledger-poison",
        promise="a refused row at each of 128 places: 127 recorded, one told, nothing left open",
        run=ledger_poison,
    ),
    Row(
        name="ledger-outages",
        promise="MariaDB killed, stopped, read-only under load: every answer is there, once",
        run=ledger_outages,
    ),
    Row(
        name="ledger-packets",
        promise="a connection broken at each packet of a batch: every answer is there, once",
        run=ledger_packets,
    ),
    Row(
        name="two-processes",
        promise="64 requests of one person at two processes, 200 times: three fit, never more",
        run=two_processes,
    ),
    Row(
        name="dying-database",
        promise="the database killed 20 times: 503 with Retry-After, then service, nothing lost",
        run=dying_database,
    ),
    Row(
        name="tiers-away",
        promise="cache, hot and wide store stopped, slow, failing: no 5xx, every decision the same",
        run=tiers_away,
    ),
    Row(
        name="policy-differential",
        promise="100,000 generated policies x inputs: what the reference says, or a proven reason",
        run=policy_differential,
    ),
    Row(
        name="demo",
        promise="the whole demo, twice on one folder: every replay equal, every store agreeing",
        run=demo,
    ),
)
