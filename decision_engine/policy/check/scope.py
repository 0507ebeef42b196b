"""Which names a node can see, and their types."""

from dataclasses import dataclass, field

from decision_engine.policy.findings import Notes
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Ref


@dataclass(slots=True)
class Names:
    """All names made so far, by whom, and of which type."""

    fields: dict[str, Field] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()
    read: set[str] = field(default_factory=set)
    _beginnings: set[str] = field(default_factory=set)

    def add(self, made: Field, maker: str, notes: Notes) -> None:
        """Add a name made by a node; two of one name, or one inside the other, is an error."""
        name = made.name
        if name in self.makers:
            notes.error(f'the name "{name}" is made twice')
            return
        beginnings = _beginnings(name)
        if name in self._beginnings or any(part in self.makers for part in beginnings):
            notes.error(f'the name "{name}" is inside another name, or another inside it')
        self.fields[name] = made
        self.makers[name] = maker
        self._beginnings |= beginnings


@dataclass(frozen=True, slots=True)
class Scope:
    """What one node sees: the names of the nodes before it, and its own earlier keys."""

    names: Names
    before: frozenset[str]
    node: str

    def find(self, ref: Ref, notes: Notes) -> Field | None:
        """Return the type of a name that is visible here; note why it is not."""
        self.names.read.add(ref.name)
        maker = self.names.makers.get(ref.name)
        if maker is None:
            notes.error(f'unknown field "{ref.name}"')
        elif maker == self.node and not ref.local:
            notes.error(f'"{ref.name}" is made in this node: write it with $.')
        elif ref.local and maker != self.node:
            notes.error(f'"{ref.name}" is no earlier key of this node: write it without $.')
        elif maker != self.node and maker not in self.before:
            notes.error(f'"{ref.name}" is made by a node that does not come before this one')
        else:
            return self.names.fields[ref.name]
        return None


def _beginnings(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}
