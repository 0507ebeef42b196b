"""What a sub-decision was written for must hold where it is used."""

from collections.abc import Iterator
from decimal import Decimal

from decision_engine.policy.check.scope import Scope
from decision_engine.policy.document import EnterNode
from decision_engine.policy.findings import Notes
from decision_engine.policy.schema import Field
from decision_engine.policy.values import plain


def check_enter(node: EnterNode, scope: Scope, notes: Notes) -> None:
    """Note every input of a sub-decision that is not there, or less strict than it expects."""
    for needed in node.fields:
        place, makers = notes.at(cell=needed.name), scope.names.makers.get(needed.name, ())
        if not makers or not scope.sees(makers):
            hidden = scope.hidden.intersection(makers)
            why = (
                "a node between hides (passThrough false)" if hidden else "nothing before it makes"
            )
            place.error(f'the decision reads "{needed.name}", which {why}')
            continue
        for what in _looser(needed, scope.names.fields[needed.name]):
            place.error(f'the decision expects "{needed.name}" with {what}')


def _looser(needed: Field, given: Field) -> Iterator[str]:
    """Yield what the decision relies on and the value that it is given does not promise."""
    if given.kind != needed.kind:
        yield f"the type {needed.kind}"
        return
    if needed.enum and not (given.enum and set(given.enum) <= set(needed.enum)):
        yield f"no value but {', '.join(needed.enum)}"
    if _exceeds(given.scale, needed.scale):
        yield f"at most {needed.scale} decimals"
    if _exceeds(given.max_age_days, needed.max_age_days):
        yield f"at most {needed.max_age_days} days of age"
    if needed.maximum is not None and _exceeds(given.maximum, needed.maximum):
        yield f"a maximum of {plain(needed.maximum)}"
    if needed.minimum is not None and (given.minimum is None or given.minimum < needed.minimum):
        yield f"a minimum of {plain(needed.minimum)}"


def _exceeds(given: Decimal | int | None, most: Decimal | int | None) -> bool:
    return most is not None and (given is None or given > most)
