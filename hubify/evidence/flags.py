"""What is odd about an owner's reports on one version: bursts, duplicates, a stream too perfect.

A flag is an observation with its evidence, for people to look at. It weighs nothing: what one owner
can move is bounded by the cap on its evidence, and a report's weight is fixed when it is accepted
(statistics.md 2), so no flag changes a number afterwards.

- Burst: more reports than one a minute and `BURST` ahead, over any stretch of time whatever: the
  generic cell rate algorithm (ITU-T I.371), which keeps one number for all stretches.
- Duplicates: a report that tells the very same as one of the owner's last `REMEMBERED`, to the
  millisecond of its duration or over a text too long to be a habit.
- Too perfect: a test by betting (Shafer 2021) that fewer runs fail than half of what others see on
  the same version. By Ville's inequality an owner of whom at least so many fail is ever flagged
  with a probability below 1 in 1,000, however long it reports.

Invariant: a stream is a function of its reports in order, of bounded size.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from math import floor, log2
from typing import Final, NamedTuple

import msgspec

MINUTE_MS: Final = 60_000
BURST: Final = 60
"""Reports ahead of one a minute from which a stream is a burst."""
REMEMBERED: Final = 16
HABIT: Final = 40
"""Characters below which the same text twice says nothing."""
REPEATS: Final = 3
"""Duplicates from which they are told; one or two are a client that tried again."""
LEAST_OTHERS: Final = 20
"""Runs' weight of other owners without which nobody can tell what would be too perfect."""
RARER: Final = 10
"""The bet: so many times fewer runs fail than the least that is taken to be honest."""
SURPRISE: Final = 10_000
"""Thousandths of a bit that the bet must have won: 1 in 1,024."""


class FlagKind(StrEnum):
    """What is odd."""

    BURST = "burst"
    DUPLICATES = "duplicates"
    TOO_PERFECT = "too_perfect"


class Seen(NamedTuple):
    """What of one report is looked at; `at_ms` never goes back within a stream.

    `others_failing`: the share of other owners' runs of the version that failed before it, None
    while these weigh less than `LEAST_OTHERS` runs.
    """

    at_ms: int
    fingerprint: int | None
    succeeded: bool
    others_failing: float | None


class Stream(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of an owner's reports on a version.

    `full_until`: when, at one a minute, all its reports will have been due (ms); `surprise` is in
    thousandths of a bit.
    """

    reports: int = 0
    full_until: int = 0
    fingerprints: tuple[int, ...] = ()
    repeats: int = 0
    surprise: int = 0


class Hit(NamedTuple):
    """A rule that a report met, and its measure then.

    The measure is, of a burst, how many reports it is ahead; of duplicates, how many there were; of
    a stream too perfect, the bits: one in two to their power.
    """

    kind: FlagKind
    measure: float


def fingerprint_of(
    told: Sequence[object], texts: Sequence[str | None], duration: object
) -> int | None:
    """A number for all that a report tells; None where the same again would say nothing.

    Args:
        told: everything that makes two reports the same, as values of MessagePack.
        texts: those of it that somebody wrote.
        duration: how long the run took, None if not told.
    """
    if duration is None and sum(len(text or "") for text in texts) < HABIT:
        return None
    packed = msgspec.msgpack.encode(list(told), enc_hook=repr, order="deterministic")
    return int.from_bytes(hashlib.sha256(packed).digest()[:7])


def observed(stream: Stream, seen: Seen) -> tuple[Stream, tuple[Hit, ...]]:
    """The stream with one report more, and which rules it met with it."""
    full_until = max(stream.full_until, seen.at_ms) + MINUTE_MS
    is_repeat = seen.fingerprint is not None and seen.fingerprint in stream.fingerprints
    after = Stream(
        reports=stream.reports + 1,
        full_until=full_until,
        fingerprints=_remembering(stream.fingerprints, seen.fingerprint),
        repeats=stream.repeats + is_repeat,
        surprise=stream.surprise + surprise(seen.others_failing, succeeded=seen.succeeded),
    )
    ahead = (full_until - seen.at_ms) / MINUTE_MS
    rules = (
        (FlagKind.BURST, ahead > BURST, ahead),
        (FlagKind.DUPLICATES, is_repeat and after.repeats >= REPEATS, after.repeats),
        (FlagKind.TOO_PERFECT, after.surprise >= SURPRISE, after.surprise / 1000),
    )
    return after, tuple(Hit(kind, round(measure, 2)) for kind, is_met, measure in rules if is_met)


def surprise(others_failing: float | None, *, succeeded: bool) -> int:
    """What the bet wins by one run, in thousandths of a bit, rounded down; lost money is negative.

    Half of the others' failures is the least that is taken to be honest; so the stake grows, in the
    mean, for nobody of whom as many runs fail.
    """
    if others_failing is None or others_failing <= 0:
        return 0
    least = others_failing / 2
    won = (1 - least / RARER) / (1 - least) if succeeded else 1 / RARER
    return floor(1000 * log2(won))


def _remembering(known: tuple[int, ...], fingerprint: int | None) -> tuple[int, ...]:
    if fingerprint is None:
        return known
    return (*(one for one in known if one != fingerprint), fingerprint)[-REMEMBERED:]
