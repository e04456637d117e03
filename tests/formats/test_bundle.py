"""Bundles: what is let in, and digests that anybody can recompute."""

import hashlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats import bundle as bundles
from hubify.formats.bundle import EMPTY, Bundle, gather, manifest
from hubify.formats.findings import Kind

contents = st.dictionaries(
    st.text(st.sampled_from("abc-_."), min_size=3, max_size=6), st.binary(max_size=20), max_size=5
)


def bundle_of(files: dict[str, bytes]) -> Bundle:
    bundle = gather(files.items()).bundle
    assert bundle is not None
    return bundle


def codes(files: list[tuple[str, bytes]]) -> list[tuple[Kind, str]]:
    return [(finding.kind, finding.code) for finding in gather(files).findings]


@given(contents)
def test_bytes_go_in_and_come_out_the_same(files: dict[str, bytes]) -> None:
    files = {path: data for path, data in files.items() if path.strip(".")}
    assert bundle_of(files).files == files


@given(contents, st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_change_the_digest(
    files: dict[str, bytes], chance: Random
) -> None:
    files = {path: data for path, data in files.items() if path.strip(".")}
    shuffled = list(files.items())
    chance.shuffle(shuffled)
    assert bundle_of(dict(shuffled)).digest == bundle_of(files).digest


def test_the_digest_is_what_sha256sum_would_say() -> None:
    bundle = bundle_of({"b/x": b"2", "a": b"1", "B": b"3"})
    lines = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n"
        for path, data in [("B", b"3"), ("a", b"1"), ("b/x", b"2")]
    )
    assert manifest(bundle.digests) == lines.encode()
    assert bundle.digest == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    assert bundle.digests["a"] == f"sha256:{hashlib.sha256(b'1').hexdigest()}"


def test_one_byte_or_one_name_more_is_another_digest() -> None:
    digests = {
        bundle_of({"a": b"1"}).digest,
        bundle_of({"a": b"2"}).digest,
        bundle_of({"b": b"1"}).digest,
        bundle_of({"a": b"1", "b": b""}).digest,
        EMPTY.digest,
    }
    assert len(digests) == 5


def test_a_bundle_lists_its_files_in_byte_order_and_cannot_be_changed() -> None:
    bundle = bundle_of({"b": b"", "a": b"", "C": b""})
    assert list(bundle.files) == ["C", "a", "b"]
    with pytest.raises(TypeError):
        bundle.files["c"] = b""  # pyright: ignore[reportIndexIssue]


def test_a_hostile_path_refuses_the_bundle() -> None:
    assert gather([("SKILL.md", b""), ("../x", b"")]).bundle is None


@pytest.mark.parametrize("twins", [("SKILL.md", "skill.md"), ("a/É", "a/e\u0301"), ("ß", "SS")])
def test_paths_that_only_case_tells_apart_are_refused(twins: tuple[str, str]) -> None:
    gathered = gather([(path, b"") for path in twins])
    assert gathered.bundle is None
    finding = gathered.findings[-1]
    assert (finding.kind, finding.code) == (Kind.REFUSED, "path-case-twin")
    assert finding.path
    assert finding.fix


def test_two_spellings_of_one_path_are_refused() -> None:
    found = codes([("é", b""), ("e\u0301", b"")])
    assert found == [(Kind.REPAIRED, "path-normalised"), (Kind.REFUSED, "path-twice")]


def test_a_file_cannot_be_a_folder_too() -> None:
    assert codes([("a", b""), ("a/b/c", b"")]) == [(Kind.REFUSED, "path-file-and-folder")]


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [
        ("MAX_FILES", 1, "too-many-files"),
        ("MAX_FILE_BYTES", 2, "file-too-large"),
        ("MAX_BUNDLE_BYTES", 5, "bundle-too-large"),
    ],
)
def test_each_bound_is_kept_and_says_how_to_stay_under(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, code: str
) -> None:
    files = [("a", b"123"), ("b", b"456")]
    assert gather(files).bundle is not None
    monkeypatch.setattr(bundles, limit, value)
    gathered = gather(files)
    assert gathered.bundle is None
    assert gathered.findings[-1].code == code
    assert gathered.findings[-1].fix


def test_reading_stops_at_the_first_file_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_FILES", 3)
    endless = ((f"f{number}", b"") for number in range(10**9))
    assert gather(endless).bundle is None
    assert next(endless) == ("f4", b"")
