"""`hubify erase`: take a person out of a hub.

Invariant: nothing is asked for before it has been said what will happen and the name was given
again; what was done is told in counts, without the name.
"""

from typing import Annotated

import msgspec

from hubify.cli.answers import Answer, read
from hubify.cli.options import DataOption, told
from hubify.cli.reach import reached
from hubify.cli.tables import counted
from hubify.cli.targets import Hub
from hubify.cli.world import Misuse, World

LOOK_EVERY_S = 2.0
MOST_NAMED = 10
STATES = {
    "running": "looking through all rows",
    "settling": "waiting for calls that were under way, then looking once more",
    "clearing": "clearing the log",
    "shredding": "dropping the past and writing the files anew",
    "done": "done",
}


class Plan(Answer, frozen=True):
    """What an erasure would do."""

    owner: str
    agent_id: str | None
    confirm: str
    keys: int
    published_skills: list[str]
    hidden_skills: list[str]


class Erasure(Answer, frozen=True):
    """How far an erasure is."""

    id: str = msgspec.field(name="_id")
    state: str
    pseudonym: str
    erased: dict[str, int]
    kept: dict[str, int]
    keeps: list[str]


class EraseCommand:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        owner: Annotated[str, told("The user or organisation to erase.", "OWNER")],
        /,
        *,
        agent: Annotated[str | None, told("Only this agent of the owner's.", "AGENT")] = None,
        yes: Annotated[bool, told("Do not ask; for scripts.")] = False,
        wait: Annotated[bool, told("Wait until it is done, and tell what was done.")] = False,
        data: DataOption = None,
    ) -> None:
        """Erase an owner's data, or one agent's, everywhere and through history.

        It cannot be undone. Keys and sessions end at once; the server does the rest by itself, in
        a quarter of an hour or more. Reports and evidence count on under a pseudonym, so that every
        number stays; public skills stay published. Backups are not reached.
        """
        with reached(self._world, data) as hub:
            wish: dict[str, object] = {"owner": owner}
            if agent is not None:
                wish["agentId"] = agent
            plan = read(Plan, hub.query("erasure:plan", wish))
            for line in sentences(plan):
                self._world.say(line)
            if not yes:
                self._confirm(plan)
            told_back = hub.mutation("erasure:request", {**wish, "confirm": plan.confirm})
            asked = read(Erasure, told_back)
            self._world.print(asked.id)
            self._world.say(f"begun, under the pseudonym {asked.pseudonym}")
            if wait:
                self._follow(hub, asked)
            else:
                self._world.say(
                    "It goes on by itself while the server runs. To see how far it is:\n"
                    f"  hubify call erasure:get erasureId={asked.id}"
                )

    def _confirm(self, plan: Plan) -> None:
        self._world.say(f"To go on, type the name again: {plan.confirm}")
        if self._world.source.readline().strip() != plan.confirm:
            message = "that is not the name; nothing was erased"
            raise Misuse(message)

    def _follow(self, hub: Hub, asked: Erasure) -> None:
        state = ""
        while True:
            now = read(Erasure, hub.query("erasure:get", {"erasureId": asked.id}))
            if now.state != state:
                state = now.state
                self._world.say(STATES.get(state, state))
            if state == "done":
                break
            self._world.sleep(LOOK_EVERY_S)
        for line in results(now):
            self._world.say(line)


def sentences(plan: Plan) -> list[str]:
    """What will happen, for the person who asks for it."""
    whose = f"the agent '{plan.agent_id}' of '{plan.owner}'" if plan.agent_id else f"'{plan.owner}'"
    return [
        f"This erases {whose} for ever:",
        f"- {counted(plan.keys, 'key')} and every session end at once",
        "- reports, evidence, stars, votes and credits count on under a pseudonym, without texts",
        *_skills(plan.published_skills, "stay published, and belong to nobody"),
        *_skills(plan.hidden_skills, "go, with their files"),
        "- states of the hub from before it ends can no longer be read, by anybody",
        "- backups and copies are not reached: delete them yourself",
    ]


def results(done: Erasure) -> list[str]:
    """What was done, and what was kept and why."""
    erased = ", ".join(f"{table} {count}" for table, count in sorted(done.erased.items()))
    kept = ", ".join(f"{table} {count}" for table, count in sorted(done.kept.items()))
    return [
        f"rows changed: {erased or 'none'}",
        f"rows that hold the name within a text that stays: {kept or 'none'}",
        *(f"- {sentence}" for sentence in done.keeps),
    ]


def _skills(names: list[str], what: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"- these skills {what}: {', '.join(names[:MOST_NAMED])}{more}"]
