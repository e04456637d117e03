"""Whole reports, against a bare loop that writes the same rows.

Reports run in this process, through the same door as everybody's, with the record that makes each
happen once; so many of them share a flush. Their commits are caught, and the same rows, index
entries and log records are written to a second file by statements alone: no functions, no reads, no
past, their values ready beforehand. Both files are durable (`synchronous=FULL`).

Invariant: either side writes the same groups in turn, so that the machine's mood strikes both.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.samples import REPORT, SKILL
from bench.tables import Figures
from hubify.app.compose import DOMAINS
from hubify.functions.backend import Answer, Call
from hubify.functions.replay import session_key
from hubify.storage import sqlite, sqlite_file
from hubify.storage.engine import Commit
from hubify.storage.sqlite import SqliteEngine
from hubify.testing.backend import InMemoryBackend, known
from hubify.values.errors import AppError

AGENTS = 64
WARM_UP = 512
Statement = tuple[str, tuple[Any, ...]]


class Reporters:
    """A backend over a file of its own, and agents of many owners that report to it."""

    def __init__(self, directory: Path) -> None:
        self.engine = SqliteEngine(directory / "reports.db")
        self.backend = InMemoryBackend(DOMAINS, engine=self.engine, strict=False)
        self.backend.action("skills:create", {"skillMd": SKILL}, principal=known("maker"))
        self.commits: list[Commit] = []
        database = self.backend.database
        database.on_commits.append(lambda commits, _stale: self.commits.extend(commits))
        self.agents = [
            known(f"owner{place}", "learning:report", agent=f"agent{place}")
            for place in range(AGENTS)
        ]
        self.turn = 0
        self.report(WARM_UP)

    def report(self, count: int) -> list[Commit]:
        """Accept so many reports and flush them together; their commits."""
        self.commits.clear()
        settled: list[Answer | AppError] = []
        for _number in range(count):
            self.turn += 1
            self.backend.now_ms += 2
            agent = self.agents[self.turn % AGENTS]
            outcome = "fail" if self.turn % 10 == 0 else "success"
            sent = {**REPORT, "outcome": outcome}
            replay = session_key(agent.owner, self.turn, agent, "learning:report", [sent])
            call = Call("learning:report", sent, agent, replay=replay)
            self.backend.backend.submit(call, settled.append)
        self.backend.database.flush()
        assert len(self.commits) == count == sum(isinstance(one, Answer) for one in settled)
        return self.commits

    def close(self) -> None:
        """Close the file."""
        self.engine.close()


class Bare:
    """A file with the same tables, and statements."""

    def __init__(self, directory: Path, like: Reporters) -> None:
        path = directory / "bare.db"
        self.connection = sqlite_file.connect(path, vfs=None, busy_timeout_s=1, flush=True)
        sqlite_file.make_or_check(self.connection, busy_timeout_s=1)
        self.connection.pragma("wal_autocheckpoint", sqlite_file.CHECKPOINT_PAGES)
        for table in like.backend.database.catalog.tables:
            for number, row in like.engine.rows(table.number, after=0, limit=1_000_000):
                self.run([(sqlite.INSERT_ROW, (number, table.number, row.since, row.value))])

    def run(self, statements: list[Statement]) -> None:
        """Write one group."""
        execute: Callable[..., object] = self.connection.cursor().execute
        execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            execute(sql, values)
        execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def statements_of(commits: list[Commit]) -> list[Statement]:
    """What it takes to write some commits' rows, entries and log records, and no past."""
    made: list[Statement] = []
    for commit in commits:
        ts = commit.ts
        for write in commit.writes:
            if write.before is None:
                values = (write.id, write.table, ts, write.after)
                made.append((sqlite.INSERT_ROW, values))
            else:
                made.append((sqlite.UPDATE_ROW, (ts, write.after, write.id)))
            made += [(sqlite.DELETE_ENTRY, entry) for entry in write.removed]
        for write in commit.writes:
            made += [(sqlite.INSERT_ENTRY, (*entry, write.id, ts)) for entry in write.added]
        record = [(w.table, w.id, None, None, w.removed, w.added) for w in commit.writes]
        logged = (ts, commit.function, commit.caller, sqlite.encode_record(record))
        made.append((sqlite.INSERT_LOG, logged))
    return made


class Spent(NamedTuple):
    """Seconds by the clock, and of the processor."""

    clock: float
    processor: float


def timed(work: Callable[[], object]) -> Spent:
    """How long some work took."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - clock, time.process_time() - processor)


def against_bare(size: int, seconds: float) -> Figures:
    """Reports in groups of a size, and the same rows written bare, in turns."""
    with tempfile.TemporaryDirectory(prefix="hubify-bench-") as name:
        reporters = Reporters(Path(name))
        bare = Bare(Path(name), reporters)
        rounds: list[tuple[Spent, Spent]] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(rounds) < 5:
            ours = timed(partial(reporters.report, size))
            statements = statements_of(reporters.commits)
            rounds.append((ours, timed(partial(bare.run, statements))))
        reporters.close()
        bare.close()
    ours, theirs = (median(side.clock for side in sides) for sides in zip(*rounds, strict=True))
    return {
        "reports/s": size / ours,
        "bare/s": size / theirs,
        "bare, times as fast": median(one.clock / other.clock for one, other in rounds),
        "CPU µs a report": median(one.processor for one, _other in rounds) / size * 1e6,
        "CPU µs bare": median(other.processor for _one, other in rounds) / size * 1e6,
    }
