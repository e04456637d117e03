"""`hubify skills import`: take in skills from a folder, a file or a record, with their history.

Invariant: every version that was found is counted once, as imported, unchanged or refused, and each
refusal is shown with its reason, file and line.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from hubify.cli.answers import read
from hubify.cli.options import DataOption, JsonOption, told
from hubify.cli.progress import Progress
from hubify.cli.reach import reached
from hubify.cli.tables import counted
from hubify.cli.targets import Hub
from hubify.cli.told import Told, lines_of
from hubify.cli.world import Misuse, World
from hubify.formats.names import is_owner
from hubify.sdk.errors import HubifyError

if TYPE_CHECKING:
    from hubify.formats.importing import Outcome

OF_ONE = frozenset(
    {"CONFLICT", "VALIDATION_ERROR", "PAYLOAD_TOO_LARGE", "GATEWAY_REFUSED", "NOT_FOUND"}
)
"""Codes that refuse one version or report; with any other the import cannot go on."""
REPAIRED = re.compile(r"(?:^|: )repaired: ")
CHANGED = re.compile(REPAIRED.pattern + r"|is taken; imported as ")
REFUSED = frozenset({"refused", "unreadable"})
Call = Callable[[str, dict[str, Any]], Mapping[str, Any]]


class OneRefused(Exception):
    """The registry will not take one version, or one report."""


class Summary(msgspec.Struct):
    """What became of everything that was found; `told` with reports only."""

    imported: int = 0
    unchanged: int = 0
    repaired: int = 0
    refused: int = 0
    outcomes: list["Outcome"] = []
    told: Told | None = None

    def count(self, outcome: "Outcome") -> None:
        """Take one version in."""
        self.outcomes.append(outcome)
        if outcome.state in REFUSED:
            self.refused += 1
            return
        if outcome.state == "unchanged":
            self.unchanged += 1
            return
        self.imported += 1
        if any(REPAIRED.search(finding) for finding in outcome.findings):
            self.repaired += 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing of what was found is in the registry now."""
        return not self.imported + self.unchanged

    @property
    def all_refused(self) -> int:
        """Versions and reports that were refused."""
        return self.refused + (self.told.refused if self.told else 0)


class ImportCommand:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        source: Annotated[Path, told("The folder or file.")],
        /,
        *,
        reports: Annotated[
            bool, told("Also take in what agents reported: analysed tasks of an OpenSpace record.")
        ] = False,
        owner: Annotated[
            str | None,
            told("Whose skills they become (default: the caller's); for administrators."),
        ] = None,
        visibility: Annotated[
            Literal["public", "org", "private"],
            told("Who may see new skills: public, org or private (default: public).", "WHO"),
        ] = "public",
        strict: Annotated[
            bool,
            told("Exit with status 1 when anything was refused, not only when everything was."),
        ] = False,
        json: JsonOption = False,
        data: DataOption = None,
    ) -> int:
        """Import skills from a folder or file, with their history.

        Takes a folder with a SKILL.md or .hub file, a folder of such folders, a folder of versions
        with a meta.json, or a .jsonl record. What is there already counts as unchanged, so an
        import that was cut short can simply be run again. The bytes are kept as they are.
        """
        if not source.exists():
            raise HubifyError("NOT_FOUND", f"there is no file or folder '{source}'")
        if owner is not None and not is_owner(owner):
            raise Misuse(f"{owner!r} cannot be an owner's name; use a-z, 0-9, '.', '_' and '-'")
        summary = Summary()
        with reached(self._world, data) as hub:
            try:
                self._import_skills(summary, hub, source, visibility, owner)
                if reports:
                    self._tell(summary, hub, source)
            except HubifyError as error:
                raise _cut_short(error, summary) from None
            except KeyboardInterrupt:
                self._world.say(f"interrupted: {_so_far(summary)}")
                raise
        if json:
            self._world.print_json(summary)
        else:
            self._world.print("\n".join(_told(summary)))
        return 1 if summary.is_empty or (strict and summary.all_refused) else 0

    def _import_skills(
        self, summary: Summary, hub: Hub, source: Path, visibility: str, owner: str | None
    ) -> None:
        from hubify.formats.folders import read_skills
        from hubify.formats.importing import Importer

        importer = Importer(
            _caller(hub), refusals=(OneRefused,), visibility=visibility, owner=owner
        )
        with Progress(self._world, "version") as progress:
            for outcome in importer.run(read_skills(source)):
                summary.count(outcome)
                progress.step()

    def _tell(self, summary: Summary, hub: Hub, source: Path) -> None:
        """Report what agents made of the skills that were found."""
        from hubify.formats.folders import read_analyses
        from hubify.formats.task_reports import Numbered, Teller

        versions = {
            outcome.source_id: Numbered(outcome.name, outcome.version)
            for outcome in summary.outcomes
            if outcome.version_id is not None
        }
        summary.told = Told()
        teller = Teller(_caller(hub), versions, refusals=(OneRefused,))
        with Progress(self._world, "report") as progress:
            for outcome in teller.run(read_analyses(source)):
                summary.told.count(outcome)
                progress.step()


def _caller(hub: Hub) -> Call:
    def call(path: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return read(dict[str, Any], hub.mutation(path, arguments))
        except HubifyError as error:
            if error.code in OF_ONE:
                raise OneRefused(error.message) from None
            raise

    return call


def _cut_short(error: HubifyError, summary: Summary) -> HubifyError:
    if not summary.outcomes:
        return error
    return HubifyError(error.code, f"{error.message} ({_so_far(summary)})", error.details)


def _so_far(summary: Summary) -> str:
    done = f"{counted(summary.imported, 'version')} imported, {summary.unchanged:,} unchanged"
    if summary.told is not None:
        done += f", {counted(summary.told.reported, 'run')} reported"
    return f"{done} before; run it again to go on"


def _told(summary: Summary) -> Iterator[str]:
    """The lines of a summary: first why things were refused and repaired, last the counts."""
    for outcome in summary.outcomes:
        lines = _reasons(outcome)
        if lines:
            yield f"{outcome.state} {_label(outcome)}"
            yield from (f"  {line}" for line in lines)
    if summary.told is not None:
        yield from lines_of(summary.told)
    names = {outcome.name for outcome in summary.outcomes if outcome.state not in REFUSED}
    yield (
        f"imported {summary.imported:,}, unchanged {summary.unchanged:,} "
        f"({counted(len(names), 'skill')}); repaired {summary.repaired:,}, "
        f"refused {summary.refused:,}"
    )


def _reasons(outcome: "Outcome") -> list[str]:
    """What a person should know of a version: why it was refused, or what was made otherwise."""
    if outcome.state in REFUSED:
        return list(outcome.findings)
    if outcome.state == "unchanged":
        return []
    return [finding for finding in outcome.findings if CHANGED.search(finding)]


def _label(outcome: "Outcome") -> str:
    if outcome.name and outcome.version:
        return f"{outcome.name}@{outcome.version} ({outcome.source})"
    return outcome.source_id or outcome.source
