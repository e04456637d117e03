"""`hubify bench canary`: the judge's error rates over seeded streams with a known truth.

Invariant: a row's figures are a function of the seed and of the number of streams, whatever the
number of processes.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import Annotated

import msgspec

from hubify.cli.options import JsonOption, told
from hubify.cli.tables import columns
from hubify.cli.world import World
from hubify.evidence.canary.streams import (
    Truth,
    fails_on_canary,
    fails_on_canary_alone,
    succeeds_on_canary,
    succeeds_on_canary_alone,
)

PER_TASK = 20  # streams that a process judges at a time
LITTLE = 20.0  # reports an hour, where only the bounds on errors hold


class Row(msgspec.Struct, frozen=True):
    """A truth, and what the requirements say of it, in percent of the streams."""

    name: str
    truth: Truth
    rolled_back_at_most: float = 100.0
    rolled_back_at_least: float = 0.0
    promoted_at_most: float = 100.0
    promoted_at_least: float = 0.0

    def holds(self, rolled_back: float, promoted: float) -> bool:
        """Whether the figures keep to the requirements."""
        return (
            self.rolled_back_at_least <= rolled_back <= self.rolled_back_at_most
            and self.promoted_at_least <= promoted <= self.promoted_at_most
        )


class Ending(msgspec.Struct, frozen=True):
    """How one stream was decided."""

    verdict: str
    hours: float
    canary_runs: int


class Measured(msgspec.Struct, frozen=True):
    """One row of the table, in percent of its streams."""

    truth: str
    streams: int
    rolled_back: float
    promoted: float
    inconclusive: float
    hours_to_rollback: float | None
    """The median."""
    canary_runs_to_rollback: int | None
    """The median."""
    holds: bool


EQUAL, BETTER, WORSE, MUCH_WORSE = 0.0, 0.03, -0.05, -0.10
ROWS: tuple[Row, ...] = (
    Row("equal", Truth(), rolled_back_at_most=2),
    Row("3 points better", Truth(effect=BETTER), rolled_back_at_most=0.5, promoted_at_least=95),
    Row("10 points worse", Truth(effect=MUCH_WORSE), rolled_back_at_least=97,
        promoted_at_most=0.5),
    Row("5 points worse", Truth(effect=WORSE), promoted_at_most=5),
    Row("equal, 20 an hour", Truth(rate=LITTLE), rolled_back_at_most=2),
    Row("3 points better, 20 an hour", Truth(effect=BETTER, rate=LITTLE), rolled_back_at_most=0.5),
    Row("10 points worse, 20 an hour", Truth(effect=MUCH_WORSE, rate=LITTLE),
        promoted_at_most=0.5),
    Row("5 points worse, 20 an hour", Truth(effect=WORSE, rate=LITTLE), promoted_at_most=5),
    Row("equal, 6 of 60 fail it", Truth(lie=fails_on_canary), rolled_back_at_most=2),
    Row("equal, 6 fail it and pass the other", Truth(lie=fails_on_canary_alone),
        rolled_back_at_most=2),
    Row("3 points better, 6 fail it", Truth(effect=BETTER, lie=fails_on_canary),
        rolled_back_at_most=0.5),
    Row("10 points worse, 6 pass it", Truth(effect=MUCH_WORSE, lie=succeeds_on_canary),
        promoted_at_most=0.5),
    Row("10 points worse, 6 pass it alone",
        Truth(effect=MUCH_WORSE, lie=succeeds_on_canary_alone), promoted_at_most=0.5),
    Row("5 points worse, 6 pass it", Truth(effect=WORSE, lie=succeeds_on_canary),
        promoted_at_most=5),
)  # fmt: skip


class CanaryBench:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        *,
        streams: Annotated[int, told("Streams for each truth.", "N")] = 200,
        seed: Annotated[int, told("Where the chance begins.", "S")] = 1,
        processes: Annotated[int | None, told("Processes (default: one for each core).")] = None,
        json: JsonOption = False,
    ) -> int:
        """Judge seeded streams with a known truth and print how often each decision was taken.

        A stream has a look after every report: 60 owners, a success rate of 90 %, stages of 24
        hours, an end at 72. The last column says whether the requirement on that truth is met; the
        exit status is 1 when one is not. 10,000 streams for each truth take four hours of one core.
        """
        found: list[Measured] = []
        with ProcessPoolExecutor(processes) as pool:
            for number, row in enumerate(ROWS):
                self._world.say(f"{row.name} …")
                found.append(measured(row, list(_endings(pool, number, streams, seed))))
        if json:
            self._world.print_json(found)
        else:
            self._show(found)
        return 0 if all(row.holds for row in found) else 1

    def _show(self, found: list[Measured]) -> None:
        headings = (
            "TRUTH", "ROLLED BACK", "PROMOTED", "OPEN", "HOURS", "CANARY RUNS", "REQUIREMENT",
        )  # fmt: skip
        rows = [
            (
                row.truth, f"{row.rolled_back:.2f} %", f"{row.promoted:.2f} %",
                f"{row.inconclusive:.2f} %", _or_dash(row.hours_to_rollback),
                _or_dash(row.canary_runs_to_rollback), "met" if row.holds else "MISSED",
            )
            for row in found
        ]  # fmt: skip
        for line in columns(headings, rows, None):
            self._world.print(line)


def measured(row: Row, endings: list[Ending]) -> Measured:
    """The figures of one truth."""
    back = sorted((end.hours, end.canary_runs) for end in endings if end.verdict == "rollback")
    promoted = sum(end.verdict == "promote" for end in endings)
    shares = [100 * count / max(len(endings), 1) for count in (len(back), promoted)]
    runs = sorted(runs for _, runs in back)
    return Measured(
        truth=row.name,
        streams=len(endings),
        rolled_back=shares[0],
        promoted=shares[1],
        inconclusive=100 - sum(shares),
        hours_to_rollback=round(back[len(back) // 2][0], 1) if back else None,
        canary_runs_to_rollback=runs[len(runs) // 2] if runs else None,
        holds=row.holds(*shares),
    )


def endings_of(number: int, seed: int, first: int, last: int) -> list[Ending]:
    """How the streams `first` to `last` of a row end; each has a chance of its own."""
    from hubify.evidence.canary import Settings, replay
    from hubify.evidence.canary.settings import HOUR_MS
    from hubify.evidence.canary.streams import stream

    truth, found = ROWS[number].truth, list[Ending]()
    for which in range(first, last):
        chance = Random(f"{seed}/{number}/{which}")  # noqa: S311 - a simulation
        until_ms = int(truth.hours * HOUR_MS)
        reports = (each for each in stream(chance, truth) if each.at_ms < until_ms)
        decision = replay(reports, Settings(), until_ms=until_ms).decision
        hours = (decision.decided_ms or 0) / HOUR_MS
        found.append(Ending(decision.verdict, hours, decision.counted.canary.runs))
    return found


def _endings(pool: ProcessPoolExecutor, number: int, streams: int, seed: int) -> Iterator[Ending]:
    tasks = [
        pool.submit(endings_of, number, seed, first, min(first + PER_TASK, streams))
        for first in range(0, streams, PER_TASK)
    ]
    for task in tasks:
        yield from task.result()


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
