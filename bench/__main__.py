"""Run every measurement and print it: `make bench`, or `python -m bench --seconds 3 creates`."""

import argparse
import sys
from collections.abc import Callable, Iterator

import uvloop

from bench import machine, scenarios

Line = tuple[str, dict[str, float]]


def creates(seconds: float) -> Iterator[Line]:
    """Durable creates by 1, 16 and 64 clients."""
    for clients in (1, 16, 64):
        yield f"durable creates, {clients} clients", scenarios.durable_creates(clients, seconds)


def reports(seconds: float) -> Iterator[Line]:
    """Full reports by 1, 16 and 64 clients."""
    for clients in (1, 16, 64):
        yield f"full reports, {clients} clients", scenarios.full_reports(clients, seconds)


def reads(seconds: float) -> Iterator[Line]:
    """Point queries."""
    yield "point queries over HTTP, 16 clients", scenarios.point_queries(16, seconds)


def fanout(seconds: float) -> Iterator[Line]:
    """One change to many."""
    for subscribers in (100, 1_000, 2_000):
        rounds = max(5, int(seconds * 10))
        yield f"one change to {subscribers}", scenarios.fan_out(subscribers, rounds)


def selective(seconds: float) -> Iterator[Line]:
    """Writes beside unrelated subscriptions; the ratio is to none, measured before."""
    base = scenarios.selective(0, seconds)
    yield "writes beside no subscriptions", base
    for count in (100, 1_000, 10_000):
        figures = scenarios.selective(count, seconds)
        figures["CPU ratio to none"] = figures["server us CPU each"] / base["server us CPU each"]
        yield f"writes beside {count} subscriptions", figures


SCENARIOS: dict[str, Callable[[float], Iterator[Line]]] = {
    "creates": creates, "reports": reports, "reads": reads, "fanout": fanout,
    "selective": selective,
}  # fmt: skip


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS], help="default: all")
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    options = parser.parse_args()
    uvloop.install()
    show("this machine", machine.limits())
    for name in options.scenario or SCENARIOS:
        for title, figures in SCENARIOS[name](options.seconds):
            show(title, figures)
    return 0


def show(title: str, figures: dict[str, float]) -> None:
    """One line of figures."""
    told = ", ".join(f"{name} {value:,.1f}" for name, value in figures.items())
    print(f"{title}: {told}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
