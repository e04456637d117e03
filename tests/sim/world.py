"""A seeded world: processes on one store, clients with live queries, crashes and lost connections.

Every choice comes from one seeded generator, and everything runs as ordinary calls, so a seed is a
whole run. The world keeps what clients were told; `oracles.py` judges it.
"""

import itertools
from functools import partial
from random import Random
from typing import Any

from hubify.core.database import PastNotReadable
from hubify.functions.backend import Answer, Call
from hubify.functions.principal import SYSTEM
from hubify.functions.replay import session_key
from hubify.functions.schedule import LEASE_MS, Job, JobState
from hubify.ports.runtime import Runtime
from hubify.storage.memory import MemoryStore
from hubify.values.errors import AppError, Kind
from tests.sim.choices import random_mutation, random_query
from tests.sim.clients import Client, Seen, Wish, principal, shown_again
from tests.sim.errands import Errands, ErrandsOf
from tests.sim.processes import Process
from tests.sim.virtual_time import VirtualLoop

START_NS = 1_767_225_600_000_000_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
# Time goes on in steps in which living processes come to renew their leases.
LONGEST_STEP_NS = 12 * NS_PER_S
BEAT_WITHIN_NS = 25 * NS_PER_S
PATIENCE = 60
MAX_JOBS = 1_000


