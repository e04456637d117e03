"""Paths of a bundle: hostile ones are refused, odd ones written in one form."""

import posixpath
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.findings import Refused
from hubify.formats.limits import MAX_PATH_BYTES, MAX_PATH_DEPTH
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
        ("./scripts//run.sh", "scripts/run.sh"),
        ("e\u0301.md", "é.md"),
        ("a b/c…d.md", "a b/c…d.md"),
        (".hidden", ".hidden"),
        ("..a/b..", "..a/b.."),
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
    assert bundle_path(path) == path
