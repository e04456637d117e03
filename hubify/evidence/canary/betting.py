"""One-sided test martingales with each owner's part kept apart.

Reference: betting e-processes (Waudby-Smith and Ramdas 2024) with Ville's inequality: under the
null hypothesis the chance that the wealth of a fair game ever reaches 1/alpha is at most alpha,
however often one looks.

Invariant: wealth is kept as whole millionths of a natural logarithm, rounded down, per wager and
owner. So the kept process never exceeds the exact one, its sums do not depend on the machine, and
leaving an owner out is a subtraction.
"""

from collections.abc import Collection, Iterable
from math import ceil, exp, floor, log, log1p

import msgspec

WAGERS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Fixed bets per unit of score, of equal weight: together they suit small and large effects."""
LARGEST_LOSS = 0.75
"""Part of its wealth that a process may lose on one report."""
MICRO = 1_000_000

_MAX_LOG = 700.0  # exp of more is no float


class Wealth(msgspec.Struct):
    """The logarithmic wealth of one direction, per wager and owner, in millionths.

    `best` is the largest mean wealth, with the most helpful owners left out, at any look so far:
    its natural logarithm, at least 0. No wealth of that kind has risen above `ceiling` (millionths)
    since it was last worked out, so most looks need not work it out again.
    """

    parts: list[list[int]] = msgspec.field(default_factory=lambda: [[] for _ in WAGERS])
    totals: list[int] = msgspec.field(default_factory=lambda: [0] * len(WAGERS))
    best: float = 0.0
    ceiling: int = 0

    def admit(self) -> None:
        """Give one more owner a place."""
        for part in self.parts:
            part.append(0)

    def bet(self, owner: int, payoff: float, ceiling: float) -> None:
        """Multiply the wealth under each wager w by 1 + min(w, ceiling) * payoff.

        Args:
            owner: the place of the reporting owner.
            payoff: a score whose mean is at most 0 under the null, given the past.
            ceiling: the largest bet that cannot lose more than `LARGEST_LOSS`, fixed by the past.
        """
        gain = capped = floor(log1p(ceiling * payoff) * MICRO)
        for place, wager in enumerate(WAGERS):
            gain = capped if wager >= ceiling else floor(log1p(wager * payoff) * MICRO)
            self.parts[place][owner] += gain
            self.totals[place] += gain
        self.ceiling += max(gain, 0)  # the last wager is the largest, and so is its gain

    def log_e(self, dropped: int = 0) -> float:
        """Log of the mean wealth with each wager's `dropped` most helpful owners left out."""
        if dropped == 0:
            return log_mean_exp(self.totals)
        kept = [
            total - sum(part for part in sorted(parts)[-dropped:] if part > 0)
            for total, parts in zip(self.totals, self.parts, strict=True)
        ]
        return log_mean_exp(kept)

    def look(self, dropped: int) -> None:
        """Let `best` keep up with the wealth after a report; `dropped` must never fall."""
        if self.ceiling > self.best * MICRO:
            log_e = self.log_e(dropped)
            self.ceiling = ceil(log_e * MICRO)
            self.best = max(self.best, log_e)

    def reaches(self, level: float, dropped: int) -> bool:
        """Whether the log wealth now is at least `level` with `dropped` owners left out."""
        return self.ceiling >= level * MICRO and self.log_e(dropped) >= level

    def owner_log_e(self, owner: int) -> float:
        """Log of the mean wealth from one owner's reports alone."""
        return log_mean_exp([part[owner] for part in self.parts])

    def without(self, owners: Collection[int]) -> "Wealth":
        """The wealth from everybody else's reports."""
        parts = [
            [part for owner, part in enumerate(column) if owner not in owners]
            for column in self.parts
        ]
        totals = [sum(part) for part in parts]
        return Wealth(parts=parts, totals=totals, ceiling=max(totals))


def log_mean_exp(micros: Iterable[int]) -> float:
    """Log of the mean of exp(x), for x in millionths."""
    values = list(micros)
    top = max(values)
    return top / MICRO + log(sum(exp((value - top) / MICRO) for value in values) / len(values))


def wealth_of(log_e: float) -> float:
    """A wealth for people to read; beyond 1e304 it stays there."""
    return exp(min(log_e, _MAX_LOG))