class World:
    """Everything that happens in one seed."""

    def __init__(self, seed: int, *, clients: int = 3) -> None:
        self.random = Random(seed)
        processes = self.random.choice([1, 2])
        self.now_ns = self.beaten_ns = START_NS
        self.oldest = self.given_up = 0
        self.store = MemoryStore()
        self.loop = VirtualLoop(lambda: self.now_ns / NS_PER_S)
        self.errands = Errands(self.loop)
        self.alone = processes == 1
        self.processes = [self.process() for _number in range(processes)]
        self.seen: list[Seen] = []
        self.known: dict[str, Wish] = {}
        self.badges: list[str] = []
        self.acknowledged_at: dict[str, int] = {}
        self.labels = itertools.count()
        self.clients = [Client(self, number) for number in range(clients)]
        for client in self.clients:
            client.connect(self.random.choice(self.processes))

    def process(self) -> Process:
        """A process that starts."""
        runtime = Runtime(
            lambda: self.now_ns, lambda: self.now_ns / NS_PER_S, self.random.randbytes
        )
        outside = ErrandsOf(self.errands)
        made = Process(self.store, runtime, self.loop, alone=self.alone, outside=outside)
        outside.process = made
        return made

    def run(self, steps: int) -> None:
        """Take random steps, then let everything come to rest."""
        weighted = [
            (30, self.wish), (8, self.subscribe), (18, self.look), (14, self.stage),
            (14, self.reach_disk), (14, self.hear), (6, self.tick), (5, self.catch_up),
            (5, self.work), (3, self.arrive), (3, self.reconnect), (1, self.crash),
            (2, self.become), (2, self.give_up_past), (1, self.prune), (3, self.look_back),
            (3, self.enrol), (2, self.revoke), (1, self.doze),
        ]  # fmt: skip
        moves = [move for _weight, move in weighted]
        weights = [weight for weight, _move in weighted]
        for move in self.random.choices(moves, weights, k=steps):
            move()
            self.loop.run_ready()
        self.settle()

    # Coming to rest.

    def settle(self) -> None:
        """Flush, catch up and look until every wish is answered and every job is done."""
        for _round in range(PATIENCE):
            self.flush_all()
            waiting = [wish for client in self.clients for wish in client.wishes]
            if not waiting:
                break
            for wish in waiting:
                if wish.asked_of is None:
                    self.send(wish, self.processes[0])
        assert not any(client.wishes for client in self.clients), "every wish is answered"
        self.finish_jobs()
        self.look_all()

    def finish_jobs(self) -> None:
        """Let errands arrive and leases run out until no job is left."""
        for _round in range(PATIENCE):
            for walk in self.errands.on_the_way:
                walk.arrive()
            self.beat()
            if not self.errands.on_the_way:
                if not self.jobs_left():
                    return
                self.pass_time((LEASE_MS + 1) * NS_PER_MS)
        raise AssertionError(f"jobs are left: {self.jobs_left()}")

    def jobs_left(self) -> list[Job]:
        """Jobs of the bank that wait or run."""
        reader = self.processes[0].database.begin_read(lambda: None)
        queries = [Job.where(state=state) for state in (JobState.PENDING, JobState.RUNNING)]
        found = [job for query in queries for job in reader.take(query, limit=MAX_JOBS)]
        return [job for job in found if job.path.startswith("bank:")]

    def flush_all(self) -> None:
        """Every process flushes what waits, and hears of the others."""
        for _round in range(PATIENCE):
            for process in self.processes:
                process.flush_whole()
                self.loop.run_ready()
            if not any(process.database.committer.waiting for process in self.processes):
                break
        for process in self.processes:
            process.catch_up()
        self.loop.run_ready()

    def beat(self) -> None:
        """Let every living process go through a whole turn of its jobs."""
        due = {process: process.turns + 1 + process.is_working for process in self.processes}
        for _round in range(PATIENCE):
            for process in self.processes:
                process.work()
            self.loop.run_ready()
            self.flush_all()
            if all(process.turns >= turns for process, turns in due.items()):
                self.beaten_ns = self.now_ns
                return
            self.now_ns += NS_PER_S // 10  # somebody may wait before it tries again
        raise AssertionError("a process comes to no end of a turn")

    def pass_time(self, ns: int) -> None:
        """Move the clock, in steps that leave living processes the time to renew their leases."""
        while ns > 0:
            step = min(ns, LONGEST_STEP_NS)
            if self.now_ns + step - self.beaten_ns > BEAT_WITHIN_NS:
                self.beat()
            self.now_ns += step
            ns -= step

    # Moves of clients.

    def wish(self) -> None:
        """A client sends a mutation."""
        self.want(*random_mutation(self.random))

    def want(self, path: str, arguments: dict[str, Any]) -> None:
        """Some client wants something done."""
        client = self.random.choice(self.clients)
        label = f"w{next(self.labels)}"
        if path == "bank:send":
            arguments = {**arguments, "errand": label}
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

    def look_back(self) -> None:
        """What was seen is read again from any process, unless that past was given up."""
        process = self.random.choice(self.processes)
        old = [seen for seen in self.seen if seen.ts < self.given_up]
        if not self.seen:
            return
        seen = self.random.choice(old[-20:] or self.seen)
        if seen.ts > process.database.head:
            return
        try:
            again = shown_again(process, seen)
        except PastNotReadable:
            assert seen.ts < self.given_up, "a past that is kept was refused"
            return
        assert again == seen.members, f"{seen.path} {seen.arguments} was not that at {seen.ts}"

    def become(self) -> None:
        """A client authenticates as another owner."""
        self.random.choice(self.clients).become(f"owner{self.random.randrange(2)}")

    def enrol(self) -> None:
        """A badge is handed out, perhaps under another; the first client wears the newest ones."""
        if self.badges and self.random.random() < 0.5:
            self.clients[0].wear(self.random.choice(self.badges[-2:]))
            return
        badge = f"b{len(self.badges)}"
        under = self.random.choice([None, *self.badges[-3:]])
        self.badges.append(badge)
        self.want("badges:handOut", {"badge": badge, "under": under})

    def revoke(self) -> None:
        """A badge is revoked, with or without those under it."""
        if self.badges:
            badge, keep = self.random.choice(self.badges[-3:]), self.random.random() < 0.3
            self.want("badges:revoke", {"badge": badge, "keep_minted": keep})

    def reconnect(self) -> None:
        """A client loses its connection and finds another process; its answers may be lost."""
        client = self.random.choice(self.clients)
        for wish in client.wishes:
            wish.asked_of = None
        client.connect(self.random.choice(self.processes))

    # Moves of processes.

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
        self.pass_time(self.random.choice([1, 1_000, 50_000_000, 3_000_000_000]))

    def doze(self) -> None:
        """More time passes than a lease lasts."""
        self.pass_time(72 * NS_PER_S)

    def catch_up(self) -> None:
        """A process reads the tail of the log."""
        self.random.choice(self.processes).catch_up()

    def work(self) -> None:
        """A process looks after jobs and crons; two may try the same one."""
        self.random.choice(self.processes).work()

    def arrive(self) -> None:
        """An errand comes to its end, well or not."""
        if walks := self.errands.on_the_way:
            walk = self.random.choice(walks)
            if self.random.random() < 0.75:
                walk.arrive()
            else:
                walk.turn_back()

    def give_up_past(self) -> None:
        """A process decides that the past before some moment is not kept."""
        process = self.random.choice(self.processes)
        newest = max(START_NS, self.store.head)
        ms = self.random.randint(max(self.oldest, START_NS), newest) // NS_PER_MS
        self.given_up = max(self.given_up, ms * NS_PER_MS)

        def settled(outcome: Answer | AppError) -> None:
            if isinstance(outcome, Answer):
                self.oldest = max(self.oldest, ms * NS_PER_MS)
                process.database.oldest = max(process.database.oldest, self.oldest)
                self.prune()
                for _look in range(5):
                    self.look_back()

        call = Call("system:forgetBefore", {"ms": ms}, SYSTEM, charged=False)
        process.backend.submit(call, settled, internal=True)

    def prune(self) -> None:
        """A process drops what was given up, by whomever."""
        self.random.choice(self.processes).database.prune(self.oldest, 10)

    def crash(self) -> None:
        """A process dies with all it held in memory; another takes its place."""
        place = self.random.randrange(len(self.processes))
        dead = self.processes[place]
        dead.die()
        self.loop.run_ready()
        self.processes[place] = self.process()
        for client in self.clients:
            if client.process is dead:
                for wish in client.wishes:
                    wish.asked_of = None
                client.connect(self.random.choice(self.processes))

    # What a client and a process say to each other.

    def send(self, wish: Wish, process: Process) -> None:
        """Submit a wish under its session and request number."""
        wish.asked_of = process
        caller = principal("x", wish.label)
        key = session_key(wish.session, wish.request, caller, wish.path, wish.arguments)
        call = Call(wish.path, wish.arguments, caller, replay=key)
        process.backend.submit(call, partial(self.heard, wish, process))

    def heard(self, wish: Wish, process: Process, outcome: Answer | AppError) -> None:
        """A process answers a wish."""
        if wish.asked_of is not process:
            return  # the connection it was sent on is gone
        if isinstance(outcome, AppError) and outcome.kind is Kind.UNAVAILABLE:
            wish.asked_of = None  # a client tries again later
            return
        wish.outcome = outcome
        for client in self.clients:
            if wish in client.wishes:
                client.wishes.remove(wish)
        if isinstance(outcome, Answer):
            self.acknowledged_at[wish.label] = outcome.ts
