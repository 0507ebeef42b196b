"""FORMAT.md is true: its examples are read by the parsers that it documents."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from decision_engine.policy import limits
from decision_engine.policy.barred import BARRED, PROXIES
from decision_engine.policy.closures import closure
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.findings import Finding
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.layout import Layout
from decision_engine.policy.parse import parse
from decision_engine.policy.reason_table import ReasonTable
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import document, node, raw

FORMAT = Path(limits.__file__).with_name("FORMAT.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", FORMAT, re.DOTALL)]
LIST = (Decimal(3), Decimal(1), Decimal(2))
HEAD, SCHEMA, EXPRESSIONS, RULES, MODEL, FUNCTION, REASONS, SWITCH, DECISION = BLOCKS


def form(*nodes: Any, **header: Any) -> list[Finding]:
    policy = document(*nodes, **header)
    policy["nodes"][0]["content"]["schema"] = json.dumps(SCHEMA)
    return list(parse(raw(policy)).findings)


def test_the_examples_of_nodes_are_read() -> None:
    examples = (EXPRESSIONS, RULES, FUNCTION, SWITCH)
    nodes = [node(f"n{i}", each["type"], each["content"]) for i, each in enumerate(examples)]

    assert form(*nodes, **HEAD["x-policy"]) == []
    assert HEAD.keys() == document().keys()


def test_the_example_of_a_decision_is_read() -> None:
    (shown,) = re.findall(r'`"x-decisions": (\{.*?\})`', FORMAT)
    policy = document(node("d", DECISION["type"], DECISION["content"]))
    (key,) = json.loads(shown)
    graph = {name: document()[name] for name in json.loads(shown)[key]}
    policy["x-decisions"] = {key: graph}

    assert parse(raw(policy)).findings == ()


def test_the_examples_of_files_are_read() -> None:
    assert Scorecard.parse(raw(MODEL)).id == "behaviour-scorecard"
    assert set(ReasonTable.parse(raw(REASONS)).codes) == {"R05", "R20", "R94", "R95"}


def test_the_scorecard_node_is_read() -> None:
    text = re.search(r"^Node: `(.*?)`; `outputPath`", FORMAT, re.MULTILINE)
    assert text is not None
    example = json.loads(text.group(1))

    assert form(node("c", example["type"], example["content"])) == []


def test_the_limits_are_the_ones_written() -> None:
    (line,) = [line for line in FORMAT.splitlines() if line.startswith("16 MiB a file;")]
    numbers = [
        int(text.replace(",", ""))
        for text in re.findall(r"[0-9][0-9,]*", line.partition("Duplicate")[0])
    ]

    assert numbers == [
        limits.FILE_BYTES // 1024**2,
        limits.JSON_DEPTH,
        limits.NODES,
        limits.EDGES,
        limits.ROWS_PER_TABLE,
        limits.ROWS,
        limits.COLUMNS,
        limits.CELLS,
        limits.INPUTS,
        limits.NAMED_VALUES,
        limits.EXPRESSION_CHARACTERS,
        limits.EXPRESSION_DEPTH,
        limits.EXPRESSION_PARTS,
        limits.COLUMN_PARTS,
        limits.NAME_CHARACTERS,
        limits.NAME_PARTS,
        limits.NUMBER_DIGITS,
        limits.LIST_ITEMS,
        limits.RECORD_FIELDS,
        limits.VISITS,
        limits.TEXT_CHARACTERS,
        limits.DECISION_DEPTH,
        limits.FINDINGS,
        2 * limits.FINDINGS,
    ]


def test_barred_terms_are_plain_words() -> None:
    assert all(re.fullmatch(r"[a-z_]+", term) for term in BARRED | PROXIES)
    assert not BARRED & PROXIES


def test_the_examples_of_functions_and_closures_are_what_they_say() -> None:
    section = FORMAT.partition("### Functions")[2].partition("**Missing.**")[0]
    rows = re.findall(r"^\|.*?\| `([^`]*)` \| `([^`]*)` \|$", section, re.MULTILINE)
    layout = Layout()
    layout.add("l", frozenset())

    for example, result in rows:
        found = [closure(parse_expression(text), layout)([LIST]) for text in (example, result)]
        assert found[0] == found[1], example
    assert len(rows) > 20


def test_every_function_is_written_of() -> None:
    section = FORMAT.partition("### Functions")[2].partition("## 4.")[0]

    for name in FUNCTIONS:
        assert re.search(rf"`{name}[`(]", section), name
