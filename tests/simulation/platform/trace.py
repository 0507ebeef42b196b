"""One history to read: what was planned, what happened when, what is left, what broke."""

from collections.abc import Iterator

from tests.simulation.platform.campaign import Result
from tests.simulation.platform.events import text_of
from tests.simulation.platform.history import History
from tests.simulation.platform.plan import Plan

Line = tuple[float, str, str]


def trace(result: Result) -> str:
    """Return the history of a result in lines; faults stand indented among what people did."""
    lines = [f"seed {result.seed}"]
    if result.history is not None:
        lines += _planned(result.history.plan)
        lines += (f"{at:10.4f}  {who:<24}{what}" for at, who, what in _told(result))
        lines += _left(result.history)
    lines += [f"BROKEN  {each}" for each in result.violations] or ["every promise was kept"]
    return "\n".join(lines)


def _planned(plan: Plan) -> Iterator[str]:
    yield f"{plan.trouble}"
    yield f"limits {dict(plan.limits)}, approvals that fit {dict(plan.fits)}"
    for ask in plan.asks:
        yield f"ask {ask.key} by {ask.command_hash} of api {ask.api + 1} after {ask.after_s:.3f} s"
    if plan.poison is not None:
        yield f"poison {text_of(plan.poison)}"


def _told(result: Result) -> list[Line]:
    assert result.history is not None
    faults = [(at, f"    {name}", what) for at, name, what in result.faults.trace]
    # Sorted by time alone: within an instant people come before faults.
    return sorted([*result.history.stores.log, *faults], key=lambda line: line[0])


def _left(history: History) -> Iterator[str]:
    database = history.stores.database
    for row in database.rows("credit_decisions"):
        yield f"decision {row['idem_key']}: {row['outcome']} for {row['customer_id']}"
    for row in database.rows("customers"):
        yield f"customer {row['customer_id']}: {row['person_id']}, version {row['profile_version']}"
    for row in database.rows("ledger_batches"):
        yield f"batch {row['lane'][-6:]}/{row['sequence']}: {row['n']} decisions {row['note']}"
    yield from history.unfinished
