"""
What is wrong with a policy before it may be published.

Three stages, each only when the one before found no error: form (noted while parsing) and graph,
names and types, then what needs the whole: coverage and the safety of missing data.
"""

from collections.abc import Mapping
from typing import NamedTuple

from decision_engine.policy.barred import barred_in, proxy_in
from decision_engine.policy.check.coverage import check_coverage
from decision_engine.policy.check.nodes import check_nodes
from decision_engine.policy.check.outcome import check_outcome
from decision_engine.policy.check.rules import check_rules
from decision_engine.policy.check.safety import check_safety
from decision_engine.policy.check.scope import Names
from decision_engine.policy.check.unread import check_unread
from decision_engine.policy.check.ways import Ways
from decision_engine.policy.check.zero import check_zero
from decision_engine.policy.document import (
    FunctionNode,
    InputNode,
    PolicyDocument,
    RuleTable,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.findings import Finding, Notes, has_errors
from decision_engine.policy.graph import Ordered, check_graph, ordered
from decision_engine.policy.scorecard import Scorecard

__all__ = ["Checked", "check", "examine"]


class Checked(NamedTuple):
    """All findings, and the names with their types (None when a fault of form hides them)."""

    findings: list[Finding]
    names: Names | None


def check(document: PolicyDocument, models: Mapping[str, Scorecard]) -> list[Finding]:
    """
    Return all findings, in the order of the document within each stage.

    Without an error the policy can be compiled, and a missing input can never approve anyone.
    """
    return examine(document, models).findings


def examine(document: PolicyDocument, models: Mapping[str, Scorecard]) -> Checked:
    """Return the findings of `check`, and what compiling needs to know again."""
    notes = Notes([*document.findings, *check_graph(document)])
    _check_barred(document, notes)
    if has_errors(notes.found):
        return Checked(notes.found, None)
    order = ordered(document)
    names = check_nodes(order, models, notes)
    _check_header(document, names, notes)
    if not has_errors(notes.found):
        _check_whole(order, names, models, notes)
        check_unread(document, names, notes)
    return Checked(notes.found, names)


def _check_whole(
    order: Ordered, names: Names, models: Mapping[str, Scorecard], notes: Notes
) -> None:
    ways, everybody = Ways(order, names.fields), frozenset[str]()
    for node in order.nodes:
        place = notes.at(node=node.id)
        if isinstance(node, ValueTable):
            check_coverage(node, names.fields, place)
        elif isinstance(node, RuleTable):
            everybody |= check_rules(node, ways.space(node), place, gated=node.id in ways.gates)
    check_outcome(order, ways, models, everybody, notes)
    check_safety(order, names.inputs, models, notes)
    check_zero(order, names.fields, notes)


def _check_barred(document: PolicyDocument, notes: Notes) -> None:
    for node in document.nodes:
        names = outputs_of(node)
        if isinstance(node, FunctionNode):
            names += tuple(name for name, _ in node.arguments)
        if isinstance(node, InputNode):
            names += tuple(
                f"{made.name}.{part.name}" for made in node.fields for part in made.elements
            )
        for name in names:
            place = notes.at(node=node.id, cell=name)
            if term := barred_in(name):
                place.error(f'"{name}" may not enter a credit decision: "{term}" is barred')
            elif isinstance(node, InputNode) and (term := proxy_in(name)):
                place.warn(f'"{name}" can stand for a barred field ("{term}"): test for disparity')


def _check_header(document: PolicyDocument, names: Names, notes: Notes) -> None:
    for name, _ in document.header.monotone:
        if name not in names.inputs:
            notes.at(cell="x-policy").error(f'monotone names "{name}", which is no input')
    for item in document.inputs:
        if item.name not in names.read:
            notes.at(cell=item.name).warn("no expression reads this input")
