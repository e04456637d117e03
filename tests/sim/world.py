"""A seeded world: processes on one store, clients with live queries, crashes and lost connections.

Every choice comes from one seeded generator, and everything runs as ordinary calls, so a seed is a
whole run. The world keeps what clients were told; `oracles.py` judges it.
"""

import itertools
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from hubify.core.database import Database
from hubify.domains.system import system
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.declare import build_registry
from hubify.functions.jobs import submit_job
from hubify.functions.live import Watcher
from hubify.functions.principal import CallerKind, Principal
from hubify.functions.quota import Quota
from hubify.functions.replay import session_key
from hubify.functions.schedule import Job
from hubify.functions.wiring import Wiring
from hubify.ports.runtime import Runtime
from hubify.storage.engine import Commit, HeadMoved, Seal, StorageFailed
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.backend import SEALER
from hubify.values.errors import AppError, Kind
from tests.sim.bank import bank

START_NS = 1_767_225_600_000_000_000
NAMES = [f"a{number}" for number in range(8)]
BRANCHES = ["north", "south", "west"]
MOTTOS = ["slow and steady", "steady growth", "bold moves", "slow food", "growth at any price"]
REGISTRY = build_registry([system, bank])


class Wish(msgspec.Struct):
    """One mutation a client wants done, until it has heard that it was."""

    label: str
    path: str
    arguments: dict[str, Any]
    session: str
    request: int
    outcome: Answer | AppError | None = None
    asked_of: "Process | None" = None


class Seen(msgspec.Struct, frozen=True):
    """What a live query showed at a timestamp."""

    ts: int
    path: str
    arguments: dict[str, Any]
    owner: str
    members: bytes
    journal: str | None


class Disk(MemoryEngine):
    """An engine whose disk may be full when a batch is staged."""

    full = False

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Refuse while full."""
        if self.full:
            raise StorageFailed("planted")
        return super().append(after, commits)


class Process:
    """One server process: a database over its own engine handle, and what is being flushed."""

    def __init__(self, world: "World") -> None:
        self.engine = Disk(world.store)
        runtime = Runtime(lambda: world.now_ns, lambda: 0.0, world.random.randbytes)
        self.database = Database(self.engine, REGISTRY.tables, runtime.wall_ns, alone=world.alone)
        wiring = Wiring(REGISTRY, self.database, runtime, strict=True, sealer=SEALER)
        self.backend = Backend(wiring, Quota(None, runtime.wall_ns), kick=lambda: None)
        self.database.oldest = world.oldest
        self.seal: Seal | None = None
        self.sealed: Exception | bool = False

    def stage(self, *, full: bool = False) -> None:
        """Begin a flush, unless one is under way."""
        if self.seal is None:
            self.engine.full = full
            self.seal = self.database.committer.stage()
            self.sealed = False

    def reach_disk(self, *, failing: bool) -> None:
        """What the flush thread does; the loop has not heard of it yet."""
        if self.seal is None or self.sealed:
            return
        if failing:
            self.engine.close()  # drops what is staged, as a failed COMMIT does
            self.sealed = StorageFailed("planted")
            return
        try:
            self.seal()
            self.sealed = True
        except HeadMoved as error:
            self.sealed = error

    def hear_of_flush(self) -> None:
        """The loop learns how the flush ended."""
        if self.seal is None or not self.sealed:
            return
        self.seal = None
        if isinstance(self.sealed, HeadMoved):
            self.database.committer.overtaken()
        elif isinstance(self.sealed, Exception):
            self.database.committer.failed(self.sealed)
        else:
            self.database.committer.sealed()

    def catch_up(self) -> None:
        """Read what the other process committed."""
        if self.seal is None:
            self.database.committer.catch_up()


class Client:
    """A client: its session, its wishes not yet answered, its live queries on one process."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.owner = f"owner{number % 2}"
        self.session = f"session-{number}"
        self.requests = itertools.count()
        self.wishes: list[Wish] = []
        self.questions: list[tuple[str, dict[str, Any]]] = []
        self.journals: list[str | None] = []
        self.watchers: list[Watcher] = []
        self.process: Process | None = None

    def connect(self, process: Process) -> None:
        """(Re)connect: subscribe anew, send everything unanswered again."""
        self.leave()
        self.process = process
        self._watch_all()
        for wish in self.wishes:
            self.world.send(wish, process)

    def ask(self, path: str, arguments: dict[str, Any]) -> None:
        """Add a live query."""
        self.questions.append((path, arguments))
        self.journals.append(None)
        self._watch(path, arguments, None)

    def become(self, owner: str) -> None:
        """Authenticate as somebody else: every query is asked anew on the same connection."""
        self.owner = owner
        if self.process is not None:
            self.leave()
            self._watch_all()

    def leave(self) -> None:
        """Stop watching."""
        for watcher in self.watchers:
            watcher.detach()
        self.watchers = []

    def look(self) -> None:
        """One turn: show every live query at the durable head of its process."""
        if self.process is None:
            return
        ts = self.process.database.head
        for place, (path, arguments) in enumerate(self.questions):
            result = self.watchers[place].result()
            journal = None if result.failed else journal_of(result.members)
            assert self.journals[place] in (None, journal), "a page keeps its end"
            self.journals[place] = journal
            seen = Seen(ts, path, arguments, self.owner, result.members, journal)
            self.world.seen.append(seen)

    def _watch_all(self) -> None:
        for (path, arguments), journal in zip(self.questions, self.journals, strict=True):
            self._watch(path, arguments, journal)

    def _watch(self, path: str, arguments: dict[str, Any], journal: str | None) -> None:
        assert self.process is not None, "a client watches while connected"
        call = Call(path, arguments, principal(self.owner, self.session))
        self.watchers.append(self.process.backend.attach(call, journal, lambda: None))


