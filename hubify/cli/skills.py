"""`hubify skills`: find, read, take in and give out skills.

Invariant: exported files are the bytes that were published, checked against the version's digest;
nothing that is there is ever overwritten.
"""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import App, Group

from hubify.cli.answers import Bundle, File, Skill, SkillDetails, SkillPage, read
from hubify.cli.imports import ImportCommand
from hubify.cli.options import DataOption, JsonOption, branch, told
from hubify.cli.reach import reached
from hubify.cli.tables import columns, counted, fields, moment
from hubify.cli.targets import Hub
from hubify.cli.world import Misuse, World
from hubify.sdk.errors import BAD_ANSWER, HubifyError
from hubify.values.values import Value

PAGE = 100
EXPORT_USAGE = """Usage: hubify skills export NAME... DIR [--version V]
       hubify skills export --all DIR"""
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

    def export(
        self,
        *names: Annotated[str, told("Names of skills, then the directory to write them into.")],
        all: Annotated[bool, told("Every public skill, in its stable version.")] = False,  # noqa: A002 - the option's name
        version: Annotated[str | None, told("This version, not the stable one.", "V")] = None,
        data: DataOption = None,
    ) -> None:
        """Write skills into a directory, as they were published.

        Each has a folder with its files, byte for byte. Nothing that is there is overwritten.
        """
        skills, directory = _places(names, every=all, version=version)
        with reached(self._world, data) as hub:
            written = 0
            for name in _public_names(hub) if all else skills:
                bundle = _bundle(hub, name, version)
                _write(bundle, directory)
                written += 1
                self._world.say(
                    f"{bundle.name}@{bundle.version}: {counted(len(bundle.files), 'file')}"
                )
        self._world.say(f"{counted(written, 'skill')} in {directory}")


def skills_app(world: World, group: Group, place: int) -> App:
    """`hubify skills`."""
    commands = SkillCommands(world)
    app = branch("skills", "Find, show, import and export skills.", group, place)
    app.command(commands.search, usage="Usage: hubify skills search WORDS... [OPTIONS]", sort_key=0)
    app.command(commands.info, sort_key=1)
    app.command(ImportCommand(world).run, name="import", sort_key=2)
    app.command(commands.export, usage=EXPORT_USAGE, sort_key=3)
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


def _places(
    names: tuple[str, ...], *, every: bool, version: str | None
) -> tuple[tuple[str, ...], Path]:
    if every and (len(names) != 1 or version is not None):
        raise Misuse("with --all, name the directory only: hubify skills export --all DIR")
    if not every and len(names) < 2:
        raise Misuse("name a skill and a directory: hubify skills export NAME DIR")
    if version is not None and len(names) != 2:
        raise Misuse("--version is for one skill: hubify skills export NAME DIR --version V")
    return names[:-1], Path(names[-1])


def _public_names(hub: Hub) -> Iterator[str]:
    cursor: str | None = None
    while True:
        request = {"numItems": PAGE, "cursor": cursor}
        answer: Value = hub.query("skills:list", {"sort": "name", "paginationOpts": request})
        page = read(SkillPage, answer)
        yield from (skill.name for skill in page.page)
        if page.is_done or page.continue_cursor == cursor:
            return
        cursor = page.continue_cursor


def _bundle(hub: Hub, name: str, version: str | None) -> Bundle:
    wish = {"name": name} if version is None else {"name": name, "version": version}
    return read(Bundle, hub.query("skills:getFiles", wish))


def _write(bundle: Bundle, directory: Path) -> None:
    """Write one skill's files under its name.

    Raises:
        HubifyError: the files are not those of the digest, or the folder holds something.

    """
    from hubify.formats.bundle import gather
    from hubify.formats.folders import write_bundle
    from hubify.formats.names import is_slug

    gathered = gather((file.path, _bytes(file)) for file in bundle.files).bundle
    if gathered is None or gathered.digest != bundle.digest or not is_slug(bundle.name):
        message = f"the files of {bundle.name!r} are not those of its digest; nothing was written"
        raise HubifyError(BAD_ANSWER, message)
    target = directory / bundle.name
    try:
        write_bundle(gathered, target)
    except FileExistsError:
        message = f"'{target}' is there and not empty; nothing is overwritten, name another place"
        raise HubifyError("CONFLICT", message) from None


def _bytes(file: File) -> bytes:
    if file.content is not None:
        return file.content.encode()
    try:
        return b64decode(file.content_base64 or "", validate=True)
    except ValueError:
        raise HubifyError(BAD_ANSWER, f"the file {file.path!r} is not base64") from None
