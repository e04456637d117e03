"""Seeded runs against the oracles, and faults planted to prove that the oracles bite."""

import logging
from collections.abc import Iterable
from typing import Any

import pytest

from hubify.core.committer import Accepted, Committer
from hubify.core.database import Database
from hubify.core.interval_map import IntervalMap
from hubify.core.overlay import Overlay
from hubify.core.reads import ReadSet
from hubify.core.subscriptions import Subscriptions
from hubify.domains import auth, system
from hubify.functions import runs
from hubify.functions.identities import Identities
from hubify.functions.live import LiveQueries, Question
from hubify.storage.memory import MemoryEngine
from hubify.values import limits
from hubify.workers.jobs import JobLoop
from tests.sim.oracles import judge
from tests.sim.world import World

SEEDS = 3_000
STEPS = 60
LONG_STEPS = 150
ONE_LONG_IN = 7
BLOCKS = 10
FAULT_SEEDS = 200


@pytest.fixture(autouse=True)
def _silence(caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong here was planted: nobody needs to read of it."""
    caplog.set_level(logging.CRITICAL, logger="hubify")


def run(seed: int, steps: int = LONG_STEPS) -> None:
    """One whole run, judged."""
    world = World(seed)
    world.run(steps)
    judge(world)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_seed_satisfies_every_oracle(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        steps = LONG_STEPS if seed % ONE_LONG_IN == 0 else STEPS
        try:
            run(seed, steps)
        except BaseException as error:
            error.add_note(f"repeat with `python -m dev.sim --seed {seed} --steps {steps}`")
            raise


def test_seeds_satisfy_the_oracles_when_little_fits_into_a_flush(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_BATCH_COMMITS", 2)
    for seed in range(FAULT_SEEDS):
        run(seed)


def bites(seeds: Iterable[int]) -> bool:
    """Whether some run fails."""
    for seed in seeds:
        try:
            run(seed)
        except Exception:  # noqa: BLE001 - any failure shows that the fault was noticed
            return True
    return False


def test_a_subscription_that_overlooks_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subscriptions, "publish", lambda _self, _commits: set())
    assert bites(range(FAULT_SEEDS))


def test_an_interval_map_that_forgets_ranges_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IntervalMap, "stab", lambda _self, _key: iter(()))
    assert bites(range(FAULT_SEEDS))


def test_a_read_set_that_sees_no_conflict_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReadSet, "touched_by", lambda _self, _write: False)
    assert bites(range(FAULT_SEEDS))


def test_an_answer_before_the_disk_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Committer.accept

    def hasty(self: Committer, accepted: Accepted) -> None:
        done = accepted.done
        accepted.done = lambda _ts: None
        honest(self, accepted)
        done(accepted.ts)

    monkeypatch.setattr(Committer, "accept", hasty)
    assert bites(range(FAULT_SEEDS))


def test_a_query_that_sees_what_is_not_durable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Committer, "durable_view", Committer.accepted_view)
    assert bites(range(FAULT_SEEDS))


def test_a_flush_in_flight_that_readers_see_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Overlay, "undo", lambda _self, _commit: None)
    assert bites(range(FAULT_SEEDS))


def test_a_forgotten_replay_record_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "find", lambda *_arguments: None)
    monkeypatch.setattr(runs, "record", lambda *_arguments: None)
    assert bites(range(FAULT_SEEDS))


def test_a_live_page_that_forgets_its_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Question, "ending_at", lambda question, _journal: question)
    assert bites(range(FAULT_SEEDS))


def test_a_past_that_is_dropped_too_early_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    prune = MemoryEngine.prune
    monkeypatch.setattr(
        MemoryEngine, "prune", lambda self, _before, limit: prune(self, self.head(), limit)
    )
    assert bites(range(FAULT_SEEDS))


def test_a_past_that_another_process_dropped_and_that_is_read_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Database, "refuse_dropped", lambda _self, _at: None)
    assert bites(range(FAULT_SEEDS))


def test_a_revoked_key_that_goes_on_watching_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Identities, "_forget_stale", lambda _self, _stale: None)
    assert bites(range(FAULT_SEEDS))


def test_a_key_that_outlives_the_key_that_minted_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auth, "_minters", lambda _db, _key: iter(()))
    assert bites(range(FAULT_SEEDS))


def test_a_lease_that_protects_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "LEASE_MS", 0)
    assert bites(range(FAULT_SEEDS))


def test_a_lease_that_is_never_renewed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobLoop, "_renew", nothing)
    assert bites(range(FAULT_SEEDS))


def test_a_job_that_nobody_takes_over_from_the_dead_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(JobLoop, "_take_over", nothing)
    assert bites(range(FAULT_SEEDS))


def test_an_action_that_begins_without_saying_so_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = JobLoop._insist  # pyright: ignore[reportPrivateUsage]

    async def silent(self: JobLoop, path: str, arguments: dict[str, Any]) -> None:
        if path != "system:beginJob":
            await honest(self, path, arguments)

    monkeypatch.setattr(JobLoop, "_insist", silent)
    assert bites(range(FAULT_SEEDS))


def test_a_cron_that_every_process_starts_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "first_run", lambda _every_s, _offset_s, now: now)
    assert bites(range(FAULT_SEEDS))


async def nothing(*_given: object, **_named: object) -> None:
    """What a loop does that has forgotten something."""


def test_a_watcher_that_is_never_let_go_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveQueries, "release", lambda _self, _watcher: None)
    assert bites(range(FAULT_SEEDS))