class World:
    """Everything that happens in one seed."""

    def __init__(self, seed: int, *, clients: int = 3) -> None:
        self.random = Random(seed)
        processes = self.random.choice([1, 2])
        self.now_ns = START_NS
        self.oldest = 0
        self.store = MemoryStore()
        self.alone = processes == 1
        self.processes = [Process(self) for _number in range(processes)]
        self.seen: list[Seen] = []
        self.done: dict[str, Wish] = {}
        self.known: dict[str, Wish] = {}
        self.jobs: dict[str, Job] = {}
        self.acknowledged_at: dict[str, int] = {}
        self.labels = itertools.count()
        self.clients = [Client(self, number) for number in range(clients)]
        for client in self.clients:
            client.connect(self.random.choice(self.processes))

    def run(self, steps: int) -> None:
        """Take random steps, then let everything come to rest."""
        weighted = [
            (30, self.wish), (8, self.subscribe), (18, self.look), (14, self.stage),
            (14, self.reach_disk), (14, self.hear), (6, self.tick), (5, self.catch_up),
            (4, self.run_job), (3, self.reconnect), (1, self.crash), (2, self.become),
            (1, self.prune),
        ]  # fmt: skip
        moves = [move for _weight, move in weighted]
        weights = [weight for weight, _move in weighted]
        for move in self.random.choices(moves, weights, k=steps):
            move()
        self.settle()

    def settle(self) -> None:
        """Flush, catch up and look until every wish is answered."""
        for _round in range(50):
            for process in self.processes:
                process.stage()
                process.reach_disk(failing=False)
                process.hear_of_flush()
                process.catch_up()
            waiting = [wish for client in self.clients for wish in client.wishes]
            if not waiting:
                break
            for wish in waiting:
                if wish.asked_of is None:
                    self.send(wish, self.processes[0])
        assert not any(client.wishes for client in self.clients), "every wish is answered"
        for process in self.processes:
            process.catch_up()
        self.look_all()

    # Moves.

    def wish(self) -> None:
        """A client sends a mutation."""
        client = self.random.choice(self.clients)
        path, arguments = random_mutation(self.random)
        label = f"w{next(self.labels)}"
        wish = Wish(label, path, arguments, client.session, next(client.requests))
        client.wishes.append(wish)
        self.known[label] = wish
        if client.process is not None:
            self.send(wish, client.process)

    def subscribe(self) -> None:
        """A client adds a live query."""
        client = self.random.choice(self.clients)
        if client.process is not None and len(client.questions) < 8:
            client.ask(*random_query(self.random))

    def look(self) -> None:
        """One client takes a turn."""
        self.random.choice(self.clients).look()

    def look_all(self) -> None:
        """Every client takes a turn."""
        for client in self.clients:
            client.look()

    def stage(self) -> None:
        """A process begins a flush, unless its disk is full."""
        self.random.choice(self.processes).stage(full=self.random.random() < 0.03)

    def reach_disk(self) -> None:
        """A flush reaches the disk, or fails there."""
        self.random.choice(self.processes).reach_disk(failing=self.random.random() < 0.05)

    def hear(self) -> None:
        """A process hears how its flush ended."""
        self.random.choice(self.processes).hear_of_flush()

    def tick(self) -> None:
        """Time passes."""
        self.now_ns += self.random.choice([1, 1_000, 50_000_000, 3_000_000_000])

    def catch_up(self) -> None:
        """A process reads the tail of the log."""
        self.random.choice(self.processes).catch_up()

    def become(self) -> None:
        """A client authenticates as another owner."""
        self.random.choice(self.clients).become(f"owner{self.random.randrange(2)}")

    def prune(self) -> None:
        """The past before some moment is given up, by every process, and dropped by one."""
        self.oldest = self.random.randint(self.oldest, self.store.head)
        for process in self.processes:
            process.database.oldest = self.oldest
        self.random.choice(self.processes).database.prune(self.oldest, 1_000)

    def reconnect(self) -> None:
        """A client loses its connection and finds another process; its answers may be lost."""
        client = self.random.choice(self.clients)
        for wish in client.wishes:
            wish.asked_of = None
        client.connect(self.random.choice(self.processes))

    def crash(self) -> None:
        """A process dies with all it held in memory; another takes its place."""
        place = self.random.randrange(len(self.processes))
        dead = self.processes[place]
        dead.engine.close()
        self.processes[place] = Process(self)
        for client in self.clients:
            if client.process is dead:
                for wish in client.wishes:
                    wish.asked_of = None
                client.connect(self.random.choice(self.processes))

    def run_job(self) -> None:
        """A process runs a job that is due; two may try the same one."""
        process = self.random.choice(self.processes)
        due: list[Job] = process.backend.query(
            Call("system:dueJobs", {"now": self.now_ns // 1_000_000, "limit": 3}, SYSTEM_CALLER),
            internal=True,
        ).value
        for job in due:
            self.jobs[f"job-{job.id}"] = job
            submit_job(process.backend, job, principal("system", f"job-{job.id}"), lambda _: None)

    # What a client and a process say to each other.

    def send(self, wish: Wish, process: Process) -> None:
        """Submit a wish under its session and request number."""
        wish.asked_of = process
        caller = principal("x", wish.label)
        key = session_key(wish.session, wish.request, caller, wish.path, wish.arguments)
        call = Call(wish.path, wish.arguments, caller, replay=key)
        process.backend.submit(call, self._hearing(wish, process))

    def _hearing(self, wish: Wish, process: Process) -> Callable[[Answer | AppError], None]:
        def settled(outcome: Answer | AppError) -> None:
            if wish.asked_of is not process:
                return  # the connection it was sent on is gone
            if isinstance(outcome, AppError) and outcome.kind is Kind.UNAVAILABLE:
                wish.asked_of = None  # a client tries again later
                return
            wish.outcome = outcome
            self.done[wish.label] = wish
            for client in self.clients:
                if wish in client.wishes:
                    client.wishes.remove(wish)
            if isinstance(outcome, Answer):
                self.acknowledged_at[wish.label] = outcome.ts

        return settled


def principal(owner: str, credential: str) -> Principal:
    """A caller that may do everything; its label in the log is the credential."""
    return Principal(CallerKind.KEY, owner, None, frozenset({"*"}), credential)


def journal_of(members: bytes) -> str | None:
    """The journal that a live result ends with."""
    return msgspec.json.decode(members.rpartition(b'"journal":')[2])


SYSTEM_CALLER = principal("system", "reader")


def random_mutation(random: Random) -> tuple[str, dict[str, Any]]:
    """One of the bank's mutations with arguments that often meet those of others."""
    source, target = random.choice(NAMES), random.choice(NAMES)
    amount = random.choice([1, 5, 20])
    branch, motto = random.choice(BRANCHES), random.choice(MOTTOS)
    return random.choice([
        ("bank:openAccount", {"name": source, "branch": branch, "balance": 50, "motto": motto}),
        ("bank:openAccount", {"name": source, "branch": branch, "balance": 70, "motto": motto}),
        ("bank:transfer", {"source": source, "target": target, "amount": amount}),
        ("bank:transfer", {"source": source, "target": target, "amount": amount}),
        ("bank:transfer", {"source": source, "target": target, "amount": amount}),
        (
            "bank:transferLater",
            {"source": source, "target": target, "amount": amount, "after_ms": 40},
        ),
        ("bank:moveBranch", {"name": source, "branch": branch, "motto": motto}),
        ("bank:merge", {"source": source, "target": target}),
        ("bank:rich", {"branch": branch, "least": 40}),
    ])  # fmt: skip


def random_query(random: Random) -> tuple[str, dict[str, Any]]:
    """One of the bank's queries."""
    name, branch = random.choice(NAMES), random.choice(BRANCHES)
    return random.choice([
        ("bank:balance", {"name": name}),
        ("bank:mustHave", {"name": name}),
        ("bank:richest", {"branch": branch, "count": random.choice([1, 2, 5])}),
        ("bank:between", {"branch": branch, "low": 20, "high": random.choice([50, 80])}),
        ("bank:withMotto", {"text": random.choice(["slow", "steady growth", "gro", "bold"])}),
        ("bank:history", {"count": 2, "pages": random.choice([1, 3])}),
        ("bank:total", {"names": random.sample(NAMES, 3)}),
        ("bank:mine", {}),
        ("bank:listed", {
            "branch": branch, "richest_first": random.random() < 0.5,
            "pagination_opts": {"numItems": random.choice([1, 3]), "cursor": None},
        }),
    ])  # fmt: skip
