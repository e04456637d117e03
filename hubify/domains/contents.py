"""Contents: bytes kept once, under the digest of what they are.

Invariant: a digest stands for the same bytes for ever; equal bytes are stored once, whoever brings
them, and dropped only when no row holds the digest any more. There is no function to call from
outside: rows that hold a digest decide who may read it.
"""

import hashlib

from hubify.functions import Domain, MutationCtx, NotFound, QueryCtx, Row, index, unique
from hubify.functions.erasing import Erasers

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


@contents.table("doomed_contents", unique("digest"), index("is_sought", "digest"))
class Doomed(Row, frozen=True):
    """A content that a version which had it no longer has; `is_sought`: in the others, just now."""

    digest: str
    is_sought: bool = False


class ContentNotFound(NotFound):
    """Nothing is kept under that digest."""


def digest_of(data: bytes) -> str:
    """`sha256:<hex>` of some bytes, the spelling of checksums in skill manifests."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def put_content(ctx: MutationCtx, data: bytes) -> str:
    """Keep some bytes; answers their digest. Bytes that are kept already cost two reads."""
    digest = digest_of(data)
    spare(ctx, digest)
    if ctx.db.first(Content.where(digest=digest)) is not None:
        return digest
    starts = range(0, len(data), PART_BYTES)
    assert len(starts) <= MAX_PARTS, "contents are bounded where they come in"
    for part, start in enumerate(starts):
        if ctx.db.first(ContentPart.where(digest=digest, part=part)) is not None:
            continue  # left of bytes that were about to be dropped
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


# Contents that nobody may need any more.

MAX_DOOMED = 2_000
"""Doomed contents that are looked for at once."""
DROPPED_PARTS = 8
"""Parts that one job drops, of up to half a mebibyte each."""

erasers = Erasers()
erasers.nobody(Content, ContentPart, Doomed)


def doom(ctx: MutationCtx, digest: str) -> None:
    """Mark a content as one that nobody may need any more; whoever puts it again spares it."""
    known = ctx.db.first(Content.where(digest=digest))
    if known is not None and ctx.db.first(Doomed.where(digest=digest)) is None:
        ctx.db.insert(Doomed(digest=digest))


def spare(ctx: MutationCtx, digest: str) -> None:
    """Say that a content is needed."""
    found = ctx.db.first(Doomed.where(digest=digest))
    if found is not None:
        ctx.db.delete(found)


def doomed(ctx: QueryCtx, *, sought: bool) -> list[Doomed]:
    """Contents that are being looked for, or wait to be; `MAX_DOOMED` at most."""
    return ctx.db.take(Doomed.where(is_sought=sought).order_by("digest"), limit=MAX_DOOMED)


def seek_doomed(ctx: MutationCtx) -> bool:
    """Begin to look for the contents that wait; False when some are being looked for already."""
    if doomed(ctx, sought=True):
        return False
    for row in doomed(ctx, sought=False):
        ctx.db.replace(row, is_sought=True)
    return True


@contents.mutation(internal=True)
def drop_doomed(ctx: MutationCtx) -> None:
    """Drop the contents that were looked for and found nowhere; goes on in jobs."""
    left = DROPPED_PARTS
    for row in doomed(ctx, sought=True):
        known = ctx.db.first(Content.where(digest=row.digest))
        if known is not None:
            ctx.db.delete(known)
        parts = ContentPart.where(digest=row.digest).order_by("part")
        found = ctx.db.take(parts, limit=left)
        for part in found:
            ctx.db.delete(part)
        left -= len(found)
        if not left:
            ctx.schedule(drop_doomed)
            return
        ctx.db.delete(row)
