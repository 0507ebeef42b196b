"""Evaluating without recording: another amount, other attributes, another policy."""

from dataclasses import dataclass, replace

from decision_engine.case import CreditCase
from decision_engine.commands import WhatIfCommand
from decision_engine.decide import check_first_due_on
from decision_engine.evidence import value_of
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.gather import Gather
from decision_engine.proposal import Proposal
from decision_engine.rulebook import Rulebook, Rulebooks
from decision_engine.snapshot import NOT_READ, Attribute, Attributes, Snapshot, judge, take_snapshot
from domain.application import CreditApplication
from domain.errors import InvalidInputError
from domain.features import Feature, Value
from domain.instants import epoch_micros
from domain.ports.time import Clock


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Answers as a decision would, as if the person had no open exposure; records nothing."""

    gather: Gather
    rulebooks: Rulebooks
    clock: Clock

    async def __call__(self, command: WhatIfCommand) -> dict[str, object]:
        """
        Return the outcome with `"recorded": false`.

        Raises:
            InvalidInputError: unknown product, policy, attribute, or a value it cannot have.
            TransientError: the customer could not be read.
        """
        application = command.application
        as_of = self.clock.now()
        rulebook = self._rulebook(application, command.policy)
        check_first_due_on(application, as_of)
        gathered = await self.gather(application.customer_id, command.deadline)
        snapshot = take_snapshot(gathered, rulebook.fields, as_of)
        case = CreditCase(
            application=application,
            rulebook=rulebook,
            snapshot=override(snapshot, rulebook, command),
        )
        proposal = case.assess(NO_EXPOSURE)
        return _shown(case, proposal, command.language)

    def _rulebook(self, application: CreditApplication, policy: str | None) -> Rulebook:
        if policy is None:
            found = self.rulebooks.active.get(application.product)
        else:
            active = self.rulebooks.active.values()
            found = next((held for held in active if held.policy.policy_id == policy), None)
        if found is None:
            raise InvalidInputError.at(
                "/product" if policy is None else "/policy",
                "product-unknown" if policy is None else "policy-unknown",
                "no active policy decides this",
            )
        return found


def override(snapshot: Snapshot, rulebook: Rulebook, command: WhatIfCommand) -> Snapshot:
    """
    Return the snapshot with attributes replaced; None makes one missing.

    Raises:
        InvalidInputError: `attribute-unknown`, or `attribute-value` for what it cannot have.
    """
    fields = {field.name: field for field in rulebook.fields if not field.name.startswith(NOT_READ)}
    attributes, given_any = dict(snapshot.attributes), bool(command.overrides)
    now_us = epoch_micros(snapshot.as_of)
    for name, given in command.overrides.items():
        pointer = f"/overrides/{name}"
        if name not in fields:
            raise InvalidInputError.at(
                "/overrides", "attribute-unknown", "the policy reads no such attribute"
            )
        value = _value(fields[name].kind, given)
        attribute = judge(fields[name], Feature(value, now_us), snapshot.as_of)
        if attribute.state == "invalid" or (value is None) != (given is None):
            raise InvalidInputError.at(pointer, "attribute-value", "not a value of this attribute")
        attributes[name] = Attribute(attribute.value, attribute.state, attribute.observed_us)
    return replace(
        snapshot,
        # Facts that are given make an unknown customer readable.
        status="present" if given_any and snapshot.status == "absent" else snapshot.status,
        attributes=Attributes(attributes),
        overridden=tuple(sorted(command.overrides)),
    )


def _value(kind: str, given: object) -> Value | None:
    if given is None or isinstance(given, bool):
        return given
    return value_of(str(given), kind)


def _shown(case: CreditCase, proposal: Proposal, language: str) -> dict[str, object]:
    return {
        "recorded": False,
        "outcome": proposal.outcome.value,
        "customer_id": case.application.customer_id,
        **case.reply_text(proposal, language),
        "offers": [offer.canonical() for offer in proposal.offers],
        "overridden": list(case.snapshot.overridden),
        "evidence": {
            "profile_version": case.profile_version,
            "degraded": list(case.snapshot.degraded),
        },
    }
