"""Which commits touch what was read: old and new keys, presence and absence."""

from hypothesis import given
from hypothesis import strategies as st

from hubify.core.reads import ReadSet
from hubify.core.subscriptions import Subscriptions, Token
from hubify.storage.engine import Commit, RowWrite
from hubify.values.interval import Interval

keys = st.binary(min_size=1, max_size=2)
entries = st.lists(st.tuples(st.integers(1, 2), keys), max_size=3).map(tuple)
writes = st.builds(
    RowWrite, st.just(9), st.integers(1, 5), st.just(b"old"), st.just(b"new"), entries, entries
)
commits = st.builds(
    Commit, st.just(1), st.just("f"), st.just("c"), st.lists(writes, max_size=3).map(tuple)
)
spans = st.tuples(st.integers(1, 2), keys, keys).map(
    lambda drawn: (drawn[0], Interval(min(drawn[1:]), max(drawn[1:])))
)


def read_set(rows: list[int], ranges: list[tuple[int, Interval]]) -> ReadSet:
    """A read set of these rows and ranges."""
    reads = ReadSet()
    for number in rows:
        reads.add_row(number)
    for index, span in ranges:
        reads.add_span(index, span)
    return reads


@given(st.lists(st.integers(1, 5)), st.lists(spans, max_size=4), commits)
def test_a_commit_overlaps_exactly_when_a_row_or_an_old_or_new_key_was_read(
    rows: list[int], ranges: list[tuple[int, Interval]], commit: Commit
) -> None:
    touched = any(
        write.id in rows
        or any(
            index == read and key in span
            for index, key in (*write.removed, *write.added)
            for read, span in ranges
        )
        for write in commit.writes
    )
    assert read_set(rows, ranges).overlaps(commit) == touched


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 5)), st.lists(spans, max_size=3)), max_size=6),
    commits,
)
def test_subscriptions_report_exactly_the_tokens_that_a_commit_overlaps(
    held: list[tuple[list[int], list[tuple[int, Interval]]]], commit: Commit
) -> None:
    subscriptions = Subscriptions()
    tokens = [Token(read_set(rows, ranges)) for rows, ranges in held]
    for token in tokens:
        subscriptions.add(token)
    expected = {token for token in tokens if token.reads.overlaps(commit)}
    assert subscriptions.publish([commit]) == expected
    assert subscriptions.publish([commit]) == set()
    assert len(subscriptions) == len(tokens) - len(expected)
    for token in tokens:
        subscriptions.drop(token)
    assert len(subscriptions) == 0
