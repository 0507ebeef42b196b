"""
Outcomes that a policy does not cover: nobody approved, nobody refused, a case without an answer.

A case without an answer is referred, never approved; but nobody meant it, so it is told before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from decision_engine.policy.check.rules import is_final
from decision_engine.policy.check.ways import Ways, certain, known_without
from decision_engine.policy.document import (
    AnyNode,
    LeaveNode,
    OutputNode,
    Row,
    Rule,
    RuleTable,
    ScorecardNode,
    SwitchNode,
    ValueRow,
    ValueTable,
    expressions_of,
    outputs_of,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.graph import Ordered
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, Not, conjunction, names_in, names_of

#: Rows of a table that are looked at for what they read of a branch, and how many that do.
_MOST_ROWS: Final = 200
_MOST_READINGS: Final = 20
_SHOWN: Final = 3
_REMEDY: Final = "make it in every branch, or read it only behind those that make it"

Rules = list[tuple[RuleTable, Rule]]
#: Names that only branches make, by the nodes that make them.
Groups = Mapping[tuple[str, ...], frozenset[str]]


def check_outcome(
    order: Ordered,
    ways: Ways,
    models: Mapping[str, Scorecard],
    everybody: frozenset[str],
    notes: Notes,
) -> None:
    """
    Note what no outcome is meant for.

    `everybody` are the ids of the rules that were already found to hit for everybody.
    """
    rules = [(table, rule) for table in ways.tables for rule in table.rules]
    if not any(rule.effect in ("decline", "refer") for _, rule in rules):
        notes.warn(
            "no rule declines or refers: whoever has all inputs is approved; add a rule table"
        )
    _check_never(rules, ways, everybody, notes)
    if ways.gates:
        _check_switches(ways, notes)
        _check_ends(order, ways, notes)
        groups = groups_of(order, ways)
        for node in order.nodes:
            _check_reads(node, groups, ways, models, notes.at(node=node.id))
    if ways.gave_up:
        notes.warn("too large to check completely for cases without an answer; split the policy")


def _check_never(rules: Rules, ways: Ways, everybody: frozenset[str], notes: Notes) -> None:
    """
    Note rules of which one stands against every case.

    `everybody` has those that do so alone, which are noted already.
    """
    found = [rules[place] for place in ways.cover(rules)]
    if not found:
        return
    final = [(table, rule) for table, rule in rules if is_final(rule)]
    found_final = [final[place] for place in ways.cover(final)]
    found = found_final or found
    if not everybody.isdisjoint(rule.id for _, rule in found):
        return
    nodes = {table.id for table, _ in found}
    place = notes.at(node=nodes.pop()) if len(nodes) == 1 else notes
    names = _listed(f'"{rule.id}"' for _, rule in found)
    why = f"whatever the inputs are, one of these rules hits: {names}; let a case pass them all"
    if found_final:
        place.error(f"nobody can be approved: {why}")
    else:
        place.warn(f"nobody, unless a person waives it, can be approved: {why}")


def _check_switches(ways: Ways, notes: Notes) -> None:
    """Note switches that may take nothing although they must take one of their statements."""
    for switch in ways.switches:
        if switch.hit_policy == "first" and not switch.decides:
            truths = (row.condition for row in switch.statements)
            found = ways.uncovered([Not(ways.reach(switch.id)), *truths])
            _note_gap(found, "no statement is true", notes.at(node=switch.id))


def _check_ends(order: Ordered, ways: Ways, notes: Notes) -> None:
    """Note ends that are not reached where they begin, by no fault of what is before them."""
    holes = [*ways.holes()]
    sure = not holes
    for node in order.nodes:
        enter = node.enter if isinstance(node, LeaveNode) else ""
        gates = ways.gates.get(node.id), ways.gates.get(enter)
        if not isinstance(node, OutputNode | LeaveNode) or gates[0] == gates[1]:
            continue
        reach, begun = ways.reach(node.id), ways.reach(enter)
        found = ways.uncovered([*holes, reach, Not(begun)])
        if found or sure:
            _note_gap(found, "no branch leads here", notes.at(node=node.id))
        sure = sure and found is None
        holes.append(conjunction((begun, Not(reach))))


def _note_gap(found: str | None, what: str, notes: Notes) -> None:
    remedy = "then the case is referred; add a statement with an empty condition, for all others"
    if found is not None:
        notes.warn(f"{what} for {found}: {remedy}" if found else f"perhaps {what}: {remedy}")


def _check_reads(
    node: AnyNode, groups: Groups, ways: Ways, models: Mapping[str, Scorecard], notes: Notes
) -> None:
    """Note, once for each group of makers, what a node reads and some way to it does not make."""
    for makers, names in groups.items():
        if node.id in makers or ways.together(node.id, makers) or ways.gave_up:
            continue
        for row, cell, known in islice(_readings(node, names, models), _MOST_READINGS):
            found = unmade(ways, node.id, makers, known)
            if found is not None:
                place = notes.at(row=row, cell=cell)
                place.warn(f"{_listed(sorted(names))} {found}; {_REMEDY}")
                break


def unmade(
    ways: Ways, node: str, makers: tuple[str, ...], known: Sequence[Expr] = ()
) -> str | None:
    """
    Tell when, and for which case, none of the makers runs although the node is reached.

    None where there is no such case. One that is declined all the same does not count, nor one
    that a switch has no branch for, nor those of which a condition of `known` is true.
    """
    covered = (
        *(Not(ways.reach(node)), *map(ways.reach, makers)),
        *(*known, *ways.holes(), *ways.hits("decline")),
    )
    found = ways.uncovered(covered)
    if found is None:
        return None
    where = f"for {found} it is missing" if found else "elsewhere it may be missing"
    return f"is made only behind {_handles(ways, makers)}: {where}"


def groups_of(order: Ordered, ways: Ways) -> Groups:
    """Return the names that only branches make, by the nodes that make them."""
    makers: dict[str, tuple[str, ...]] = {}
    for node in order.nodes:
        if node.id in ways.gates:
            for name in outputs_of(node):
                makers[name] = (*makers.get(name, ()), node.id)
    groups: dict[tuple[str, ...], frozenset[str]] = {}
    for name, nodes in makers.items():
        groups[nodes] = groups.get(nodes, frozenset()) | {name}
    return groups


def _readings(
    node: AnyNode, names: frozenset[str], models: Mapping[str, Scorecard]
) -> Iterator[tuple[str, str, list[Expr]]]:
    """Yield row and cell of what reads the names, and where it has a value without them."""
    match node:
        case RuleTable():
            yield from _in_rows(node.rules, names, ordered=False)
        case SwitchNode():
            yield from _in_rows(node.statements, names, ordered=node.hit_policy == "first")
        case ValueTable():
            ordered = node.hit_policy in ("first", "priority")
            yield from _in_rows(node.searched, names, ordered=ordered)
        case ScorecardNode():
            attributes = (item.name for item in models[node.model].attributes)
            yield from ((name, "", []) for name in attributes if node.name_of(name) in names)
        case _:
            for row, cell, expr in expressions_of(node):
                if names & names_in(expr):
                    yield row, cell, [known_without(expr, names)]


def _in_rows(
    rows: Sequence[Row], names: frozenset[str], *, ordered: bool
) -> Iterator[tuple[str, str, list[Expr]]]:
    """In an ordered table a row is asked only where no earlier one is true."""
    before: list[Expr] = []
    for row in rows[:_MOST_ROWS]:
        outputs = row.outputs if isinstance(row, ValueRow) else ()
        reads = [cell.column.label for cell in row.cells if names & names_in(cell.condition)]
        if reads or names & names_of(outputs):
            known = (known_without(output, names) for output in outputs)
            true = conjunction((certain(row.condition, names, truth=True), *known))
            false = certain(row.condition, names, truth=False)
            yield row.id, (*reads, "")[0], [*before, true, false]
        if ordered:
            before.append(certain(row.condition, names, truth=True))


def _handles(ways: Ways, makers: tuple[str, ...]) -> str:
    handles = sorted({handle for maker in makers for handle in ways.gates[maker]})
    return _listed(f'"{handle.statement}" of the switch "{handle.switch}"' for handle in handles)


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{', '.join(found[:_SHOWN])}{more}"
