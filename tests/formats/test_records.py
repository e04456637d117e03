"""Records: every candidate comes out somewhere, numbered as the rules for import say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats import records
from hubify.formats.bundle import gather
from hubify.formats.findings import Kind
from hubify.formats.records import (
    Candidate,
    Imported,
    ImportedSkill,
    Origin,
    Repeated,
    Unreadable,
    all_findings,
    assemble,
    in_order_of_publication,
)


def candidate(number: int, text: str, written: str | None = None, **more: object) -> Candidate:
    gathered = gather([("SKILL.md", text.encode())] if text else [])
    return Candidate(
        source_id=f"c{number}",
        gathered=gathered,
        version_written=written,
        **more,  # pyright: ignore[reportArgumentType]
    )


def skill_text(body: str, head: str = "") -> str:
    return f"---\nname: a\ndescription: d {body}\n{head}---\n{body}\n"


def skill(imported: Imported) -> ImportedSkill:
    assert isinstance(imported, ImportedSkill), imported
    return imported


def numbers(imported: Imported) -> list[str]:
    return [version.version for version in skill(imported).versions]


ORIGIN = Origin(source="here", owner="jo", slug="a")


def test_one_version_without_a_number_is_the_first() -> None:
    read = skill(assemble(Origin(source="here"), [candidate(1, skill_text("x"))]))
    assert (read.slug, read.owner, read.description) == ("a", None, "d x")
    assert numbers(read) == ["1.0.0"]


def test_the_number_in_the_file_counts_when_the_source_has_none() -> None:
    text = skill_text("x", "version: v2.1\n")
    assert numbers(assemble(ORIGIN, [candidate(1, text)])) == ["2.1.0"]
    assert numbers(assemble(ORIGIN, [candidate(1, text, "3.0.0")])) == ["3.0.0"]


def test_a_leading_v_is_dropped_and_said() -> None:
    read = skill(assemble(ORIGIN, [candidate(1, skill_text("x"), "v0.7.0")]))
    assert (read.versions[0].version, read.versions[0].version_written) == ("0.7.0", "v0.7.0")
    assert [finding.code for finding in read.versions[0].findings] == ["version"]


def test_the_same_bytes_under_the_same_number_are_named_not_repeated() -> None:
    read = assemble(
        ORIGIN, [candidate(1, skill_text("x"), "v1.0.0"), candidate(2, skill_text("x"), "1.0.0")]
    )
    assert numbers(read) == ["1.0.0"]
    assert skill(read).repeated == (Repeated("c2", "1.0.0"),)


def test_other_bytes_under_the_same_number_are_bumped_and_said() -> None:
    read = assemble(
        ORIGIN, [candidate(1, skill_text("x"), "1.0.0"), candidate(2, skill_text("y"), "1.0.0")]
    )
    assert numbers(read) == ["1.0.0", "1.0.1"]
    assert [each.code for each in skill(read).versions[1].findings] == ["version-bumped"]


def test_a_refused_version_leaves_the_others() -> None:
    read = assemble(ORIGIN, [candidate(1, "---\n- a\n---\n"), candidate(2, skill_text("x"))])
    assert numbers(read) == ["1.0.0"]
    assert [item.source for item in skill(read).refused] == ["c1"]
    assert all_findings(read)[0].code == "front-matter-not-a-map"


def test_a_skill_of_which_nothing_is_left_is_unreadable_with_the_reasons() -> None:
    read = assemble(ORIGIN, [candidate(1, "---\n- a\n---\n")])
    assert isinstance(read, Unreadable)
    assert [finding.kind for finding in all_findings(read)] == [Kind.REFUSED]


def test_no_files_make_a_placeholder_with_the_sources_description() -> None:
    origin = Origin(source="here", slug="a", description="What it did")
    read = skill(assemble(origin, [candidate(1, "")]))
    assert read.versions[0].document is None
    assert (read.description, read.display_name) == ("What it did", "a")
    assert [finding.code for finding in read.versions[0].findings] == ["placeholder"]


def test_no_files_and_no_name_are_unreadable() -> None:
    assert isinstance(assemble(Origin(source="here"), [candidate(1, "")]), Unreadable)


@pytest.mark.parametrize(("slug", "read_as"), [("A b", "a-b"), ("a" * 70, "a" * 64)])
def test_a_sources_name_becomes_a_slug_and_that_is_said(slug: str, read_as: str) -> None:
    read = skill(assemble(Origin(source="here", slug=slug), [candidate(1, skill_text("x"))]))
    assert read.slug == read_as
    assert [finding.code for finding in read.findings] == ["name-not-a-slug"]


def test_a_history_beyond_the_bound_is_refused_version_by_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MAX_HISTORY", 1)
    read = assemble(ORIGIN, [candidate(1, skill_text("x")), candidate(2, skill_text("y"))])
    assert numbers(read) == ["1.0.0"]
    assert skill(read).refused[0].findings[0].code == "history-too-long"


def test_all_versions_come_in_order_of_publication() -> None:
    first = skill(
        assemble(
            ORIGIN,
            [
                candidate(1, skill_text("x"), published_at=10),
                candidate(3, skill_text("z"), published_at=30),
            ],
        )
    )
    second = skill(assemble(ORIGIN, [candidate(2, skill_text("y"), published_at=20)]))
    ordered = [version.source_id for _, version in in_order_of_publication([first, second])]
    assert ordered == ["c1", "c2", "c3"]


texts = st.sampled_from(["", "---\n- a\n---\n", skill_text("x"), skill_text("y"), "# T\n\nt"])
written = st.none() | st.sampled_from(["1.0.0", "v1.0.0", "latest", "2.0.0"])


@given(st.lists(st.tuples(texts, written), max_size=6))
def test_nothing_is_dropped_without_a_word(history: list[tuple[str, str | None]]) -> None:
    candidates = [candidate(n, text, number) for n, (text, number) in enumerate(history)]
    read = assemble(ORIGIN, candidates)
    if isinstance(read, Unreadable):
        assert len(read.findings) >= len(candidates)
        return
    assert len(read.versions) + len(read.refused) + len(read.repeated) == len(candidates)
    assert len({version.version for version in read.versions}) == len(read.versions)
