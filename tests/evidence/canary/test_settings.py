"""What a canary may be told, and what is refused."""

import pytest

from hubify.evidence.canary import Settings, Stage


@pytest.mark.parametrize(
    ("owners", "dropped"), [(0, 1), (1, 1), (10, 1), (11, 2), (30, 3), (60, 6), (61, 7), (70, 7)]
)
def test_a_tenth_of_the_owners_may_collude_rounded_up(owners: int, dropped: int) -> None:
    assert Settings().dropped(owners) == dropped


def test_the_first_few_owners_are_held_against_all_that_are_expected() -> None:
    settings = Settings(expected_owners=60)
    assert [settings.dropped(owners) for owners in (0, 5, 60, 90)] == [6, 6, 6, 9]


def test_nobody_is_left_out_among_trusted_owners() -> None:
    assert Settings(trusted_owners=True).dropped(60) == 0


@pytest.mark.parametrize(
    ("runs_per_hour", "shares"),
    [(None, [0.05, 0.25, 0.5]), (20, [0.05, 0.25, 0.5]), (19.9, [0.5]), (0, [0.5])],
)
def test_little_traffic_has_one_stage_of_one_half(
    runs_per_hour: float | None, shares: list[float]
) -> None:
    assert [stage.share for stage in Settings().plan(runs_per_hour)] == shares


@pytest.mark.parametrize(
    "wrong",
    [
        {"stages": ()},
        {"low_traffic_stages": ()},
        {"stages": (Stage(0),)},
        {"stages": (Stage(1),)},
        {"stages": (Stage(0.5, -1),)},
        {"margin": 0},
        {"promote_alpha": 1},
        {"rollback_alpha": 0},
        {"drop_share": 1},
        {"max_owners": 0},
        {"horizon_ms": 0},
    ],
)
def test_rules_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"stage|alpha|drop_share"):
        Settings(**wrong)  # pyright: ignore[reportArgumentType]
