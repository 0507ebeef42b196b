"""Decisions as a credit manager reads them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from adapters.inbound.cli.output import Page
from adapters.inbound.cli.wording import count, outcome, percent, reais, said, words

Document = Mapping[str, Any]

MEANING: Final = {
    "APPROVED": "the credit can be granted as it was asked for.",
    "COUNTER_OFFER": "not as it was asked for, but the offers below can be granted.",
    "DECLINED": "the credit cannot be granted.",
    "REFERRED": "a person has to decide (creditctl review list).",
}
VERDICTS: Final = {
    "EQUAL": "Equal: deciding again from the evidence gives the same bytes.",
    "EQUAL_OTHER_ENGINE": "Equal, by another version of the engine.",
    "DIFFERENT": "DIFFERENT: deciding again does not give what was recorded.",
    "ERASED": "Erased: the content of this decision is no longer kept, so it cannot be replayed.",
}
RESULTS: Final = {
    "hit": "hit",
    "no_hit": "no hit",
    "not_evaluable": "cannot be evaluated",
    "not_reached": "not reached",
}
#: Results that ask for nothing.
QUIET: Final = frozenset({"no_hit", "not_reached"})
#: A cell that goes on with what stands above it.
SAME: Final = " "
OFFER_COLUMNS: Final = (
    *(">amount", ">months", ">rate a month", ">instalment", ">total"),
    *(">CET a year", "first due", "can be accepted until"),
)


def decision(page: Page, document: Document) -> None:
    """Write one decision."""
    verdict = said(document.get("outcome"))
    page.line(f"{outcome(verdict)}: {MEANING.get(verdict, '')}")
    page.facts(_facts(document))
    reasons_and_offers(page, document)


def reasons_and_offers(page: Page, document: Document) -> None:
    """Write why, and on what terms credit can be granted."""
    reasons = _items(document, "reasons")
    if reasons:
        page.heading("Why")
        page.table(("code", "family", "text"), [_reason(reason) for reason in reasons])
    offers = _items(document, "offers")
    if offers:
        page.heading("Offers")
        # An offer that was only worked out expires at no time.
        shown = len(OFFER_COLUMNS) - (not any("expires_at" in offer for offer in offers))
        page.table(OFFER_COLUMNS[:shown], [_offer(offer)[:shown] for offer in offers])


def decisions(page: Page, document: Document) -> None:
    """Write a page of decisions."""
    items = _items(document, "items")
    columns = ("decision", "decided at", "customer", "outcome", ">amount", ">months", "policy")
    if items:
        page.table(columns, [_row(item) for item in items])
    more = document.get("next_cursor")
    page.line(count(len(items), "decision") + (f"; go on with --cursor {more}" if more else "."))


def explanation(page: Page, document: Document, *, whole: bool) -> None:
    """Write why a decision is what it is; `whole` also shows the rules that did not hit."""
    page.line(f"{outcome(document.get('outcome'))}, seen at {said(document.get('as_of'))}.")
    reasons = _items(document, "reasons")
    if reasons:
        page.heading("Why, the weightiest first")
        help_rows = [(*_reason(reason), reason.get("what_would_help")) for reason in reasons]
        page.table(("code", "family", "text", "what would help"), help_rows)
    rules = _items(document, "rules")
    shown = [rule for rule in rules if whole or rule.get("result") not in QUIET]
    if shown:
        page.heading("Rules")
        page.table(
            ("rule", "code", "effect", "result", "value", "threshold", "distance"),
            [row for rule in shown for row in _rule_rows(rule)],
        )
    hidden = len(rules) - len(shown)
    if hidden:
        page.line(f"{count(hidden, 'rule')} did not hit: --all shows everything.")


def replay(page: Page, document: Document) -> None:
    """Write what a replay found."""
    page.line(VERDICTS.get(said(document.get("verdict")), said(document.get("verdict"))))
    for difference in document.get("differences") or ():
        page.line(f"  differs: {difference}")


def verification(page: Page, document: Document) -> None:
    """Write what verifying the ledger found."""
    whole = document.get("valid") is True
    page.line("The ledger is whole." if whole else "THE LEDGER IS NOT WHOLE.")
    rest = {name: value for name, value in document.items() if name not in {"valid", "problems"}}
    page.facts((words(name), value) for name, value in rest.items())
    for problem in document.get("problems") or ():
        page.line(f"  {said(problem)}")


def proof(page: Page, document: Document) -> None:
    """Write what proving one decision found."""
    whole = document.get("valid") is True
    page.line("The decision is proven." if whole else "THE DECISION IS NOT PROVEN.")
    apart = {"valid", "problems", "path", "anchor", "head"}
    page.facts((words(name), value) for name, value in document.items() if name not in apart)
    path, anchor, head = document.get("path"), _part(document, "anchor"), _part(document, "head")
    for step in path if isinstance(path, list) else ():
        page.line(f"  beside it: {said(step)}")
    if head:
        page.line(f"The lane ends at {said(head.get('sequence'))}: {said(head.get('hash'))}")
    if anchor:
        page.line(f"Anchor {said(anchor.get('number'))} of {said(anchor.get('at'))} holds it.")
    else:
        page.line("No anchor holds it: a copy whose tail was cut would look the same.")
    for problem in document.get("problems") or ():
        page.line(f"  {said(problem)}")


def signing_keys(page: Page, document: Document) -> None:
    """Write the public keys, the one in use marked."""
    for version, public in _part(document, "public_keys").items():
        used = " (in use)" if version == document.get("current") else ""
        page.line(f"{version}: {public}{used}")


def _items(document: Document, name: str) -> list[Document]:
    items = document.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _part(document: Document, name: str) -> Document:
    part = document.get(name)
    return part if isinstance(part, dict) else {}


def _facts(document: Document) -> Iterator[tuple[str, object]]:
    policy, score = _part(document, "policy"), _part(document, "score")
    yield "decision", document.get("decision_id")
    yield "customer", document.get("customer_id")
    yield "decided at", document.get("decided_at")
    yield "policy", _policy(policy)
    if score:
        yield "score", f"{said(score.get('value'))}, band {said(score.get('band'))}"
    for name in ("duplicate_of", "reviewed_decision"):
        if document.get(name):
            yield words(name), document[name]


def _policy(policy: Document) -> str:
    return f"{said(policy.get('id'))} version {said(policy.get('version'))}"


def _reason(reason: Document) -> tuple[object, ...]:
    return reason.get("code"), words(reason.get("family")), reason.get("text")


def _offer(offer: Document) -> Sequence[object]:
    return (
        reais(offer.get("amount")),
        offer.get("term_months"),
        percent(offer.get("monthly_rate")),
        reais(offer.get("instalment")),
        reais(offer.get("total")),
        percent(offer.get("cet_annual")),
        offer.get("first_due_on"),
        offer.get("expires_at"),
    )


def _row(item: Document) -> Sequence[object]:
    return (
        item.get("decision_id"),
        item.get("decided_at"),
        item.get("customer_id"),
        outcome(item.get("outcome")),
        reais(item.get("amount")),
        item.get("term_months"),
        _policy(_part(item, "policy")),
    )


def _rule_rows(rule: Document) -> Iterator[Sequence[object]]:
    result = said(rule.get("result"))
    head: tuple[object, ...] = tuple(rule.get(name) for name in ("rule", "code", "effect"))
    head = (*head, RESULTS.get(result, result))
    for condition in _items(rule, "conditions") or [{}]:
        threshold = f"{said(condition.get('operator'))} {said(condition.get('threshold'))}"
        value = f"{said(condition.get('formula'))} = {said(condition.get('value'))}"
        blank = not condition
        yield (*head, *(("", "", "") if blank else (value, threshold, condition.get("distance"))))
        head = (SAME,) * len(head)
