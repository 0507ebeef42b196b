"""What an offer is made of must be made in every case that no rule stands against."""

from typing import Final

from decision_engine.assess import OFFER_VALUES
from decision_engine.policy.check.outcome import groups_of, unmade
from decision_engine.policy.check.ways import Ways
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.document import OutputNode
from decision_engine.policy.findings import Finding, Notes
from decision_engine.policy.graph import ordered

_NEEDED: Final = frozenset(OFFER_VALUES)


def check_offers(compiled: CompiledPolicy) -> list[Finding]:
    """
    Return a warning for each value of an offer that the policy makes in no case, or not in all.

    The case is then referred, though no rule says so. A policy that makes none of them prices no
    loans, and is asked for none.
    """
    notes = Notes()
    made = _NEEDED.intersection(compiled.derived)
    if not made:
        return []
    for name in OFFER_VALUES:
        if name not in made:
            place = notes.at(cell=name)
            place.warn("an offer needs this value and no node makes it: nobody can be approved")
    order = ordered(compiled.document)
    ways = Ways(order, compiled.fields)
    end = next(node.id for node in order.nodes if isinstance(node, OutputNode))
    for makers, names in groups_of(order, ways).items():
        needed = sorted(names & _NEEDED)
        if needed and not ways.together(end, makers):
            found = unmade(ways, end, makers, [*ways.hits("refer")])
            if found is not None:
                why = f"it {found}, and the case is referred; make it in every branch"
                for name in needed:
                    notes.at(cell=name).warn(f"an offer needs this value: {why}")
    return notes.found
