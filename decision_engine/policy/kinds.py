"""The types of expressions: three kinds of scalar, lists of one kind, and flat records."""

from dataclasses import dataclass, field
from typing import Literal

from decision_engine.policy.limits import LIST_ITEMS

Scalar = Literal["number", "string", "boolean"]


@dataclass(frozen=True, slots=True)
class Record:
    """The kind of an object in a list: its fields, each of a scalar kind."""

    fields: tuple[tuple[str, Scalar], ...]

    def kind_of(self, name: str) -> Scalar | None:
        """Return the kind of a field, None when there is no such field."""
        return dict(self.fields).get(name)

    def __str__(self) -> str:
        return f"object of {', '.join(name for name, _ in self.fields)}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """The kind of a list; `most` bounds its length and makes no other kind of it."""

    items: "Kind"
    most: int = field(default=LIST_ITEMS, compare=False)

    def __str__(self) -> str:
        return f"list of {self.items}"


Kind = Scalar | Record | ListOf


def wider(one: Kind, two: Kind) -> Kind:
    """Return of two equal kinds the one whose lists may be longer."""
    if not isinstance(one, ListOf) or not isinstance(two, ListOf):
        return one
    return ListOf(wider(one.items, two.items), max(one.most, two.most))


def is_scalar(kind: Kind) -> bool:
    """Tell whether values of a kind can be compared."""
    return isinstance(kind, str)
