"""Run every measurement and print it as Markdown: `make bench`, or `python -m bench --seconds 1`.

What is going on is told on the other output, so `make bench > FILE` keeps the tables alone.
Figures of one run belong together: the machine's own limits are taken in it, and each table says
what share of them was reached.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import uvloop

from bench import machine, reports, scenarios
from bench.floor import floor
from bench.tables import Figures, Table

RATES = ("per s", "p50 ms", "p99 ms", "server CPU µs each")
LATENCIES = ("last one, p50 ms", "last one, p99 ms")
ON_SOCKETS = (
    "Mutations through the sync protocol, each client sending its next when one is answered."
)
ROUNDS_PER_S = 10


class Run:
    """One run: how long each measurement takes, and the limits measured so far."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began = time.perf_counter()
        self.limits: Figures = {}

    def measure(self, what: str, work: Callable[[], Figures]) -> Figures:
        """Take figures, saying so."""
        at = time.perf_counter() - self.began
        print(f"{at:5.0f} s  {what}", file=sys.stderr, flush=True)
        return work()

    def limit(self, name: str, measure: Callable[[], float]) -> float:
        """A limit of the machine, measured once."""
        if name not in self.limits:
            self.limits |= self.measure(name, lambda: {name: measure()})
        return self.limits[name]

    @property
    def rounds(self) -> int:
        """How often one change is sent out."""
        return max(5, int(self.seconds * ROUNDS_PER_S))

    def flushes(self) -> float:
        """Flushes of the disk a second."""
        return self.limit("4 KiB written over + fdatasync", machine.flushes_per_second)

    def replies(self) -> float:
        """Constant HTTP replies a second."""
        with floor() as port:
            return self.limit(
                "constant HTTP reply, 16 clients",
                partial(scenarios.reply_floor, port, 16, self.seconds),
            )


def the_machine(run: Run) -> Iterator[Table]:
    """The machine's limits."""
    table = Table("This machine, in this run", "limit", ("per s",), _about())
    run.flushes()
    run.limit("loopback round trip, 64 B", machine.round_trips_per_second)
    run.limit("1 KiB sent to a socket, one thread", machine.socket_sends_per_second)
    run.replies()
    for name, value in run.limits.items():
        table.add(name, {"per s": value})
    yield table


def creates(run: Run) -> Iterator[Table]:
    """Durable creates by 1, 16 and 64 clients."""
    table = Table("Durable creates", "clients", (*RATES, "for each fdatasync"), ON_SOCKETS)
    for clients in (1, 16, 64):
        what = f"durable creates, {clients} clients"
        figures = run.measure(what, partial(scenarios.durable_creates, clients, run.seconds))
        table.add(f"{clients}", figures | {"for each fdatasync": figures["per s"] / run.flushes()})
    yield table


def full_reports(run: Run) -> Iterator[Table]:
    """Full reports by 1, 16 and 64 clients, and over REST."""
    columns = (*RATES, "bytes written each", "for each fdatasync")
    table = Table("Durable reports, everything that follows from them included", "clients", columns)
    measures = {
        **{f"{clients}": (clients, scenarios.full_reports) for clients in (1, 16, 64)},
        "16, over REST": (16, scenarios.reports_over_rest),
    }
    for label, (clients, measure) in measures.items():
        what = f"full reports, clients: {label}"
        figures = run.measure(what, partial(measure, clients, run.seconds))
        table.add(label, figures | {"for each fdatasync": figures["per s"] / run.flushes()})
    yield table


def bare(run: Run) -> Iterator[Table]:
    """Whole reports against a bare loop that writes the same rows."""
    columns = ("reports/s", "bare/s", "bare, times as fast", "CPU µs a report", "CPU µs bare")
    note = "In one process, without a socket; groups of either side in turn, medians."
    title = "Group-committed reports, and a bare apsw loop that writes the same rows in groups"
    table = Table(title, "reports in a group", columns, note)
    for size in (1, 4, 16, 64):
        what = f"reports against bare writes, groups of {size}"
        table.add(f"{size}", run.measure(what, partial(reports.against_bare, size, run.seconds)))
    yield table


def reads(run: Run) -> Iterator[Table]:
    """Point queries."""
    table = Table("Point queries over HTTP", "clients", (*RATES, "of a constant reply"))
    for clients in (1, 16, 64):
        what = f"point queries, {clients} clients"
        figures = run.measure(what, partial(scenarios.point_queries, clients, run.seconds))
        table.add(f"{clients}", figures | {"of a constant reply": figures["per s"] / run.replies()})
    yield table


def fanout(run: Run) -> Iterator[Table]:
    """One change to many, and prebuilt frames to as many."""
    columns = ("deliveries/s", *LATENCIES, "server CPU µs each", "of raw frames")
    table = Table("One change to many subscribers", "subscribers", columns)
    for count in (100, 1_000, 2_000):
        with floor() as port:
            work = partial(scenarios.fan_out_floor, port, count, run.rounds)
            raw = run.measure(f"raw frames to {count} sockets", work)
        work = partial(scenarios.fan_out, count, run.rounds)
        figures = run.measure(f"one change to {count}", work)
        share = {"of raw frames": figures["deliveries/s"] / raw["deliveries/s"]}
        table.add(f"{count:,}", figures | share)
        del raw["server CPU µs each"]
        table.add(f"{count:,}, raw frames", raw)
    yield table


def selective(run: Run) -> Iterator[Table]:
    """Writes beside unrelated subscriptions; the ratio is to none."""
    columns = (*RATES, "CPU, times that of none")
    note = "Eight clients write to watched keys of their own, on 100 other sockets stand the rest."
    table = Table("Writes beside subscriptions to other keys", "subscriptions", columns, note)
    base: Figures = {}
    for count in (0, 100, 1_000, 10_000):
        what = f"writes beside {count} subscriptions"
        figures = run.measure(what, partial(scenarios.selective, count, run.seconds))
        base = base or figures
        ratio = figures["server CPU µs each"] / base["server CPU µs each"]
        table.add(f"{count:,}", figures | {"CPU, times that of none": ratio})
    yield table


def memory(run: Run) -> Iterator[Table]:
    """Memory of sockets and subscriptions."""
    columns = ("KiB each socket", "KiB each subscription", "server MiB at rest")
    table = Table("Memory of the server", "sockets, a subscription each", columns)
    work = partial(scenarios.memory, 1_000)
    table.add("1,000", run.measure("memory of 1,000 sockets", work))
    yield table


MEASUREMENTS: dict[str, Callable[[Run], Iterator[Table]]] = {
    "machine": the_machine, "creates": creates, "reports": full_reports, "bare": bare,
    "reads": reads, "fanout": fanout, "selective": selective, "memory": memory,
}  # fmt: skip


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("measurement", nargs="*", choices=[[], *MEASUREMENTS], help="default: all")
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    options = parser.parse_args()
    uvloop.install()
    run = Run(options.seconds)
    for name in options.measurement or MEASUREMENTS:
        for table in MEASUREMENTS[name](run):
            print(table.markdown(), flush=True)
    print(f"{time.perf_counter() - run.began:5.0f} s  done", file=sys.stderr)
    return 0


def _about() -> str:
    return f"Python {platform.python_version()}, {platform.system()}, {_processors()} processors."


def _processors() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())
