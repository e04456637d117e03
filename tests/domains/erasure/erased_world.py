"""A hub with one person in every corner of it, and that person's erasure, step by step."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hubify.app.compose import DOMAINS
from hubify.domains.auth import authenticate
from hubify.functions import Principal
from hubify.functions.identities import Identities
from hubify.functions.principal import CallerKind
from hubify.storage.engine import Engine
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import InMemoryBackend, known
from hubify.wire.signing import sign_key, sign_report
from hubify.workers.erasing import SETTLE_S, EraseLoop


def caller(owner: str, *scopes: str) -> Principal:
    """A caller by a key whose id says nothing of its owner."""
    return Principal(
        CallerKind.KEY, owner, None, frozenset(scopes or ("*",)), credential=owner[::-1]
    )


PERSON = caller("quillon")
NAME = "retry-client"
HIDDEN = "hidden-notes"
AGENT = "quillon-laptop"
KEY = b"a key of the laptop, 32 bytes in"
SECRET_WORDS = "telescope marmalade"
SKILL_MD = """---
name: {name}
description: {told}
---

# {name}

## Instructions

1. Send the request with a timeout of 10 seconds. {told}
"""
REQUEST = (
    "Honour the `Retry-After` header on 429 responses.",
    "Respect the `Retry-After` header when a 429 arrives.",
    "On a 429, honour the `Retry-After` header.",
)


class World:
    """The backend, its clock, and its erasing loop."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or MemoryEngine()
        self.backend = InMemoryBackend(DOMAINS, engine=self.engine)
        self._begin()

    def _begin(self) -> None:
        self.loop = EraseLoop(self.backend.backend, at_once)
        self.identities = Identities(self.backend.backend.wiring, authenticate)
        self.backend.run_due()

    def restart(self) -> None:
        """Another process goes on with the store, knowing nothing but what is in it."""
        now_ms = self.backend.now_ms
        self.backend = InMemoryBackend(DOMAINS, engine=self.engine, now_ms=now_ms, seed=2)
        self._begin()

    def wait(self, *, days: int) -> None:
        """Let days go by in one leap; what fell due in them runs at their end."""
        self.backend.now_ms += days * 86_400_000
        self.backend.run_due()

    def do(self, path: str, principal: Principal, **arguments: object) -> Any:  # noqa: ANN401 - each function answers its own type
        """A mutation."""
        return self.backend.mutation(path, arguments, principal=principal)

    def publish(self, name: str, told: str, principal: Principal, **more: object) -> None:
        """A version of a skill."""
        text = SKILL_MD.format(name=name, told=told)
        self.backend.action("skills:publish", {"skillMd": text, **more}, principal=principal)

    def report(self, owner: str, outcome: str = "success", **more: object) -> Any:  # noqa: ANN401 - the same
        """A report on the public skill."""
        told = {"skillName": NAME, "outcome": outcome, "agentId": f"{owner}-laptop", **more}
        return self.backend.mutation("learning:report", told, principal=caller(owner))

    def step(self) -> float:
        """One step of the erasing loop; seconds until the next."""
        return self._in_loop(self.loop.step)

    def erase(self, principal: Principal = PERSON, **arguments: object) -> Any:  # noqa: ANN401 - the same
        """Ask for an erasure and let it come to its end."""
        confirm = {"confirm": principal.owner, **arguments}
        asked = self.do("erasure:request", principal, **confirm)
        return self.finish(asked.id)

    def finish(self, erasure_id: str) -> Any:  # noqa: ANN401 - the same
        """Let an erasure come to its end."""
        for _ in range(60):
            view = self.backend.query("erasure:get", {"erasureId": erasure_id})
            if view.state == "done":
                return view
            wait_s = self.step()
            self.backend.advance(max(5, min(int(wait_s * 1000), int(SETTLE_S * 1000))))
        raise AssertionError("the erasure does not end")

    def _in_loop(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - the same
        async def run() -> Any:  # noqa: ANN401 - the same
            self.backend._flush_when_kicked()
            return await work()

        try:
            return asyncio.run(run())
        finally:
            self.backend.backend.on_kick = lambda: None


async def at_once(work: Callable[[], bool]) -> bool:
    """Nothing else is flushed in these tests."""
    return work()


def left(world: World, name: bytes) -> dict[str, int]:
    """How many rows of each table hold some bytes."""
    database = world.backend.database
    found = {
        table.name: [
            number
            for number, version in database.engine.rows(table.number, after=0, limit=10_000)
            if name in version.value
        ]
        for table in database.catalog.tables
    }
    return {table: len(numbers) for table, numbers in found.items() if numbers}


def lived_in(engine: Engine | None = None) -> World:
    """A world in which the person has done everything that leaves a trace."""
    world = World(engine)
    admin = known("root", "*")
    world.do("auth:createApiToken", admin, name="q", owner=PERSON.owner, scopes=["skills:read"])
    world.do("auth:createSession", PERSON, agentId=AGENT, ttl=3600, metadata={"of": "quillon"})
    world.do("agents:register", PERSON, agentId=AGENT, platform="claude", bio="Quillon's own")
    world.publish(NAME, "Calls HTTP services and retries what may be retried.", PERSON)
    world.publish(HIDDEN, f"Notes on {SECRET_WORDS}.", PERSON, visibility="private")
    world.publish("other-skill", "Reads a page and tells what it says.", known("maud"))
    for day in range(3):
        for owner in ("quillon", "maud", "nils", "olga"):
            outcome = "fail" if owner == "quillon" and day == 1 else "success"
            world.report(owner, outcome, platform="claude-code", note=f"seen by {owner}")
        world.wait(days=1)
    for place, owner in enumerate(("quillon", "maud")):
        world.report(owner, improvement=REQUEST[place])
    public_key, proof = sign_key(KEY, owner=PERSON.owner, agent_id=AGENT)
    world.do("agents:registerKey", PERSON, agentId=AGENT, publicKey=public_key, proof=proof)
    report = {"skillName": NAME, "outcome": "success", "agentId": AGENT}
    at = f"{datetime.fromtimestamp(world.backend.now_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}Z"
    signed = sign_report(report, KEY, signed_at=at, nonce="quillon-1")
    world.backend.mutation("learning:report", signed, principal=PERSON)
    hidden = {"skillName": HIDDEN, "outcome": "success", "improvement": f"Add {SECRET_WORDS}."}
    world.do("learning:report", PERSON, **hidden)
    for principal in (PERSON, known("maud")):
        world.do("skills:star", principal, name=NAME)
        world.do("skills:pin", principal, name=NAME, reason="I know it")
    world.do("skills:star", PERSON, name=HIDDEN, idempotencyKey="once")
    mauds = world.report("maud").report_id
    world.do("learning:endorseReport", PERSON, reportId=mauds, type="helpful")
    world.do("evolution:proposeSkill", PERSON, title="A diff reader", description="Reads diffs.")
    return world
