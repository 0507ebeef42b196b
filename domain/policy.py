"""A credit policy as the platform names it: an immutable version under a content hash."""

from dataclasses import dataclass
from enum import StrEnum


class PolicyRole(StrEnum):
    """In which part a policy took part in a decision."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPolicy:
    """Identity of one published policy version; `content_hash` is `sha256:<hex>` of its bytes."""

    policy_id: str
    version: int
    content_hash: str
    product: str
    title: str
