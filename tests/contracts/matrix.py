"""
Which adapter of which port is held to the port's promises, and by which suite.

`python -m tests.contracts.matrix` prints the table. `test_matrix.py` holds it true: each port of
`domain/ports` is here, and each suite named runs every test of the port's contract.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: What an adapter works on.
MODEL: Final = "model"
EMBEDDED: Final = "embedded"
SERVER: Final = "real server"
KINDS: Final = (MODEL, EMBEDDED, SERVER)


@dataclass(frozen=True, slots=True)
class Cell:
    """An adapter under a port's contract; `suite` is the module that runs it."""

    kind: str
    adapter: str
    suite: str


@dataclass(frozen=True, slots=True)
class Row:
    """A port, the module of its contract, and its adapters."""

    port: str
    contract: str
    cells: tuple[Cell, ...]


def _own(contract: str, *cells: tuple[str, str]) -> tuple[Cell, ...]:
    """Return adapters that the contract's module runs by itself."""
    return tuple(Cell(kind, adapter, contract) for kind, adapter in cells)


STORAGE: Final = "tests.contracts.test_data_storage"
QUERIES: Final = "tests.contracts.test_hot_queries"
CACHE: Final = "tests.contracts.test_cache"
STREAM: Final = "tests.contracts.test_event_stream"
VAULT: Final = "tests.contracts.test_key_vault"
BOARD: Final = "tests.contracts.test_breaker_board"
TRUTH: Final = "tests.contracts.test_truth"
BUCKETS: Final = "tests.integration.shared.test_redis_buckets"

TWO_STREAMS: Final = (
    *_own(STREAM, (MODEL, "ModelEventStream"), (EMBEDDED, "EmbeddedStream")),
    Cell(SERVER, "KinesisStream, KinesisReader", "tests.integration.stream.test_contract"),
)
TWO_PROJECTIONS: Final = (
    *_own(STORAGE, (MODEL, "ModelStorage"), (EMBEDDED, "SqliteProjection")),
    Cell(SERVER, "KeyspacesStorage", "tests.integration.wide.test_keyspaces_contract"),
    Cell(SERVER, "DynamoStorage", "tests.integration.hot.test_contract"),
)
ROWS: Final = (
    Row(
        "Truth",
        TRUTH,
        (
            *_own(TRUTH, (MODEL, "ModelTruth"), (EMBEDDED, "SqliteTruth")),
            Cell(SERVER, "MysqlTruth, PymysqlTruth", "tests.integration.truth.test_truth"),
        ),
    ),
    Row("DataReader", STORAGE, TWO_PROJECTIONS),
    Row("DataWriter", STORAGE, TWO_PROJECTIONS),
    Row("DataStorage", STORAGE, TWO_PROJECTIONS),
    Row(
        "HotQueries",
        QUERIES,
        (
            *_own(QUERIES, (MODEL, "ModelHotQueries"), (EMBEDDED, "SqliteHotQueries")),
            Cell(SERVER, "DynamoHotQueries", "tests.integration.hot.test_queries_contract"),
        ),
    ),
    Row(
        "HotStorage",
        QUERIES,
        (
            *_own(QUERIES, (MODEL, "ModelHotQueries"), (EMBEDDED, "SqliteProjection")),
            Cell(SERVER, "DynamoStorage", "tests.integration.hot.test_queries_contract"),
        ),
    ),
    Row(
        "Cache",
        CACHE,
        (
            *_own(CACHE, (MODEL, "ModelCache"), (EMBEDDED, "MemoryCache")),
            Cell(SERVER, "RedisCache", "tests.integration.shared.test_redis_contract"),
        ),
    ),
    Row("EventStream", STREAM, TWO_STREAMS),
    Row("StreamReader", STREAM, TWO_STREAMS),
    Row(
        "KeyVault",
        VAULT,
        (
            *_own(VAULT, (EMBEDDED, "SqliteKeyVault")),
            Cell(SERVER, "MysqlKeyVault", "tests.integration.shared.test_mysql_vault_contract"),
            Cell(SERVER, "KmsKeyVault", "tests.integration.kms.test_contract"),
        ),
    ),
    Row(
        "BreakerBoard",
        BOARD,
        (
            *_own(BOARD, (EMBEDDED, "LocalBoard")),
            Cell(SERVER, "DynamoBreakerBoard", "tests.integration.hot.test_breaker_board"),
        ),
    ),
    Row("SharedBuckets", BUCKETS, (Cell(SERVER, "RedisBuckets", BUCKETS),)),
)
#: Ports that no server stands behind, and why.
NO_SERVER: Final = {
    "Clock": "the machine's",
    "Ids": "the machine's",
    "Chance": "the machine's",
    "Monitoring": "the process's own metrics and standard error",
    "StreamProgress": "one adapter, over any StreamReader",
}
#: What the suites have never met, and when they will.
GAPS: Final = {
    "Amazon Aurora MySQL": "tests.aws.test_truth",
    "Amazon Keyspaces": "tests.aws.test_data_storage",
    "Amazon DynamoDB": "tests.aws.test_hot_queries",
    "Amazon ElastiCache": "tests.aws.test_cache",
    "Amazon Kinesis": "tests.aws.test_event_stream",
    "AWS KMS": "tests.aws.test_key_vault",
}
WHY_GAPS: Final = "needs an AWS account; servers of the same protocol stand in"


def table() -> Iterator[str]:
    """Yield the matrix, a line a port."""
    widths = (15, 18, 30, 44)
    yield "".join(f"{text:{width}}" for text, width in zip(("port", *KINDS), widths, strict=True))
    for row in ROWS:
        held = [
            "; ".join(cell.adapter for cell in row.cells if cell.kind == kind) or "-"
            for kind in KINDS
        ]
        cells = zip((row.port, *held), widths, strict=True)
        yield "".join(f"{text:{width}}" for text, width in cells).rstrip()
    for port, why in NO_SERVER.items():
        yield f"{port:15}no server: {why}"
    for gap in GAPS:
        yield f"never met: {gap} ({WHY_GAPS})"


if __name__ == "__main__":
    print(*table(), sep="\n")  # noqa: T201  it is a program
