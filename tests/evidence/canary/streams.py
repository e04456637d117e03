"""Streams by a seed; the same seed gives the same one."""

import random
from collections.abc import Iterator

from hubify.evidence.canary import RunReport
from hubify.evidence.canary.streams import (
    LIARS,
    Lie,
    Truth,
    fails_on_canary,
    share_at,
    succeeds_on_canary,
    succeeds_on_canary_alone,
)
from hubify.evidence.canary.streams import stream as stream_of

__all__ = [
    "LIARS", "Lie", "Truth", "fails_on_canary", "share_at", "stream", "succeeds_on_canary",
    "succeeds_on_canary_alone",
]  # fmt: skip


def stream(seed: int, truth: Truth) -> Iterator[RunReport]:
    """The stream of a seed."""
    return stream_of(random.Random(seed), truth)
