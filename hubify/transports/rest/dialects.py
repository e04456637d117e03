"""How answers and refusals are spelled on a route: case, envelope, codes, statuses.

Invariant: a refusal is `{"error": {"code", "message"}}` in every dialect, and its status follows
from its kind alone (product.md, "Wire and shapes").
"""

import typing
from typing import NamedTuple, assert_never, cast

import msgspec

from hubify.functions import Page, Route
from hubify.functions.route import Case, Dialect
from hubify.values import limits
from hubify.values.errors import AppError, Kind, TooLarge
from hubify.wire.styles import CAMEL, SNAKE, Plain, Style, camel_case, plain

to_json = msgspec.json.Encoder().encode


class Meta(NamedTuple):
    """What an envelope says beside the data; `timestamp` as ISO 8601 in UTC."""

    timestamp: str
    request_id: str


class RouteAnswers:
    """How what one function answers is spelled on one route."""

    def __init__(self, returns: object, route: Route) -> None:
        self.style = style_of(route.dialect)
        self._enveloped = route.dialect.enveloped
        self._fields = tuple(_spelled(field, self.style) for field in route.fields)
        self.paged = (typing.get_origin(returns) or returns) is Page
        """Whether the answer is a page: a list here, and beside it where the next one begins."""
        self.item = typing.get_args(returns)[0] if self.paged else returns
        """The type of the answer, or of what its pages hold."""

    def body(self, value: object, meta: Meta) -> bytes:
        """The JSON text of an answer.

        Raises:
            TooLarge: it is over the limit of one answer.

        """
        if self.paged:
            text = self._page(cast("Page[object]", value), meta)
        elif self._enveloped:
            text = b'{"data":%b,"meta":%b}' % (to_json(self._data(value)), _meta(meta))
        else:
            text = to_json(self._data(value))
        if len(text) > limits.MAX_ANSWER_BYTES:
            message = f"the answer is over {limits.MAX_ANSWER_BYTES} bytes; ask for less at a time"
            raise TooLarge(message)
        return text

    def _data(self, value: object) -> Plain:
        spelled = plain(value, self.style)
        if self._fields and isinstance(spelled, dict):
            return {field: spelled[field] for field in self._fields if field in spelled}
        return spelled

    def _page(self, page: Page[object], meta: Meta) -> bytes:
        items = to_json([self._data(item) for item in page.page])
        cursor = to_json(None if page.is_done else page.continue_cursor)
        more = b"false" if page.is_done else b"true"
        if self._enveloped:
            tail = b',"next_cursor":%b,"has_more":%b}' % (cursor, more)
            return b'{"data":%b,"meta":%b%b}' % (items, _meta(meta)[:-1], tail)
        return b'{"items":%b,"nextCursor":%b,"hasMore":%b}' % (items, cursor, more)


def style_of(dialect: Dialect) -> Style:
    """How the dialect spells values."""
    return CAMEL if dialect.case is Case.CAMEL else SNAKE


def refusal(error: AppError, dialect: Dialect) -> bytes:
    """The JSON text of a refusal."""
    code, message = spelled_refusal(error.code, error.message, dialect)
    return error_body(code, message)


def spelled_refusal(code: str, message: str, dialect: Dialect) -> tuple[str, str]:
    """A code and its sentence as the dialect's page has them.

    `Dialect.codes` leads from our code to the page's; `Dialect.messages` goes by either.
    """
    shown = dialect.codes.get(code, code)
    return shown, dialect.messages.get(code) or dialect.messages.get(shown) or message


def error_body(code: str, message: str) -> bytes:
    """`{"error": {"code", "message"}}`."""
    return to_json({"error": {"code": code, "message": message}})


def status_of(kind: Kind) -> int:  # noqa: C901 - one case a kind, and none forgotten
    """The HTTP status of a kind of refusal."""
    match kind:
        case Kind.INVALID:
            return 400
        case Kind.UNAUTHENTICATED:
            return 401
        case Kind.FORBIDDEN:
            return 403
        case Kind.NOT_FOUND:
            return 404
        case Kind.CONFLICT:
            return 409
        case Kind.PRECONDITION_FAILED:
            return 412
        case Kind.TOO_LARGE:
            return 413
        case Kind.RATE_LIMITED:
            return 429
        case Kind.INTERNAL:
            return 500
        case Kind.UNAVAILABLE:
            return 503
        case _:
            assert_never(kind)


def _spelled(field: str, style: Style) -> str:
    return camel_case(field) if style.camel else field


def _meta(meta: Meta) -> bytes:
    # Both are made here, of characters that JSON writes as they are.
    return b'{"timestamp":"%b","request_id":"%b"}' % (
        meta.timestamp.encode(),
        meta.request_id.encode(),
    )
