"""What is wrong with a policy file: where, and a sentence that says what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from decision_engine.policy.limits import FINDINGS
from domain.errors import InvalidInputError, Problem

Severity = Literal["error", "warning"]

_SENTENCE: Final = 400
_PLACE: Final = 100


def short(text: str, most: int = _SENTENCE) -> str:
    """Return a text of at most `most` characters: a file's own words are quoted, never echoed."""
    if len(text) <= most:
        return text
    half = (most - 3) // 2
    return f"{text[:half]} … {text[-half:]}"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One fault of a policy, a scorecard or a reason table.

    `node` is a node's id, `row` a row's `_id`, `cell` a column or field; each is empty where the
    fault has no such place. An error stops publishing, a warning does not.
    """

    node: str
    row: str
    cell: str
    sentence: str
    severity: Severity = "error"

    @property
    def pointer(self) -> str:
        """The place as one text: `/node/row/cell` without the empty parts."""
        return "".join(f"/{part}" for part in (self.node, self.row, self.cell) if part)


class PolicyError(InvalidInputError):
    """The file is refused: nothing was compiled; `findings` says where and why."""

    code = "policy-invalid"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        faults = [item for item in self.findings if item.severity == "error"]
        super().__init__(
            "; ".join(f"{item.pointer or '/'}: {item.sentence}" for item in faults),
            [Problem(pointer=i.pointer, code=self.code, detail=i.sentence) for i in faults],
        )

    @classmethod
    def of(cls, sentence: str) -> "PolicyError":
        """Return the error for one fault of the whole file."""
        return cls([Finding("", "", "", short(sentence))])


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether at least one finding stops publishing."""
    return any(item.severity == "error" for item in findings)


class Notes:
    """
    A place in a file together with the list that collects its findings.

    The list is bounded: past `FINDINGS` warnings are dropped, past twice as many errors are. So a
    list that is full holds errors, and a faulty file is refused whatever it is full of.
    """

    # A big table asks for a place for every cell and notes next to nothing: a place is cheap.
    __slots__ = ("_cell", "_node", "_row", "found")

    def __init__(
        self, found: list[Finding] | None = None, node: str = "", row: str = "", cell: str = ""
    ) -> None:
        self.found = [] if found is None else found
        self._node, self._row, self._cell = node, row, cell

    def at(self, *, node: str = "", row: str = "", cell: str = "") -> "Notes":
        """Return the same collection at a closer place; an empty part keeps what it was."""
        return Notes(self.found, node or self._node, row or self._row, cell or self._cell)

    def error(self, sentence: str) -> None:
        """Note a fault that stops publishing."""
        if len(self.found) < 2 * FINDINGS:
            self._add(sentence, "error")

    def warn(self, sentence: str) -> None:
        """Note something that an analyst should look at."""
        if len(self.found) < FINDINGS:
            self._add(sentence, "warning")

    def _add(self, sentence: str, severity: Severity) -> None:
        node, row, cell = (short(part, _PLACE) for part in (self._node, self._row, self._cell))
        self.found.append(Finding(node, row, cell, short(sentence), severity))
