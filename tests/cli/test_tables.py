"""Rows in columns."""

from hypothesis import given
from hypothesis import strategies as st

from hubify.cli.tables import LEAST_LAST, columns, counted, fields, moment

cells = st.text(max_size=30)


@given(st.lists(st.tuples(cells, cells, cells), max_size=8), st.integers(1, 120))
def test_a_row_is_one_line_and_fits(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = columns(("A", "B", "C"), rows, width)
    assert len(lines) == len(rows) + 1
    first = max((len(" ".join(row[0].split())) for row in rows), default=1)
    second = max((len(" ".join(row[1].split())) for row in rows), default=1)
    least = max(first, 1) + max(second, 1) + 4 + LEAST_LAST
    assert all(len(line) <= max(width, least) for line in lines)


@given(st.lists(st.tuples(cells, cells), max_size=8))
def test_without_a_width_nothing_is_cut(rows: list[tuple[str, str]]) -> None:
    for (_, last), line in zip(rows, columns(("A", "B"), rows, None)[1:], strict=True):
        assert line.endswith(" ".join(last.split()))


def test_columns_are_aligned() -> None:
    assert columns(("A", "B"), [("long", "x"), ("s", "y")], None) == [
        "A     B",
        "long  x",
        "s     y",
    ]


def test_fields_without_a_value_are_left_out() -> None:
    assert fields([("name", "x"), ("owner", ""), ("by", "me")]) == ["name  x", "by    me"]


def test_moments_and_counts_are_written_for_people() -> None:
    assert moment(1_767_225_600_000) == "2026-01-01 00:00 UTC"
    assert moment(None) == "-"
    assert counted(1, "skill") == "1 skill"
    assert counted(1200, "skill") == "1,200 skills"
