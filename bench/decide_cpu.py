"""
Where the CPU time of one decision goes: microseconds a stage, and of the whole use case.

Run: `.venv/bin/python -m bench decide_cpu` (`python -m bench.decide_cpu stages` leaves out the
whole). The stages are the pure parts, called on the customers of the demo's book; each figure is
the mean over the cases of the best of the rounds. Before a round every cache is emptied and warmed
with other customers, so that no case profits from having been there before. The whole is `decide`
on the embedded platform without HTTP, concurrently, with everything behind it: CPU time of the
process a decision, key look-up, SQLite's thread, relay and handler included. The digest is over
all evidence, replies and leaves: a change that only saves time leaves it as it is.
"""

import asyncio
import functools
import gc
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time, thread_time
from typing import Any, Final

from adapters.bootstrap.demo_platform import EmbeddedDemoPlatform
from adapters.bootstrap.platform import Core, running_core
from adapters.bootstrap.shipped import DemoData, personal_loan
from adapters.inbound.cli.demo.book import event_records, read_book
from adapters.inbound.http.bodies import ApplicationBody
from adapters.inbound.http.validation import read_model
from adapters.security.request_keys import RequestKeys
from adapters.settings import EmbeddedSettings
from decision_engine.assess import Assessment
from decision_engine.case import CreditCase
from decision_engine.commands import DecideCommand
from decision_engine.exposure import NO_EXPOSURE, Commitment, Exposure
from decision_engine.policy.values import Value
from decision_engine.record.compose import (
    Composed,
    Minted,
    Verdict,
    compose,
    decision_facts,
    reply_bytes,
)
from decision_engine.record.entry import Entry
from decision_engine.rulebook import Rulebook, build_rulebook
from decision_engine.snapshot import Gathered, take_snapshot
from decision_engine.trace_proof import marks_of
from domain.application import CreditApplication
from domain.canonical import digest, encode
from domain.features import features
from domain.instants import epoch_micros
from domain.ports.time import Deadline
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from policies.profiles import AS_OF, profile_of

CASES: Final = 400
ROUNDS: Final = 7
CONCURRENCY: Final = 64
DECISIONS: Final = 1200
PATIENCE_S: Final = 300.0
KEYS: Final = RequestKeys(bytes(32))
LANE: Final = ("bench", 1)
TZ: Final = "2026.6"
HELD: Final = Exposure((Commitment("earlier", 150_000, 12_345),))

Stage = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case with what each stage needs of the stages before it."""

    body: bytes
    stored: bytes
    case: CreditCase
    assessment: Assessment
    arguments: tuple[Mapping[str, Value], ...]
    priced: tuple[Mapping[str, Value | None], ...]
    verdict: Verdict
    minted: Minted


class Silent:
    """Implements `Monitoring` and tells nobody."""

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Count nothing."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Observe nothing."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Show nothing."""

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        """Say nothing."""


def main(whole: bool = True) -> None:  # noqa: FBT001, FBT002 - the benches are called without
    """Print the tables."""
    rulebook = build_rulebook(personal_loan(), TZ)
    borrowers = read_book(DemoData().taiwan, 2 * CASES)
    prepared = [_prepared(rulebook, each, number) for number, each in enumerate(borrowers)]
    cases, others = prepared[:CASES], prepared[CASES:]
    print(f"{CASES} customers, best of {ROUNDS} rounds, thread CPU; evidence {_evidence(cases)}\n")
    print(f"{'µs':<44}{'all':>8}{'declines':>10}{'offers':>8}")
    declines = [each for each in cases if not each.verdict.proposal.offering]
    offers = [each for each in cases if each.verdict.proposal.offering]
    for name, stage in STAGES.items():
        figures = _measured(stage, (declines, offers), others)
        each = (sum(figures) / CASES, figures[0] / len(declines), figures[1] / len(offers))
        print(f"{name:<44}{each[0]:>8.1f}{each[1]:>10.1f}{each[2]:>8.1f}")
    print(f"({len(declines)} without an offer, {len(offers)} with one)")
    if whole:
        asyncio.run(_whole())


def request(number: int, customer_id: str) -> dict[str, object]:
    """Return what the customer asks for."""
    return {
        "customer_id": customer_id,
        "product": "personal_loan",
        "amount": f"{1000 + number % 40 * 250}.00",
        "term_months": 6 + number % 9 * 6,
    }


