"""docs/names.md leads from each name of the brief to its place in the code."""

from typing import Final

from tests.unit.repo.documents import fault_of, lines_of, resolves
from tests.unit.repo.files import ROOT

NAMES: Final = ROOT / "docs" / "names.md"

#: Names that the brief fixes, in its own spelling.
EXPECTED: Final = {
    "CreditData", "Transaction", "CreditApprovalUseCase", "IDataReader", "IDataWriter",
    "IDataStorage", "IMonitoring", "AuroraAdapter", "StorageStack", "customers", "transactions",
    "credit_policies", "credit_decisions", "idx_customer_cpf", "idx_customer_status",
    "idx_transaction_date", "idx_customer_transaction", "idx_decision_date",
    "idx_customer_decision", "idx_combined_customer_status", "creditplatform.creditdata",
    "credit-hot-data",
}  # fmt: skip


def test_every_fixed_name_is_listed() -> None:
    listed = {name.strip("`") for line in lines_of(NAMES) for name in line.key.split(", ")}

    assert sorted(EXPECTED - listed) == []


def test_every_name_resolves() -> None:
    faults = [
        f"{line.key}: {fault}"
        for line in lines_of(NAMES)
        for clause in line.clauses
        if (fault := fault_of(clause))
    ]

    assert not faults, "\n".join(faults)


def test_a_name_inside_a_class_or_a_text_is_found() -> None:
    here = "tests/unit/repo/documents.py"

    assert resolves(f"{here}:Line.clauses")
    assert resolves(f'{here}:"policy engine"')
    assert not resolves(f"{here}:Line.nothing")
    assert not resolves(f'{here}:"no such ' + 'text"')
