"""Watching how a version does in use, to say when it breaks, or does worse than it may.

A break is a change from how it did before (`alerts`); the other findings are about rates
(`rates`): failures in all, one error again and again, one platform against the others.

Invariant: no owner alone brings a finding about; each is found once; what is remembered is bounded.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from hubify.evidence.alerts import (
    ALARM_AT,
    FULL_BASELINE,
    LEAST_BASELINE,
    MAX_OWNERS,
    OTHERS,
    Detector,
    detector,
    observe,
)
from hubify.evidence.rates import PROVED, Count, differs, exceeds
from hubify.evidence.reports import Outcome

LONG_BASELINE: Final = 1_000
BASELINES: Final = (LEAST_BASELINE, FULL_BASELINE, LONG_BASELINE)
"""Runs at which the rate that a change is told from is taken anew, as nothing speaks for one."""
QUIET: Final = ALARM_AT / 100
MAX_PLATFORMS: Final = 24
OTHER_PLATFORM: Final = "other"
MAX_ERRORS: Final = 32
"""Errors told apart; a new one takes the place of the rarest."""
RECENT: Final = 50


class Trouble(StrEnum):
    """What can be found; the words of surface.md 6.2 where it has one."""

    DECLINE = "confidence_decline"
    FAILURES = "high_failure_rate"
    ERRORS = "error_pattern"
    PLATFORM = "platform_gap"


class Limits(msgspec.Struct, frozen=True):
    """What a version may do: shares between 0 and 1; 0 switches the test off."""

    failures: float
    same_error: float
    platform_gap: float


class Seen(NamedTuple):
    """One run as far as watching is concerned; `error` is its signature."""

    owner: str
    platform: str
    outcome: Outcome
    error: str | None


class Finding(NamedTuple):
    """Something found: what, of what (a platform, an error; else ""), in how many runs."""

    trouble: Trouble
    about: str
    runs: int
    wrong: float


class Watching(msgspec.Struct):
    """What is remembered of a version. `halves` are half successes; counts are (runs, halves)."""

    runs: int = 0
    halves: int = 0
    frozen_at: int = 0
    """Runs that the detector's baseline holds."""
    frozen_halves: int = 0
    detector: Detector | None = None
    recent: list[int] = msgspec.field(default_factory=list[int])
    by_owner: dict[str, dict[str, tuple[int, int]]] = msgspec.field(
        default_factory=dict[str, dict[str, tuple[int, int]]]
    )
    """For each owner, by platform."""
    errors: dict[str, dict[str, int]] = msgspec.field(default_factory=dict[str, dict[str, int]])
    """For each error, the runs of each owner that ended with it."""
    found: list[str] = msgspec.field(default_factory=list[str])


def watching_from(runs: int, halves: int) -> Watching:
    """A watch over a version of which so many runs are known already."""
    state = Watching(runs=runs, halves=halves)
    _freeze(state)
    return state


def see(state: Watching, run: Seen) -> None:
    """Take in one run."""
    state.runs += 1
    state.halves += run.outcome.halves
    state.recent = [*state.recent[-(RECENT - 1) :], run.outcome.halves]
    owner = _count(state, run)
    if state.detector is not None:
        observe(state.detector, owner, run.outcome)
    _freeze(state)


def look(state: Watching, limits: Limits) -> list[Finding]:
    """What can be said now that was not found before; at any time, however often."""
    fresh = [one for one in _findings(state, limits) if _name(one) not in state.found]
    state.found.extend(_name(one) for one in fresh)
    return fresh


def missing_baseline(state: Watching) -> int:
    """How many more runs it takes before a change can be told from chance."""
    return 0 if state.detector is not None else max(0, LEAST_BASELINE - state.runs)


def _freeze(state: Watching) -> None:
    """Take the rate so far as what a change is told from, at some numbers of runs."""
    due = max((size for size in BASELINES if size <= state.runs), default=0)
    held = state.detector
    is_quiet = held is None or (held.alarm_at is None and held.level < QUIET)
    if due > state.frozen_at and is_quiet:
        state.detector = detector(state.runs, state.runs - state.halves / 2)
        state.frozen_at, state.frozen_halves = state.runs, state.halves


