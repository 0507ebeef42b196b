"""Diffs, stories and measurements of policies as an analyst reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.inbound.cli import decision_views
from adapters.inbound.cli.output import Page
from adapters.inbound.cli.policy_views import answered
from adapters.inbound.cli.wording import count, outcome, said

Document = Mapping[str, Any]


def changes(page: Page, document: Document) -> None:
    """Write what changed, and what becomes of the golden cases."""
    old, new = (document[name] for name in ("from", "to"))
    page.line(f"{_version(old)} -> {_version(new)}: {count(len(document['changes']), 'change')}.")
    for change in document["changes"]:
        page.line(f"  {change['sentence']}")
    if "effect" in document:
        _effect(page, document["effect"])


def story(page: Page, document: Document) -> None:
    """Write why a policy answered as it did."""
    answered(page, document)
    _told(page, "What decided", document["decided"])
    _told(page, "What came nearest", document["nearest"])


def measured(page: Page, document: Document) -> None:
    """Write how fast a policy evaluates."""
    speed = f"{document['evaluations_per_second']:,} evaluations a second"
    page.line(f"{_version(document['policy'])}, {count(document['rules'], 'rule')}: {speed}.")
    source = "made from the policy" if document["generated"] else "given"
    page.line(f"{document['evaluations']:,} over {count(document['inputs'], 'input')} {source}.")
    page.facts((name, f"{value:,.1f} µs") for name, value in document["microseconds"].items())


def _effect(page: Page, effect: Document) -> None:
    page.heading("Golden cases")
    page.line(f"{effect['changed']} of {count(effect['cases'], 'case')} change.")
    for moved in effect["outcomes"]:
        words = f"{outcome(moved['from'])} -> {outcome(moved['to'])}"
        page.line(f"  {words}: {count(moved['cases'], 'case')}")
    rows = [
        (case["case"] if number == 0 else decision_views.SAME, *map(said, change.values()))
        for case in effect["changes"]
        for number, change in enumerate(case["changes"])
    ]
    if rows:
        page.table(("case", "what", "from", "to"), rows)


def _told(page: Page, title: str, rules: Sequence[Document]) -> None:
    if not rules:
        return
    page.heading(title)
    for rule in rules:
        result = decision_views.RESULTS[rule["result"]]
        choice = (
            "; one of these is enough" if len(rule["sentences"]) > 1 and result == "hit" else ""
        )
        page.line(f"{rule['rule']} ({rule['code']}, {rule['effect']}): {result}{choice}")
        for sentence in rule["sentences"]:
            page.line(f"  {sentence}")


def _version(policy: Document) -> str:
    return f"{said(policy.get('id'))} version {said(policy.get('version'))}"
