"""Contents: bytes kept once per digest, in parts, and given back as they were."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.contents import (
    PART_BYTES,
    Content,
    ContentNotFound,
    ContentPart,
    contents,
    digest_of,
    doom,
    drop_doomed,
    get_content,
    put_content,
    seek_doomed,
    spare,
)
from hubify.domains.system import system
from hubify.functions import Domain, MutationCtx, QueryCtx
from hubify.testing.backend import InMemoryBackend

probe = Domain("probe")


@probe.mutation(internal=True)
def put(ctx: MutationCtx, *, data: bytes) -> str:
    """Keep some bytes."""
    return put_content(ctx, data)


@probe.query(internal=True, errors=(ContentNotFound,))
def fetch(ctx: QueryCtx, *, digest: str) -> bytes:
    """Give kept bytes back."""
    return get_content(ctx, digest)


@probe.query(internal=True)
def counted(ctx: QueryCtx) -> int:
    """How many contents, and parts of them, are kept."""
    rows = ctx.db.take(Content.where().order_by("digest"), limit=100)
    return sum(
        len(ctx.db.take(ContentPart.where(digest=row.digest), limit=100)) + 1 for row in rows
    )


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([contents, probe])


@given(data=st.binary(max_size=2_000))
def test_bytes_come_back_as_they_were(data: bytes) -> None:
    backend = InMemoryBackend([contents, probe])
    digest = backend.mutation("probe:put", {"data": data})
    assert digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert backend.query("probe:fetch", {"digest": digest}) == data


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7])
def test_long_contents_are_kept_in_parts(backend: InMemoryBackend, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    digest = backend.mutation("probe:put", {"data": data})
    assert backend.query("probe:fetch", {"digest": digest}) == data
    assert backend.query("probe:counted") == 1 + -(-size // PART_BYTES)


def test_equal_bytes_are_kept_once(backend: InMemoryBackend) -> None:
    backend.mutation("probe:put", {"data": b"same"})
    head = backend.head()
    backend.mutation("probe:put", {"data": b"same"})
    assert backend.head() == head


def test_an_unknown_digest_is_not_found(backend: InMemoryBackend) -> None:
    with pytest.raises(ContentNotFound):
        backend.query("probe:fetch", {"digest": digest_of(b"never seen")})


@probe.mutation(internal=True)
def seek(ctx: MutationCtx, *, digests: list[str]) -> bool:
    """Begin to look for contents that nobody may need."""
    for digest in digests:
        doom(ctx, digest)
    return seek_doomed(ctx)


@probe.mutation(internal=True)
def keep(ctx: MutationCtx, *, digest: str) -> None:
    """Somebody needs it."""
    spare(ctx, digest)


@probe.mutation(internal=True)
def drop(ctx: MutationCtx) -> None:
    """One round of dropping."""
    drop_doomed(ctx)


def test_doomed_contents_go_unless_they_are_spared_or_put_again() -> None:
    backend = InMemoryBackend([contents, system, probe])
    big = bytes(9 * PART_BYTES)  # more than one job drops
    digests = [backend.mutation("probe:put", {"data": data}) for data in (b"a", b"b", b"c", big)]
    assert backend.mutation("probe:seek", {"digests": digests})
    assert not backend.mutation("probe:seek", {"digests": digests})
    backend.mutation("probe:keep", {"digest": digests[0]})
    backend.mutation("probe:put", {"data": b"b"})
    backend.mutation("probe:drop")
    backend.run_due()
    for digest, data in zip(digests[:2], (b"a", b"b"), strict=True):
        assert backend.query("probe:fetch", {"digest": digest}) == data
    for digest in digests[2:]:
        with pytest.raises(ContentNotFound):
            backend.query("probe:fetch", {"digest": digest})


def test_bytes_that_are_put_while_they_are_dropped_are_whole() -> None:
    backend = InMemoryBackend([contents, system, probe])
    big = bytes(range(256)) * (9 * PART_BYTES // 256)
    digest = backend.mutation("probe:put", {"data": big})
    backend.mutation("probe:seek", {"digests": [digest]})
    backend.mutation("probe:drop")
    backend.mutation("probe:put", {"data": big})
    backend.run_due()
    assert backend.query("probe:fetch", {"digest": digest}) == big
