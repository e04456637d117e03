"""What every storage engine must do, as one suite of tests that each engine inherits unchanged.

A subclass says how to make a store (`new_store`) and nothing else. Faults of one engine's world (a
full disk, a killed process) are tested beside that engine.

Invariant: no engine is excused: there are no skips here and nothing to override but `new_store`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from hubify.storage.engine import (
    Commit,
    Engine,
    Entry,
    HeadMoved,
    RowWrite,
    StorageFailed,
    Traces,
    Version,
)
from hubify.testing.engine_machine import EngineMachine, TestedStore
from hubify.values.interval import EVERYTHING, Interval, point_interval, prefix_interval
from hubify.values.limits import MIB

INDEX, OTHER_INDEX = 7, 8
TABLE, OTHER_TABLE = 1, 2
ROW, OTHER_ROW = 10, 11


def commit(ts: int, *writes: RowWrite) -> Commit:
    """A commit at a time."""
    return Commit(ts, "skills.rate", "agent:a", writes)


def insert(number: int, value: bytes, *keys: bytes, table: int = TABLE) -> RowWrite:
    """A new row with these keys in one index."""
    return RowWrite(table, number, None, value, (), tuple((INDEX, key) for key in keys))


def delete(number: int, value: bytes, *keys: bytes, table: int = TABLE) -> RowWrite:
    """The end of a row that has these keys."""
    return RowWrite(table, number, value, None, tuple((INDEX, key) for key in keys), ())


def update(number: int, before: bytes, after: bytes) -> RowWrite:
    """Other bytes in a row whose keys stay."""
    return RowWrite(TABLE, number, before, after, (), ())


def seal(engine: Engine, *commits: Commit) -> None:
    """Append at the head and seal at once."""
    engine.append(engine.head(), commits)()


def keys(entries: list[Entry]) -> list[bytes]:
    """Only the keys."""
    return [entry.key for entry in entries]


def scan(engine: Engine, span: Interval = EVERYTHING, at: int | None = None) -> list[Entry]:
    """A range of the one index, up to a thousand entries."""
    return engine.scan(INDEX, span, limit=1000, at=at)


class EngineContract:
    """Inherit, name the class `Test...`, and say how to make a store."""

    def new_store(self) -> AbstractContextManager[TestedStore]:
        """An empty store of its own for one test, gone at the end of the `with`."""
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> Iterator[TestedStore]:
        """An empty store."""
        with self.new_store() as store:
            yield store

    @pytest.fixture
    def engine(self, store: TestedStore) -> Iterator[Engine]:
        """One handle on the store."""
        engine = store.open()
        yield engine
        engine.close()

    @pytest.fixture
    def other(self, store: TestedStore) -> Iterator[Engine]:
        """Another handle on the store, as another process would have it."""
        other = store.open()
        yield other
        other.close()

    # What stands.

    def test_an_empty_store_holds_nothing(self, engine: Engine) -> None:
        """A new store has no head, rows, entries or log."""
        assert engine.head() == 0
        assert engine.get(ROW) is None
        assert engine.get(ROW, at=0) is None
        assert scan(engine) == []
        assert scan(engine, at=0) == []
        assert engine.rows(TABLE, after=0, limit=10) == []
        assert engine.tail(0, 10) == []
        assert engine.prune(10, 10) == 0

    def test_every_handle_sees_a_sealed_batch(self, engine: Engine, other: Engine) -> None:
        """What one process sealed, all processes have."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")), commit(6, update(ROW, b"x", b"y")))
        for handle in (engine, other):
            assert handle.head() == 6
            assert handle.get(ROW) == Version(6, b"y")
            assert scan(handle) == [Entry(b"k", ROW, 6, b"y")]
            assert [c.ts for c in handle.tail(0, 10)] == [5, 6]

    def test_nothing_of_a_staged_batch_is_seen_before_its_seal(
        self, engine: Engine, other: Engine
    ) -> None:
        """Neither the process that stages it nor another sees any of it."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")))
        sealing = engine.append(
            5, [commit(6, update(ROW, b"x", b"y"), insert(OTHER_ROW, b"z", b"l"))]
        )
        for handle in (engine, other):
            assert handle.head() == 5
            assert handle.get(ROW) == handle.get(ROW, at=9) == Version(5, b"x")
            assert handle.get(OTHER_ROW) is None
            assert scan(handle) == scan(handle, at=9) == [Entry(b"k", ROW, 5, b"x")]
            assert handle.tail(5, 10) == []
        sealing()
        assert keys(scan(engine)) == keys(scan(other)) == [b"k", b"l"]

    def test_keys_are_in_the_order_of_their_bytes(self, engine: Engine) -> None:
        """Unsigned, byte by byte, a prefix first."""
        ordered = [b"", b"\x00", b"\x00\x00", b"\x01", b"a", b"a\x00", b"ab", b"\x80", b"\xfe\xff"]
        writes = [insert(number, b"", key) for number, key in enumerate(reversed(ordered), 1)]
        seal(engine, commit(5, *writes))
        everything = Interval(b"", b"\xff\xff")
        assert keys(scan(engine, everything)) == ordered
        backwards = engine.scan(INDEX, everything, limit=1000, reverse=True)
        assert keys(backwards) == ordered[::-1]

    def test_a_range_holds_its_start_and_not_its_end(self, engine: Engine) -> None:
        """Ranges are half open, and of one index only."""
        seal(engine, commit(5, insert(ROW, b"", b"a", b"a\x00", b"b", b"c")))
        seal(engine, commit(6, RowWrite(TABLE, OTHER_ROW, None, b"", (), ((OTHER_INDEX, b"b"),))))
        assert keys(scan(engine, Interval(b"a\x00", b"c"))) == [b"a\x00", b"b"]
        assert keys(scan(engine, point_interval(b"a"))) == [b"a"]
        assert keys(scan(engine, prefix_interval(b"a"))) == [b"a", b"a\x00"]
        assert scan(engine, Interval(b"c", b"a")) == []
        assert keys(engine.scan(OTHER_INDEX, EVERYTHING, limit=9)) == [b"b"]
        assert engine.scan(INDEX + OTHER_INDEX, EVERYTHING, limit=9) == []

    def test_a_limit_takes_from_the_side_the_order_begins(self, engine: Engine) -> None:
        """The first entries forwards, the last backwards, now and in the past."""
        seal(engine, commit(5, insert(ROW, b"", b"a", b"b", b"c")))
        seal(engine, commit(6, insert(OTHER_ROW, b"", b"d")))
        for at, last in ((None, b"d"), (6, b"d"), (5, b"c")):
            found = engine.scan(INDEX, EVERYTHING, limit=2, at=at)
            assert keys(found) == [b"a", b"b"]
            found = engine.scan(INDEX, EVERYTHING, limit=1, reverse=True, at=at)
            assert keys(found) == [last]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_below_one_answers_nothing(self, engine: Engine, limit: int) -> None:
        """No limit means "all"."""
        seal(engine, commit(5, insert(ROW, b"", b"a")))
        seal(engine, commit(6, delete(ROW, b"", b"a")))
        assert engine.scan(INDEX, EVERYTHING, limit=limit) == []
        assert engine.scan(INDEX, EVERYTHING, limit=limit, at=5) == []
        assert engine.rows(TABLE, after=0, limit=limit) == []
        assert engine.tail(0, limit) == []
        assert engine.prune(6, limit) == 0
        assert engine.prune(6, 100) == 2

    def test_a_number_that_no_row_can_have_is_absent(self, engine: Engine) -> None:
        """Numbers come out of ids that clients send."""
        for number in (-1, 2**63, 2**64 - 1, 2**200):
            assert engine.get(number) is None
            assert engine.get(number, at=5) is None

    def test_rows_are_listed_by_table_in_order_of_number(self, engine: Engine) -> None:
        """Page after page, one table only."""
        writes = [insert(number, b"%d" % number) for number in (3, 1, 2**62, 2)]
        seal(engine, commit(5, *writes, insert(9, b"", table=OTHER_TABLE)))
        page = engine.rows(TABLE, after=0, limit=3)
        assert page == [(number, Version(5, b"%d" % number)) for number in (1, 2, 3)]
        assert engine.rows(TABLE, after=3, limit=3) == [(2**62, Version(5, b"%d" % 2**62))]
        assert engine.rows(TABLE, after=2**62, limit=3) == []
        seal(engine, commit(6, delete(9, b"", table=OTHER_TABLE)))
        assert engine.rows(OTHER_TABLE, after=0, limit=3) == []

    def test_the_log_keeps_who_and_which_but_no_bytes(self, engine: Engine) -> None:
        """A commit comes back as it went in, less the bytes of its rows."""
        write = RowWrite(TABLE, ROW, None, b"secret", (), ((INDEX, b"\x00\xff"), (2, b"")))
        seal(engine, Commit(5, "skills.créer", "", (write,)), commit(7), commit(9))
        kept = RowWrite(TABLE, ROW, None, None, (), ((INDEX, b"\x00\xff"), (2, b"")))
        assert engine.tail(0, 2) == [Commit(5, "skills.créer", "", (kept,)), commit(7)]
        assert engine.tail(5, 2) == engine.tail(6, 2) == [commit(7), commit(9)]
        assert engine.tail(9, 2) == []

    def test_big_values_and_many_entries(self, store: TestedStore, engine: Engine) -> None:
        """A mebibyte in one row and ten thousand entries in one commit, also after a crash."""
        big, many = bytes(range(256)) * (MIB // 256), 10_000
        entries = tuple((INDEX, number.to_bytes(8, "big")) for number in range(many))
        seal(engine, commit(5, RowWrite(TABLE, ROW, None, big, (), entries)))
        seal(engine, commit(6, update(ROW, big, big[::-1])))
        store.crash()
        engine = store.open()
        assert engine.get(ROW) == Version(6, big[::-1])
        assert engine.get(ROW, at=5) == Version(5, big)
        seal(engine, commit(7, RowWrite(TABLE, ROW, big[::-1], b"", entries, ())))
        assert scan(engine) == []
        (last,) = engine.scan(INDEX, EVERYTHING, limit=1, reverse=True, at=6)
        assert last.key == (many - 1).to_bytes(8, "big")
        assert len(last.value) == MIB
        engine.close()

    # What stood.

    def test_every_state_that_ever_was_can_be_read(self, engine: Engine) -> None:
        """A row is made, changed, ended and made again under the same number and key."""
        seal(engine, commit(10, insert(ROW, b"1", b"k")))
        seal(engine, commit(20, update(ROW, b"1", b"2")), commit(30, delete(ROW, b"2", b"k")))
        seal(engine, commit(40, insert(ROW, b"3", b"k")))
        stood = {
            0: None,
            9: None,
            10: Version(10, b"1"),
            19: Version(10, b"1"),
            20: Version(20, b"2"),
            30: None,
            39: None,
            40: Version(40, b"3"),
            10**30: Version(40, b"3"),
        }
        for at, version in stood.items():
            assert engine.get(ROW, at) == version
            assert scan(engine, at=at) == ([Entry(b"k", ROW, *version)] if version else [])

    def test_an_entry_moves_between_rows_in_one_commit(self, engine: Engine) -> None:
        """Whichever row is written first, the key ends where it was added."""
        for ts, giver, taker in ((10, ROW, OTHER_ROW), (20, OTHER_ROW, ROW)):
            if ts == 10:
                seal(engine, commit(9, insert(ROW, b"", b"k"), insert(OTHER_ROW, b"")))
            gives = RowWrite(TABLE, giver, b"", b"", ((INDEX, b"k"),), ())
            takes = RowWrite(TABLE, taker, b"", b"", (), ((INDEX, b"k"),))
            seal(engine, commit(ts, gives, takes) if ts == 10 else commit(ts, takes, gives))
            assert [entry.id for entry in scan(engine)] == [taker]
            assert [entry.id for entry in scan(engine, at=ts - 1)] == [giver]

    def test_a_write_of_the_same_bytes_changes_entries_only(self, engine: Engine) -> None:
        """That is how a new index is built over old rows."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")))
        seal(engine, commit(6, RowWrite(TABLE, ROW, b"x", b"x", (), ((OTHER_INDEX, b"n"),))))
        assert engine.scan(OTHER_INDEX, EVERYTHING, limit=9) == [Entry(b"n", ROW, 5, b"x")]
        assert engine.get(ROW) == Version(5, b"x")
        assert engine.scan(OTHER_INDEX, EVERYTHING, limit=9, at=5) == []

    def test_prune_drops_what_ended_and_nothing_that_stands(self, engine: Engine) -> None:
        """By the piece, rows' versions and entries' alike, oldest times only; the log stays."""
        seal(engine, commit(10, insert(ROW, b"1", b"k")), commit(20, update(ROW, b"1", b"2")))
        seal(engine, commit(30, delete(ROW, b"2", b"k")), commit(40, insert(ROW, b"3", b"k")))
        seal(engine, commit(50, update(ROW, b"3", b"4")))
        assert engine.prune(19, 100) == 0
        assert engine.prune(30, 2) == 2
        assert engine.prune(30, 2) == 1
        assert engine.prune(30, 2) == 0
        assert scan(engine, at=30) == []
        assert scan(engine, at=40) == [Entry(b"k", ROW, 40, b"3")]
        assert engine.get(ROW) == Version(50, b"4")
        assert len(engine.tail(0, 100)) == 5

    def test_prune_waits_while_a_batch_is_staged(self, engine: Engine) -> None:
        """It answers 0 and the caller comes back; the batch is unharmed."""
        seal(engine, commit(10, insert(ROW, b"1")), commit(20, update(ROW, b"1", b"2")))
        sealing = engine.append(20, [commit(30, update(ROW, b"2", b"3"))])
        assert engine.prune(20, 100) == 0
        sealing()
        assert engine.prune(20, 100) == 1
        assert engine.get(ROW) == Version(30, b"3")

    # What is erased.

    def test_erased_traces_leave_the_log_and_nothing_else(
        self, engine: Engine, other: Engine
    ) -> None:
        """Keys of a row, keys that hold a name, and a caller go; what stands is as it was."""
        seal(engine, commit(5, insert(ROW, b"x", b"k"), insert(OTHER_ROW, b"y", b"al-1", b"bo-1")))
        seal(engine, Commit(6, "f", "key:7", (delete(OTHER_ROW, b"y", b"al-1", b"bo-1"),)))
        before = scan(engine)
        traces = Traces({ROW}, (b"al", b"-"), {"key:7"})
        assert engine.erase(traces, after=0, until=6, limit=10) == 6
        bare = [RowWrite(TABLE, ROW, None, None, (), ())]
        left = ((INDEX, b"bo-1"),)
        assert other.tail(0, 10) == [
            commit(5, *bare, RowWrite(TABLE, OTHER_ROW, None, None, (), left)),
            Commit(6, "f", "erased", (RowWrite(TABLE, OTHER_ROW, None, None, left, ()),)),
        ]
        assert scan(engine) == scan(other) == before
        assert engine.get(ROW) == Version(5, b"x")

    def test_an_erasure_goes_on_where_it_stopped(self, engine: Engine) -> None:
        """By the piece, up to a time and no further; again it changes nothing."""
        seal(engine, *(commit(ts, insert(ts, b"", b"k%d" % ts)) for ts in range(1, 8)))
        traces = Traces(set(range(1, 8)))
        places = [0]
        while places[-1] < 6:
            places.append(engine.erase(traces, after=places[-1], until=6, limit=2))
        assert places == [0, 2, 4, 6]
        for _again in range(2):
            keys_left = [write.added for c in engine.tail(0, 10) for write in c.writes]
            assert keys_left == [()] * 6 + [((INDEX, b"k7"),)]
            assert engine.erase(traces, after=0, until=6, limit=100) == 6

    def test_an_erasure_waits_while_a_batch_is_staged(self, engine: Engine) -> None:
        """It answers where it stands and the caller comes back; the batch is unharmed."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")))
        sealing = engine.append(5, [commit(6, update(ROW, b"x", b"y"))])
        assert engine.erase(Traces({ROW}), after=0, until=5, limit=9) == 0
        assert engine.shred(0) is False
        sealing()
        assert engine.erase(Traces({ROW}), after=0, until=5, limit=9) == 5
        assert engine.shred(0) is True
        assert engine.get(ROW, at=5) == Version(5, b"x")

    def test_nothing_is_shredded_that_prune_has_not_dropped(self, engine: Engine) -> None:
        """It says so, and afterwards all that stands is as it was."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")), commit(6, update(ROW, b"x", b"y")))
        assert engine.shred(5) is True
        assert engine.shred(6) is False
        assert engine.prune(6, 10) == 1
        assert engine.shred(6) is True
        assert scan(engine) == [Entry(b"k", ROW, 6, b"y")]
        seal(engine, commit(7, delete(ROW, b"y", b"k")))

    def test_what_is_erased_stays_so_after_a_crash(self, store: TestedStore) -> None:
        """Killed in the middle, what was done is done and the rest can be done later."""
        engine = store.open()
        seal(engine, *(commit(ts, insert(ts, b"", b"k")) for ts in (1,)))
        seal(engine, commit(2, delete(1, b"", b"k")))
        assert engine.erase(Traces({1}), after=0, until=2, limit=1) == 1
        store.crash()
        engine = store.open()
        first, second = engine.tail(0, 10)
        assert first.writes[0].added == ()
        assert second.writes[0].removed in ((), ((INDEX, b"k"),))
        assert engine.erase(Traces({1}), after=0, until=2, limit=10) == 2
        assert engine.tail(1, 10)[0].writes[0].removed == ()
        engine.close()

    # What is refused.

    def test_a_batch_after_an_old_head_changes_nothing(self, engine: Engine, other: Engine) -> None:
        """The loser reads the tail and tries again."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")))
        for after in (0, 4, 6):
            with pytest.raises(HeadMoved):
                other.append(after, [commit(9, delete(ROW, b"x", b"k"))])()
        assert other.head() == 5
        assert keys(scan(other)) == [b"k"]
        seal(other, commit(9, delete(ROW, b"x", b"k")))
        assert scan(engine) == []

    def test_of_two_batches_on_one_head_one_is_kept(self, engine: Engine, other: Engine) -> None:
        """The other is refused, when it is staged or when it is sealed."""
        first = engine.append(0, [commit(5, insert(ROW, b"first"))])
        kept = [b"first"]
        try:
            second = other.append(0, [commit(6, insert(ROW, b"second"))])
        except (HeadMoved, StorageFailed):
            first()
        else:
            second()
            kept = [b"second"]
            with pytest.raises(HeadMoved):
                first()
        assert [version.value for _, version in engine.rows(TABLE, after=0, limit=9)] == kept
        assert len(engine.tail(0, 9)) == 1

    @pytest.mark.parametrize("times", [(), (5,), (4,), (6, 6), (7, 6)])
    def test_a_batch_must_move_time_forward(self, engine: Engine, times: tuple[int, ...]) -> None:
        """Empty batches and times that do not increase are refused, and harm nothing."""
        seal(engine, commit(5, insert(ROW, b"")))
        with pytest.raises(ValueError, match="commit"):
            engine.append(5, [commit(ts) for ts in times])
        seal(engine, commit(6, delete(ROW, b"")))

    def test_a_store_is_free_but_while_a_batch_is_staged(self, engine: Engine) -> None:
        """So that nobody waits in an append who can do something else."""
        assert engine.is_free()
        sealing = engine.append(0, [commit(5, insert(ROW, b""))])
        assert not engine.is_free()
        sealing()
        assert engine.is_free()

    def test_a_second_batch_is_not_staged_over_the_first(self, engine: Engine) -> None:
        """And the first can still be sealed."""
        sealing = engine.append(0, [commit(5, insert(ROW, b""))])
        with pytest.raises(RuntimeError, match="staged"):
            engine.append(0, [commit(6, insert(OTHER_ROW, b""))])
        sealing()
        assert engine.get(ROW) is not None
        assert engine.get(OTHER_ROW) is None

    def test_a_seal_seals_its_own_batch_once(self, engine: Engine) -> None:
        """Called again it raises, and does not seal what was staged since."""
        first = engine.append(0, [commit(5, insert(ROW, b"x"))])
        first()
        second = engine.append(5, [commit(6, update(ROW, b"x", b"y"))])
        with pytest.raises(StorageFailed):
            first()
        assert engine.head() == 5
        second()
        assert engine.get(ROW) == Version(6, b"y")

    @pytest.mark.parametrize(
        "wrong",
        [
            insert(ROW, b"again"),
            insert(OTHER_ROW, b"", b"k"),
            update(OTHER_ROW, b"no", b"such row"),
            delete(OTHER_ROW, b"no such row"),
            delete(ROW, b"x", b"no such key"),
        ],
    )
    def test_a_batch_that_contradicts_the_store_is_refused_whole(
        self, engine: Engine, wrong: RowWrite
    ) -> None:
        """It is a bug above; nothing of the batch is kept and the engine goes on."""
        seal(engine, commit(5, insert(ROW, b"x", b"k")))
        with pytest.raises(ValueError, match="contradicts"):
            engine.append(5, [commit(6, insert(99, b"", b"l")), commit(7, wrong)])
        assert keys(scan(engine)) == [b"k"]
        seal(engine, commit(8, delete(ROW, b"x", b"k")))

    # What survives.

    def test_closing_drops_a_staged_batch(self, store: TestedStore, engine: Engine) -> None:
        """Its seal raises, and the store is as it was."""
        sealing = engine.append(0, [commit(5, insert(ROW, b""))])
        engine.close()
        with pytest.raises(StorageFailed):
            sealing()
        again = store.open()
        assert again.head() == 0
        assert again.get(ROW) is None
        seal(again, commit(5, insert(ROW, b"")))
        again.close()

    def test_a_crash_keeps_what_is_sealed_and_nothing_else(self, store: TestedStore) -> None:
        """After each crash the log is what was sealed before it."""
        ts = 0
        for _ in range(3):
            engine = store.open()
            assert [c.ts for c in engine.tail(0, 100)] == list(range(1, ts + 1))
            seal(engine, commit(ts + 1, insert(ts + 1, b"")), commit(ts + 2, insert(ts + 2, b"")))
            ts += 2
            engine.append(ts, [commit(ts + 1, insert(ts + 1, b"staged"))])
            store.crash()
        engine = store.open()
        assert engine.head() == ts
        assert len(engine.rows(TABLE, after=0, limit=100)) == ts
        engine.close()

    # Several threads.

    def test_readers_see_whole_commits_while_another_thread_seals(self, engine: Engine) -> None:
        """Two rows that always change together are never seen apart, at any time."""
        seal(engine, commit(1, insert(ROW, b"1", b"a"), insert(OTHER_ROW, b"1", b"b")))
        with ThreadPoolExecutor(1) as thread:
            for ts in range(2, 60):
                before, after = b"%d" % (ts - 1), b"%d" % ts
                both = [update(number, before, after) for number in (ROW, OTHER_ROW)]
                done = thread.submit(engine.append(ts - 1, [commit(ts, *both)]))
                sealed = False
                while not sealed:
                    sealed = done.done()
                    values = [entry.value for entry in scan(engine)]
                    assert values in [[before] * 2, [after] * 2]
                    assert [entry.value for entry in scan(engine, at=ts - 1)] == [before] * 2
                    assert engine.get(ROW, at=ts - 1) == Version(ts - 1, before)
                done.result()
                assert engine.get(OTHER_ROW) == Version(ts, after)

    def test_no_increment_is_lost_between_two_processes(
        self, engine: Engine, other: Engine
    ) -> None:
        """Both add one to the same row, trying again whenever the other was first."""
        seal(engine, commit(1, insert(ROW, b"0")))
        rounds = 50

        def count(handle: Engine) -> None:
            for _ in range(rounds):
                while not added_one(handle):
                    pass

        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(count, handle) for handle in (engine, other)]:
                done.result()
        row = engine.get(ROW)
        assert row is not None
        assert row.value == b"%d" % (2 * rounds)
        assert len(engine.tail(0, 1000)) == 2 * rounds + 1

    # All of it.

    def test_any_life_of_a_store_agrees_with_the_naive_model(self) -> None:
        """Random commits, races, crashes, prunes, erasures and reads on two handles."""
        new_store = self.new_store

        class Machine(EngineMachine):
            def new_store(self) -> AbstractContextManager[TestedStore]:
                return new_store()

        run_state_machine_as_test(Machine, settings=settings(stateful_step_count=25))


def added_one(engine: Engine) -> bool:
    """Add one to a row unless somebody else wrote since it was read; whether it was done."""
    head = engine.head()
    row = engine.get(ROW, head)
    assert row is not None
    after = b"%d" % (int(row.value) + 1)
    with suppress(HeadMoved):
        engine.append(head, [commit(head + 1, update(ROW, row.value, after))])()
        return True
    return False
