"""Opposite requests on invented targets: each pair across the bar must conflict."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.similarity import analyse, conflict, same_request

OPPOSED = {
    "cache or not": (
        ["Cache foo_dir, installing takes 3 minutes.", "The foo_dir directory should be cached."],
        [
            "Never cache foo_dir.",
            "Don't cache foo_dir itself; cache the download cache.",
            "foo_dir should not be cached.",
            "Cache ~/.store instead of foo_dir.",
            "Caching foo_dir restored broken binaries, leave it out.",
            "Cache only ~/.store, not foo_dir.",
        ],
    ),
    "convert or keep": (
        ["Parse dates into Date objects.", "Turn date strings into Date instances."],
        ["Keep dates as ISO strings.", "Leave dates as strings."],
    ),
    "by one or by another": (
        ["Partition by event date."],
        ["Partition by load date.", "Partition by load date instead of event date."],
    ),
    "with a browser or without": (
        ["Use a headless browser for pages that need JavaScript."],
        [
            "Don't start a browser.",
            "No headless browser please, plain HTTP is enough.",
            "Avoid the browser, it eats 2 GB of memory.",
            "Use plain HTTP requests instead of a browser.",
        ],
    ),
    "longer or shorter": (
        ["Wait longer between requests.", "Increase the delay to 5 s.", "The delay is too short."],
        ["Wait less between requests.", "Reduce the delay to 0.2 s.", "The delay is too long."],
    ),
    "this or that": (
        ["Use zzip compression.", "Compress with zzip instead of qpack."],
        ["Use qpack compression.", "qpack should be the default codec."],
    ),
    "on or off": (
        ["Turn on strict mode.", "Enable strict mode by default.", "Strict mode should be on."],
        ["Turn off strict mode.", "Strict mode should be off by default."],
    ),
    "ask or act": (
        ["Ask before deleting files.", "Never delete files without asking."],
        ["Delete files without asking.", "Don't ask before deleting, just do it."],
    ),
    "first or last": (
        ["Put the summary at the top.", "The summary belongs at the top."],
        ["Put the summary at the end.", "The summary should come last."],
    ),
    "with or without weekends": (
        ["Include weekends.", "Weekends should be counted as well."],
        ["Exclude weekends.", "Weekends should not be counted.", "Skip weekends."],
    ),
    "do or do not": (
        ["Retry failed uploads.", "Failed uploads should be retried."],
        ["Don't retry failed uploads.", "Failed uploads must not be retried."],
    ),
    "two figures": (["Keep backups for 90 days."], ["Keep backups for 14 days."]),
    "spanish": (
        ["Aumentar el límite de memoria.", "El límite de memoria es demasiado bajo."],
        ["Reducir el límite de memoria.", "El límite de memoria es demasiado alto."],
    ),
    "german": (["Das Zeitlimit erhöhen."], ["Das Zeitlimit verkürzen."]),
    "french": (
        ["Augmenter le délai.", "Le délai est trop court."],
        ["Réduire le délai.", "Le délai est trop long."],
    ),
    "chinese": (["把超时时间调高。", "超时太短。"], ["把超时时间调低。", "超时太长。"]),
    "spanish removal": (["No eliminar los comentarios."], ["Eliminar los comentarios."]),
    "french removal": (["Ne pas supprimer les commentaires."], ["Supprimer les commentaires."]),
    "chinese removal": (["不要删除注释。", "保留注释。"], ["删除注释。", "应该去掉注释。"]),
}
PAIRS = [
    pytest.param(one, other, id=f"{name}: {one} / {other}")
    for name, (ours, theirs) in OPPOSED.items()
    for one, other in itertools.product(ours, theirs)
]
TEXTS = sorted({text for sides in OPPOSED.values() for side in sides for text in side})


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_opposite_requests_conflict(one: str, other: str) -> None:
    assert conflict(analyse(one), analyse(other))


@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS))
def test_a_conflict_does_not_depend_on_the_order_of_the_two(one: str, other: str) -> None:
    a, b = analyse(one), analyse(other)
    assert (conflict(a, b) is None) == (conflict(b, a) is None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Use --dry-run instead of touching the DB.", "Add a `--dry-run` mode."),
        ("Raise the limit to 300 s.", "Increase the limit to 5 minutes."),
        ("Don't leave out the header row.", "Keep the header row."),
        ("The IBAN should be checked.", "Check IBANs before returning them."),
    ],
)
def test_two_ways_to_say_the_same_do_not_conflict(one: str, other: str) -> None:
    assert conflict(analyse(one), analyse(other)) is None


def test_a_text_that_asks_for_both_halves_conflicts_with_neither() -> None:
    both = analyse("Use mean for gauges and sum for counters.")
    assert conflict(both, analyse("Use sum for counters.")) is None


@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS))
def test_what_conflicts_is_never_the_same_request(one: str, other: str) -> None:
    a, b = analyse(one), analyse(other)
    if conflict(a, b):
        verdict = same_request(a, b)
        assert not verdict.same
        assert verdict.conflict


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Make the ids nullable.", "Make the ids non-nullable."),
        ("Prefer ships over planes.", "Prefer planes over ships."),
        ("Use a random port.", "Use a constant port."),
        ("Group them by owner (new, old).", "Group them by city (new, old) and not by owner."),
        ("Keep it for 2 hours.", "Keep it for 3 days."),
    ],
)
def test_denials_preferences_and_contrasts_are_meaning(one: str, other: str) -> None:
    assert conflict(analyse(one), analyse(other))


def test_what_happened_gives_no_direction_to_a_request_that_says_its_own() -> None:
    assert analyse("Add a pause between calls, there were too many calls.").direction == 0
    assert analyse("The pause is too short.").direction == 1
