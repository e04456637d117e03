"""Declaring functions, and the one door through which they are called.

This is the public API for domains, ours and an operator's own (`hubify serve --functions FILE`):

    from hubify.functions import Domain, MutationCtx, QueryCtx, Row, index, unique

Invariant: what is exported here is documented, and changes only with a line in the changelog.
"""

from hubify.core.pages import Page, PageRequest
from hubify.core.search import is_held, search
from hubify.functions.context import ActionCtx, MutationCtx, QueryCtx
from hubify.functions.declare import Domain, build_registry
from hubify.functions.principal import Principal
from hubify.functions.route import API_V1, V1, Dialect, Route, delete, get, patch, post, put
from hubify.functions.schedule import Job
from hubify.functions.sealing import NOTHING, Sealed
from hubify.functions.spec import RateClass
from hubify.values.errors import (
    AppError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from hubify.values.ids import RowId
from hubify.values.rows import Query, Row, index, unique, words
from hubify.values.values import Int64

__all__ = [
    "API_V1", "NOTHING", "V1", "ActionCtx", "AppError", "Conflict", "Dialect", "Domain",
    "Forbidden", "Int64", "InvalidInput", "Job", "MutationCtx", "NotFound", "Page", "PageRequest",
    "PreconditionFailed", "Principal", "Query", "QueryCtx", "RateClass", "RateLimited", "Route",
    "Row", "RowId", "Sealed", "TooLarge", "Unauthenticated", "Unavailable", "build_registry",
    "delete", "get", "index", "is_held", "patch", "post", "put", "search", "unique", "words",
]  # fmt: skip
