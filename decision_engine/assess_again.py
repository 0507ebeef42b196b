"""
The same question twice: what an assessment gave is kept for a while, since it is pure.

Somebody who asks many times at once is assessed again and again under the person's lock, with the
same answer once the limit is used up. Whatever an assessment depends on is part of the question.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final

from decision_engine.assess import Assessment, Assessor
from decision_engine.exposure import Commitment, Exposure
from decision_engine.record.entry import HumanVerdict
from decision_engine.rulebook import Rulebook
from decision_engine.snapshot import Attributes, Snapshot, Status
from domain.application import CreditApplication
from domain.instants import SAO_PAULO

KEPT_MAX: Final = 256
NOON: Final = time(12, tzinfo=SAO_PAULO)


@dataclass(frozen=True, slots=True)
class _Question:
    rulebook: Rulebook
    application: CreditApplication
    status: Status
    attributes: Attributes
    signed_on: date
    outstanding: int
    service: int
    human: HumanVerdict | None

    def __hash__(self) -> int:
        # Who asks again has the same attributes, the very same (see `snapshot`): hashing what is in
        # them took longer than evaluating half a policy.
        return hash(
            (id(self.attributes), self.outstanding, self.service, self.application.amount.centavos)
        )


def assess_again(assessor: Assessor) -> Assessment:
    """Return what `assessor.assess()` does, from memory where the same was asked before."""
    asked = assessor.application
    if asked.external_reference is not None:
        asked = replace(asked, external_reference=None)
    return _answer(
        _Question(
            rulebook=assessor.rulebook,
            application=asked,
            status=assessor.snapshot.status,
            attributes=assessor.snapshot.attributes,
            signed_on=assessor.signed_on,
            outstanding=assessor.exposure.outstanding,
            service=assessor.exposure.service,
            human=assessor.human,
        )
    )


@lru_cache(maxsize=KEPT_MAX)
def _answer(question: _Question) -> Assessment:
    snapshot = Snapshot(
        status=question.status,
        person_id="",
        profile_version=0,
        as_of=datetime.combine(question.signed_on, NOON),
        attributes=question.attributes,
    )
    exposure = Exposure((Commitment("", question.outstanding, question.service),))
    return Assessor(
        question.application, question.rulebook, snapshot, exposure, question.human
    ).assess()