def _prepared(rulebook: Rulebook, borrower: Any, number: int) -> Prepared:
    profile = profile_of(borrower)
    body = json.dumps(request(number, profile.customer_id)).encode()
    application = read_model(ApplicationBody, body).application()
    as_of = AS_OF + timedelta(milliseconds=number)
    snapshot = take_snapshot(Gathered(profile, "redis"), rulebook.fields, as_of)
    case = CreditCase(application=application, rulebook=rulebook, snapshot=snapshot)
    assessment = case.assessor(NO_EXPOSURE).assess()
    proposal = case.assess(NO_EXPOSURE)
    key, command = f"decide:bench-{number}", digest(application.canonical())
    entry = Entry(
        client_id="lender",
        idem_key=key,
        command_hash=command,
        language="pt-BR",
        case=case,
        proposal=proposal,
    )
    minted = Minted(
        decision_id=f"0197-{number:08d}",
        offer_ids=tuple(f"offer-{number}-{index}" for index in range(len(proposal.offers))),
        event_id=f"event-{number}",
        review_id="review" if proposal.outcome == "REFERRED" else "",
        salt=bytes(16),
    )
    arguments, priced = _calls(case)
    verdict = Verdict(entry, case, proposal, "")
    stored = profile_to_bytes(profile)
    return Prepared(body, stored, case, assessment, arguments, priced, verdict, minted)


def _calls(
    case: CreditCase,
) -> tuple[tuple[Mapping[str, Value], ...], tuple[Mapping[str, Value | None], ...]]:
    """Return what the policy asks to have priced for the ask itself, and the answers."""
    assessor, arguments, answers = case.assessor(NO_EXPOSURE), [], []

    def price(given: Mapping[str, Value]) -> Mapping[str, Value | None]:
        arguments.append(given)
        answers.append(assessor.price(given))
        return answers[-1]

    case.rulebook.compiled.evaluate(_inputs(case), {"price": price})
    return tuple(arguments), tuple(answers)


def _inputs(case: CreditCase) -> dict[str, Value | None]:
    asked = case.application
    return case.assessor(NO_EXPOSURE).inputs(asked.amount.centavos, asked.term_months)


def _evidence(cases: Sequence[Prepared]) -> str:
    whole = hashlib.sha256()
    for each in cases:
        row = _compose(each)
        for part in (row.decision.evidence or b"", row.decision.reply or b"", row.leaf):
            whole.update(part)
        whole.update(row.outbox.payload)
        whole.update(each.case.assess(HELD).trace.digest.encode())
    return whole.hexdigest()[:16]


def _measured(
    stage: Stage, groups: Sequence[Sequence[Prepared]], others: Sequence[Prepared]
) -> list[float]:
    """Return the CPU microseconds of each group: best of the rounds, with caches as others left."""
    best = [float("inf") for _ in groups]
    for _ in range(ROUNDS):
        _empty_caches()
        for each in others:
            _everything(each)
        gc.collect()
        for index, group in enumerate(groups):
            began = thread_time()
            for each in group:
                stage(each)
            best[index] = min(best[index], thread_time() - began)
    return [spent * 1e6 for spent in best]


def _empty_caches() -> None:
    for each in gc.get_objects():
        # Those of the library are none of ours: without its types nothing works.
        if isinstance(each, functools._lru_cache_wrapper) and _is_ours(each):  # noqa: SLF001
            each.cache_clear()


def _is_ours(function: Any) -> bool:
    module = str(getattr(function, "__module__", ""))
    return module.startswith(("decision_engine.", "domain.", "adapters."))


def _everything(each: Prepared) -> object:
    """Do what the serving process computes for a decision that is not folded again."""
    _parse(each)
    profile = profile_from_bytes(each.stored)
    held = each.case.snapshot
    snapshot = take_snapshot(Gathered(profile, "redis"), each.case.rulebook.fields, held.as_of)
    case = CreditCase(
        application=each.case.application, rulebook=each.case.rulebook, snapshot=snapshot
    )
    proposal = case.assess(NO_EXPOSURE)
    verdict = Verdict(each.verdict.entry, case, proposal, "")
    return compose(verdict, each.minted, epoch_micros(held.as_of), LANE)


def _parse(each: Prepared) -> tuple[CreditApplication, str]:
    application = read_model(ApplicationBody, each.body).application()
    return application, KEYS.command_hash("decide", application.canonical())


