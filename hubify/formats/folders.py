"""Skills on a disk: finding them in a folder, reading their files, writing a bundle back.

Invariant: reading never leaves the folder it was given, neither by a symbolic link nor by a name,
opens nothing but regular files, is bounded, and goes in the byte order of names.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from itertools import islice
from pathlib import Path

from msgspec import Struct

from hubify.formats.bundle import Bundle, Gathered, gather
from hubify.formats.findings import Finding, Refused, noted, refused, shown
from hubify.formats.histories import META_FILE, is_sample, read_history, read_samples
from hubify.formats.limits import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_HISTORY,
    MAX_LINE_BYTES,
    MAX_LINES,
    MAX_META_BYTES,
    MAX_PATH_DEPTH,
    MAX_RECORD_BYTES,
    MAX_TREE_DEPTH,
    MAX_TREE_FOLDERS,
)
from hubify.formats.openspace import (
    Analysis,
    is_analysis_row,
    is_skill_row,
    read_analysis_rows,
    read_skill_rows,
)
from hubify.formats.reader import is_skill_file
from hubify.formats.records import Candidate, Imported, Origin, Unreadable, assemble

_LEFT_OUT = frozenset({".git", ".hg", ".svn", ".DS_Store", "__pycache__", "node_modules"})
_RECORD = ".jsonl"
_MAX_ENTRIES = 4 * MAX_FILES  # names in one folder; a folder has folders beside its files
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_SCRIPT = b"#!"


def read_skills(path: Path) -> Iterator[Imported]:
    """Yield every skill at `path`, whichever layout it has, in the byte order of names.

    A folder with a SKILL.md or `.hub` is one skill; a folder with `meta.json` beside folders of
    versions is one with its history; any other folder is searched, six levels deep. A `.jsonl`
    file is a sample or an OpenSpace record. A single skill file is a skill of one file.
    """
    root = _Root(path.resolve())
    if root.path.is_file():
        yield from _read_file(root, root.path)
        return
    found = False
    for place in _search(root, root.path, 0, []):
        for imported in _read_place(root, place):
            found = True
            yield imported
    if not found:
        what = "There is no SKILL.md here, nor in the folders below."
        yield _unreadable(root, root.path, refused("no-skills", what, "Name another folder."))


def read_skill_folder(path: Path) -> Imported:
    """Read the folder of one skill, all its files."""
    root = _Root(path.resolve())
    return _skill(root, root.path)


def read_analyses(path: Path) -> Iterator[Analysis | Unreadable]:
    """Yield the analysed tasks of every OpenSpace record at `path`, a file or a folder of them."""
    root = _Root(path.resolve())
    if root.path.is_file():
        yield from read_analysis_rows(_lines(root.path), source=root.path.name)
        return
    for place in _search(root, root.path, 0, []):
        if isinstance(place, _Place) and place.kind is _Kind.RECORD:
            with suppress(Refused):  # a record that cannot be read is refused as one of skills
                if is_analysis_row(_first_line(place.path)):
                    source = root.name_of(place.path)
                    yield from read_analysis_rows(_lines(place.path), source=source)


def write_bundle(bundle: Bundle, target: Path) -> None:
    """Write every file of a bundle under `target`, byte for byte; scripts (`#!`) are executable.

    Raises:
        FileExistsError: `target` is there and not an empty folder, or the file system takes two
            of the paths for one. Nothing is ever overwritten.
        ValueError: the bundle is not one that `gather` made: its paths or digests are wrong.
    """
    if gather(bundle.files.items()).bundle != bundle:
        raise ValueError("the bundle was not made by gather")
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty")
    for path, data in bundle.files.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as sink:
            sink.write(data)
        if data.startswith(_SCRIPT):
            file.chmod(file.stat().st_mode | 0o111)


class _Root(Struct, frozen=True):
    """The folder (or file) that was given; nothing outside it is read."""

    path: Path

    def name_of(self, path: Path) -> str:
        """Return where a path lies within the root, for messages."""
        inner = path.relative_to(self.path).as_posix()
        return shown(self.path.name if inner == "." else f"{self.path.name}/{inner}")


class _Kind(Enum):
    """What a place in the tree is read as."""

    SKILL = "skill"
    HISTORY = "history"
    RECORD = "record"


class _Place(Struct, frozen=True):
    """Something in the tree to read; `entries` of a folder only."""

    kind: _Kind
    path: Path
    entries: list[os.DirEntry[str]] = []


def _search(
    root: _Root, folder: Path, depth: int, visited: list[Path]
) -> Iterator[_Place | Unreadable]:
    """Yield the skills and records in one folder; `visited` counts the folders looked at."""
    visited.append(folder)
    try:
        entries = _entries(folder)
    except Refused as refusal:
        yield _unreadable(root, folder, refusal.finding)
        return
    if any(is_skill_file(entry.name) and not _is_folder(entry) for entry in entries):
        yield _Place(_Kind.SKILL, folder)
        return
    if any(entry.name == META_FILE for entry in entries) and _has_versions(entries):
        yield _Place(_Kind.HISTORY, folder, entries)
        return
    for entry in entries:
        yield from _search_entry(root, entry, depth + 1, visited)


def _search_entry(
    root: _Root, entry: os.DirEntry[str], depth: int, visited: list[Path]
) -> Iterator[_Place | Unreadable]:
    path = Path(entry.path)
    if entry.is_symlink() and _inside(root.path, path) is None:
        what = "It is a symbolic link that leads out of the folder."
        fix = "Import the folder it leads to."
        yield _unreadable(root, path, refused("link-outside", what, fix))
    elif entry.name in _LEFT_OUT or entry.is_symlink():
        return
    elif not _is_folder(entry):
        if entry.name.endswith(_RECORD):
            yield _Place(_Kind.RECORD, path)
    elif depth > MAX_TREE_DEPTH or len(visited) >= MAX_TREE_FOLDERS:
        what = f"More than {MAX_TREE_DEPTH} levels or {MAX_TREE_FOLDERS} folders; not searched."
        yield _unreadable(root, path, refused("tree-too-large", what, "Import it by itself."))
    else:
        yield from _search(root, path, depth, visited)


def _read_place(root: _Root, place: _Place | Unreadable) -> Iterator[Imported]:
    if isinstance(place, Unreadable):
        yield place
        return
    match place.kind:
        case _Kind.SKILL:
            yield _skill(root, place.path)
        case _Kind.HISTORY:
            yield _history(root, place.path, place.entries)
        case _Kind.RECORD:
            yield from _records(root, place.path, strict=False)


def _read_file(root: _Root, path: Path) -> Iterator[Imported]:
    if path.name.endswith(_RECORD):
        yield from _records(root, path, strict=True)
        return
    gathered = gather(_single(path))
    yield assemble(Origin(source=path.name), [Candidate(source_id=path.name, gathered=gathered)])


def _single(path: Path) -> Iterator[tuple[str, bytes]]:
    yield path.name, _content(path, MAX_FILE_BYTES)


def _skill(root: _Root, folder: Path) -> Imported:
    source = root.name_of(folder)
    notes: list[Finding] = []
    gathered = gather(_files(folder, notes))
    origin = Origin(source=source, folder=folder.name)
    return assemble(origin, [Candidate(source_id=source, gathered=gathered)], notes)


def _history(root: _Root, folder: Path, entries: list[os.DirEntry[str]]) -> Imported:
    source = root.name_of(folder)
    try:
        meta = _content(folder / META_FILE, MAX_META_BYTES)
    except Refused as refusal:
        return Unreadable(source, (refusal.finding,))
    folders: dict[str, Gathered] = {}
    for entry in islice((entry for entry in entries if _is_folder(entry)), 2 * MAX_HISTORY):
        if entry.name not in _LEFT_OUT:
            folders[entry.name] = _version(Path(entry.path))
    return read_history(meta, folders, source=source)


def _version(folder: Path) -> Gathered:
    notes: list[Finding] = []
    gathered = gather(_files(folder, notes))
    return Gathered(gathered.bundle, (*notes, *gathered.findings))


def _has_versions(entries: list[os.DirEntry[str]]) -> bool:
    """Whether one of the folders here holds a skill file."""
    for entry in entries:
        if _is_folder(entry):
            try:
                inner = _entries(Path(entry.path))
            except Refused:
                continue
            if any(is_skill_file(item.name) for item in inner):
                return True
    return False


def _files(root: Path, notes: list[Finding]) -> Iterator[tuple[str, bytes]]:
    """Yield each file under `root` with its path; what is left out on purpose is noted.

    Raises:
        Refused: a link leads outside, a file cannot be read, or there is too much.
    """
    pending = [(root, 1)]
    while pending:
        folder, depth = pending.pop()
        if depth > MAX_PATH_DEPTH:
            what = f"There are more than {MAX_PATH_DEPTH} levels of folders."
            raise _refusal("path-too-deep", root, folder, what, "Nest less.")
        inner: list[tuple[Path, int]] = []
        for entry in _entries(folder):
            path = Path(entry.path)
            relative = path.relative_to(root).as_posix()
            if entry.name in _LEFT_OUT:
                notes.append(noted("left-out", "Left out of the bundle.", path=shown(relative)))
            elif _is_folder(entry):
                inner.append((path, depth + 1))
            else:
                yield relative, _content(_resolved(root, path, entry), MAX_FILE_BYTES)
        pending.extend(reversed(inner))


def _resolved(root: Path, path: Path, entry: os.DirEntry[str]) -> Path:
    """Return the file that a symbolic link inside the folder stands for, or the path itself."""
    if not entry.is_symlink():
        return path
    target = _inside(root, path)
    if target is None or not target.is_file():
        what = "It is a symbolic link that leads out of the folder, or to no file."
        raise _refusal("link-outside", root, path, what, "Put the file itself there.")
    return target


def _inside(root: Path, path: Path) -> Path | None:
    """Return where a link leads when that is inside `root`, else None."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # it leads nowhere, or round in a circle
        return None
    return target if target.is_relative_to(root) else None


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder, in the byte order of names."""
    try:
        with os.scandir(folder) as scan:
            entries = list(islice(scan, _MAX_ENTRIES + 1))
    except OSError as error:
        raise _unopened(folder, error) from error
    if len(entries) > _MAX_ENTRIES:
        what = f"The folder has more than {_MAX_ENTRIES} entries."
        fix = "Divide it."
        raise Refused(refused("folder-too-large", what, fix, path=shown(folder.name)))
    return sorted(entries, key=lambda entry: os.fsencode(entry.name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _content(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes; never waits on a pipe."""
    try:
        descriptor = os.open(path, _OPEN)
        with open(descriptor, "rb") as source:  # noqa: PTH123 - a descriptor, not a path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                what = "It is not a regular file."
                raise Refused(refused("not-a-file", what, "Remove it.", path=shown(path.name)))
            data = source.read(limit + 1)
    except OSError as error:
        raise _unopened(path, error) from error
    if len(data) > limit:
        what = f"The file has more than {limit} bytes."
        fix = "Make it smaller or link to it."
        raise Refused(refused("file-too-large", what, fix, path=shown(path.name)))
    return data


