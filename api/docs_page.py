"""/docs: the OpenAPI document as one plain page. The usual viewers load scripts from elsewhere, which no page here may."""

from __future__ import annotations

import json
from html import escape
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")


def render_docs(openapi: dict[str, Any]) -> str:
    info = openapi["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f'<title>{escape(info["title"])} API</title><link rel="stylesheet" href="/docs.css"></head><body><main>',
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info.get('summary', ''))}</p>",
        '<p>The same for programs: <a href="/openapi.json">/openapi.json</a>. Errors are problem+json (RFC 9457).</p>',
    ]
    for path, item in openapi["paths"].items():
        parts += [_operation(path, method, item[method]) for method in _METHODS if method in item]
    parts.append("<h2>Schemas</h2>")
    parts += [_details(name, _json(schema), f"schema-{name}") for name, schema in openapi["components"]["schemas"].items()]
    return "".join([*parts, "</main></body></html>"])


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(p['name'])}</code></td><td>{escape(p['in'])}{', required' if p.get('required') else ''}</td><td>{escape(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", ())
    ]
    table = f"<table><thead><tr><th>Parameter</th><th>In</th><th></th></tr></thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""
    body = operation.get("requestBody", {}).get("content", {})
    answers = "".join(f"<li><code>{escape(code)}</code> {escape(answer.get('description', ''))}</li>" for code, answer in operation["responses"].items())
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>"
        f"{table}{''.join(_details(f'Body: {kind}', _json(content)) for kind, content in body.items())}<ul>{answers}</ul></section>"
    )


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=1, ensure_ascii=False))}</pre>"


def _details(title: str, content: str, anchor: str = "") -> str:
    return f"<details{f' id={chr(34)}{escape(anchor)}{chr(34)}' if anchor else ''}><summary>{escape(title)}</summary>{content}</details>"
