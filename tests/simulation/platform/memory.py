"""
Remembering assessments: evaluating is pure, so one history may use what another worked out.

It is what makes a history cheap. The key holds everything that an assessment depends on; what is
held is compared by amounts, as the trace does, and the ids are put in afterwards.
"""

from dataclasses import replace
from typing import Any, Final

from decision_engine.case import CreditCase
from decision_engine.exposure import Exposure
from decision_engine.proposal import Proposal
from domain.instants import business_day

#: More than a campaign needs; a bound all the same.
SIZE_MAX: Final = 10_000

Key = tuple[Any, ...]

_assess: Final = CreditCase.assess
_known: Final[dict[Key, Proposal]] = {}


def remembered(case: CreditCase, exposure: Exposure) -> Proposal:
    """Return what `CreditCase.assess` does."""
    key = _key(case, exposure)
    known = _known.get(key)
    if known is None:
        if len(_known) >= SIZE_MAX:
            _known.clear()
        known = _known[key] = _assess(case, exposure)
    return replace(known, exposure=exposure)


def _key(case: CreditCase, exposure: Exposure) -> Key:
    snapshot = case.snapshot
    return (
        case.application,
        case.human,
        case.rulebook.policy.content_hash,
        snapshot.status,
        business_day(snapshot.as_of),
        tuple(snapshot.attributes.items()),
        tuple((held.principal, held.instalment) for held in exposure.commitments),
    )
