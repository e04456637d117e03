"""`/docs`: every public function on one page of plain HTML, readable without scripts or a network.

Invariant: whatever comes from a declaration is escaped; the page loads nothing but its own style
and script.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple

from hubify import __version__
from hubify.functions.binding import Argument, camel
from hubify.functions.spec import FunctionSpec, Registry
from hubify.transports.rest.components import PAGE_PARAMETERS, PARAMETERS
from hubify.transports.rest.curl import curl
from hubify.transports.rest.dialects import spelled_refusal, status_of, style_of
from hubify.transports.rest.documentation import documentation_of, paragraphs
from hubify.transports.rest.endpoints import Endpoint
from hubify.transports.rest.openapi import (
    GENERAL,
    argument_schema,
    data_schema,
    is_required,
    refusals_of,
)
from hubify.transports.rest.schemas import Schema, Schemas
from hubify.transports.rest.type_words import bounds_html, type_html
from hubify.values.errors import AppError
from hubify.wire.styles import CLEAN, Style

INTRODUCTION = """
<p>Each function below can be called over REST where it has a route, over the Convex protocol by
its name, and every query can be subscribed to. <a href="/openapi.json">OpenAPI 3.1</a> and
<a href="/api/functions">the list of functions as JSON</a> say the same for programs.</p>
<p>Show a key as <code>Authorization: Bearer &lt;key&gt;</code>. Arguments are accepted in
snake_case and in camelCase. A write with an <code>Idempotency-Key</code> header happens once,
however often it is sent within 24 hours. The examples take <code>HUBIFY_URL</code> and
<code>HUBIFY_API_KEY</code> from the environment.</p>
"""


class Shown(NamedTuple):
    """A function as the page shows it: in the spelling of its first route, or of the protocol."""

    spec: FunctionSpec
    endpoints: list[Endpoint]

    @property
    def first(self) -> Endpoint | None:
        """The route whose spelling is shown."""
        return self.endpoints[0] if self.endpoints else None

    @property
    def style(self) -> Style:
        """How names are spelled."""
        return style_of(self.first.route.dialect) if self.first else CLEAN

    @property
    def name(self) -> str:
        """`things.getByName`."""
        return self.spec.path.replace(":", ".")

    def spelled(self, item: Argument) -> str:
        """An argument's name."""
        return self.first.arguments.shown[item.name] if self.first else camel(item.name)


def reference_page(registry: Registry, endpoints: Iterable[Endpoint]) -> bytes:
    """The whole page."""
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.spec.path, []).append(endpoint)
    modules: dict[str, list[Shown]] = {}
    for spec in registry:
        if not spec.internal:
            shown = Shown(spec, by_path.get(spec.path, []))
            modules.setdefault(spec.path.partition(":")[0], []).append(shown)
    schemas = Schemas()
    sections = [_section(name, each, schemas) for name, each in sorted(modules.items())]
    navigation = [_navigation(name, each) for name, each in sorted(modules.items())]
    return _page(
        "".join(navigation), _general_errors() + "".join(sections) + _types(schemas.components)
    )


def _page(navigation: str, content: str) -> bytes:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hubify functions</title>
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body>
<nav><h1>Hubify</h1><a href="#errors">Errors</a>
{navigation}<a href="#types">Types</a></nav>
<main>
<h1>Functions</h1>
<p class="soft">Version {escape(__version__)}</p>
{INTRODUCTION}{content}
</main>
</body>
</html>
""".encode()


def _navigation(module: str, shown: list[Shown]) -> str:
    links = "".join(
        f'<li><a href="#{escape(each.name)}">{escape(each.name.partition(".")[2])}</a></li>'
        for each in shown
    )
    summary = f'<summary><a href="#{escape(module)}">{escape(module)}</a></summary>'
    return f"<details open>{summary}<ul>{links}</ul></details>"


def _section(module: str, shown: list[Shown], schemas: Schemas) -> str:
    articles = "".join(_article(each, schemas) for each in shown)
    return f'<section><h2 id="{escape(module)}">{escape(module)}</h2>{articles}</section>'


def _article(shown: Shown, schemas: Schemas) -> str:
    about = documentation_of(shown.spec.doc)
    told = "".join(f"<p>{_prose(each)}</p>" for each in about.description.split("\n\n") if each)
    return (
        f'<article id="{escape(shown.name)}"><h3>{escape(shown.name)}</h3>{_tags(shown.spec)}'
        f"<p>{_prose(about.summary)}</p>{told}"
        f"{_routes(shown)}{_arguments(shown, schemas)}{_answer(shown, schemas)}"
        f"{_errors(shown)}{_call(shown, schemas)}</article>\n"
    )


def _prose(text: str) -> str:
    """Text with its `code` marked."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _tags(spec: FunctionSpec) -> str:
    who = "public" if spec.public else f"scope {spec.scope}"
    tags = [f'<span class="{spec.kind}">{spec.kind}</span>', f"<span>{escape(who)}</span>"]
    return f'<div class="tags">{"".join(tags)}</div>'


