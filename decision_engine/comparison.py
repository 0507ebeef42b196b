"""What two policies say to the same case, and where they differ."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from decision_engine.trial import Run

#: The parts of an offer that are compared: what a customer is told.
OFFER: tuple[str, ...] = ("amount", "term_months", "monthly_rate", "instalment", "cet_annual")
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Effect:
    """One case under two policies; `changes` is (field, from, to) in texts, empty when equal."""

    case: str
    before: str
    after: str
    changes: tuple[tuple[str, str, str], ...]

    def plain(self) -> dict[str, object]:
        """Return it as data for a reader."""
        changes = [{"field": name, "from": old, "to": new} for name, old, new in self.changes]
        return {"case": self.case, "changes": changes}


def effect(case: str, before: Run, after: Run) -> Effect:
    """Return what a change of policy does to a case: outcome, reasons, rules, first offer."""
    old, new = _said(before), _said(after)
    changes = tuple(
        (name, old.get(name, NOTHING), new.get(name, NOTHING))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, NOTHING) != new.get(name, NOTHING)
    )
    return Effect(case, before.outcome, after.outcome, changes)


def summary(effects: Iterable[Effect]) -> dict[str, object]:
    """Return how many cases there are, how many change, and which outcomes become which."""
    found = list(effects)
    moved = Counter((each.before, each.after) for each in found if each.before != each.after)
    return {
        "cases": len(found),
        "changed": sum(bool(each.changes) for each in found),
        "outcomes": [
            {"from": old, "to": new, "cases": count} for (old, new), count in sorted(moved.items())
        ],
    }


def known_to(run_inputs: Iterable[str], given: Mapping[str, object]) -> dict[str, object]:
    """Return the inputs that a policy knows: a newer one may ask for more, or for less."""
    known = set(run_inputs)
    return {name: value for name, value in given.items() if name in known}


def _said(run: Run) -> dict[str, str]:
    reasons = [f"{each.code} {each.attribute}".rstrip() for each in run.reasons]
    said = {
        "outcome": run.outcome,
        "reasons": ", ".join(reasons) or NOTHING,
        "hit": ", ".join(run.rules("hit")) or NOTHING,
        "unknown": ", ".join(run.rules("not_evaluable")) or NOTHING,
        "offers": str(len(run.offers)),
    }
    first = run.offers[0] if run.offers else {}
    return said | {f"offer.{name}": str(first[name]) for name in OFFER if name in first}
