"""Which tables should hold rows, entries and the past? The figures behind a decision.

    python -m bench.storage_layouts --seconds 1

Writes the commits of `bench.storage` with bare SQL into tables of several forms, one form differing
from the first in each line, and prints commits a second, CPU microseconds and bytes written for one
commit. See docs/decisions/0003-current-rows-and-moved-past.md.
"""

import argparse
import re
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import apsw

from bench.storage import Reports, bytes_written, grouped
from hubify.storage import sqlite
from hubify.storage.engine import Commit

SIZES = (1, 10, 100)
ROUNDS = 9

CHOSEN = files("hubify.storage").joinpath("schema.sql").read_text(encoding="utf-8")
NO_ROWID = (
    (r"CREATE INDEX past_\w+ ON \w+ \([^)]*\);", ""),
    (
        r"  seq INTEGER PRIMARY KEY,\n(  id INTEGER.*?)\n\);",
        r"\1,\n  PRIMARY KEY (id, until)\n) WITHOUT ROWID;",
    ),
    (
        r"  seq INTEGER PRIMARY KEY,\n(  idx INTEGER.*?)\n\);",
        r"\1,\n  PRIMARY KEY (idx, key, until)\n) WITHOUT ROWID;",
    ),
)
BY_END = ((r"\Z", "CREATE INDEX a ON past_rows (until); CREATE INDEX b ON past_entries (until);"),)

Changes = tuple[tuple[str, str], ...]  # patterns in the schema and what stands there instead

# name: (page bytes, whether the past is kept, changes to the schema)
FORMS: dict[str, tuple[int, bool, Changes]] = {
    "chosen": (4096, True, ()),
    "no past": (4096, False, ()),
    "past without rowid": (4096, True, NO_ROWID),
    "past without rowid, by end": (4096, True, NO_ROWID + BY_END),
    "rows without rowid": (
        4096,
        True,
        ((r"(CREATE TABLE rows \(.*?)\n\);", r"\1\n) WITHOUT ROWID;"),),
    ),
    "entries with rowid": (4096, True, ((r"\(idx, key\)\n\) WITHOUT ROWID", "(idx, key)\n)"),)),
    "no index by table": (4096, True, ((r"CREATE INDEX rows_of_table[^;]*;", ""),)),
    "pages of 2 KiB": (2048, True, ()),
    "pages of 8 KiB": (8192, True, ()),
    "pages of 16 KiB": (16384, True, ()),
}


class Store:
    """One database in one form, written with bare SQL as the engine writes."""

    def __init__(self, directory: Path, name: str) -> None:
        page, self.past, changes = FORMS[name]
        schema = CHOSEN
        for pattern, instead in changes:
            schema, found = re.subn(pattern, instead, schema, flags=re.DOTALL)
            assert found, f"{name}: {pattern} is not in schema.sql any more"
        self.reports = Reports(seed=1)
        self.connection = apsw.Connection(str(directory / f"{name}.db"))
        self.connection.pragma("page_size", page)
        self.connection.pragma("journal_mode", "WAL")
        self.connection.pragma("synchronous", "FULL")
        self.connection.pragma("cache_size", -16 * 1024)
        self.connection.pragma("wal_autocheckpoint", 4 * 1024 * 1024 // page)
        self.connection.execute(schema)
        for commit in self.reports.start():
            self.write([commit])
        self.cells: list[tuple[float, float, float]] = []

    def write(self, batch: list[Commit]) -> None:
        """One transaction."""
        run = self.connection.cursor().execute
        run("BEGIN IMMEDIATE")
        for commit in batch:
            self.stage(run, commit)
        run("COMMIT")

    def stage(self, run: Callable[..., object], commit: Commit) -> None:
        """One commit's statements."""
        ts = commit.ts
        for row in commit.writes:
            if row.before is None:
                run(sqlite.INSERT_ROW, (row.id, row.table, ts, row.after))
            else:
                if self.past:
                    run(sqlite.MOVE_ROW, (ts, row.id))
                run(sqlite.UPDATE_ROW, (ts, row.after, row.id))
            for entry in row.removed:
                if self.past:
                    run(sqlite.MOVE_ENTRY, (ts, *entry))
                run(sqlite.DELETE_ENTRY, entry)
            for entry in row.added:
                run(sqlite.INSERT_ENTRY, (*entry, row.id, ts))
        record = [(w.table, w.id, None, None, w.removed, w.added) for w in commit.writes]
        run(sqlite.INSERT_LOG, (ts, "learning.report", "agent:0", sqlite.encode_record(record)))

    def measure(self, size: int, seconds: float) -> None:
        """Write for so long, and note commits a second, CPU and bytes of one commit."""
        count, spent, cpu, written = 0, 0.0, 0.0, bytes_written()
        while spent < seconds:
            batch = grouped(self.reports, size)
            start, cpu_start = perf_counter(), process_time()
            self.write(batch)
            spent += perf_counter() - start
            cpu += process_time() - cpu_start
            count += size
        self.cells.append((count / spent, cpu / count * 1e6, (bytes_written() - written) / count))


def main() -> None:
    """Fill a store of each form, then write to them in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="for each line, in nine interleaved rounds"
    )
    parser.add_argument("--directory", help="on the disk to measure (default: the temporary one)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name:
        stores = {form: Store(Path(name), form) for form in FORMS}
        print("| form | batch | commits/s | CPU us | bytes |\n|---|---|---|---|---|")
        for size in SIZES:
            for _ in range(ROUNDS):
                for store in stores.values():
                    store.measure(size, arguments.seconds / ROUNDS)
            for form, store in stores.items():
                rate, cpu, written = (median(cells) for cells in zip(*store.cells, strict=True))
                print(f"| {form} | {size} | {rate:,.0f} | {cpu:.0f} | {written:,.0f} |", flush=True)
                store.cells.clear()
        for store in stores.values():
            store.connection.close()


if __name__ == "__main__":
    main()