def _routes(shown: Shown) -> str:
    return "".join(
        f"<pre>{each.route.method} {escape(each.shown_path)}</pre>" for each in shown.endpoints
    )


def _arguments(shown: Shown, schemas: Schemas) -> str:
    rows = [
        (shown.spelled(item), *_taken(shown.first, item, schemas))
        for item in shown.spec.arguments
        if shown.first is None or item.name != shown.first.arguments.paged
    ]
    if shown.first is not None and shown.first.arguments.paged is not None:
        rows += [(name, PARAMETERS[name]["schema"], False) for name in PAGE_PARAMETERS]
    if not rows:
        return ""
    cells = "".join(_row(name, schema, required=required) for name, schema, required in rows)
    return f"<h4>Arguments</h4><table>{cells}</table>"


def _taken(endpoint: Endpoint | None, item: Argument, schemas: Schemas) -> tuple[Schema, bool]:
    """An argument's schema, and whether it must be sent."""
    if endpoint is None:
        return schemas.argument(item, CLEAN), item.required
    return argument_schema(endpoint, item, schemas), is_required(endpoint, item)


def _row(name: str, schema: Schema, *, required: bool) -> str:
    need = "required" if required else '<span class="soft">optional</span>'
    kind, bounds = type_html(schema), bounds_html(schema)
    return (
        f"<tr><th><code>{escape(name)}</code></th><td>{kind}</td>"
        f'<td>{need}</td><td class="soft">{bounds}</td></tr>'
    )


def _answer(shown: Shown, schemas: Schemas) -> str:
    if shown.first is None:
        schema = schemas.answer(shown.spec.returns, shown.style)
    else:
        schema = data_schema(shown.first, schemas)
    example = documentation_of(shown.spec.doc).example
    text = ""
    if example is not None and example.answer is not None:
        text = f"<pre>{escape(json.dumps(example.answer, indent=1, ensure_ascii=False))}</pre>"
    return f"<h4>Answer</h4><p>{type_html(schema)}</p>{text}"


def _errors(shown: Shown) -> str:
    """The refusals of this function in particular, or in words of its route's own."""
    rows = [
        _refusal(error, code)
        for error in refusals_of(shown.spec)
        if (code := _code(shown, error)) != error.code or error not in GENERAL
    ]
    return f"<h4>Errors</h4><table>{''.join(rows)}</table>" if rows else ""


def _refusal(error: type[AppError], code: str) -> str:
    told = _prose(paragraphs(error.__doc__ or "")[0])
    return (
        f"<tr><th><code>{escape(code)}</code></th><td>{status_of(error.kind)}</td>"
        f"<td>{told}</td></tr>"
    )


def _code(shown: Shown, error: type[AppError]) -> str:
    if shown.first is None:
        return error.code
    code, _ = spelled_refusal(error.code, "", shown.first.route.dialect)
    return code


def _general_errors() -> str:
    rows = "".join(_refusal(error, error.code) for error in GENERAL)
    return (
        '<section><h2 id="errors">Errors of any call</h2><p>A refusal is <code>{"error": {"code", '
        '"message"}}</code>: programs decide by the code, people read the sentence.</p>'
        f"<table>{rows}</table></section>"
    )


def _call(shown: Shown, schemas: Schemas) -> str:
    return f"<h4>Call it</h4><pre>{escape(curl(shown.spec, shown.first, schemas))}</pre>"


def _types(components: Mapping[str, Schema]) -> str:
    told = "".join(_type(name, schema) for name, schema in sorted(components.items()))
    return f'<section><h2 id="types">Types</h2>{told}</section>'


def _type(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    rows = "".join(
        _row(field, each, required=field in required)
        for field, each in schema.get("properties", {}).items()
    )
    table = f"<table>{rows}</table>" if rows else f"<p>{type_html(schema)}</p>"
    said = f"<p>{_prose(schema['description'])}</p>" if "description" in schema else ""
    return f'<article id="type-{escape(name)}"><h3>{escape(name)}</h3>{said}{table}</article>\n'
