"""`hubify report`: tell how a run of a skill went.

Invariant: one run, one report, with exactly one outcome.
"""

from typing import Annotated

from cyclopts import Group, Parameter

from hubify.cli.agents import DEFAULT_KEY, KeyOption, private_key_in
from hubify.cli.answers import Reported, read
from hubify.cli.options import DataOption, JsonOption, told
from hubify.cli.reach import reached
from hubify.cli.world import Misuse, World

OUTCOMES = Group("Outcome (one of)", sort_key=1)
OF_OUTCOME = Parameter(group=OUTCOMES)
VersionOption = Annotated[
    str | None, told("The version that ran (default: the ticket's, else the stable one).", "V")
]
TicketOption = Annotated[
    str | None, told("The ticket that resolving gave; the report then counts in full.", "TICKET")
]
RunOption = Annotated[
    str | None, told("Your own name for the run; a second report of it changes nothing.", "ID")
]
SignOption = Annotated[bool, told("Sign it with the agent's key; the report then counts in full.")]


class ReportCommand:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        skill: Annotated[str, told("The skill's name.")],
        /,
        *,
        success: Annotated[bool, told("It did what it should."), OF_OUTCOME] = False,
        partial: Annotated[bool, told("It did some of it."), OF_OUTCOME] = False,
        fail: Annotated[bool, told("It did not work."), OF_OUTCOME] = False,
        note: Annotated[str | None, told("What happened; maintainers only see it.", "TEXT")] = None,
        error: Annotated[
            str | None, told("The error message; maintainers only see it.", "TEXT")
        ] = None,
        improvement: Annotated[
            str | None, told("What would make the skill better.", "TEXT")
        ] = None,
        platform: Annotated[
            str | None, told("Where it ran, such as `claude-code`.", "NAME")
        ] = None,
        agent: Annotated[
            str | None, told("The agent that ran it (default: the key's).", "AGENT")
        ] = None,
        version: VersionOption = None,
        ticket: TicketOption = None,
        run_id: RunOption = None,
        sign: SignOption = False,
        key: KeyOption = DEFAULT_KEY,
        json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        """Tell how one run of a skill went."""
        wish: dict[str, object] = {
            "skillName": skill,
            "outcome": _outcome(success=success, partial=partial, fail=fail),
            "note": note, "error": error, "improvement": improvement, "platform": platform,
            "agentId": agent, "skillVersion": version, "ticket": ticket,
            "runId": run_id,
        }  # fmt: skip
        sent = {field: value for field, value in wish.items() if value is not None}
        if sign:
            sent = _signed(sent, key)
        with reached(self._world, data) as hub:
            answer = hub.mutation("learning:report", sent)
        if json:
            self._world.print_json(answer)
        else:
            self._tell(read(Reported, answer))

    def _tell(self, reported: Reported) -> None:
        if reported.repeated:
            self._world.print(f"reported before, as {reported.report_id}; nothing was changed")
            return
        change = f"{reported.skill_confidence_change:+.2f}"
        self._world.print(f"reported as {reported.report_id}; confidence {change}")
        if reported.evolution_triggered:
            self._world.print("This report set off an evolution of the skill.")
        if reported.flags:
            flags = ", ".join(reported.flags)
            self._world.say(f"flagged: {flags}; `verification.getFlags` shows why")


def _signed(report: dict[str, object], key: str) -> dict[str, object]:
    from hubify.sdk.signing import sign_report

    return sign_report(report, private_key_in(key))


def _outcome(*, success: bool, partial: bool, fail: bool) -> str:
    chosen = [
        word
        for word, given in (("success", success), ("partial", partial), ("failure", fail))
        if given
    ]
    if len(chosen) != 1:
        raise Misuse("say how it went with one of --success, --partial and --fail")
    return chosen[0]
