"""A log of which every prefix can be told from every other: what a crash left is known by sight.

Commit n makes row n, ends row n - KEPT, and counts to n in one row whose entry moves along. A batch
is marked at its last commit, so that half a batch is seen as well.
"""

from hubify.storage.engine import Commit, Engine, Entry, RowWrite, Version
from hubify.values.interval import EVERYTHING

KEPT = 20
TABLE = 1
COUNTER, FIRST_ROW = 1, 1000
BY_NUMBER, BY_COUNT = 1, 2


def value(number: int) -> bytes:
    """The bytes of row `number`; every eighth is bigger than a page."""
    return b"%d." % number * (4000 if number % 8 == 0 else 40)


def commit(number: int, *, end: bool) -> Commit:
    """The commit with this number, which is also its time."""
    key, before = (BY_COUNT, b"%08d" % number), (BY_COUNT, b"%08d" % (number - 1))
    counted = RowWrite(
        TABLE,
        COUNTER,
        b"%d" % (number - 1) if number > 1 else None,
        b"%d" % number,
        (before,) if number > 1 else (),
        (key,),
    )
    writes = [counted, row(number, there=True)]
    if number > KEPT:
        writes.append(row(number - KEPT, there=False))
    return Commit(number, "story", "end" if end else "", tuple(writes))


def row(number: int, *, there: bool) -> RowWrite:
    """The beginning or the end of row `number`."""
    entries = ((BY_NUMBER, b"%08d" % number), (BY_NUMBER, b"of-%d-%08d" % (number % 3, number)))
    if there:
        return RowWrite(TABLE, FIRST_ROW + number, None, value(number), (), entries)
    return RowWrite(TABLE, FIRST_ROW + number, value(number), None, entries, ())


def batch(after: int, size: int) -> list[Commit]:
    """The next commits after a head."""
    last = after + size
    return [commit(number, end=number == last) for number in range(after + 1, last + 1)]


def check_prefix(engine: Engine, *, back: int = 10**9) -> int:
    """Assert that the store holds whole batches of the story and nothing else; up to where.

    The past is looked at too, `back` commits from the end at most.
    """
    head = engine.head()
    log = engine.tail(0, head + 10)
    assert [commit.ts for commit in log] == list(range(1, head + 1))
    assert not log or log[-1].caller == "end"
    for at in {head, head - 1, head // 2, 0} & set(range(max(0, head - back), head + 1)):
        check_state(engine, at)
    if head:
        kept = range(max(1, head - KEPT + 1), head + 1)
        rows = [(FIRST_ROW + n, Version(n, value(n))) for n in kept]
        counter = (COUNTER, Version(head, b"%d" % head))
        assert engine.rows(TABLE, after=0, limit=100) == [counter, *rows]
    return head


def check_state(engine: Engine, at: int) -> None:
    """Assert that the store is, or was, as right after commit `at`."""
    if not at:
        assert engine.scan(BY_COUNT, EVERYTHING, limit=9, at=at) == []
        return
    counted = Version(at, b"%d" % at)
    assert engine.get(COUNTER, at) == counted
    entry = Entry(b"%08d" % at, COUNTER, *counted)
    assert engine.scan(BY_COUNT, EVERYTHING, limit=9, at=at) == [entry]
    kept = range(max(1, at - KEPT + 1), at + 1)
    found = engine.scan(BY_NUMBER, EVERYTHING, limit=len(kept), at=at)
    assert found == [Entry(b"%08d" % n, FIRST_ROW + n, n, value(n)) for n in kept]
    assert len(engine.scan(BY_NUMBER, EVERYTHING, limit=100, at=at)) == 2 * len(kept)
