"""
The kinds of nodes that a generated policy is made of: one entry a kind.

A node is JDM whose expressions are `Text`s, so that it can be written for either engine.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Final

from tests.integration.policy.differential.forms import Form, Text
from tests.integration.policy.differential.hosts import HOSTS
from tests.integration.policy.differential.writer import Name, Writer

Json = dict[str, Any]
EFFECTS: Final = ("decline", "refer", "reduce")
SCALARS: Final = ("number", "string", "boolean")
_EMPTY: Final = Text.same("")


@dataclass(slots=True)
class Draft:
    """A policy under way: chance, its inputs, the input that may be null, what it needs."""

    rng: random.Random
    inputs: tuple[Name, ...]
    nullable: str
    seen: tuple[Name, ...]
    duties: list[Form]
    models: dict[str, Json] = field(default_factory=dict)
    decisions: dict[str, Json] = field(default_factory=dict)
    rules: int = 0

    def word(self) -> Text:
        """Return a literal word."""
        return Text.same(f'"{self.rng.choice(("x", "y", "z"))}"')


@dataclass(frozen=True, slots=True)
class Made:
    """A node and the names that it makes."""

    kind: str
    content: Json
    names: tuple[Name, ...] = ()


Maker = Callable[[Draft, Writer, str], Made]
SHARED: Final[Json] = {"passThrough": True, "inputField": None, "executionMode": "single"}


_KINDS: Final = ("number", "boolean", "string", "null", "numbers", "strings")


def duty_node(draft: Draft, writer: Writer, path: str) -> Made:
    """A key for each form that this policy has to write."""
    names: list[Name] = []
    listed: list[Json] = []
    for index, form in enumerate(draft.duties):
        text = writer.write(form, 1, always=True)
        names.append(Name(f"{path}.k{index}", form.makes, text.digits, text.scale))
        listed.append({"id": f"e{index}", "key": names[-1].name, "value": text})
    content = {**SHARED, "outputPath": None, "expressions": listed}
    return Made("expressionNode", content, tuple(names))


def expression_node(draft: Draft, writer: Writer, path: str) -> Made:
    """Two to four keys; a later one may read an earlier one by `$.`."""
    rng = draft.rng
    path_apart = rng.random() < 0.3
    names: list[Name] = []
    listed: list[Json] = []
    inner = writer
    for index in range(rng.randint(2, 4)):
        key = f"k{index}" if path_apart else f"{path}.k{index}"
        kind = rng.choices(_KINDS, (6, 3, 1, 0.5, 0.5, 0.3))[0]
        text = writer.null_test() if kind == "null" else inner.expr(kind)
        listed.append({"id": f"e{index}", "key": key, "value": text})
        kind = "boolean" if kind == "null" else kind
        size = (kind, text.digits, text.scale)
        words = _words(text)
        names.append(Name(f"{path}.k{index}", *size, words=words))
        local = Name(f"$.{key}", *size, words=words)
        inner = Writer(rng, (*inner.names, local), draft.nullable)
    content = {**SHARED, "outputPath": path if path_apart else None, "expressions": listed}
    return Made("expressionNode", content, tuple(names))


def _words(text: Text) -> tuple[str, ...]:
    """A name made of one literal knows its value."""
    literal = text.ours.startswith('"') and " " not in text.ours
    return (text.ours.strip('"'),) if literal else ("x", "y")


def value_table(draft: Draft, writer: Writer, path: str, policy: str = "first") -> Made:
    """Rows over up to three columns, mostly with a row for everything; by first or priority."""
    rng = draft.rng
    columns = _columns(draft, writer)
    outputs = {"out": "number"} | ({"word": "string"} if rng.random() < 0.6 else {})
    rows = [_cells(writer, columns) for _ in range(rng.randint(2, 5))]
    named = zip(rows[0], columns, strict=True)
    read = {name.name for cell, (name, _) in named if name and name.name and cell.ours}
    if len(read) < 2 or rng.random() < 0.985:
        rows.append([_EMPTY] * len(columns))
    made = [[*row, *(_output(draft, writer, kind) for kind in outputs.values())] for row in rows]
    numbers = [row[len(columns)] for row in made]
    digits, scale = max(t.digits for t in numbers), max(t.scale for t in numbers)
    words = tuple(dict.fromkeys(row[-1].ours.strip('"') for row in made))
    names = tuple(
        Name(f"{path}.{key}", kind, digits, scale, words=words) for key, kind in outputs.items()
    )
    fields = tuple(outputs)
    if policy == "priority":
        fields = (*fields, "priority")
        made = [[*row, Text.same(str(rng.randint(1, 5)))] for row in made]
        made[-1][-1] = Text.same("9")
    content = _table(columns, fields, made, hitPolicy=policy, outputPath=path)
    return Made("decisionTableNode", content, names)


def unique_table(draft: Draft, writer: Writer, path: str) -> Made:
    """Rows that exclude one another about one name; seldom one more that may overlap."""
    rng = draft.rng
    closed = [n for n in writer.names if n.kind in SCALARS]
    closed = [n for n in closed if n.kind != "string" or n in draft.inputs]
    name = rng.choice(closed)
    tests = _apart(name, rng)
    rng.shuffle(tests)
    rows = [[Text.same(test), _EMPTY, writer.expr("number", 1)] for test in tests]
    if rng.random() < 0.05:
        rows.append([_EMPTY, writer.expr("boolean"), writer.expr("number", 1)])
    digits, scale = max(row[-1].digits for row in rows), max(row[-1].scale for row in rows)
    columns: Columns = [(name, name.text), (None, _EMPTY)]
    content = _table(columns, ("out",), rows, hitPolicy="unique", outputPath=path)
    made = (Name(f"{path}.out", "number", digits, scale),)
    return Made("decisionTableNode", content, made)


def collecting_table(draft: Draft, writer: Writer, path: str) -> Made:
    """Every true row adds an object like those of the inputs; the last row always does."""
    rng = draft.rng
    columns = _columns(draft, writer)
    rows = [_cells(writer, columns) for _ in range(rng.randint(1, 3))] + [[_EMPTY] * len(columns)]
    made = []
    for row in rows:
        number = writer.leaf("number")
        small = number if number.digits + number.scale <= 4 else Text.same("7.5", 1, 1)
        late = writer.leaf("boolean")
        made.append([*row, small, late, draft.word()])
    content = _table(columns, ("rest", "late", "tag"), made, hitPolicy="collect", outputPath=path)
    return Made("decisionTableNode", content, (Name(path, "records", 2, 2),))


def _apart(name: Name, rng: random.Random) -> list[str]:
    if name.kind == "boolean":
        return ["true", "== false"]
    if name.kind == "string":
        return [f'"{word}"' for word in name.words]
    low, high = sorted(Decimal(name.literal(rng).ours) for _ in range(2))
    if low == high:
        return [f"< {low}", f">= {low}"]
    return [f"< {low}", f"[{low}..{high}]", f"> {high}"]


def _output(draft: Draft, writer: Writer, kind: str) -> Text:
    if kind == "string":
        return draft.word()
    return writer.expr("number", 1)


def rule_table(draft: Draft, writer: Writer, path: str) -> Made:
    """A table by collect: every row is a rule; one of them covers the input that may be null."""
    rng = draft.rng
    columns = _columns(draft, writer)
    columns = [item for item in columns if item[0] is None or item[0].name != draft.nullable]
    columns.append((_input(draft), Text.same(draft.nullable)))
    apart = writer.hiding(draft.nullable)
    rows: list[list[Text]] = []
    for _ in range(rng.randint(1, 4)):
        cells = _cells(writer, columns)
        rows.append([*cells, *_outcome(draft, rng.choice(("", '"refer"', '"decline"')))])
    alone = [_EMPTY] * (len(columns) - 1)
    cover = Text.same("null") if rng.random() < 0.5 else _about(writer, _input(draft))
    rows.append([*alone, cover, *_outcome(draft, "", ("decline", "refer"))])
    if rng.random() < 0.5:
        tested = Text.same(rng.choice(("null", "!= null")))
        rows.append([*_cells(apart, columns[:-1]), tested, *_outcome(draft, "")])
    if rng.random() < 0.5:
        quiet = _about(writer, _input(draft))
        rows.append([*alone, quiet, *_outcome(draft, '"no_hit_if_missing"')])
    content = _table(
        columns,
        ("code", "effect", "onMissing"),
        rows,
        hitPolicy="collect",
        outputPath=f"rules.{path}",
    )
    return Made("decisionTableNode", content)


def _about(writer: Writer, name: Name) -> Text:
    alone = Writer(writer.rng, (name,), name.name)
    while not (text := alone.cell(name)).ours:
        pass
    return text


def _input(draft: Draft) -> Name:
    return next(item for item in draft.inputs if item.name == draft.nullable)


def _outcome(draft: Draft, on_missing: str, effects: tuple[str, ...] = EFFECTS) -> list[Text]:
    draft.rules += 1
    effect = draft.rng.choice(effects)
    return [
        Text.same(f'"C{draft.rules}"'),
        Text.same(f'"{effect}"'),
        Text.same(on_missing),
    ]


Columns = list[tuple[Name | None, Text]]


def _columns(draft: Draft, writer: Writer) -> Columns:
    """One to three columns: inputs, derived values, expressions, and full conditions."""
    columns: Columns = []
    rng = draft.rng
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.25:
            columns.append((None, _EMPTY))
        elif rng.random() < 0.2:
            text = writer.expr("number", 1)
            columns.append((Name("", "number", text.digits, min(text.scale, 2)), text))
        else:
            name = rng.choice([item for item in writer.names if item.kind in SCALARS])
            columns.append((name, name.text))
    return columns


def _cells(writer: Writer, columns: Columns) -> list[Text]:
    return [
        (writer.expr("boolean", 2) if writer.rng.random() < 0.8 else _EMPTY)
        if name is None
        else writer.cell(name)
        for name, _ in columns
    ]


def _table(
    columns: Columns, outputs: tuple[str, ...], rows: list[list[Text]], **content: Any
) -> Json:
    inputs = [
        {"id": f"i{i}", "name": f"column {i}", **({"field": text} if name is not None else {})}
        for i, (name, text) in enumerate(columns)
    ]
    keys = [item["id"] for item in inputs] + [f"o{i}" for i in range(len(outputs))]
    return {
        **SHARED,
        **content,
        "inputs": inputs,
        "outputs": [{"id": f"o{i}", "name": f, "field": f} for i, f in enumerate(outputs)],
        "rules": [dict(zip(keys, row, strict=True)) for row in rows],
    }


def scorecard_node(draft: Draft, _: Writer, path: str) -> Made:
    """A scorecard over two or three inputs; the null one may have a missing bin."""
    rng = draft.rng
    chosen = rng.sample(draft.inputs, min(len(draft.inputs), rng.randint(2, 3)))
    model: Json = {
        "id": f"m-{len(draft.models)}",
        "version": 1,
        "base_points": 20,
        "attributes": [_attribute(draft, name) for name in chosen],
        "scale": {"pdo": rng.choice((20, 25)), "base_score": 50, "base_odds": rng.choice((2, 5))},
        "clamp": [rng.choice((0, 10)), rng.choice((60, 90))],
    }
    draft.models[model["id"]] = model
    names = (
        Name(f"{path}.value", "number", 3, 0),
        Name(f"{path}.raw", "number", 3, 0),
        Name(f"{path}.pd", "number", 1, 6, high=Decimal(1)),
    )
    config = {"model": model["id"], "outputPath": path}
    return Made("customNode", {"kind": "scorecard", "config": config}, names)


def _attribute(draft: Draft, name: Name) -> Json:
    rng = draft.rng
    points = [rng.randint(-20, 40) for _ in range(3)]
    if name.kind == "number":
        texts = {name.literal(rng).ours for _ in range(2)}
        ends = sorted(texts, key=Decimal)
        ends = ends[:1] if Decimal(ends[0]) == Decimal(ends[-1]) else ends
        lows, highs = [None, *ends], [*ends, None]
        bins: list[Json] = [
            {"from": low, "to": high, "points": score}
            for low, high, score in zip(lows, highs, points, strict=False)
        ]
    else:
        values = [True, False] if name.kind == "boolean" else list(name.words)
        bins = [
            {"values": values[:1], "points": points[0]},
            {"values": values[1:], "points": points[1]},
        ]
    missing = -20 if name.name == draft.nullable and rng.random() < 0.7 else None
    shared = {"reference": "max", "missing_points": missing, "bins": bins}
    return {"name": name.name, "code": f"S-{name.name}", "family": name.name, **shared}


def function_node(draft: Draft, writer: Writer, path: str) -> Made:
    """A call of one of the host's functions."""
    name = draft.rng.choice(sorted(HOSTS))
    host = HOSTS[name]
    config = {
        "name": name,
        "outputPath": path,
        "arguments": {key: writer.expr(kind, 1) for key, kind in host.takes.items()},
        "outputs": host.schema,
    }
    names = tuple(
        Name(f"{path}.{key}", kind, 8, 2, words=host.words) for key, kind in host.kinds.items()
    )
    return Made("customNode", {"kind": "function", "config": config}, names)


MAKERS: Final[Mapping[str, tuple[Maker, int]]] = {
    "duties": (duty_node, 0),
    "expression": (expression_node, 6),
    "table by first": (value_table, 4),
    "table by priority": (partial(value_table, policy="priority"), 1),
    "table by unique": (unique_table, 1),
    "table by collect": (collecting_table, 1),
    "rules by collect": (rule_table, 4),
    "scorecard": (scorecard_node, 1),
    "function": (function_node, 1),
}
