"""`hubify skills export`: write skills out, one version or the whole history.

Invariant: exported files are the bytes that were published, checked against the version's digest;
nothing that is there is ever overwritten.
"""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from hubify.cli.answers import (
    Bundle,
    File,
    Skill,
    SkillDetails,
    Version,
    VersionPage,
    listed_skills,
    read,
)
from hubify.cli.options import DataOption, told
from hubify.cli.reach import reached
from hubify.cli.tables import counted
from hubify.cli.targets import Hub
from hubify.cli.world import Misuse, World
from hubify.sdk.errors import BAD_ANSWER, HubifyError

if TYPE_CHECKING:
    from hubify.formats.bundle import Bundle as Files

USAGE = """Usage: hubify skills export NAME... DIR [--version V | --history]
       hubify skills export --all DIR [--owner OWNER] [--history]"""
PAGE = 100
PLACEHOLDER = "placeholder"


class ExportCommand:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        *names: Annotated[str, told("Names of skills, then the directory to write them into.")],
        all: Annotated[bool, told("Every public skill, or every one of --owner.")] = False,  # noqa: A002 - the option's name
        owner: Annotated[
            str | None,
            told("With --all: this owner's skills, hidden ones too if you may see them.", "OWNER"),
        ] = None,
        version: Annotated[str | None, told("This version, not the stable one.", "V")] = None,
        history: Annotated[
            bool, told("All versions, each in a folder of its own, as `import` takes them.")
        ] = False,
        data: DataOption = None,
    ) -> None:
        """Write skills into a directory, as they were published.

        Each has a folder with its files, byte for byte. Nothing that is there is overwritten; what
        is there already with the same bytes is left, so an export can be run again.
        """
        skills, directory = _places(names, every=all, version=version, owner=owner, history=history)
        with reached(self._world, data) as hub:
            written = 0
            for name in _names(hub, owner, history=history) if all else skills:
                if history:
                    self._write_history(hub, name, directory)
                else:
                    bundle = _bundle(hub, name, version)
                    _write(bundle, directory / _safe(bundle.name))
                    self._say_written(bundle, len(bundle.files))
                written += 1
        self._world.say(f"{counted(written, 'skill')} in {directory}")

    def _write_history(self, hub: Hub, name: str, directory: Path) -> None:
        """Write every version of a skill that has files, and what tells `import` their order."""
        skill = read(SkillDetails, hub.query("skills:getByName", {"name": name}))
        target = directory / _safe(skill.name)
        there = [each for each in _versions(hub, skill.name) if each.status != PLACEHOLDER]
        for each in there:
            _write(_bundle(hub, skill.name, each.version), target / _safe_version(each.version))
        if there:
            _write_new(target / "meta.json", _meta(skill, there))
        self._world.say(f"{skill.name}: {counted(len(there), 'version')}")

    def _say_written(self, bundle: Bundle, files: int) -> None:
        self._world.say(f"{bundle.name}@{bundle.version}: {counted(files, 'file')}")


def _places(
    names: tuple[str, ...], *, every: bool, version: str | None, owner: str | None, history: bool
) -> tuple[tuple[str, ...], Path]:
    if every and (len(names) != 1 or version is not None):
        raise Misuse("with --all, name the directory only: hubify skills export --all DIR")
    if not every and len(names) < 2:
        raise Misuse("name a skill and a directory: hubify skills export NAME DIR")
    if version is not None and (len(names) != 2 or history):
        raise Misuse("--version is for one skill: hubify skills export NAME DIR --version V")
    if owner is not None and not every:
        raise Misuse("--owner goes with --all: hubify skills export --all DIR --owner OWNER")
    return names[:-1], Path(names[-1])


def _names(hub: Hub, owner: str | None, *, history: bool) -> Iterator[str]:
    """The skills to write: with a stable version; for histories, deprecated ones too."""
    wish = {"sort": "name"} if owner is None else {"sort": "name", "owner": owner}
    for status in ("active", "deprecated") if history else ("active",):
        for skill in listed_skills(hub, {**wish, "status": status}):
            if history or _is_stable(skill):
                yield skill.name


def _is_stable(skill: Skill) -> bool:
    return skill.version is not None


def _versions(hub: Hub, name: str) -> list[Version]:
    """A skill's versions, the oldest first."""
    found: list[Version] = []
    cursor: str | None = None
    while True:
        wish = {"name": name, "paginationOpts": {"numItems": PAGE, "cursor": cursor}}
        page = read(VersionPage, hub.query("skills:listVersions", wish))
        found.extend(page.page)
        if page.is_done or page.continue_cursor == cursor:
            found.reverse()
            return sorted(found, key=lambda each: each.published_at)
        cursor = page.continue_cursor


def _meta(skill: SkillDetails, versions: list[Version]) -> bytes:
    """The `meta.json` of a history; the owner is who made it elsewhere, if anybody."""
    told = {
        "owner": skill.author,
        "slug": skill.name,
        "displayName": skill.display_name,
        "versions": [
            {"version": each.version, "publishedAt": each.published_at} for each in versions
        ],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def _bundle(hub: Hub, name: str, version: str | None) -> Bundle:
    wish = {"name": name} if version is None else {"name": name, "version": version}
    return read(Bundle, hub.query("skills:getFiles", wish))


def _write(bundle: Bundle, target: Path) -> None:
    """Write one version's files.

    Raises:
        HubifyError: the files are not those of the digest, or the folder holds something else.

    """
    from hubify.formats.bundle import gather
    from hubify.formats.folders import write_bundle

    gathered = gather((file.path, _bytes(file)) for file in bundle.files).bundle
    if gathered is None or gathered.digest != bundle.digest:
        message = f"the files of {bundle.name!r} are not those of its digest; nothing was written"
        raise HubifyError(BAD_ANSWER, message)
    if _holds(target, gathered):
        return
    try:
        write_bundle(gathered, target)
    except FileExistsError:
        raise _occupied(target) from None


def _holds(target: Path, files: "Files") -> bool:
    """Whether a folder holds exactly these files."""
    there = {path for path in target.rglob("*") if not path.is_dir() or path.is_symlink()}
    if {path.relative_to(target).as_posix() for path in there} != set(files.files):
        return False
    return all(
        not (target / path).is_symlink() and (target / path).read_bytes() == data
        for path, data in files.files.items()
    )


def _write_new(path: Path, data: bytes) -> None:
    if path.exists() and path.read_bytes() == data:
        return
    try:
        with path.open("xb") as sink:
            sink.write(data)
    except FileExistsError:
        raise _occupied(path) from None


def _occupied(path: Path) -> HubifyError:
    message = f"'{path}' is there and holds something else; nothing is overwritten"
    return HubifyError("CONFLICT", f"{message}, name another place")


def _safe(name: str) -> str:
    """A skill's name as the name of a folder.

    Raises:
        HubifyError: it is none that a registry gives.

    """
    from hubify.formats.names import is_slug

    if not is_slug(name):
        raise HubifyError(BAD_ANSWER, f"{name[:100]!r} is no skill's name; nothing was written")
    return name


def _safe_version(version: str) -> str:
    from hubify.formats.versions import is_version

    if not is_version(version):
        raise HubifyError(BAD_ANSWER, f"{version[:100]!r} is no version; nothing was written")
    return version


def _bytes(file: File) -> bytes:
    if file.content is not None:
        return file.content.encode()
    try:
        return b64decode(file.content_base64 or "", validate=True)
    except ValueError:
        raise HubifyError(BAD_ANSWER, f"the file {file.path!r} is not base64") from None
