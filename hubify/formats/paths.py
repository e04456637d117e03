"""Paths inside a bundle: relative, POSIX, NFC, and safe to write on any system.

Invariant: a path that `bundle_path` returns never leaves the folder it is written under.
"""

import unicodedata

from hubify.formats.findings import Refused, quoted, refused
from hubify.formats.limits import MAX_PATH_BYTES, MAX_PATH_DEPTH, MAX_PATH_PART_BYTES

_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line separators
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What shows nothing although Unicode does not count it as format (Cf): its other characters that
# may be ignored (Default_Ignorable_Code_Point), and the empty pattern of Braille.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_RENAME = "Rename the file."


def bundle_path(raw: str) -> str:
    """Return the path in NFC without `.` segments.

    Raises:
        Refused: absolute, `..` or nothing between slashes, backslash, drive letter, control,
            direction or invisible characters, not Unicode, over 1,024 bytes, a name in it over 255
            or deeper than 16 (rules of the product's Files section).
    """
    if len(raw) > MAX_PATH_BYTES:
        raise _hostile("path-too-long", raw, f"is longer than {MAX_PATH_BYTES} bytes")
    _refuse_characters(raw)
    path = unicodedata.normalize("NFC", raw)
    segments = [segment for segment in path.split("/") if segment != "."]
    _refuse_shape(raw, path, segments)
    return "/".join(segments)


def _refuse_characters(raw: str) -> None:
    if any(unicodedata.category(char) in _FORBIDDEN for char in raw):
        raise _hostile("path-characters", raw, "holds control characters or is not Unicode")
    if any(char in _DIRECTION for char in raw):
        raise _hostile("path-characters", raw, "holds characters that turn the reading direction")
    unseen = next(filter(_is_invisible, raw), None)
    if unseen is not None:
        raise _hostile("path-invisible", raw, f"holds the invisible U+{ord(unseen):04X}")
    if "\\" in raw:
        raise _hostile("path-backslash", raw, "holds a backslash")


def _is_invisible(char: str) -> bool:
    if char.isascii():
        return False
    selects = any(ord(char) in selectors for selectors in _SELECTORS)
    return selects or char in _BLANK or unicodedata.category(char) == "Cf"


def _refuse_shape(raw: str, path: str, segments: list[str]) -> None:
    drive = path[1:2] == ":" and path[:1].isalpha()
    if path.startswith("/") or drive:
        raise _hostile("path-absolute", raw, "is absolute")
    if segments in ([], [""]):
        raise _hostile("path-empty", raw, "names no file")
    if "" in segments:
        raise _hostile("path-empty-part", raw, "has nothing between two slashes, or after the last")
    if ".." in segments:
        raise _hostile("path-escapes", raw, "leaves the skill's folder")
    if len(segments) > MAX_PATH_DEPTH:
        raise _hostile("path-too-deep", raw, f"is more than {MAX_PATH_DEPTH} folders deep")
    if len(path.encode()) > MAX_PATH_BYTES:
        raise _hostile("path-too-long", raw, f"is longer than {MAX_PATH_BYTES} bytes")
    if any(len(segment.encode()) > MAX_PATH_PART_BYTES for segment in segments):
        fault = f"holds a name of more than {MAX_PATH_PART_BYTES} bytes, which few systems take"
        raise _hostile("path-part-too-long", raw, fault)


def _hostile(code: str, raw: str, fault: str) -> Refused:
    return Refused(refused(code, f"The path {quoted(raw)} {fault}.", _RENAME))
