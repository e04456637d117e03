"""A synchronous client: calls over Convex HTTP, live queries over a socket.

Invariant: a mutation that was sent again happened once: each carries an idempotency key, which the
retries of one call share.
"""

import time
from collections.abc import Callable, Generator, Mapping
from functools import partial
from random import SystemRandom
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from hubify.sdk import exchange
from hubify.sdk.errors import BAD_ANSWER, UNAVAILABLE, VALIDATION_ERROR, HubifyError
from hubify.sdk.exchange import Kind, Response
from hubify.sdk.patience import Patience
from hubify.values.values import Value
from hubify.wire.limits import MAX_JSON_BYTES

CONNECT_TIMEOUT_S = 5.0
TIMEOUT_S = 60.0
ACTION_TIMEOUT_S = 620.0  # the server ends an action after 600
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
Notice = Callable[[HubifyError, float], None]
Read = TypeVar("Read")


class Client:
    """A Hubify server at an address, as seen by the holder of a key (None: anonymous).

    Safe for several threads. Queries, mutations, and actions declared `idempotent` are tried again
    when the connection is lost or the server says to come back; before each wait `notice(error,
    seconds)` is called. `transport` and `sleep` are for tests.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        patience: Patience | None = None,
        notice: Notice | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = checked_url(url)
        self._key = key
        self._timeout_s = timeout_s
        self._patience = patience or Patience()
        self._notice = notice
        self._sleep = sleep
        self._random = SystemRandom()
        self._http = httpx.Client(
            base_url=self.url,
            headers=exchange.headers(key),
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            trust_env=urlsplit(self.url).hostname
            not in exchange.LOOPBACK,  # no proxy leads back here
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def query(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """What a query answers now.

        Raises:
            HubifyError: it was refused, or nothing answered.

        """
        return self._call(Kind.QUERY, path, arguments or {}, repeatable=True)

    def mutation(
        self,
        path: str,
        arguments: Mapping[str, object] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Value:
        """Do something once, however often the network makes it necessary to ask.

        A key of your own (kept by the server for 14 days) lets you repeat a call whose answer you
        never saw, even from another process; without one each call has a new one.

        Raises:
            HubifyError: it was refused and nothing happened; or nothing answered, then
                `details["idempotencyKey"]` is what to repeat it with.

        """
        key = idempotency_key or str(uuid4())
        named = {"idempotencyKey": key, **(arguments or {})}
        try:
            return self._call(Kind.MUTATION, path, named, repeatable=True)
        except HubifyError as error:
            if not error.untouched:
                error.details.setdefault("idempotencyKey", key)
            raise

    def action(
        self,
        path: str,
        arguments: Mapping[str, object] | None = None,
        *,
        idempotent: bool = False,
    ) -> Value:
        """Run an action; `idempotent` when doing it twice is the same as doing it once.

        Raises:
            HubifyError: it was refused, or nothing answered; parts of it may have happened.

        """
        return self._call(Kind.ACTION, path, arguments or {}, repeatable=idempotent)

    def subscribe(
        self, path: str, arguments: Mapping[str, object] | None = None
    ) -> Generator[Value]:
        """The results of a query, the present one first, then each new one as it comes to be.

        Every subscription has a connection of its own, which is made again when it is lost; closing
        the iterator closes it.

        Raises:
            HubifyError: while it is read: the query was refused, or the server stays away.

        """
        from hubify.sdk.live import watch  # noqa: PLC0415 - only who subscribes needs sockets
        from hubify.sdk.session import Session  # noqa: PLC0415 - the same

        session = Session(str(uuid4()), self._key, path, arguments or {})
        return watch(
            self.url, session, first=self._patience, wait=self._wait, chance=self._random.random
        )

    def functions(self) -> bytes:
        """What the server offers, as the JSON text of `GET /api/functions`.

        Raises:
            HubifyError: nothing answered, or no Hubify server.

        """
        request = self._http.build_request("GET", "/api/functions")
        return self._exchange(request, exchange.read_text, repeatable=True)

    def _call(
        self, kind: Kind, path: str, arguments: Mapping[str, object], *, repeatable: bool
    ) -> Value:
        body = exchange.request_body(path, arguments)
        limit = max(self._timeout_s, ACTION_TIMEOUT_S) if kind is Kind.ACTION else self._timeout_s
        timeout = httpx.Timeout(limit, connect=CONNECT_TIMEOUT_S)
        request = self._http.build_request("POST", f"/api/{kind}", content=body, timeout=timeout)
        return self._exchange(request, partial(exchange.read_answer, kind), repeatable=repeatable)

    def _exchange(
        self, request: httpx.Request, read: Callable[[Response], Read], *, repeatable: bool
    ) -> Read:
        """Send a request, again if that is right and may help, and read the response."""
        attempt = 0
        while True:
            try:
                return read(self._send(request))
            except HubifyError as error:
                wait_s = self._patience.wait_s(
                    error, attempt=attempt, repeatable=repeatable, chance=self._random.random()
                )
                if wait_s is None:
                    raise
                self._wait(error, wait_s)
            attempt += 1

    def _wait(self, error: HubifyError, seconds: float) -> None:
        if self._notice:
            self._notice(error, seconds)
        self._sleep(seconds)

    def _send(self, request: httpx.Request) -> Response:
        """Send once, and take in the whole response, within bounds of size and time."""
        timeout_s = request.extensions["timeout"]["read"]
        try:
            answered = self._http.send(request, stream=True)
            try:
                body = _bounded(answered, time.monotonic() + timeout_s)
            finally:
                answered.close()
        except httpx.TransportError as error:
            raise _no_answer(self.url, error) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"the answer of {self.url} cannot be read: {error}"
            raise HubifyError(BAD_ANSWER, message, untouched=False) from None
        return Response(answered.status_code, answered.headers.get("Retry-After"), body)


def checked_url(url: str) -> str:
    """An address without a trailing slash.

    Raises:
        HubifyError: it is not an http(s) address.

    """
    try:
        parts = urlsplit(url.strip())
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.strip().isprintable():
        message = f"{url[:100]!a} is not an address; it should look like 'http://127.0.0.1:3210'"
        raise HubifyError(VALIDATION_ERROR, message)
    return url.strip().rstrip("/")


def _bounded(answered: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    for part in answered.iter_bytes():
        body += part
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer came too slowly")
        if len(body) > MAX_JSON_BYTES:
            message = f"the answer is over {MAX_JSON_BYTES} bytes; ask for less at a time"
            raise HubifyError(BAD_ANSWER, message, untouched=False)
    return bytes(body)


def _no_answer(url: str, error: httpx.TransportError) -> HubifyError:
    untouched = isinstance(error, NOT_SENT)
    if untouched:
        message = f"nothing answers at {url}; is the server running there?"
    elif isinstance(error, httpx.TimeoutException):
        message = f"{url} took too long to answer"
    else:
        message = f"the connection to {url} was lost before it answered"
    return HubifyError(UNAVAILABLE, message, untouched=untouched)
