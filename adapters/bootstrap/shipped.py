"""What the project ships as data: policies, models, tables, the demo's data sets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from decision_engine.rulebook import Artifacts

ROOT: Final = Path(__file__).resolve().parents[2]
POLICIES: Final = ROOT / "policies"
TABLES: Final = POLICIES / "tables"
DATA: Final = ROOT / "data"


def personal_loan() -> Artifacts:
    """Return the shipped personal-loan policy with everything that it decides with."""
    return Artifacts(
        policy=(POLICIES / "personal-loan.json").read_bytes(),
        models=[(POLICIES / "behaviour-scorecard.json").read_bytes()],
        reasons=(POLICIES / "reasons.json").read_bytes(),
        iof=iof_table(),
        funding=funding_table(),
    )


def iof_table() -> bytes:
    """Return the shipped table of IOF rates."""
    return (TABLES / "iof.json").read_bytes()


def funding_table() -> bytes:
    """Return the shipped table of what money costs."""
    return (TABLES / "funding.json").read_bytes()


@dataclass(frozen=True, slots=True)
class DemoData:
    """Where the demo's data sets lie."""

    taiwan: Path = DATA / "taiwan_credit_default.csv.gz"
    asks: Path = DATA / "modeldata_credit_data.csv.gz"
