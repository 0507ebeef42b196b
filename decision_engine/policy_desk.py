"""
What analysts ask about policies before they publish one: check, simulate, compare versions.

Nothing here publishes or records. The work is pure and may be long, so it runs beside the requests
(`Elsewhere`), on bytes that travel there.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from decision_engine.archive import ListPolicies, StoredPolicy
from decision_engine.comparison import Effect, effect, known_to, summary
from decision_engine.offer_check import check_offers
from decision_engine.policies import ACTIVE
from decision_engine.policy.check import check
from decision_engine.policy.compile import build
from decision_engine.policy.diff import diff, diff_models
from decision_engine.policy.document import PolicyDocument
from decision_engine.policy.findings import Finding, PolicyError, has_errors
from decision_engine.policy.parse import parse
from decision_engine.policy.reason_table import ReasonTable, check_codes
from decision_engine.policy.scorecard import Scorecard
from decision_engine.rulebook import Artifacts, Rulebook, Rulebooks, build_rulebook
from decision_engine.trial import Run, Runner
from domain.errors import InvalidInputError, NotFoundError
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

Document = dict[str, Any]


class Elsewhere(Protocol):
    """Runs pure work where it holds up no request."""

    async def __call__(
        self, work: Callable[..., Document], *arguments: Any, deadline: Deadline
    ) -> Document:
        """
        Return what the work returns; work and arguments can be pickled.

        Raises:
            InvalidInputError: raised by the work.
            DeadlineExceededError: it took too long, and was stopped.
        """
        ...


@dataclass(frozen=True, slots=True)
class TrialCase:
    """Inputs to decide on by dotted name; `stale` ones are too old to be used."""

    name: str
    inputs: dict[str, Any]
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDesk:
    """Answers about policies that are stored or sent in; changes nothing."""

    truth: Truth
    rulebooks: Rulebooks
    clock: Clock
    elsewhere: Elsewhere

    async def check(self, policy_id: str, policy: bytes, deadline: Deadline) -> Document:
        """
        Return every finding about a policy, with the models and reasons of the active version.

        Raises:
            NotFoundError: no such policy is active.
        """
        active = self._active(policy_id)
        return await self.elsewhere(checked, policy_id, policy, active, deadline=deadline)

    async def simulate(
        self,
        policy_id: str,
        policy: bytes | int | None,
        cases: Sequence[TrialCase],
        deadline: Deadline,
    ) -> Document:
        """
        Return what the active policy and another say to each case; None is the active one again.

        Raises:
            NotFoundError: no such policy is active, or has no such version.
            InvalidInputError: `policy-invalid`, or a case that cannot be run, with its place.
        """
        active = self._active(policy_id)
        other = replace(active, policy=policy) if isinstance(policy, bytes) else active
        if isinstance(policy, int):
            other = self._parts(await self._version(policy_id, policy, deadline))
        now = self.clock.now()
        return await self.elsewhere(simulated, active, other, tuple(cases), now, deadline=deadline)

    async def diff(
        self, policy_id: str, before: int | None, after: int | None, deadline: Deadline
    ) -> Document:
        """
        Return the changes between two versions: to the active one, from the one before it.

        Raises:
            NotFoundError: no such policy, or no such version.
        """
        rows = await self._versions(policy_id, deadline)
        active = next((row.version for row in rows if row.status == ACTIVE), 0)
        new = _of(rows, active if after is None else after)
        earlier = (row.version for row in rows if row.version < new.version)
        old = _of(rows, max(earlier, default=0) if before is None else before)
        return await self.elsewhere(compared, self._parts(old), self._parts(new), deadline=deadline)

    def _active(self, policy_id: str) -> Artifacts:
        active = self.rulebooks.active.values()
        found = next((held for held in active if held.policy.policy_id == policy_id), None)
        if found is None:
            raise NotFoundError("no active policy has this id")
        return self.rulebooks.artifacts_of(found.manifest)

    async def _versions(self, policy_id: str, deadline: Deadline) -> Sequence[StoredPolicy]:
        (rows,) = await self.truth.read([ListPolicies(policy_id)], deadline)
        found: Sequence[StoredPolicy] = rows
        return found

    async def _version(self, policy_id: str, version: int, deadline: Deadline) -> StoredPolicy:
        return _of(await self._versions(policy_id, deadline), version)

    def _parts(self, row: StoredPolicy) -> Artifacts:
        manifest = {**json.loads(row.parts), "policy": row.content_hash}
        return self.rulebooks.artifacts_of(manifest)


def _of(rows: Sequence[StoredPolicy], version: int) -> StoredPolicy:
    found = next((row for row in rows if row.version == version), None)
    if found is None:
        raise NotFoundError("the policy has no such version")
    return found


def checked(policy_id: str, policy: bytes, beside: Artifacts) -> Document:
    """Return whether a policy could be published beside these models and reasons, and why not."""
    try:
        document = parse(policy)
    except PolicyError as error:
        return _findings({}, error.findings)
    identity = {"id": document.header.id, "version": document.header.version}
    return _findings(
        {**identity, "hash": document.hash}, list(_faults(policy_id, document, beside))
    )


def _faults(policy_id: str, document: PolicyDocument, beside: Artifacts) -> list[Finding]:
    models = _models(beside)
    found = list(check(document, models))
    if document.header.id != policy_id:
        found.append(Finding("", "", "x-policy", "id is not the policy of this address"))
    if not has_errors(found):
        compiled = build(document, models)
        found += check_offers(compiled)
        found += check_codes(compiled, ReasonTable.parse(beside.reasons))
    return found


def _findings(policy: Document, findings: Sequence[Finding]) -> Document:
    shown = [
        {
            "severity": each.severity,
            "node": each.node,
            "row": each.row,
            "cell": each.cell,
            "sentence": each.sentence,
        }
        for each in findings
    ]
    return {"policy": policy, "valid": not has_errors(findings), "findings": shown}


def simulated(
    active: Artifacts, other: Artifacts, cases: Sequence[TrialCase], as_of: datetime
) -> Document:
    """
    Return what two policies say to each case, side by side, and a summary of what changes.

    Raises:
        InvalidInputError: `policy-invalid`, or a case that cannot be run, with its place.
    """
    runners = _runner(active, as_of), _runner(other, as_of)
    answers = [_answer(runners, index, case) for index, case in enumerate(cases)]
    return {
        "recorded": False,
        "active": _identity(runners[0].rulebook),
        "submitted": _identity(runners[1].rulebook),
        "summary": summary(found for _, found in answers),
        "cases": [shown for shown, _ in answers],
    }


def compared(before: Artifacts, after: Artifacts) -> Document:
    """Return every change from one published policy to another, scorecards included."""
    old, new = parse(before.policy), parse(after.policy)
    changes = [*diff(old, new), *diff_models(_models(before), _models(after))]
    return {
        "policy_id": new.header.id,
        "from": {"version": old.header.version, "hash": old.hash},
        "to": {"version": new.header.version, "hash": new.hash},
        "changes": [change.plain() for change in changes],
    }


def _models(artifacts: Artifacts) -> dict[str, Scorecard]:
    return {model.id: model for model in map(Scorecard.parse, artifacts.models)}


def _runner(artifacts: Artifacts, as_of: datetime) -> Runner:
    try:
        # Nothing of it is recorded, so its manifest needs no name for the time zones.
        return Runner(rulebook=build_rulebook(artifacts, ""), as_of=as_of)
    except PolicyError as error:
        refused = InvalidInputError.at(
            "/policy", "policy-invalid", "the policy has errors: its check tells each of them"
        )
        refused.code = "policy-invalid"
        raise refused from error


def _identity(rulebook: Rulebook) -> Document:
    policy = rulebook.policy
    return {"id": policy.policy_id, "version": policy.version, "hash": policy.content_hash}


def _answer(runners: tuple[Runner, Runner], index: int, case: TrialCase) -> tuple[Document, Effect]:
    known = [frozenset(f.name for f in held.rulebook.compiled.inputs) for held in runners]
    if {*case.inputs, *case.stale} - known[0] - known[1]:
        raise InvalidInputError.at(
            f"/cases/{index}/inputs", "attribute-unknown", "neither policy has such an input"
        )
    runs = [_run(held, names, index, case) for held, names in zip(runners, known, strict=True)]
    found = effect(case.name, *runs)
    shown = {
        "name": case.name,
        "active": _said(runs[0]),
        "submitted": _said(runs[1]),
        "changes": found.plain()["changes"],
    }
    return shown, found


def _run(runner: Runner, names: frozenset[str], index: int, case: TrialCase) -> Run:
    try:
        return runner.run(known_to(names, case.inputs), names & {*case.stale})
    except InvalidInputError as error:
        raise InvalidInputError.at(
            f"/cases/{index}/inputs", "attribute-value", "nobody can ask for this"
        ) from error


def _said(run: Run) -> Document:
    return {
        "outcome": run.outcome,
        "reasons": [_reason(each.code, each.family, each.attribute) for each in run.reasons],
        "offers": list(run.offers),
        "hit": run.rules("hit"),
        "not_evaluable": run.rules("not_evaluable"),
    }


def _reason(code: str, family: str, attribute: str) -> Document:
    return {"code": code, "family": family, **({"attribute": attribute} if attribute else {})}
