"""`hubify skills import`: take in skills from a folder, a file or a record, with their history.

Invariant: every version that was found is counted once, as imported, unchanged or refused, and each
refusal is shown with its reason, file and line.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from hubify.cli.answers import read
from hubify.cli.options import DataOption, JsonOption, told
from hubify.cli.reach import reached
from hubify.cli.tables import counted
from hubify.cli.targets import Hub
from hubify.cli.world import World
from hubify.sdk.errors import HubifyError

if TYPE_CHECKING:
    from hubify.formats.importing import Outcome

OF_ONE_VERSION = frozenset(
    {"CONFLICT", "VALIDATION_ERROR", "PAYLOAD_TOO_LARGE", "GATEWAY_REFUSED", "NOT_FOUND"}
)
"""Codes that refuse one version; with any other the import cannot go on."""
REPAIRED = re.compile(r"(?:^|: )repaired: ")
CHANGED = re.compile(REPAIRED.pattern + r"|is taken; imported as ")
REFUSED = frozenset({"refused", "unreadable"})
EVERY = 10  # versions between two words of progress


class VersionRefused(Exception):
    """The registry will not take one version."""


class Summary(msgspec.Struct):
    """What became of everything that was found."""

    imported: int = 0
    unchanged: int = 0
    repaired: int = 0
    refused: int = 0
    outcomes: list["Outcome"] = []

    @property
    def total(self) -> int:
        """Versions seen."""
        return self.imported + self.unchanged + self.refused

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


class ImportCommand:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        source: Annotated[Path, told("The folder or file.")],
        /,
        *,
        owner: Annotated[
            str | None,
            told("Whose skills they become (default: the caller's); for administrators."),
        ] = None,
        visibility: Annotated[
            Literal["public", "org", "private"],
            told("Who may see new skills: public, org or private (default: public).", "WHO"),
        ] = "public",
        strict: Annotated[bool, told("Exit with status 1 when anything was refused.")] = False,
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
        summary = Summary()
        with ExitStack() as stack:
            hub = stack.enter_context(reached(self._world, data))
            if owner is not None:
                hub = stack.enter_context(hub.acting_for(owner))
            try:
                self._take_in(summary, _outcomes(hub, source, visibility))
            except HubifyError as error:
                raise _cut_short(error, summary) from None
        if json:
            self._world.print_json(summary)
        else:
            self._world.print("\n".join(_told(summary)))
        return 1 if strict and summary.refused else 0

    def _take_in(self, summary: Summary, outcomes: Iterable["Outcome"]) -> None:
        """Count outcomes as they come; on a terminal, say how far it is."""
        shows = self._world.err.isatty()
        for outcome in outcomes:
            summary.count(outcome)
            if shows and summary.total % EVERY == 0:
                self._world.err.write(f"\r{counted(summary.total, 'version')} …")
                self._world.err.flush()
        if shows:
            self._world.err.write("\r" + " " * 40 + "\r")


def _outcomes(hub: Hub, source: Path, visibility: str) -> Iterator["Outcome"]:
    from hubify.formats.folders import read_skills
    from hubify.formats.importing import Importer

    def call(path: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return read(dict[str, Any], hub.mutation(path, arguments))
        except HubifyError as error:
            if error.code in OF_ONE_VERSION:
                raise VersionRefused(error.message) from None
            raise

    importer = Importer(call, refusals=(VersionRefused,), visibility=visibility)
    yield from importer.run(read_skills(source))


def _cut_short(error: HubifyError, summary: Summary) -> HubifyError:
    if not summary.total:
        return error
    done = f"{counted(summary.imported, 'version')} imported before; run it again to go on"
    return HubifyError(error.code, f"{error.message} ({done})", error.details)


def _told(summary: Summary) -> Iterator[str]:
    """The lines of a summary: first why things were refused and repaired, last the counts."""
    for outcome in summary.outcomes:
        lines = _reasons(outcome)
        if lines:
            yield f"{outcome.state} {_label(outcome)}"
            yield from (f"  {line}" for line in lines)
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
