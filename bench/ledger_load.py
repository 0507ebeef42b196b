"""
What the bench of the ledger writes: cases of a realistic size, without policy, pricing or HTTP.

An entry's evidence is about 1.1 KB, its reply 0.9 KB and its event 0.6 KB, as the shipped policy
makes them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Final

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.pymysql_truth import connected
from decision_engine.exposure import NO_EXPOSURE, Exposure
from decision_engine.proposal import Marks, Proposal
from decision_engine.record.entry import Entry
from decision_engine.record.loss import LossFinding
from domain.application import Amortization, CreditApplication
from domain.customer import CreditData
from domain.decision import Outcome, ReasonCode
from domain.money import Money
from domain.offer import OfferTerms

PERSONS: Final = 80_000
SEED_SECONDS: Final = 60.0
ROWS_A_STATEMENT: Final = 2_000
NEXT_PERSON: Final = count()
#: What an entry is: it would be approved, declined, or either by turns.
MIXES: Final[Mapping[str, tuple[bool, ...]]] = {
    "approvals": (True,),
    "declines": (False,),
    "50/50": (True, False),
}
SOURCES: Final = [
    [name, "redis", 41, 1_780_000_000_000_000]
    for name in ("profile", "bureau", "statements", "payments")
]
FACTS: Final = {f"attribute_{number:02d}": f"{number * 1037}.25" for number in range(18)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCase:
    """Implements `decision_engine.record.entry.Case`: a verdict that is known beforehand."""

    application: CreditApplication
    person_id: str
    profile_version: int = 1
    approves: bool = True

    def assess(self, exposure: Exposure) -> Proposal:
        """Return the verdict, whatever is open."""
        return _proposal(self.application.amount.centavos if self.approves else 0, exposure)

    def with_profile(self, profile: CreditData | None) -> "LoadCase":
        """Return the case of a newer profile."""
        return self if profile is None else replace(self, profile_version=profile.profile_version)

    def with_loss(self, finding: LossFinding) -> "LoadCase":  # noqa: ARG002  no window is open
        """Return the case: nothing was lost."""
        return self

    def evidence(self) -> Mapping[str, object]:
        """Return about as much as the shipped policy reads."""
        return {
            "manifest": {"policy": "sha256:" + "0" * 64, "engine": "1"},
            "policy": {"id": "personal-loan", "version": 1},
            "as_of": 1_780_000_000_000_000,
            "application": self.application.canonical(),
            "person": self.person_id,
            "profile_version": self.profile_version,
            "sources": SOURCES,
            "facts": FACTS,
            "degraded": [],
        }

    def reply_text(
        self,
        proposal: Proposal,
        language: str,
    ) -> Mapping[str, object]:
        """Return the fields of the reply that need the policy."""
        return {
            "reasons": [reason.code for reason in proposal.reasons],
            "language": language,
            "policy": {"id": "personal-loan", "version": 1, "hash": "sha256:" + "0" * 64},
        }


def entries(mix: str, name: str, *, person: int | None = None) -> Iterator[Entry]:
    """
    Yield entries without end, each with a key of its own, of persons in turn or of one.

    name: what tells the keys of this load from those of any other. Persons go on where the last
    load stopped, so that few of them owe anything yet.
    """
    turns = MIXES[mix]
    for number in count():
        of = next(NEXT_PERSON) % PERSONS if person is None else person
        made = LoadCase(
            application=CreditApplication(
                customer_id=f"c-{of}",
                product="personal_loan",
                amount=Money(500_00 + number % 900 * 100),
                term_months=12,
            ),
            person_id=f"c.c-{of}",
            approves=turns[number % len(turns)],
        )
        yield Entry(
            client_id="bench",
            idem_key=f"{name}-{number}",
            command_hash="sha256:" + "1" * 64,
            language="pt-BR",
            case=made,
            proposal=made.assess(NO_EXPOSURE),
        )


def seed(address: MysqlAddress) -> None:
    """Put the persons and their customers into an empty schema."""
    connection = connected(address, SEED_SECONDS)
    with connection, connection.cursor() as cursor:
        for start in range(0, PERSONS, ROWS_A_STATEMENT):
            some = range(start, start + ROWS_A_STATEMENT)
            persons = ",".join(f"('c.c-{number}','')" for number in some)
            cursor.execute(f"INSERT INTO persons (person_id, cpf_index) VALUES {persons}")  # noqa: S608
            rows = (f"('c-{n}','c.c-{n}',1,'','ACTIVE','{{}}',1,1)" for n in some)
            columns = "customer_id, person_id, profile_version, cpf_index, status, profile"
            cursor.execute(
                f"INSERT INTO customers ({columns}, created_us, updated_us)"  # noqa: S608
                f" VALUES {','.join(rows)}"
            )


def _proposal(principal: int, exposure: Exposure) -> Proposal:
    return Proposal(
        outcome=Outcome.APPROVED if principal else Outcome.DECLINED,
        reasons=() if principal else (ReasonCode("R12", "affordability"),),
        offers=(_terms(principal),) if principal else (),
        score=600,
        band="B",
        bits="0" * 32,
        trace=Marks("sha256:" + "0" * 64, "0" * 40),
        exposure=exposure,
    )


def _terms(principal: int) -> OfferTerms:
    return OfferTerms(
        amount=principal,
        term_months=12,
        amortization=Amortization.PRICE,
        monthly_rate=Decimal("0.0250"),
        principal=principal,
        iof=0,
        instalment=principal // 10,
        last_instalment=principal // 10,
        total=principal // 10 * 12,
        cet_annual=Decimal("0.3447"),
        cet_monthly=Decimal("0.0250"),
        first_due_on=date(2027, 1, 10),
    )