def _count(state: Watching, run: Seen) -> str:
    """Count a run; answers the name its owner is told apart by."""
    known = run.owner in state.by_owner or len(state.by_owner) < MAX_OWNERS
    owner = run.owner if known else OTHERS
    platforms = state.by_owner.setdefault(owner, {})
    names = {name for each in state.by_owner.values() for name in each}
    fits = run.platform in names or len(names) < MAX_PLATFORMS
    platform = run.platform if fits else OTHER_PLATFORM
    runs, halves = platforms.get(platform, (0, 0))
    platforms[platform] = (runs + 1, halves + run.outcome.halves)
    if run.error is not None and run.outcome is not Outcome.SUCCESS:
        _count_error(state, owner, run.error)
    return owner


def _count_error(state: Watching, owner: str, error: str) -> None:
    if error not in state.errors and len(state.errors) >= MAX_ERRORS:
        del state.errors[min(state.errors, key=lambda name: sum(state.errors[name].values()))]
    owners = state.errors.setdefault(error, {})
    owners[owner] = owners.get(owner, 0) + 1


def _findings(state: Watching, limits: Limits) -> Iterator[Finding]:
    """What the evidence proves; where the share alone is within bounds, none is weighed."""
    if state.detector is not None and state.detector.alarm_at is not None:
        wrong = sum(2 - halves for halves in state.recent) / 2
        yield Finding(Trouble.DECLINE, "", len(state.recent), wrong)
    owners = {owner: _sum(each.values()) for owner, each in state.by_owner.items()}
    total = _total(owners.values())
    if _is_over(total, limits.failures) and exceeds(owners, limits.failures) >= PROVED:
        yield Finding(Trouble.FAILURES, "", total.runs, total.wrong)
    for error in state.errors:
        yield from _error_pattern(state, owners, error, limits.same_error)
    for platform in sorted({name for each in state.by_owner.values() for name in each}):
        yield from _platform_gap(state, platform, limits.platform_gap)


def _error_pattern(
    state: Watching, owners: dict[str, Count], error: str, allowed: float
) -> Iterator[Finding]:
    """All errors are looked for at once, so each one takes as much more proof."""
    times = state.errors[error]
    counts = {owner: Count(own.runs, times.get(owner, 0)) for owner, own in owners.items()}
    total = _total(counts.values())
    if _is_over(total, allowed) and exceeds(counts, allowed) >= PROVED * MAX_ERRORS:
        yield Finding(Trouble.ERRORS, error, total.runs, total.wrong)


def _platform_gap(state: Watching, platform: str, margin: float) -> Iterator[Finding]:
    there = {
        owner: _sum([each[platform]]) for owner, each in state.by_owner.items() if platform in each
    }
    elsewhere = {
        owner: _sum(count for name, count in each.items() if name != platform)
        for owner, each in state.by_owner.items()
    }
    total, others = _total(there.values()), _total(elsewhere.values())
    if not margin or not others.runs or not _is_over(total, others.wrong / others.runs + margin):
        return
    if differs(there, elsewhere, margin) >= PROVED * MAX_PLATFORMS:
        yield Finding(Trouble.PLATFORM, platform, total.runs, total.wrong)


def _is_over(count: Count, allowed: float) -> bool:
    return allowed > 0 and count.wrong > allowed * count.runs


def _sum(counts: Iterable[tuple[int, int]]) -> Count:
    told = list(counts)
    runs = sum(runs for runs, _halves in told)
    return Count(runs, runs - sum(halves for _runs, halves in told) / 2)


def _total(counts: Iterable[Count]) -> Count:
    told = list(counts)
    return Count(sum(one.runs for one in told), sum(one.wrong for one in told))


def _name(finding: Finding) -> str:
    return f"{finding.trouble}:{finding.about}"
