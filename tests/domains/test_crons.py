"""What an operator sees of crons, and what a changed declaration does to them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.system import system
from hubify.functions import ActionCtx, Domain, MutationCtx, PreconditionFailed
from hubify.functions.schedule import Cron, first_run
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.backend import START_MS, InMemoryBackend

HOUR_MS = 3_600_000


class Moods:
    """What the crons below find outside."""

    is_good = True
    clock: InMemoryBackend | None = None


def domain_with(every_s: int, offset_s: int) -> Domain:
    """A domain with a mutation and an action as crons."""
    made = Domain("moods")

    @made.cron(every_s=every_s, offset_s=offset_s)
    @made.mutation(internal=True, errors=(PreconditionFailed,))
    def keep(_ctx: MutationCtx) -> None:
        """Do it, in a good mood."""
        if not Moods.is_good:
            raise PreconditionFailed("not today")

    @made.cron(every_s=every_s, offset_s=offset_s)
    @made.action(internal=True, errors=(PreconditionFailed,))
    async def reach(_ctx: ActionCtx) -> None:
        """Take a second, and succeed in a good mood."""
        assert Moods.clock is not None
        Moods.clock.now_ms += 1_000
        if not Moods.is_good:
            raise PreconditionFailed("not today")

    assert keep, reach
    return made


@pytest.fixture(autouse=True)
def _good_mood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moods, "is_good", True)


def opened(
    every_s: int = 3600, offset_s: int = 0, store: MemoryStore | None = None, now_ms: int = START_MS
) -> InMemoryBackend:
    """A process on a store, its crons declared."""
    domains = [system, domain_with(every_s, offset_s)]
    Moods.clock = InMemoryBackend(domains, engine=MemoryEngine(store), now_ms=now_ms)
    Moods.clock.run_due()
    return Moods.clock


def cron(made: InMemoryBackend, path: str) -> Cron:
    """One cron of the list."""
    found: Sequence[Cron] = made.query("system:listCrons")
    return next(each for each in found if each.path == path)


def test_one_list_shows_when_how_long_and_how_well_each_cron_ran() -> None:
    made = opened()
    fresh = cron(made, "moods:keep")
    assert (fresh.last_at, fresh.last_error, fresh.next_at) == (None, None, START_MS + HOUR_MS)
    made.advance(HOUR_MS)
    kept, reached = cron(made, "moods:keep"), cron(made, "moods:reach")
    assert (kept.last_at, kept.last_duration_ms) == (START_MS + HOUR_MS, 0)
    assert (reached.last_at, reached.last_duration_ms) == (START_MS + HOUR_MS, 1_000)
    assert reached.next_at == START_MS + 2 * HOUR_MS
    assert reached.last_ended_at == START_MS + HOUR_MS + 1_000


@pytest.mark.parametrize("path", ["moods:keep", "moods:reach"])
def test_the_error_of_the_last_run_stands_until_a_run_succeeds(path: str) -> None:
    made = opened()
    Moods.is_good = False
    made.advance(HOUR_MS)
    assert cron(made, path).last_error == "PRECONDITION_FAILED: not today"
    Moods.is_good = True
    made.advance(HOUR_MS)
    assert cron(made, path).last_error is None


@pytest.mark.parametrize(("every_s", "offset_s"), [(7200, 0), (3600, 600), (86_400, 5_400)])
def test_a_changed_interval_or_offset_counts_from_the_next_start(
    every_s: int, offset_s: int
) -> None:
    store = MemoryStore()
    opened(store=store).advance(HOUR_MS)
    now = START_MS + HOUR_MS + 60_000
    made = opened(every_s, offset_s, store, now)
    changed = cron(made, "moods:keep")
    assert (changed.every_s, changed.offset_s) == (every_s, offset_s)
    assert changed.next_at == first_run(every_s, offset_s, now)
    assert changed.last_at == START_MS + HOUR_MS


def test_an_unchanged_cron_that_fell_due_while_nothing_ran_runs_at_the_start() -> None:
    store = MemoryStore()
    opened(store=store)
    late = START_MS + 5 * HOUR_MS + 60_000
    made = opened(store=store, now_ms=late)
    ran = cron(made, "moods:keep")
    assert (ran.last_at, ran.next_at) == (late, START_MS + 6 * HOUR_MS)


@given(st.integers(1, 100_000), st.integers(0, 200_000), st.integers(0, 10**13))
def test_the_first_run_is_the_next_moment_on_the_grid(
    every_s: int, offset_s: int, now: int
) -> None:
    first = first_run(every_s, offset_s, now)
    assert now < first <= now + every_s * 1000
    assert (first - offset_s * 1000) % (every_s * 1000) == 0
