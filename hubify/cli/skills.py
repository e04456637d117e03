"""`hubify skills`: find, list and show skills; `import` and `export` have pages of their own.

Invariant: nothing here changes anything.
"""

from typing import Annotated, Literal

from cyclopts import App, Group

from hubify.cli.answers import Skill, SkillDetails, listed_skills, read
from hubify.cli.exports import USAGE, ExportCommand
from hubify.cli.imports import ImportCommand
from hubify.cli.options import DataOption, JsonOption, branch, told
from hubify.cli.reach import reached
from hubify.cli.tables import columns, counted, fields, moment
from hubify.cli.world import Misuse, World

HEADINGS = ("NAME", "VERSION", "TRUST", "RUNS", "SUCCESS", "DESCRIPTION")


class SkillCommands:
    """The commands, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def search(
        self,
        *words: Annotated[str, told("What the skill should be about.")],
        category: Annotated[str | None, told("Only skills of this category.", "NAME")] = None,
        min_confidence: Annotated[
            float | None, told("Only skills trusted at least so far, from 0 to 100.", "N")
        ] = None,
        verified: Annotated[bool, told("Only verified skills (level 2 and up).")] = False,
        limit: Annotated[int, told("How many at most, up to 100 (default: 20).", "N")] = 20,
        json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        """Find skills by their words, best first."""
        if not words:
            raise Misuse("say what to search for: hubify skills search WORDS")
        wish: dict[str, object] = {
            "query": " ".join(words), "category": category, "minConfidence": min_confidence,
            "verified": verified, "limit": limit,
        }  # fmt: skip
        sent = {field: value for field, value in wish.items() if value is not None}
        with reached(self._world, data) as hub:
            answer = hub.query("skills:search", sent)
        if json:
            self._world.print_json(answer)
            return
        found = read(list[Skill], answer)
        if not found:
            self._world.say("no skill has these words")
            return
        for line in columns(HEADINGS, [_row(skill) for skill in found], self._world.width):
            self._world.print(line)

    def list(
        self,
        *,
        category: Annotated[str | None, told("Only skills of this category.", "NAME")] = None,
        owner: Annotated[
            str | None, told("Only this owner's, hidden ones too if you may see them.", "OWNER")
        ] = None,
        deprecated: Annotated[bool, told("Those that should not be used any more.")] = False,
        sort: Annotated[
            Literal["confidence", "newest", "name"],
            told("The order: confidence, newest or name (default: confidence).", "ORDER"),
        ] = "confidence",
        json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        """List all skills there are.

        For a few of many, use `hubify skills search`.
        """
        wish = {
            "sort": sort, "category": category, "owner": owner,
            "status": "deprecated" if deprecated else "active",
        }  # fmt: skip
        sent = {field: value for field, value in wish.items() if value is not None}
        with reached(self._world, data) as hub:
            found = [*listed_skills(hub, sent)]
        if json:
            self._world.print_json(found)
            return
        if not found:
            self._world.say("there are no such skills")
            return
        for line in columns(HEADINGS, [_row(skill) for skill in found], self._world.width):
            self._world.print(line)

    def info(
        self,
        name: Annotated[str, told("The skill's name.")],
        /,
        *,
        json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        """Show one skill, and how far it is trusted."""
        with reached(self._world, data) as hub:
            answer = hub.query("skills:getByName", {"name": name})
        if json:
            self._world.print_json(answer)
            return
        for line in fields(_described(read(SkillDetails, answer))):
            self._world.print(line)


def skills_app(world: World, group: Group, place: int) -> App:
    """`hubify skills`."""
    commands = SkillCommands(world)
    app = branch("skills", "Find, show, import and export skills.", group, place)
    app.command(commands.search, usage="Usage: hubify skills search WORDS... [OPTIONS]", sort_key=0)
    app.command(commands.list, sort_key=1)
    app.command(commands.info, sort_key=2)
    app.command(ImportCommand(world).run, name="import", sort_key=3)
    app.command(ExportCommand(world).run, name="export", usage=USAGE, sort_key=4)
    return app


def _row(skill: Skill) -> tuple[str, ...]:
    rate = f"{skill.success_rate:.0%}" if skill.executions else "-"
    return (
        skill.name, skill.version or "-", f"{skill.confidence:.0f}", f"{skill.executions:,}",
        rate, skill.description,
    )  # fmt: skip


def _described(skill: SkillDetails) -> list[tuple[str, str]]:
    rate = f"{skill.success_rate:.0%} success"
    trust = f"{skill.confidence:.0f} of 100, level {skill.verification_level}"
    runs = f"{skill.executions:,} by {counted(skill.unique_agents, 'agent')}, {rate}, {skill.trend}"
    return [
        ("name", skill.name),
        ("called", skill.display_name if skill.display_name != skill.name else ""),
        ("about", skill.description),
        ("status", skill.status),
        ("stable", skill.version or "none yet"),
        ("canary", skill.canary_version or ""),
        ("beta", skill.beta_version or ""),
        ("versions", f"{skill.versions}, the highest {skill.latest_version}"),
        ("trust", trust),
        ("runs", runs if skill.executions else "none reported yet"),
        ("stars", str(skill.stars)),
        ("owner", skill.owner),
        ("author", skill.author),
        ("category", skill.category),
        ("tags", ", ".join(skill.tags)),
        ("platforms", ", ".join(skill.platforms)),
        ("license", skill.license or ""),
        ("digest", skill.digest or ""),
        ("updated", moment(skill.updated_at)),
        ("notice", skill.notice or ""),
    ]
