"""Changes the schema of a table in use, up and down, and looks for what was lost or held up."""

from collections.abc import Mapping, Sequence

from adapters.stores.sql.migrations.server import Server
from tests.integration.sql.database import REVISIONS, ask, described
from tests.integration.sql.writers import COLUMNS, TOUCHED, Writer, load, loaded, writing

#: No statement of a program may wait longer.
LONGEST_S = 1.0
CHANNEL = "new-program"


def check_side_by_side(url: str, rows: int) -> Mapping[str, int | float]:
    """
    Expand, fill, index and go back on `rows` decisions, while the old and the new program write.

    Raises:
        AssertionError: a write was lost, a row differs, or a statement waited too long.
    """
    server = Server.at(url, (REVISIONS,))
    server.upgrade("0001")
    before = described(url)
    load(url, rows)
    untouched = _fingerprint(url)
    old, new = Writer("old", url), Writer("new", url, {"channel": CHANNEL})
    with writing(old):
        server.upgrade("9001")
        with writing(new):
            server.upgrade("9002")
    _check_filled(url, new, rows)
    for writer in (old, new):
        _check_written(url, writer)
        _check_changed(url, writer)
    filled = _fingerprint(url)
    again = Writer("again", url)
    with writing(again):
        server.downgrade("0001", lose=True)
    assert described(url) == before, "going back leads elsewhere"
    assert untouched == filled == _fingerprint(url), "a row that nobody touched differs"
    _check_changed(url, again)
    return _check_all(url, rows, (old, new, again))


def _check_all(url: str, rows: int, writers: Sequence[Writer]) -> Mapping[str, int | float]:
    for writer in writers:
        _check_written(url, writer)
    made = sum(len(writer.inserted) for writer in writers)
    _same(ask(url, "SELECT COUNT(*) FROM credit_decisions"), [(rows + made,)])
    longest = max(writer.longest_s for writer in writers)
    assert longest < LONGEST_S, f"a statement waited {longest:.2f} s"
    return {
        "rows": rows,
        "transactions": made,
        "of_the_new_program": sum(len(writer.inserted) for writer in writers if writer.more),
        "repeated": sum(writer.repeated for writer in writers),
        "longest_s": round(longest, 3),
    }


def _check_filled(url: str, new: Writer, rows: int) -> None:
    """Look whether old rows are filled, and what the new program wrote has stayed."""
    counted = "SELECT channel, COUNT(*) FROM credit_decisions WHERE decision_id"
    _same(ask(url, f"{counted} LIKE 'd-%%' GROUP BY channel"), [("personal_loan", rows)])
    _same(ask(url, f"{counted} LIKE 'new-%%' GROUP BY channel"), [(CHANNEL, len(new.inserted))])


def _check_written(url: str, writer: Writer) -> None:
    assert writer.inserted, f"{writer.name} has written nothing meanwhile"
    held = dict(
        ask(url, "SELECT decision_id, reply FROM credit_decisions WHERE decision_id LIKE %s",
            (f"{writer.name}-%",))
    )  # fmt: skip
    _same(held, {made: writer.replies[made] for made in writer.inserted})


def _check_changed(url: str, writer: Writer) -> None:
    """Look whether the loaded rows that a program changed are as it left them."""
    changed = {key: value for key, value in writer.replies.items() if key.startswith("d-")}
    asked = "SELECT decision_id, reply FROM credit_decisions WHERE decision_id < %s"
    found = dict(ask(url, asked, (loaded(2 * TOUCHED),)))
    _same({key: found[key] for key in changed}, changed)


def _fingerprint(url: str) -> object:
    """Return count and checksum of the rows that no program touches."""
    parts = ", ".join(f"COALESCE(HEX({column}), '-')" for column in COLUMNS)
    summed = f"SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', {parts}))) FROM credit_decisions"  # noqa: S608
    bounds = (loaded(2 * TOUCHED), "d-:")
    return ask(url, f"{summed} WHERE decision_id >= %s AND decision_id < %s", bounds)


def _same(found: object, wanted: object) -> None:
    if found != wanted:
        raise AssertionError(f"found {found!r:.300}, not {wanted!r:.300}")
