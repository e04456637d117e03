"""How many owners, and who, would have to lie for a decision to be wrong.

Invariant: whatever any `survives_colluders` owners do, leaving them out leaves the decision
standing, and some set of one more undoes it. The count is exact; only where the search for that
set would be too long is it the smaller, proved count of the judge's own rule.
"""

from collections.abc import Sequence

import msgspec

from hubify.evidence.canary.betting import Wealth, log_mean_exp

MAX_TRIED_SETS = 500


class _Search(msgspec.Struct):
    """A bounded search for owners whose removal takes a wealth below a level."""

    parts: list[list[int]]
    level: float
    tried: int = 0

    def finds(self, kept: Sequence[int], first: int, left: int) -> bool:
        """Whether some `left` of the owners from place `first` on can take the wealth down.

        The bound leaves out the best owners wager by wager, as no single set can do better.
        """
        if log_mean_exp(kept) < self.level:
            return True
        bound = [
            total - sum(part for part in sorted(parts[first:])[-left:] if part > 0)
            for total, parts in zip(kept, self.parts, strict=True)
        ]
        if left == 0 or first >= len(self.parts[0]) or log_mean_exp(bound) >= self.level:
            return False
        self.tried += 1
        if self.tried > MAX_TRIED_SETS:
            return True  # unknown: do not claim that the decision survives it
        without = [total - parts[first] for total, parts in zip(kept, self.parts, strict=True)]
        return self.finds(without, first + 1, left - 1) or self.finds(kept, first + 1, left)


def survives_colluders(wealth: Wealth, level: float) -> int:
    """The largest k such that leaving out any k owners leaves the log wealth at `level` or above.

    Starts from the count that the judge's rule proves (which leaves out the best owners of each
    wager apart) and goes on while no set of one more owner, the same for all wagers, undoes it.
    """
    owners = len(wealth.parts[0])
    survived = 0
    while survived < owners and wealth.log_e(survived + 1) >= level:
        survived += 1
    parts = _most_helpful_first(wealth)
    while survived < owners and not _Search(parts, level).finds(wealth.totals, 0, survived + 1):
        survived += 1
    return survived


def _most_helpful_first(wealth: Wealth) -> list[list[int]]:
    """The parts of each owner, ordered by what they add under the wager that won most."""
    winning = wealth.parts[wealth.totals.index(max(wealth.totals))]
    order = sorted(range(len(winning)), key=lambda owner: -winning[owner])
    return [[part[owner] for owner in order] for part in wealth.parts]
