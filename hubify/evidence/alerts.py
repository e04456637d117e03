"""Noticing that a skill broke: an always-valid change detector on its stable reports.

A Shiryaev-Roberts e-detector over failures (statistics 4; Shin, Ramdas and Rinaldo 2022): for each
size of fall it sums, over every moment at which the change may have come, the likelihood ratio of
what was seen since; the mean over the sizes is looked at. One copy is kept without each owner, and
the smallest decides, so that no owner alone can raise the alarm. The mean number of reports before
a false alarm is at least `ALARM_AT` when the baseline bounds the true rate of failures.

Invariant: the state is a function of the baseline and of the reports in order of arrival, and
stands still once the alarm was raised.
"""

from typing import Final

import msgspec

from hubify.evidence.beta import lower_quantile
from hubify.evidence.reports import Outcome

ALARM_AT: Final = 5_000.0
FALLS: Final = (0.05, 0.1, 0.2, 0.4)
WORST_RATE: Final = 0.97
BASELINE_LEVEL: Final = 0.1  # of the successes' quantile: the failures' bound holds with 90 %
LEAST_BASELINE: Final = 50
FULL_BASELINE: Final = 200
"""Reports after which a fall from 90 to 70 % is noticed within 160 in 9 of 10 cases."""
MAX_OWNERS: Final = 200
"""Owners told apart; the rest count as one, which makes an alarm later, never sooner."""
OTHERS: Final = ""
HIGHEST: Final = 1e15

Sums = list[float]
"""For each fall: the sum over the moments of a change."""


class Detector(msgspec.Struct):
    """What is remembered of one version's stable reports since its baseline was frozen."""

    bound: float
    """No more than so many of the runs fail, with 90 % certainty, as long as nothing changes."""
    sums: Sums = msgspec.field(default_factory=lambda: [0.0] * len(FALLS))
    without: dict[str, Sums] = msgspec.field(default_factory=dict[str, Sums])
    """The same without the reports of an owner."""
    reports: int = 0
    alarm_at: int | None = None
    """The report, counted from the baseline, that raised the alarm."""

    @property
    def level(self) -> float:
        """How far it has come: the smallest mean without any one owner; an alarm at `ALARM_AT`."""
        copies = self.without.values() if len(self.without) > 1 else ()
        return min((sum(copy) / len(FALLS) for copy in copies), default=0.0)


def detector(runs: int, failures: float) -> Detector | None:
    """A detector over a baseline, or None while the baseline is too short to say anything.

    Args:
        runs: reports of the baseline.
        failures: how many of them failed; a partial success is half of one.

    """
    if runs < LEAST_BASELINE:
        return None
    successes = runs - failures
    bound = 1.0 if successes <= 0 else 1 - lower_quantile(successes, failures + 1, BASELINE_LEVEL)
    return Detector(bound=min(bound, WORST_RATE))


def observe(state: Detector, owner: str, outcome: Outcome) -> bool:
    """Take in one report; whether the alarm has been raised, now or before."""
    if state.alarm_at is not None:
        return True
    state.reports += 1
    name = _place(state, owner)
    ratios = _ratios(state.bound, 1 - outcome.halves / 2)
    for each, sums in state.without.items():
        if each != name:
            _grow(sums, ratios)
    _grow(state.sums, ratios)
    if state.level >= ALARM_AT:
        state.alarm_at = state.reports
    return state.alarm_at is not None


def _place(state: Detector, owner: str) -> str:
    """The owner's name among those told apart; a new one's copy has seen what all have."""
    if owner in state.without:
        return owner
    name = owner if len(state.without) < MAX_OWNERS else OTHERS
    if name not in state.without:
        state.without[name] = list(state.sums)
    return name


def _ratios(bound: float, failure: float) -> Sums:
    """For each fall, how much likelier the outcome is after it; at most 1 on average before it."""
    found: Sums = []
    for fall in FALLS:
        worse = min(WORST_RATE, bound + fall)
        ratio = failure * worse / bound + (1 - failure) * (1 - worse) / (1 - bound)
        found.append(ratio)
    return found


def _grow(sums: Sums, ratios: Sums) -> None:
    for place, ratio in enumerate(ratios):
        sums[place] = min((1 + sums[place]) * ratio, HIGHEST)