def _unopened(path: Path, error: OSError) -> Refused:
    what = f"It cannot be opened: {error.strerror}."
    return Refused(refused("unreadable", what, "Check its permissions.", path=shown(path.name)))


def _refusal(code: str, root: Path, path: Path, what: str, fix: str) -> Refused:
    place = shown(path.relative_to(root).as_posix())
    return Refused(refused(code, what, fix, path=place))


def _records(root: _Root, path: Path, *, strict: bool) -> Iterator[Imported]:
    """Yield the skills of a JSON Lines file; one of another kind is an error only if `strict`."""
    source = root.name_of(path)
    try:
        first = _first_line(path)
        if is_sample(first):
            yield from read_samples(_lines(path), source=source)
        elif is_skill_row(first):
            yield from read_skill_rows(_lines(path), source=source)
        elif strict:
            yield Unreadable(source, (_no_skills_in(first),))
    except Refused as refusal:
        yield Unreadable(source, (refusal.finding,))


def _no_skills_in(first_line: bytes) -> Finding:
    if is_analysis_row(first_line):
        what = "It tells of analysed tasks, which are about the skills of its record."
        return refused("record", what, "Import the folder that holds both, with --reports.")
    what = "Its first line is neither a sample's nor an OpenSpace skill."
    return refused("record", what, "Name another file.")


def _first_line(path: Path) -> bytes:
    return next((line for line in _lines(path) if line.strip()), b"")


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a record, within the bounds of a record."""
    total = 0
    try:
        with path.open("rb") as source:
            for number in range(MAX_LINES + 1):
                line = source.readline(MAX_LINE_BYTES + 1)
                total += len(line)
                if not line:
                    return
                if number == MAX_LINES or len(line) > MAX_LINE_BYTES or total > MAX_RECORD_BYTES:
                    what = "The record has too many lines, or too long ones."
                    raise Refused(refused("record-too-large", what, "Divide it.", line=number + 1))
                yield line
    except OSError as error:
        raise _unopened(path, error) from error


def _unreadable(root: _Root, path: Path, finding: Finding) -> Unreadable:
    return Unreadable(root.name_of(path), (finding,))
