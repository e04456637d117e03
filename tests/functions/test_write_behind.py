"""Notes: counted once for each answer that was delivered, bounded, and never before."""

from collections.abc import Sequence

import pytest

from hubify.domains.system import system
from hubify.functions import Conflict, Domain, MutationCtx, QueryCtx, Row, unique
from hubify.functions.backend import Answer, Call
from hubify.functions.principal import SYSTEM
from hubify.functions.write_behind import MAX_BATCH, MAX_WAITING, Note, WriteBehind
from hubify.storage.engine import Commit, Seal, StorageFailed
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.backend import InMemoryBackend
from hubify.values.errors import AppError, Unavailable

doors = Domain("doors")


@doors.table("door_counts", unique("name"))
class Count(Row, frozen=True):
    name: str
    seen: int = 0


@doors.mutation(internal=True)
def take_in(ctx: MutationCtx, *, items: list[dict[str, str]]) -> None:
    """Count what was noted, each name once."""
    assert len(items) <= MAX_BATCH
    for item in items:
        if ctx.db.first(Count.where(name=item["name"])) is None:
            ctx.db.insert(Count(name=item["name"], seen=1))


@doors.mutation(internal=True)
def pass_by(ctx: MutationCtx, *, name: str, refuse: bool = False) -> str:
    """Note a name and write nothing."""
    ctx.note(take_in, name, {"name": name})
    if refuse:
        raise Conflict("not today")
    return name


@doors.mutation(internal=True)
def bump(ctx: MutationCtx, *, name: str, by: str) -> int:
    """Write, and note who did."""
    ctx.note(take_in, by, {"name": by})
    known = ctx.db.first(Count.where(name=name)) or ctx.db.insert(Count(name=name))
    return ctx.db.replace(known, seen=known.seen + 1).seen


@doors.mutation(internal=True)
def misfit(ctx: MutationCtx, *, items: list[int]) -> None:
    """Take nothing that is ever noted."""
    assert items
    assert ctx.now


@doors.mutation(internal=True)
def note_badly(ctx: MutationCtx) -> None:
    """Note what its function does not take."""
    ctx.note(misfit, "x", {"name": "x"})


@doors.mutation(internal=True)
def note_many(ctx: MutationCtx, *, count: int) -> None:
    """Note as much as asked for."""
    for number in range(count):
        ctx.note(take_in, str(number), {"name": str(number)})


@doors.query(internal=True)
def names(ctx: QueryCtx) -> list[str]:
    """All names that were counted."""
    return [row.name for row in ctx.db.take(Count.where().order_by("name"), limit=2_000)]


def of(backend: InMemoryBackend) -> WriteBehind:
    return backend.backend.wiring.write_behind


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([system, doors])


def test_a_note_costs_no_commit_until_it_is_taken_in(backend: InMemoryBackend) -> None:
    head = backend.head()
    assert backend.mutation("doors:passBy", {"name": "a"}) == "a"
    assert (backend.head(), len(of(backend))) == (head, 1)
    assert backend.take_in_notes() == 1
    assert backend.query("doors:names") == ["a"]
    assert backend.take_in_notes() == 0


def test_the_same_note_twice_is_one(backend: InMemoryBackend) -> None:
    for _ in range(5):
        backend.mutation("doors:passBy", {"name": "a"})
    assert len(of(backend)) == 1
    backend.take_in_notes()
    backend.mutation("doors:passBy", {"name": "a"})
    backend.take_in_notes()
    assert backend.query("doors:names") == ["a"]


def test_a_call_that_is_refused_notes_nothing(backend: InMemoryBackend) -> None:
    with pytest.raises(Conflict):
        backend.mutation("doors:passBy", {"name": "a", "refuse": True})
    assert len(of(backend)) == 0


def test_an_answer_given_again_from_memory_is_not_noted_again(backend: InMemoryBackend) -> None:
    told = {"name": "a", "by": "ann", "idempotencyKey": "k-1"}
    backend.mutation("doors:bump", told)
    backend.take_in_notes()
    backend.mutation("doors:bump", told)
    assert len(of(backend)) == 0


