"""What the pricing tests share: the shipped tables, the oracles and a known loan."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from decision_engine.pricing.loan import LoanTerms
from decision_engine.pricing.tables import FundingTable, IofTable
from domain.errors import InvalidInputError

_ROOT: Final = Path(__file__).resolve().parents[3]
_TABLES: Final = _ROOT / "policies" / "tables"

IOF_BYTES: Final = (_TABLES / "iof.json").read_bytes()
IOF_TABLE: Final = IofTable.parse(IOF_BYTES)
FUNDING_TABLE: Final = FundingTable.parse((_TABLES / "funding.json").read_bytes())

ORACLES: Final[dict[str, Any]] = json.loads(
    (_ROOT / "tests" / "cases" / "pricing" / "oracles.json").read_bytes()
)

#: The loan of the oracles: R$ 10,000.00, 24 x, 2.5 % a month, from 2026-12-10 on the 10th.
TERMS: Final = LoanTerms(
    amount=1_000_000,
    term_months=24,
    monthly_rate=Decimal("0.025"),
    signed_on=date(2026, 12, 10),
    first_due_on=date(2027, 1, 10),
)


def code_of(error: InvalidInputError) -> str:
    """Return the code of an error with one problem."""
    (problem,) = error.problems
    return problem.code
