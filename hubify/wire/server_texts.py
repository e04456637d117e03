"""The server's messages as text, spliced from results that are encoded already.

Invariant: every text is one JSON message that `sync_messages.decode_server_message` reads, and what
official clients stumble over is never in it: no null `errorData`, skew or time of sending, and
`logLines` always there (convex-protocol.md, rules 8 to 12).
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import msgspec

from hubify.wire.limits import CHUNK_BYTES
from hubify.wire.results import CallResult, LiveResult
from hubify.wire.timestamps import encode_ts

PING = b'{"type":"Ping"}'
CONTINUATION_BITS, CONTINUATION = (
    0xC0,
    0x80,
)  # the top bits of all bytes of a character but the first
json_text = msgspec.json.Encoder().encode


class Version(NamedTuple):
    """How far a client has been told; each transition leads from one to the next."""

    query_set: int
    identity: int
    ts: int


ZERO = Version(0, 0, 0)


def query_result(query_id: int, result: LiveResult) -> bytes:
    """The modification that tells a live query's new result."""
    kind = b"QueryFailed" if result.failed else b"QueryUpdated"
    return b'{"type":"%b","queryId":%d,%b}' % (kind, query_id, result.members)


def query_removed(query_id: int) -> bytes:
    """The modification that ends a live query."""
    return b'{"type":"QueryRemoved","queryId":%d}' % query_id


def transition(start: Version, end: Version, modifications: Sequence[bytes]) -> bytes:
    """A Transition of ready modifications."""
    return b'{"type":"Transition","startVersion":%b,"endVersion":%b,"modifications":[%b]}' % (
        _version(start),
        _version(end),
        b",".join(modifications),
    )


def mutation_response(request_id: int, result: CallResult, ts: int) -> bytes:
    """A MutationResponse; `ts` counts when the mutation succeeded."""
    tail = b'"ts":"%b"' % encode_ts(ts).encode() if result.ok else b'"ts":null'
    return b'{"type":"MutationResponse","requestId":%d,%b,%b}' % (
        request_id,
        _outcome(result),
        tail,
    )


def action_response(request_id: int, result: CallResult) -> bytes:
    """An ActionResponse."""
    return b'{"type":"ActionResponse","requestId":%d,%b}' % (request_id, _outcome(result))


def auth_error(error: str, identity: int, *, attempted: bool) -> bytes:
    """An AuthError. `attempted`: an Authenticate failed; else, a known identity has ended."""
    return b'{"type":"AuthError","error":%b,"baseVersion":%d,"authUpdateAttempted":%b}' % (
        json_text(error),
        identity,
        json_text(attempted),
    )


def fatal_error(error: str) -> bytes:
    """A FatalError, which ends a JavaScript client for good."""
    return b'{"type":"FatalError","error":%b}' % json_text(error)


def chunks(text: bytes, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The texts that carry one Transition: itself, or TransitionChunks of at most `size` bytes."""
    if len(text) <= size:
        yield text
        return
    cuts = list(_cuts(text, size))
    mark = blake2b(text, digest_size=8).hexdigest()
    for part, (start, end) in enumerate(pairwise(cuts)):
        yield (
            b'{"type":"TransitionChunk","chunk":%b,"partNumber":%d,"totalParts":%d,"transitionId":"%b"}'
            % (json_text(text[start:end].decode()), part, len(cuts) - 1, mark.encode())
        )


def _cuts(text: bytes, size: int) -> Iterator[int]:
    """Where to cut: at most `size` bytes apart and never within a character."""
    cut = 0
    while cut < len(text):
        yield cut
        cut = min(cut + size, len(text))
        while cut < len(text) and text[cut] & CONTINUATION_BITS == CONTINUATION:
            cut -= 1
    yield len(text)


def _outcome(result: CallResult) -> bytes:
    if result.ok:
        return b'"success":true,"result":%b,"logLines":[]' % result.value_json
    data = b"" if result.error_data_json is None else b',"errorData":' + result.error_data_json
    message = json_text(result.error_message)
    return b'"success":false,"result":%b,"logLines":[]%b' % (message, data)


def _version(version: Version) -> bytes:
    return b'{"querySet":%d,"identity":%d,"ts":"%b"}' % (
        version.query_set,
        version.identity,
        encode_ts(version.ts).encode(),
    )
