"""
`/docs`: the OpenAPI document as one plain page, without scripts.

It works without a network, and nothing foreign runs beside a bearer token.
"""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

CODE: Final = re.compile(r"`([^`]+)`")
BOLD: Final = re.compile(r"\*\*([^*]+)\*\*")
STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
pre{background:#f4f4f4;color:#111;overflow:auto;padding:.7rem;border-radius:.3rem}
code{font-size:.9em}summary{cursor:pointer;padding:.2rem 0}section{margin:1.5rem 0}
table{border-collapse:collapse}td{border-top:1px solid #ccc;padding:.2rem .6rem;vertical-align:top}
"""


def docs_page(document: dict[str, Any]) -> bytes:
    """Return the page of an OpenAPI document."""
    title = escape(document["info"]["title"])
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>',
        f"<h1>{title} {escape(document['info']['version'])}</h1>",
        *(f"<p>{_inline(text)}</p>" for text in document["info"]["description"].split("\n\n")),
        '<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>',
        *_operations(document),
        "</body></html>",
    ]
    return "".join(parts).encode()


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(f"{method.upper()} {path}", operation)


def _operation(name: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<section><h2><code>{escape(name)}</code></h2>"
    yield f"<p>{_inline(operation['description'])}</p>"
    scopes = [scope for need in operation["security"] for scope in need["bearer"]]
    yield f"<p>Scope: <code>{escape(scopes[0])}</code></p>" if scopes else "<p>No token.</p>"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        yield _example("Request", content)
    for status, response in operation["responses"].items():
        for content in response["content"].values():
            yield _example(f"{status}: {response['description']}", content)
    yield "</section>"


def _example(title: str, content: dict[str, Any]) -> str:
    values = [example["value"] for example in content.get("examples", {}).values()]
    shown = escape(json.dumps(values[0], indent=2, ensure_ascii=False)) if values else ""
    return f"<details><summary>{_inline(title)}</summary><pre>{shown}</pre></details>"


def _inline(text: str) -> str:
    """Return a text with its `code` and **bold** as HTML; everything else is escaped."""
    coded = CODE.sub(r"<code>\1</code>", escape(text))
    return BOLD.sub(r"<strong>\1</strong>", coded)
