"""What all operations of the OpenAPI description share: envelopes, errors, headers, credentials.

Invariant: what is said here of a header or an envelope is what the handler sends.
"""

from typing import Any

from hubify.transports.rest.arguments import MAX_PAGE
from hubify.values import limits

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}

META: Schema = {
    "timestamp": {"type": "string", "format": "date-time"},
    "request_id": {"type": "string"},
}
PAGE_META: Schema = {
    "next_cursor": {
        "type": ["string", "null"],
        "description": "Give it as `cursor` to get the next page; null on the last one.",
    },
    "has_more": {"type": "boolean"},
}
EXAMPLE_META: Schema = {"timestamp": "2026-01-01T00:00:00Z", "request_id": "req_0123456789abcdef"}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "Stable; programs decide by it."},
        "message": {"type": "string", "description": "For people: what is wrong and what to do."},
    },
    "required": ["code", "message"],
}
COMMON_SCHEMAS: Schema = {
    "Error": {"type": "object", "properties": {"error": ERROR}, "required": ["error"]},
    "Meta": {"type": "object", "properties": META, "required": [*META]},
    "PageMeta": {
        "type": "object",
        "properties": {**META, **PAGE_META},
        "required": [*META, *PAGE_META],
    },
}

PAGE_PARAMETERS = ("limit", "cursor")
PARAMETERS: Schema = {
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "How many to answer at most.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_PAGE,
            "default": limits.DEFAULT_PAGE_ROWS,
        },
    },
    "cursor": {
        "name": "cursor",
        "in": "query",
        "description": "Where to go on: the `next_cursor` of the page before.",
        "schema": {"type": "string"},
    },
    "idempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "A text of your own for this one write, kept for 24 hours: sent again with the same "
            "arguments, the write is not done again and its answer is repeated."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}

LIMIT_HEADERS = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit-Policy",
    "RateLimit",
)
REFUSAL_HEADERS = {
    401: ("X-Request-Id", "WWW-Authenticate"),
    429: ("X-Request-Id", "Retry-After", *LIMIT_HEADERS),
    503: ("X-Request-Id", "Retry-After"),
}
HEADERS: Schema = {
    "X-Request-Id": {
        "description": "The request's name in our log: yours if you sent one, else a new one.",
        "schema": TEXT,
    },
    "X-RateLimit-Limit": {"description": "Calls of this class in a window.", "schema": COUNT},
    "X-RateLimit-Remaining": {"description": "Calls left in this window.", "schema": COUNT},
    "X-RateLimit-Reset": {
        "description": "When the window ends, in seconds since 1970.",
        "schema": COUNT,
    },
    "RateLimit-Policy": {
        "description": 'The class\'s quota and window in seconds: `"query";q=100;w=60`.',
        "schema": TEXT,
    },
    "RateLimit": {
        "description": 'What is left and for how many seconds: `"query";r=99;t=30`.',
        "schema": TEXT,
    },
    "Retry-After": {"description": "In how many seconds to try again.", "schema": COUNT},
    "WWW-Authenticate": {"description": "How to show a credential.", "schema": TEXT},
}

SECURITY: Schema = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`hk_live_...`) or a session token (`hs_...`).",
    },
}


def header(name: str) -> Schema:
    """A reference to a shared header."""
    return {"$ref": f"#/components/headers/{name}"}


def parameter(name: str) -> Schema:
    """A reference to a shared parameter."""
    return {"$ref": f"#/components/parameters/{name}"}
