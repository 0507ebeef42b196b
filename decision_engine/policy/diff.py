"""
What changed between two policies, told in rules: places, names and texts of an analyst.

Nodes are matched by id, then by kind and name; rows by `_id`, then by equal content. Expressions
are compared as trees written out again, so that blanks and brackets that mean nothing are no
change.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from decision_engine.policy.diff_rows import (
    Pair,
    matched_rows,
    moved_rows,
)
from decision_engine.policy.diff_views import (
    Field,
    NodeView,
    RowView,
    Texts,
    View,
    model_texts,
    view_of,
)
from decision_engine.policy.document import PolicyDocument
from decision_engine.policy.scorecard import Scorecard

Action = Literal["added", "removed", "changed", "moved"]
#: What a change is about.
Kind = Literal["header", "input", "node", "edge", "row", "setting", "condition", "output", "model"]


class Change(NamedTuple):
    """
    One change, all of it text but `position`.

    `node` is the node's name and `row` the row's `_id`, of the newer policy where it has them.
    `position` counts rows from 1 (0: no row), in the newer policy; of a removed row in the older.
    `name` is the header's field, the input and its field, the column, output or key. `subject` is
    what both conditions speak about, when they speak about the same.
    """

    kind: Kind
    action: Action
    node: str = ""
    row: str = ""
    position: int = 0
    name: str = ""
    before: str = ""
    after: str = ""
    subject: str = ""

    @property
    def sentence(self) -> str:
        """The change in English: `row 4 of "Hard rules": score.value >= 720 became >= 700`."""
        return f"{self._place}{self._event}"

    def plain(self) -> dict[str, str | int]:
        """Return the change as data for a reader, with its sentence."""
        return {**self._asdict(), "sentence": self.sentence}

    @property
    def _place(self) -> str:
        if self.position:
            return f'row {self.position} of "{self.node}": '
        if self.kind in _OWN_PLACE:
            return f"{_OWN_PLACE[self.kind]}: "
        return f'"{self.node}": '

    @property
    def _event(self) -> str:
        named = f"{self.name}: " if self.name and self.kind in _NAMED else ""
        match self.action:
            case "added":
                return f"{named}{self.after or self.name} added"
            case "removed":
                return f"{named}{self.before or self.name} removed"
            case "moved":
                same = self.before == self.after
                return "moved among its rows" if same else f"moved here from row {self.before}"
            case _:
                after = self.after.removeprefix(f"{self.subject} ") if self.subject else self.after
                return f"{named}{self.before or _NOTHING} became {after or _NOTHING}"


_OWN_PLACE: Final[Mapping[Kind, str]] = {
    "header": "policy",
    "input": "inputs",
    "node": "nodes",
    "edge": "edges",
}
#: Kinds whose texts do not say by themselves what they are.
_NAMED: Final = frozenset({"header", "input", "setting", "output", "model"})
_NOTHING: Final = "nothing"


def diff(before: PolicyDocument, after: PolicyDocument) -> tuple[Change, ...]:
    """Return every change: header, inputs, nodes in the newer order, what is gone, edges."""
    return tuple(_changes(view_of(before), view_of(after)))


def diff_models(
    before: Mapping[str, Scorecard], after: Mapping[str, Scorecard]
) -> tuple[Change, ...]:
    """Return every change of the scorecards with the same id; `diff` names those that differ."""
    return tuple(
        change
        for name in sorted(before.keys() & after.keys())
        for change in _texts(
            Change("model", "changed", name), model_texts(before[name]), model_texts(after[name])
        )
    )


def _changes(before: View, after: View) -> Iterator[Change]:
    yield from _texts(Change("header", "changed"), before.header, after.header)
    yield from _fields(Change("input", "changed"), before.inputs, after.inputs)
    pairs = _matched_nodes(before, after)
    for node in after.nodes:
        old = pairs.get(node.id)
        if old is None:
            yield Change("node", "added", node.name, name=node.name, after=node.title)
        else:
            yield from _node(old, node)
    kept = {old.id for old in pairs.values()}
    for node in before.nodes:
        if node.id not in kept:
            yield Change("node", "removed", node.name, name=node.name, before=node.title)
    yield from _edges(before, after, {old.id: new for new, old in pairs.items()})


def _matched_nodes(before: View, after: View) -> dict[str, NodeView]:
    """Return for each id of a newer node its older self."""
    old = {(node.kind, node.id): node for node in before.nodes}
    found = {node.id: old.pop((node.kind, node.id), None) for node in after.nodes}
    by_name = {(node.kind, node.name): node for node in old.values()}
    for node in after.nodes:
        if found[node.id] is None:
            found[node.id] = by_name.pop((node.kind, node.name), None)
    return {new: node for new, node in found.items() if node is not None}


def _node(before: NodeView, after: NodeView) -> Iterator[Change]:
    here = Change("setting", "changed", after.name)
    yield from _texts(here, {"name": before.name}, {"name": after.name})
    yield from _texts(here, before.settings, after.settings)
    yield from _fields(here._replace(kind="output"), before.fields, after.fields)
    yield from _texts(here._replace(kind="output"), before.lines, after.lines)
    pairs = matched_rows(before.rows, after.rows)
    moved = moved_rows(pairs)
    for pair in pairs:
        yield from _row(after.name, pair, moved=pair.position in moved)
    kept = {pair.before.id for pair in pairs if pair.before is not None}
    for position, row in enumerate(before.rows, start=1):
        if row.id not in kept:
            yield Change("row", "removed", after.name, row.id, position, before=row.title)


def _row(node: str, pair: Pair, *, moved: bool) -> Iterator[Change]:
    new, old = pair.after, pair.before
    here = Change("row", "changed", node, new.id, pair.position)
    if old is None:
        yield here._replace(action="added", after=new.title)
        return
    if moved:
        yield here._replace(action="moved", before=str(pair.was), after=str(pair.position))
    setting = here._replace(kind="setting")
    yield from _texts(setting, {"_id": old.id}, {"_id": new.id})
    yield from _texts(setting, old.settings, new.settings)
    yield from _conditions(here._replace(kind="condition"), old, new)
    yield from _texts(here._replace(kind="output"), old.outputs, new.outputs)


def _conditions(here: Change, old: RowView, new: RowView) -> Iterator[Change]:
    # A condition that only stands in another column, or under another label, is the same one.
    gone = {old.cells[name].text for name in old.cells.keys() - new.cells.keys()}
    come = {new.cells[name].text for name in new.cells.keys() - old.cells.keys()}
    for name in dict.fromkeys((*old.cells, *new.cells)):
        before, after = old.cells.get(name), new.cells.get(name)
        found = here._replace(
            name=name,
            before=before.text if before else "",
            after=after.text if after else "",
            action=_action(before, after),
        )
        if before and after and before.subject == after.subject:
            found = found._replace(subject=after.subject)
        if found.before != found.after and {found.before, found.after} - {""} - (gone & come):
            yield found


def _texts(here: Change, before: Texts, after: Texts) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield here._replace(
                name=name, before=old or "", after=new or "", action=_action(old, new)
            )


def _action(before: object, after: object) -> Action:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def _fields(
    here: Change, before: Mapping[str, Field], after: Mapping[str, Field]
) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            before_type, after_type = (held["type"] if held else "" for held in (old, new))
            found = here._replace(name=name, before=before_type, after=after_type)
            yield found._replace(action=_action(old, new))
            continue
        for change in _texts(here, old, new):
            yield change._replace(name=f"{name} {change.name}", action="changed")


def _edges(before: View, after: View, same: Mapping[str, str]) -> Iterator[Change]:
    old = {(*(same.get(end, end) for end in edge[:2]), *edge[2:]): edge for edge in before.edges}
    for edge in after.edges:
        if edge not in old:
            yield Change("edge", "added", after=after.edge_text(edge))
    kept = set(after.edges)
    for edge, own in old.items():
        if edge not in kept:
            yield Change("edge", "removed", before=before.edge_text(own))