def test_a_note_waits_for_the_answer_of_its_call(backend: InMemoryBackend) -> None:
    settled: list[Answer | AppError] = []
    call = Call("doors:bump", {"name": "a", "by": "ann"}, SYSTEM)
    backend.backend.submit(call, settled.append, internal=True)
    assert (len(settled), len(of(backend))) == (0, 0)
    backend.database.flush()
    assert (len(settled), len(of(backend))) == (1, 1)


class Disk(MemoryEngine):
    """A memory whose disk may be full."""

    full = False

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Refuse while full."""
        if self.full:
            raise StorageFailed("planted")
        return super().append(after, commits)


def test_what_was_not_stored_was_not_noted_and_what_was_noted_waits_for_the_store() -> None:
    disk = Disk(MemoryStore())
    backend = InMemoryBackend([system, doors], engine=disk)
    backend.mutation("doors:passBy", {"name": "a"})
    disk.full = True
    with pytest.raises(Unavailable):
        backend.mutation("doors:bump", {"name": "b", "by": "ben"})
    with pytest.raises(Unavailable):
        backend.take_in_notes()
    assert len(of(backend)) == 1
    disk.full = False
    assert backend.take_in_notes() == 1
    assert backend.query("doors:names") == ["a"]


def test_a_run_that_was_overtaken_notes_once() -> None:
    store = MemoryStore()
    one, two = (
        InMemoryBackend([system, doors], engine=MemoryEngine(store), alone=False)
        for _process in range(2)
    )
    settled: list[Answer | AppError] = []
    call = Call("doors:bump", {"name": "a", "by": "ann"}, SYSTEM)
    one.backend.submit(call, settled.append, internal=True)
    two.mutation("doors:bump", {"name": "a", "by": "ben"})
    one.database.flush()
    (answer,) = settled
    assert isinstance(answer, Answer)
    assert answer.value == 2, "it ran again on what the other process wrote"
    assert [note.key for note in of(one).take()] == ["ann"]


def test_two_processes_and_a_restart_count_one_thing_once() -> None:
    store = MemoryStore()
    for _start in range(2):
        one, two = (
            InMemoryBackend([system, doors], engine=MemoryEngine(store), alone=False)
            for _process in range(2)
        )
        for process in (one, two):
            process.mutation("doors:passBy", {"name": "a"})
        one.take_in_notes()
        two.take_in_notes()
        assert two.query("doors:names") == ["a"]


def test_a_function_that_refuses_its_notes_does_not_stop_the_others(
    backend: InMemoryBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.mutation("doors:noteBadly")
    backend.mutation("doors:passBy", {"name": "a"})
    assert backend.take_in_notes() == 1
    assert backend.query("doors:names") == ["a"]
    assert "doors:misfit were refused" in caplog.text


def note(number: int, path: str = "a:b") -> Note:
    return Note(path, str(number), {"n": number})


def test_memory_is_bounded_and_says_what_it_dropped() -> None:
    behind = WriteBehind()
    behind.add(note(number) for number in range(MAX_WAITING + 7))
    assert len(behind) == MAX_WAITING
    assert (behind.take_dropped(), behind.take_dropped()) == (7, 0)
    behind.add([note(0)])
    assert behind.take_dropped() == 0, "one that waits already needs no room"


def test_a_batch_is_of_one_function_and_of_bounded_size() -> None:
    behind = WriteBehind()
    behind.add(note(number, "a:b" if number % 2 else "c:d") for number in range(3 * MAX_BATCH))
    sizes: list[int] = []
    while batch := behind.take():
        assert len({one.path for one in batch}) == 1
        sizes.append(len(batch))
    assert max(sizes) <= MAX_BATCH
    assert sum(sizes) == 3 * MAX_BATCH


def test_what_is_put_back_does_not_replace_what_was_noted_since() -> None:
    behind = WriteBehind()
    behind.add([note(1)])
    taken = behind.take()
    newer = Note("a:b", "1", {"n": "newer"})
    behind.add([newer])
    behind.put_back(taken)
    assert behind.take() == [newer]


def test_a_call_notes_a_few_things_only(backend: InMemoryBackend) -> None:
    with pytest.raises(AssertionError, match="a few things"):
        backend.mutation("doors:noteMany", {"count": 100})
    assert len(of(backend)) == 0
