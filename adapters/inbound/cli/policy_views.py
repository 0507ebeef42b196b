"""Policies, their findings and their results as an analyst reads them."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.inbound.cli import decision_views
from adapters.inbound.cli.output import Page
from adapters.inbound.cli.policy_cases import CaseVerdict
from adapters.inbound.cli.policy_files import Examined
from adapters.inbound.cli.wording import count, outcome, said

Document = Mapping[str, Any]


def identity(found: Examined) -> dict[str, object]:
    """Return which policy a file holds; nothing where it could not be read."""
    if found.document is None:
        return {}
    header = found.document.header
    return {
        "id": header.id,
        "version": header.version,
        "product": header.product,
        "hash": found.document.hash,
    }


def checked(found: Examined) -> dict[str, object]:
    """Return what a check found as plain data."""
    return {
        "policy": identity(found),
        "valid": found.valid,
        "findings": [
            {
                "file": path.name,
                "severity": finding.severity,
                "node": finding.node,
                "row": finding.row,
                "cell": finding.cell,
                "sentence": finding.sentence,
            }
            for path, finding in found.findings
        ],
    }


def findings(page: Page, found: Examined) -> None:
    """Write what a check found."""
    rows = [
        (finding.severity, path.name, finding.node, finding.row, finding.cell, finding.sentence)
        for path, finding in found.findings
    ]
    if rows:
        page.table(("severity", "file", "node", "row", "cell", "what is wrong"), rows)
    errors = len(found.errors)
    others = count(len(rows) - errors, "warning")
    verdict = "can be published" if found.valid else "cannot be published"
    page.line(f"{_named(found)} {verdict}: {count(errors, 'error')}, {others}.")


def policies(page: Page, document: Document) -> None:
    """Write the list of policy versions."""
    items = [item for item in document.get("items") or () if isinstance(item, dict)]
    names = ("policy_id", "version", "status", "product", "title", "published_at")
    if items:
        columns = ("policy", ">version", "status", "product", "title", "published at")
        page.table(columns, [[item.get(name) for name in names] for item in items])
    page.line(f"{count(len(items), 'policy version')}.")


def policy(page: Page, document: Document) -> None:
    """Write one policy version."""
    title, version = said(document.get("title")), said(document.get("version"))
    page.line(f"{title}: {said(document.get('policy_id'))} version {version}.")
    names = ("status", "product", "published_at", "hash")
    page.facts((name.replace("_", " "), document.get(name)) for name in names)
    inner = document.get("document")
    nodes = inner.get("nodes") if isinstance(inner, dict) else None
    if isinstance(nodes, list):
        rows = [(n.get("name"), n.get("type")) for n in nodes if isinstance(n, dict)]
        page.table(("node", "kind"), rows)


def results(page: Page, documents: Sequence[Document], *, many: bool) -> None:
    """Write the result of one run in full, of many in a line each."""
    if not many:
        _result(page, documents[0])
        return
    rows = [_line(number, document) for number, document in enumerate(documents, start=1)]
    page.table((">input", "outcome", "reasons", ">offers", "not usable"), rows)


def tested(page: Page, verdicts: Sequence[CaseVerdict]) -> None:
    """Write how golden cases came out."""
    failed = [verdict for verdict in verdicts if verdict.differences]
    for verdict in failed:
        page.line(f"{verdict.name}:")
        for difference in verdict.differences:
            page.line(f"  {difference}")
    held = len(verdicts) - len(failed)
    page.line(f"{count(held, 'case')} held, {len(failed)} came out otherwise.")


def answered(page: Page, document: Document) -> None:
    """Write what a policy answered, and what it lacked."""
    page.line(f"{outcome(document['outcome'])}.")
    decision_views.reasons_and_offers(page, document)
    for name, state in document["unusable"].items():
        page.line(f"Not usable: {name} ({state}).")
    for name in document["uncovered"]:
        page.line(f"No answer from: {name}.")


def _result(page: Page, document: Document) -> None:
    answered(page, document)
    page.heading("Values")
    page.facts(document["values"].items())
    page.heading("Rules")
    names = ("rule", "code", "effect", "result")
    page.table(names, [[rule[name] for name in names] for rule in document["rules"]])
    if "trace" in document:
        _trace(page, document["trace"])
    if "zen_trace" in document:
        page.heading("Trace as the JDM editor shows it")
        page.line(json.dumps(document["zen_trace"], ensure_ascii=False))


def numbers(value: Any) -> Any:
    """Return a trace with the numbers of JSON, as the editor reads them."""
    if isinstance(value, dict):
        return {name: numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _trace(page: Page, entries: Sequence[Document]) -> None:
    page.heading("Trace")
    columns = ("node", "id", "result", "condition", "value", "threshold", "distance")
    page.table(columns, [row for entry in entries for row in _trace_rows(entry)])


def _trace_rows(entry: Document) -> list[tuple[object, ...]]:
    head = (entry["node"], entry["id"], entry["result"])
    if not entry["conditions"]:
        return [(*head, "", entry["value"], "", "")]
    return [
        (
            *(head if number == 0 else (decision_views.SAME,) * len(head)),
            condition["formula"],
            condition["value"],
            f"{condition['operator']} {condition['threshold']}",
            condition["distance"],
        )
        for number, condition in enumerate(entry["conditions"])
    ]


def _line(number: int, document: Document) -> tuple[object, ...]:
    codes = ", ".join(reason["code"] for reason in document["reasons"])
    unusable = ", ".join(document["unusable"])
    return number, outcome(document["outcome"]), codes, len(document["offers"]), unusable


def _named(found: Examined) -> str:
    header = found.document.header if found.document is not None else None
    name = found.sources.policy.name
    return f"{name} ({header.id} version {header.version})" if header and header.id else name
