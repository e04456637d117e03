"""Paths of a bundle: hostile ones are refused, odd ones written in one form."""

import posixpath
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.findings import Refused
from hubify.formats.limits import MAX_PATH_BYTES, MAX_PATH_DEPTH, MAX_PATH_PART_BYTES
from hubify.formats.paths import bundle_path


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "path-empty"),
        (".", "path-empty"),
        ("/etc/passwd", "path-absolute"),
        ("C:/x", "path-absolute"),
        ("c:x", "path-absolute"),
        ("../x", "path-escapes"),
        ("a/../../x", "path-escapes"),
        ("a/..", "path-escapes"),
        ("a\\b", "path-backslash"),
        ("a\0b", "path-characters"),
        ("a\nb", "path-characters"),
        ("a\x7fb", "path-characters"),
        ("a\u2028b", "path-characters"),
        ("a\udcffb", "path-characters"),
        ("a\u202etxt.exe", "path-characters"),
        ("a" * 1025, "path-too-long"),
        ("é" * 513, "path-too-long"),
        ("a/" * 16 + "b", "path-too-deep"),
        ("x//etc/passwd", "path-empty-part"),
        ("x/", "path-empty-part"),
        ("x/./", "path-empty-part"),
        ("a" * 256, "path-part-too-long"),
        ("x/" + "é" * 128, "path-part-too-long"),
        ("a\u200eb", "path-characters"),
        ("a\u200bb", "path-invisible"),
        ("a\u00adb", "path-invisible"),
        ("\ufeffa", "path-invisible"),
        ("a\U000e0041", "path-invisible"),
        ("a\ufe0f", "path-invisible"),
        ("a\u3164", "path-invisible"),
    ],
)
def test_a_hostile_path_is_refused(raw: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        bundle_path(raw)
    assert refusal.value.finding.code == code
    assert refusal.value.finding.fix


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("SKILL.md", "SKILL.md"),
        ("./scripts/./run.sh", "scripts/run.sh"),
        ("e\u0301.md", "é.md"),
        ("a b/c…d.md", "a b/c…d.md"),
        (".hidden", ".hidden"),
        ("..a/b..", "..a/b.."),
        ("a" * 255, "a" * 255),
        ("बिल्ली/猫/قط.md", "बिल्ली/猫/قط.md"),
        ("9.41.00\u202fAM.png", "9.41.00\u202fAM.png"),
    ],
)
def test_other_paths_come_out_in_one_form(raw: str, path: str) -> None:
    assert bundle_path(raw) == path


@given(st.text(st.sampled_from("ab./\\\0\ne\u0301:é"), max_size=40) | st.text(max_size=60))
def test_a_path_let_through_stays_inside_and_as_it_is(raw: str) -> None:
    try:
        path = bundle_path(raw)
    except Refused:
        return
    assert posixpath.normpath(path) == path
    assert not path.startswith(("/", "../"))
    assert unicodedata.is_normalized("NFC", path)
    assert len(path.encode()) <= MAX_PATH_BYTES
    assert path.count("/") < MAX_PATH_DEPTH
    assert all(1 <= len(part.encode()) <= MAX_PATH_PART_BYTES for part in path.split("/"))
    assert bundle_path(path) == path
