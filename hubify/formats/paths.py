"""Paths inside a bundle: relative, POSIX, NFC, and safe to write on any system.

Invariant: a path that `bundle_path` returns never leaves the folder it is written under.
"""

import unicodedata

from hubify.formats.findings import Refused, quoted, refused
from hubify.formats.limits import MAX_PATH_BYTES, MAX_PATH_DEPTH

_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, lone surrogates, line separators
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RENAME = "Rename the file."


def bundle_path(raw: str) -> str:
    """Return the path in NFC without empty and `.` segments.

    Raises:
        Refused: absolute, `..`, backslash, drive letter, control or direction characters, not
            Unicode, over 1,024 bytes or deeper than 16 (rules of the product's Files section).
    """
    if len(raw) > MAX_PATH_BYTES:
        raise _hostile("path-too-long", raw, f"is longer than {MAX_PATH_BYTES} bytes")
    _refuse_characters(raw)
    path = unicodedata.normalize("NFC", raw)
    segments = [segment for segment in path.split("/") if segment not in {"", "."}]
    _refuse_shape(raw, path, segments)
    return "/".join(segments)


def _refuse_characters(raw: str) -> None:
    if any(unicodedata.category(char) in _FORBIDDEN for char in raw):
        raise _hostile("path-characters", raw, "holds control characters or is not Unicode")
    if any(char in _DIRECTION for char in raw):
        raise _hostile("path-characters", raw, "holds characters that turn the reading direction")
    if "\\" in raw:
        raise _hostile("path-backslash", raw, "holds a backslash")


def _refuse_shape(raw: str, path: str, segments: list[str]) -> None:
    drive = path[1:2] == ":" and path[:1].isalpha()
    if path.startswith("/") or drive:
        raise _hostile("path-absolute", raw, "is absolute")
    if not segments:
        raise _hostile("path-empty", raw, "names no file")
    if ".." in segments:
        raise _hostile("path-escapes", raw, "leaves the skill's folder")
    if len(segments) > MAX_PATH_DEPTH:
        raise _hostile("path-too-deep", raw, f"is more than {MAX_PATH_DEPTH} folders deep")
    if len(path.encode()) > MAX_PATH_BYTES:
        raise _hostile("path-too-long", raw, f"is longer than {MAX_PATH_BYTES} bytes")


def _hostile(code: str, raw: str, fault: str) -> Refused:
    return Refused(refused(code, f"The path {quoted(raw)} {fault}.", _RENAME))
