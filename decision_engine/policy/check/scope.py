"""Which names a node can see, and their types."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from decision_engine.policy.branches import Branches
from decision_engine.policy.findings import Notes
from decision_engine.policy.kinds import Kind
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Ref

T = TypeVar("T")


@dataclass(slots=True)
class Names:
    """All names made so far, by whom, and of which type."""

    branches: Branches
    fields: dict[str, Field] = field(default_factory=dict)
    makers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    read: set[str] = field(default_factory=set)
    _beginnings: set[str] = field(default_factory=set)

    def add(self, made: Field, maker: str, notes: Notes) -> None:
        """
        Add a name made by a node; two of one name, or one inside the other, is an error.

        Nodes of which only one can ever run may make the same name.
        """
        name = made.name
        if name in self.makers:
            self._share(made, maker, notes)
            return
        beginnings = _beginnings(name)
        if name in self._beginnings or any(part in self.makers for part in beginnings):
            notes.error(f'the name "{name}" is inside another name, or another inside it')
        self.fields[name] = made
        self.makers[name] = (maker,)
        self._beginnings |= beginnings

    def _share(self, made: Field, maker: str, notes: Notes) -> None:
        name, before = made.name, self.fields[made.name]
        if not self.exclusive(maker, self.makers[name]):
            notes.error(f'the name "{name}" is made twice')
        elif made.kind != before.kind:
            notes.error(f'"{name}" is a {before.kind} in another branch, found a {made.kind}')
        else:
            self.fields[name] = shared(before, made)
            self.makers[name] = (*self.makers[name], maker)

    def exclusive(self, node: str, others: Iterable[str]) -> bool:
        """Tell whether a node can run together with none of the others."""
        return all(self.branches.exclusive(node, other) for other in others)


@dataclass(frozen=True, slots=True)
class Scope:
    """
    What one node sees: the names of the nodes before it, and its own earlier keys.

    `hidden` are nodes before it that another between does not pass on. Inside a closure `item` is
    the kind of `#`, and `visits` how often the closure may be applied.
    """

    names: Names
    before: frozenset[str]
    node: str
    hidden: frozenset[str] = frozenset()
    item: Kind | None = None
    visits: int = 1

    def find(self, ref: Ref, notes: Notes) -> Field | None:
        """Return the type of a name that is visible here; note why it is not."""
        self.names.read.add(ref.name)
        makers = self.names.makers.get(ref.name, ())
        if not makers:
            notes.error(f'unknown field "{ref.name}"')
        elif self.node in makers and not ref.local:
            notes.error(f'"{ref.name}" is made in this node: write it with $.')
        elif ref.local and self.node not in makers:
            notes.error(f'"{ref.name}" is no earlier key of this node: write it without $.')
        elif self.node not in makers and not self.sees(makers):
            if self.hidden.intersection(makers):
                notes.error(f'"{ref.name}" is hidden here: a node between has passThrough false')
                return None
            notes.error(f'"{ref.name}" is made by a node that does not come before this one')
        else:
            return self.names.fields[ref.name]
        return None

    def sees(self, makers: tuple[str, ...]) -> bool:
        """Tell whether one of the makers comes before, and no other can run and does not."""
        rest = [maker for maker in makers if maker not in self.before]
        return len(rest) < len(makers) and self.names.exclusive(self.node, rest)


def shared(one: Field, other: Field) -> Field:
    """Return what is certain of a value that one of two nodes makes."""
    return Field(
        name=one.name,
        kind=one.kind,
        scale=_widest(max, one.scale, other.scale),
        enum=tuple(dict.fromkeys(one.enum + other.enum)) if one.enum and other.enum else (),
        minimum=_widest(min, one.minimum, other.minimum),
        maximum=_widest(max, one.maximum, other.maximum),
    )


def _widest(pick: Callable[[T, T], T], one: T | None, other: T | None) -> T | None:
    return None if one is None or other is None else pick(one, other)


def _beginnings(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}
