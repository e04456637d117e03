"""A small world to tell stories in: a skill, its author, a fleet of agents, and a clock."""

from random import Random
from typing import Any

from hubify.domains.agents import agents
from hubify.domains.contents import contents
from hubify.domains.evolution import evolution
from hubify.domains.evolution.views import (
    CanaryBrief,
    EvolutionView,
    PendingEvolution,
    Status,
)
from hubify.domains.gateway import gateway
from hubify.domains.learning import learning
from hubify.domains.learning.reporting import Reported
from hubify.domains.skills import skills
from hubify.domains.skills.resolving import Resolved
from hubify.domains.skills.views import SkillDetails
from hubify.domains.system import system
from hubify.domains.verification import verification
from hubify.functions import Domain, Principal
from hubify.testing.backend import InMemoryBackend, known

AUTHOR = known("maria")
NAME = "http-retry-client"
SKILL_MD = """---
name: http-retry-client
description: Calls HTTP services and retries what may be retried. Use it for flaky upstreams.
---

# HTTP retry client

## Instructions

1. Send the request with a timeout of 10 seconds.
2. On a status of 502, 503 or 504, wait and send it again, three times at most.

## Common pitfalls

- A POST is not sent again unless the service says that it is safe.
"""
SAME_REQUEST = (
    "Honour the `Retry-After` header on 429 responses.",
    "Respect the `Retry-After` header when a 429 arrives.",
    "On a 429, honour the `Retry-After` header.",
    "Please honour `Retry-After` headers of 429 responses.",
)
OTHER_REQUEST = "Add random jitter to the exponential backoff so that workers do not retry at once."
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Story:
    """One skill of maria's, and what happens to it."""

    strict = True
    """Whether a fault in a function fails the test, rather than the call as in production."""

    def __init__(self, *more: Domain, **settings: object) -> None:
        domains = [
            system,
            contents,
            gateway,
            agents,
            skills,
            verification,
            evolution,
            learning,
            *more,
        ]
        self.backend = InMemoryBackend(domains, strict=self.strict)
        self.random = Random(7)
        self.backend.run_due()
        self.backend.action("skills:publish", {"skillMd": SKILL_MD}, principal=AUTHOR)
        if settings:
            told = {"skillName": NAME, **settings}
            self.backend.mutation("evolution:updateSettings", told, principal=AUTHOR)

    def wait(self, days: int) -> None:
        """Let days go by in one leap; what fell due in them runs at their end."""
        self.backend.now_ms += days * DAY_MS
        self.backend.run_due()

    def ask(self, path: str, *, principal: Principal = AUTHOR, **arguments: object) -> Any:  # noqa: ANN401 - each function answers its own type
        """A query about the skill."""
        return self.backend.query(path, {"skillName": NAME, **arguments}, principal=principal)

    def maintain(self, verb: str, *, principal: Principal = AUTHOR, **arguments: object) -> Any:  # noqa: ANN401 - the same
        """A step of the skill's evolution by its author."""
        told = {"skillName": NAME, **arguments}
        return self.backend.mutation(f"evolution:{verb}", told, principal=principal)

    def report(self, owner: str, outcome: str = "success", **more: object) -> Reported:
        """A report without a ticket, by the owner's only agent."""
        told = {"skillName": NAME, "outcome": outcome, "agentId": f"{owner}-1", **more}
        return self.backend.mutation("learning:report", told, principal=known(owner))

    def resolve(self, owner: str) -> Resolved:
        """The version and ticket that the owner's agent holds now."""
        told = {"name": NAME, "agentId": f"{owner}-1"}
        return self.backend.mutation("skills:resolve", told, principal=known(owner))

    def run(self, owner: str, *, stable: float, canary: float, **more: object) -> str:
        """Resolve, run and report; the chances of success are those of the version given."""
        resolved = self.resolve(owner)
        chance = canary if resolved.why == "canary" else stable
        outcome = "success" if self.random.random() < chance else "fail"
        self.report(owner, outcome, ticket=resolved.ticket, platform="claude-code", **more)
        return resolved.why

    def fleet(
        self,
        hours: float,
        *,
        stable: float,
        canary: float = 0,
        owners: int = 10,
        per_hour: int = 60,
    ) -> None:
        """Let a fleet run the skill for some time."""
        for turn in range(round(hours * per_hour)):
            self.run(f"owner-{turn % owners}", stable=stable, canary=canary)
            self.backend.advance(HOUR_MS // per_hour)

    def decide(self, *, stable: float, canary: float, hours: int = 60) -> None:
        """Let a fleet run the skill until its evolution has come to an end."""
        for _ in range(2 * hours):
            self.fleet(0.5, stable=stable, canary=canary)
            if self.status().status == "stable":
                return

    def suggest(self, owners: int = 3) -> list[bool]:
        """Let owners suggest the same in different words; which of them set an evolution off."""
        return [
            self.report(f"reporter-{place}", improvement=SAME_REQUEST[place]).evolution_triggered
            for place in range(owners)
        ]

    def status(self) -> Status:
        """Where the skill's evolution stands."""
        return self.ask("evolution:getStatus")

    def canary(self) -> CanaryBrief:
        """The trial that the skill is in."""
        canary = self.status().canary
        assert canary is not None
        return canary

    def pending(self) -> PendingEvolution:
        """The evolution that waits for its trial."""
        pending = self.status().pending_evolution
        assert pending is not None
        return pending

    def reason(self) -> str:
        """Why the newest evolution ended as it did."""
        reason = self.latest().reason
        assert reason is not None
        return reason

    def skill(self) -> SkillDetails:
        """The skill as everybody sees it."""
        return self.backend.query("skills:getByName", {"name": NAME})

    def latest(self) -> EvolutionView:
        """The newest evolution of the history."""
        return self.ask("evolution:getHistory").evolutions[0]
