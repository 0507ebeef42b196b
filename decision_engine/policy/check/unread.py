"""A scorecard that decides nothing: no rule or expression reads what it makes."""

from decision_engine.policy.check.scope import Names
from decision_engine.policy.document import PolicyDocument, ScorecardNode, outputs_of
from decision_engine.policy.findings import Notes


def check_unread(document: PolicyDocument, names: Names, notes: Notes) -> None:
    """Warn of every scorecard of which nothing reads the score."""
    for node in document.nodes:
        if isinstance(node, ScorecardNode) and not names.read.intersection(outputs_of(node)):
            notes.at(node=node.id).warn(
                "no rule reads this scorecard, it decides nothing: "
                f"add a rule about {outputs_of(node)[0]}, or remove it"
            )
