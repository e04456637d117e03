"""Contents: bytes kept once, under the digest of what they are.

Invariant: a digest stands for the same bytes for ever; equal bytes are stored once, whoever brings
them. There is no function to call from outside: rows that hold a digest decide who may read it.
"""

import hashlib

from hubify.functions import Domain, MutationCtx, NotFound, QueryCtx, Row, unique

contents = Domain("contents")

PART_BYTES = 512 * 1024
"""Bytes in one part: a row holds one mebibyte at most."""
MAX_PARTS = 64
"""Parts of one content; what comes in is bounded below this by `formats`."""


@contents.table("contents", unique("digest"))
class Content(Row, frozen=True):
    """Some bytes that are kept: their digest, how many they are, in how many parts."""

    digest: str
    size: int
    parts: int


@contents.table("content_parts", unique("digest", "part"))
class ContentPart(Row, frozen=True):
    """One part of a content; parts count from 0 and are `PART_BYTES` long but for the last."""

    digest: str
    part: int
    data: bytes


class ContentNotFound(NotFound):
    """Nothing is kept under that digest."""


def digest_of(data: bytes) -> str:
    """`sha256:<hex>` of some bytes, the spelling of checksums in skill manifests."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def put_content(ctx: MutationCtx, data: bytes) -> str:
    """Keep some bytes; answers their digest. Bytes that are kept already cost one read."""
    digest = digest_of(data)
    if ctx.db.first(Content.where(digest=digest)) is not None:
        return digest
    starts = range(0, len(data), PART_BYTES)
    assert len(starts) <= MAX_PARTS, "contents are bounded where they come in"
    for part, start in enumerate(starts):
        ctx.db.insert(ContentPart(digest=digest, part=part, data=data[start : start + PART_BYTES]))
    ctx.db.insert(Content(digest=digest, size=len(data), parts=len(starts)))
    return digest


def get_content(ctx: QueryCtx, digest: str) -> bytes:
    """The bytes under a digest.

    Raises:
        ContentNotFound: nothing is kept under it.

    """
    known = ctx.db.one(Content.where(digest=digest), missing=missing(digest))
    if known.parts == 0:
        return b""
    parts = ctx.db.take(ContentPart.where(digest=digest).order_by("part"), limit=known.parts)
    return b"".join(part.data for part in parts)


def missing(digest: str) -> ContentNotFound:
    """The refusal that names a digest under which nothing is kept."""
    return ContentNotFound(f"nothing is kept under '{digest[:80]}'")
