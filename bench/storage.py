"""What the SQLite engine does here, as a share of what this disk and bare SQLite can do.

    python -m bench.storage --seconds 2

One commit is a learning report as the product writes it: a new row of 300 bytes with three
entries, another row of 400 bytes changed with one of its entries moved, and the log record. "Bare"
writes the same rows, entries and record in grouped transactions through apsw, keeping no past and
checking nothing. Nothing here passes or fails: figures move with the machine, so read the ratios.
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

import apsw

from hubify.storage import sqlite, sqlite_file
from hubify.storage.engine import Commit, RowWrite
from hubify.storage.sqlite import SqliteEngine
from hubify.values.ids import id_key
from hubify.values.interval import Interval, prefix_interval
from hubify.values.keys import encode_key

T = TypeVar("T")

DOCUMENTS = 100_000
GROUPS = 500
BATCHES = (1, 10, 100)
ROUNDS = 9
SKILLS, REPORTS = 1, 2
BY_GROUP, BY_SCORE, BY_SKILL, BY_AGENT, BY_TIME = 10, 11, 12, 13, 14


class Reports:
    """Documents to start with, and an endless row of reports on them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 1 << 61
        self.ts = 1
        self.values: dict[int, bytes] = {}
        self.scores: dict[int, bytes] = {}
        self.documents: list[int] = []
        self.turn = 0

    def start(self) -> Iterator[Commit]:
        """Commits that store the documents."""
        for _ in range(DOCUMENTS // 1000):
            yield self.commit(tuple(self.document() for _ in range(1000)))

    def document(self) -> RowWrite:
        """A new document: one entry by its group and one by a score."""
        number = self.next_number()
        self.documents.append(number)
        self.values[number] = self.random.randbytes(400)
        self.scores[number] = self.key(number, "space", self.random.random())
        group = self.key(number, f"group-{number % GROUPS}")
        entries = ((BY_GROUP, group), (BY_SCORE, self.scores[number]))
        return RowWrite(SKILLS, number, None, self.values[number], (), entries)

    def report(self) -> Commit:
        """One report, and the change it brings to a document."""
        new, changed = self.next_number(), self.documents[self.turn % DOCUMENTS]
        self.turn += 7919  # a prime: every document once before any comes again
        agent = self.key(new, f"agent-{self.random.randrange(10_000)}")
        entries = (
            (BY_SKILL, self.key(new, str(changed))),
            (BY_AGENT, agent),
            (BY_TIME, self.key(new)),
        )
        report = RowWrite(REPORTS, new, None, self.random.randbytes(300), (), entries)
        before, removed = self.values[changed], self.scores[changed]
        self.values[changed] = after = before[100:] + self.random.randbytes(100)
        self.scores[changed] = added = self.key(changed, "space", self.random.random())
        scored = RowWrite(
            SKILLS, changed, before, after, ((BY_SCORE, removed),), ((BY_SCORE, added),)
        )
        return self.commit((report, scored))

    def commit(self, writes: tuple[RowWrite, ...]) -> Commit:
        """The next commit."""
        self.ts += 1000
        return Commit(self.ts, "learning.report", "agent:0123456789", writes)

    def next_number(self) -> int:
        """A row number as a server makes them: growing, with gaps."""
        self.number += self.random.randrange(1, 1 << 22)
        return self.number

    @staticmethod
    def key(number: int, *fields: object) -> bytes:
        """An index key as the core makes it: the fields, then the row's number."""
        return encode_key(fields) + id_key(number)


def grouped(reports: Reports, size: int) -> list[Commit]:
    """The next reports."""
    return [reports.report() for _ in range(size)]


def bare_write(connection: apsw.Connection, batch: list[Commit]) -> None:
    """The least that SQLite must do to hold the same state and log."""
    writes = [(commit.ts, write) for commit in batch for write in commit.writes]
    new = [(w.id, w.table, ts, w.after) for ts, w in writes if w.before is None]
    changed = [(ts, w.after, w.id) for ts, w in writes if w.before is not None]
    added = [(*entry, w.id, ts) for ts, w in writes for entry in w.added]
    logged = [(c.ts, c.function, c.caller, sqlite.encode_record(c.writes)) for c in batch]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(sqlite.INSERT_ROW, new)
    connection.executemany(sqlite.UPDATE_ROW, changed)
    connection.executemany(sqlite.DELETE_ENTRY, [entry for _, w in writes for entry in w.removed])
    connection.executemany(sqlite.INSERT_ENTRY, added)
    connection.executemany(sqlite.INSERT_LOG, logged)
    connection.execute("COMMIT")


class Stopwatch:
    """Sums what the timed parts took, and what the process wrote to the disk meanwhile."""

    def __init__(self) -> None:
        self.parts: dict[str, list[float]] = {}
        self.written = -bytes_written()

    def time(self, part: str, work: Callable[[], T]) -> T:
        """Run and count it to a part."""
        start = perf_counter()
        result = work()
        self.parts.setdefault(part, []).append(perf_counter() - start)
        return result

    @property
    def seconds(self) -> float:
        """All parts."""
        return sum(map(sum, self.parts.values()))


def bytes_written() -> int:
    """Bytes this process has sent to block devices."""
    counters = Path("/proc/self/io").read_text(encoding="ascii")
    return int(counters.split("write_bytes: ")[1].split()[0])


def measure_writes(
    reports: Reports, size: int, seconds: float, write: Callable[[Stopwatch, list[Commit]], None]
) -> tuple[float, Stopwatch, int]:
    """Write batches of one size: commits a second, where the time went, and how many."""
    watch, count = Stopwatch(), 0
    while watch.seconds < seconds:
        batch = grouped(reports, size)  # making up reports is not timed
        write(watch, batch)
        count += size
    watch.written += bytes_written()
    return count / watch.seconds, watch, count


def engine_writer(engine: SqliteEngine) -> Callable[[Stopwatch, list[Commit]], None]:
    """Append and seal through the engine."""

    def write(watch: Stopwatch, batch: list[Commit]) -> None:
        head = engine.head()
        seal = watch.time("append", lambda: engine.append(head, batch))
        watch.time("seal", seal)

    return write


def bare_writer(connection: apsw.Connection) -> Callable[[Stopwatch, list[Commit]], None]:
    """Write through apsw alone."""
    return lambda watch, batch: watch.time("all", lambda: bare_write(connection, batch))


def fdatasyncs(directory: Path, seconds: float) -> float:
    """Overwrites of 4 KiB, each flushed, a second."""
    file = os.open(directory / "flush", os.O_RDWR | os.O_CREAT)
    os.pwrite(file, bytes(4096), 0)
    os.fsync(file)
    start, count = perf_counter(), 0
    while perf_counter() - start < seconds:
        os.pwrite(file, bytes([count % 256]) * 4096, 0)
        os.fdatasync(file)
        count += 1
    os.close(file)
    return count / (perf_counter() - start)


def microseconds(calls: Sequence[Callable[[], object]]) -> float:
    """The median of five rounds over the calls, for one call."""
    rounds: list[float] = []
    for _ in range(5):
        start = perf_counter()
        for call in calls:
            call()
        rounds.append((perf_counter() - start) / len(calls) * 1e6)
    return median(rounds)


def report_writes(directory: Path, engine: SqliteEngine, ours: Reports, seconds: float) -> None:
    """Commits a second at each batch size, beside the machine's limits."""
    theirs = Reports(seed=1)
    connection = sqlite_file.connect(directory / "bare.db", vfs=None, busy_timeout_s=1, flush=True)
    sqlite_file.make_or_check(connection, busy_timeout_s=1)
    for commit in theirs.start():
        bare_write(connection, [commit])
    connection.pragma("wal_autocheckpoint", sqlite_file.CHECKPOINT_PAGES)
    share = seconds / ROUNDS
    print("\n                                              microseconds/commit  ms/seal")
    print("batch  fdatasync/s  bare/s  engine/s  of bare     append    seal     p99  bytes/commit")
    for size in BATCHES:
        rounds = [
            (
                fdatasyncs(directory, share / 4),
                measure_writes(theirs, size, share, bare_writer(connection))[0],
                measure_writes(ours, size, share, engine_writer(engine)),
            )
            for _ in range(ROUNDS)
        ]
        flushes, bare = median(r[0] for r in rounds), median(r[1] for r in rounds)
        rate = median(r[2][0] for r in rounds)
        watches, count = [r[2][1] for r in rounds], sum(r[2][2] for r in rounds)
        append = sum(sum(watch.parts["append"]) for watch in watches) / count * 1e6
        seals = sorted(took for watch in watches for took in watch.parts["seal"])
        written = sum(watch.written for watch in watches) / count
        print(
            f"{size:5} {flushes:12,.0f} {bare:7,.0f} {rate:9,.0f} {rate / bare:8.0%} {append:10.0f}"
            f" {sum(seals) / count * 1e6:7.0f} {seals[len(seals) * 99 // 100] * 1e3:7.1f}"
            f" {written:13,.0f}"
        )
    connection.close()


def report_reads(engine: SqliteEngine, reports: Reports) -> None:
    """Microseconds of each kind of read, in a store of many rows."""
    chosen = [reports.random.choice(reports.documents) for _ in range(5_000)]
    head = engine.head()
    past = head - 1000 * 1000  # a thousand commits ago
    spans = [
        prefix_interval(encode_key([f"group-{reports.random.randrange(GROUPS)}"]))
        for _ in range(500)
    ]
    print("\nread                          us")
    for name, at in (("get", None), ("get at the head", head), ("get in the past", past)):
        calls = [lambda n=number, at=at: engine.get(n, at) for number in chosen]
        print(f"{name:24} {microseconds(calls):7.1f}")
    for size in (1, 20, 100):
        for name, at in (("", None), (" at the head", head), (" in the past", past)):
            calls = [
                lambda s=span, at=at, size=size: engine.scan(BY_GROUP, s, limit=size, at=at)
                for span in spans
            ]
            print(f"{f'scan of {size}{name}':24} {microseconds(calls):7.1f}")
    print(f"{'head':24} {microseconds([engine.head] * 5_000):7.1f}")
    report_reads_after_commits(engine, reports, spans)


def report_reads_after_commits(
    engine: SqliteEngine, reports: Reports, spans: list[Interval]
) -> None:
    """The same right after a commit, when SQLite has dropped what the reader had cached."""
    watch = Stopwatch()
    for turn in range(300):
        engine.append(engine.head(), grouped(reports, 10))()
        chosen = reports.random.sample(reports.documents, 20)
        watch.time("get", lambda chosen=chosen: [engine.get(number) for number in chosen])
        chosen = spans[turn % 100 :: 100]
        watch.time(
            "scan",
            lambda chosen=chosen: [engine.scan(BY_GROUP, span, limit=20) for span in chosen],
        )
    print(f"{'20 gets after a commit':24} {median(watch.parts['get']) / 20 * 1e6:7.1f} each")
    print(f"{'5 scans of 20 after it':24} {median(watch.parts['scan']) / 5 * 1e6:7.1f} each")


def main() -> None:
    """Fill two stores, write to both, read from one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="for each cell, in nine interleaved rounds"
    )
    parser.add_argument("--directory", help="on the disk to measure (default: the temporary one)")
    parser.add_argument(
        "--set", action="append", default=[], help="another CHECKPOINT_PAGES, CACHE_KIB: NAME=VALUE"
    )
    parser.add_argument(
        "--reader", action="append", default=[], help="a pragma of the reader, e.g. mmap_size=VALUE"
    )
    arguments = parser.parse_args()
    for name, value in (setting.split("=") for setting in arguments.set):
        assert hasattr(sqlite_file, name), f"hubify/storage/sqlite_file.py has no {name}"
        setattr(sqlite_file, name, int(value))
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name:
        directory = Path(name)
        engine, reports = SqliteEngine(directory / "engine.db"), Reports(seed=1)
        for pragma, value in (setting.split("=") for setting in arguments.reader):
            engine._reader.pragma(pragma, int(value))  # noqa: SLF001 - measured, not offered
        for commit in reports.start():
            engine.append(engine.head(), [commit])()
        print(f"SQLite {apsw.sqlite_lib_version()}, Python {sys.version.split()[0]}")
        print(f"{DOCUMENTS:,} documents; median of {ROUNDS} interleaved rounds")
        report_writes(directory, engine, reports, arguments.seconds)
        log = (directory / "engine.db-wal").stat().st_size
        print(f"\nwrite-ahead log after all this: {log / 2**20:.1f} MiB")
        report_reads(engine, reports)
        engine.close()


if __name__ == "__main__":
    main()