def _features(each: Prepared) -> object:
    return features(_profile(each), each.case.snapshot.as_of)


def _snapshot(each: Prepared) -> object:
    gathered = Gathered(_profile(each), "redis")
    return take_snapshot(gathered, each.case.rulebook.fields, each.case.snapshot.as_of)


@functools.lru_cache(maxsize=2 * CASES)
def _read(stored: bytes) -> Any:
    return profile_from_bytes(stored)


def _profile(each: Prepared) -> Any:
    return _read(each.stored)


def _evaluate(each: Prepared) -> object:
    answers = iter(each.priced)
    return each.case.rulebook.compiled.evaluate(
        _inputs(each.case), {"price": lambda _: next(answers)}
    )


def _price(each: Prepared) -> object:
    assessor = each.case.assessor(NO_EXPOSURE)
    return [assessor.price(arguments) for arguments in each.arguments]


def _trail(each: Prepared) -> object:
    return marks_of(each.case.assessor(NO_EXPOSURE), each.assessment)


def _compose(each: Prepared) -> Composed:
    return compose(each.verdict, each.minted, epoch_micros(each.case.snapshot.as_of), LANE)


def _encode(each: Prepared) -> object:
    decided_us = epoch_micros(each.case.snapshot.as_of)
    facts = decision_facts(each.verdict, each.minted, decided_us, decided_us)
    text = each.case.reply_text(each.verdict.proposal, "pt-BR")
    return encode(facts), reply_bytes(facts, text)


STAGES: Final[Mapping[str, Stage]] = {
    "parse: body, application, keyed hash": _parse,
    "gather: profile from bytes": lambda each: profile_from_bytes(each.stored),
    "features of the profile": _features,
    "snapshot: features, judged": _snapshot,
    "evaluate: policy, prices given": _evaluate,
    "price: the ask itself": _price,
    "assess: policy, price, offers, reasons": lambda e: e.case.assessor(NO_EXPOSURE).assess(),
    "trail: entries, marks, hash": _trail,
    "case.assess: assess and trail": lambda each: each.case.assess(NO_EXPOSURE).trace.digest,
    "fold: assessed again, something held": lambda each: each.case.assess(HELD).trace.digest,
    "encode: evidence and reply": _encode,
    "compose: all rows of a decision": _compose,
    "ALL: parse to compose, not folded again": _everything,
}


async def _whole() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = EmbeddedSettings(data=Path(folder) / "data", port=0, metrics_port=0)
        async with running_core(settings, Silent(), AS_OF) as core:
            await core.policies.publish(personal_loan(), _patience(core))
            borrowers = read_book(DemoData().taiwan, 3 * CASES)
            records = [json.loads(data) for _, data in event_records(borrowers)]
            for start in range(0, len(records), 500):
                await core.use_cases.accept_events(records[start : start + 500], _patience(core))
            await EmbeddedDemoPlatform(core, "").settle()
            names = [each.customer_id for each in borrowers]
            rounds = [await _decided(core, names, number) for number in range(ROUNDS)]
    whole, loop = (min(figures) for figures in zip(*rounds, strict=True))
    middle = median(each for each, _ in rounds)
    print(
        f"\ndecide, {CONCURRENCY} at a time, {DECISIONS} a round: {whole:.0f} µs of the process"
        f" (median {middle:.0f}), {loop:.0f} µs of the loop's thread"
    )


async def _decided(core: Core, names: Sequence[str], turn: int) -> tuple[float, float]:
    numbers = iter(range(DECISIONS))

    async def worker() -> None:
        for number in numbers:
            body = request(number + turn, names[number % len(names)])
            application = read_model(ApplicationBody, json.dumps(body).encode()).application()
            command = DecideCommand(
                client_id="lender",
                idem_key=f"bench-{turn}-{number}",
                command_hash=KEYS.command_hash("decide", application.canonical()),
                application=application,
                language="pt-BR",
                deadline=_patience(core),
            )
            await core.use_cases.decide(command)

    began, loop = process_time(), thread_time()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    loop = thread_time() - loop
    return (process_time() - began) / DECISIONS * 1e6, loop / DECISIONS * 1e6


def _patience(core: Core) -> Deadline:
    return Deadline.after(core.stores.clock, PATIENCE_S)


if __name__ == "__main__":
    main("stages" not in sys.argv[1:])
