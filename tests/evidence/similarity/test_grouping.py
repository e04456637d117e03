"""Which group a suggestion joins, and on whose word."""

import itertools
from collections import defaultdict

import pytest

from hubify.evidence.similarity import (
    Background,
    Group,
    Suggestion,
    analyse,
    candidates,
    group_to_join,
    same_request,
    score,
)
from hubify.evidence.suggestions import read_suggestion
from tests.evidence.similarity.own_suggestions import Own, own_opposites, own_suggestions

RETRY = Group("retry", (analyse("Raise max_retries to 12, upstream restarts need longer."),))
SPEECH = Group("speech", (analyse("Label who is speaking with speaker names."),))


def test_a_paraphrase_joins_its_group_and_says_why() -> None:
    text = "Increase max_retries to 12 or so, our upstream needs longer to restart."
    found = group_to_join(analyse(text), [SPEECH, RETRY])
    assert found is not None
    assert found.group_id == "retry"
    assert "maxretry" in found.reason


def test_three_agents_on_a_new_skill_meet() -> None:
    texts = (
        "Validate the IBAN checksum before returning it, one digit was misread.",
        "Check the IBAN checksum before returning, a digit was wrong.",
        "Please verify the checksum of every IBAN before it is returned.",
    )
    groups = [Group("g", (analyse(texts[0]),))]
    for text in texts[1:]:
        found = group_to_join(analyse(text), groups)
        assert found is not None
        groups = [Group("g", (*groups[0].members, analyse(text)))]


def test_an_opposite_request_never_joins() -> None:
    found = candidates(analyse("Lower max_retries to 3, upstream gets hammered."), [RETRY], 5)
    assert not any(candidate.join for candidate in found)
    assert "less" in found[0].reason


def test_one_objecting_member_keeps_a_suggestion_out() -> None:
    mixed = Group("mixed", (*RETRY.members, analyse("Lower max_retries to 3.")))
    text = "Increase max_retries to 12 or so, our upstream needs longer to restart."
    assert group_to_join(analyse(text), [mixed]) is None


def test_groups_below_the_threshold_are_offered_for_confirmation() -> None:
    found = candidates(analyse("It gave up before the upstream had restarted."), [RETRY], 5)
    assert [candidate.group_id for candidate in found] == ["retry"]
    assert not found[0].join


def test_what_shares_no_word_is_no_candidate() -> None:
    assert candidates(analyse("Export subtitles as SRT."), [RETRY, SPEECH], 5) == []


def test_the_answer_is_bounded() -> None:
    many = [Group(f"g{place:02}", RETRY.members) for place in range(60)]
    assert len(candidates(RETRY.members[0], many, 7)) == 7


def test_a_score_is_symmetric_and_in_its_range() -> None:
    texts = [analyse(own.text) for own in own_suggestions()[:60]]
    background = Background.of(texts)
    for one, other in itertools.combinations(texts, 2):
        found = score(one, other, background)
        assert 0 <= found <= 1
        assert found == score(other, one, background)
        assert (
            same_request(one, other, background).same == same_request(other, one, background).same
        )


def grouped() -> dict[str, dict[str, list[Own]]]:
    """The invented suggestions, grouped one by one as a hub would: skill, group, members."""
    skills: dict[str, dict[str, list[Own]]] = defaultdict(lambda: defaultdict(list))
    members: dict[str, dict[str, list[Suggestion]]] = defaultdict(lambda: defaultdict(list))
    for own in own_suggestions():
        for request in read_suggestion(own.text).requests:
            held = members[own.skill]
            groups = [Group(name, tuple(found)) for name, found in held.items()]
            found = group_to_join(analyse(request), groups)
            name = found.group_id if found else f"g{len(held)}"
            held[name].append(analyse(request))
            skills[own.skill][name].append(own)
    return skills


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Own, Own]]:
    return [
        pair
        for groups in grouped().values()
        for held in groups.values()
        for pair in itertools.combinations(held, 2)
    ]


def test_merges_of_invented_suggestions_are_nearly_all_right(pairs: list[tuple[Own, Own]]) -> None:
    right = sum(bool(set(a.group.split("+")) & set(b.group.split("+"))) for a, b in pairs)
    assert len(pairs) >= 150
    assert right / len(pairs) >= 0.97


def test_opposed_invented_suggestions_are_never_merged(pairs: list[tuple[Own, Own]]) -> None:
    opposites = own_opposites()
    assert not [(a.text, b.text) for a, b in pairs if frozenset({a.group, b.group}) in opposites]


def test_vague_texts_praise_and_attacks_never_enter_a_group(pairs: list[tuple[Own, Own]]) -> None:
    kinds = {"vague", "none", "attack"}
    assert not any(own.group in kinds for pair in pairs for own in pair)


def test_who_fits_both_sides_of_a_dispute_is_asked() -> None:
    text = "Store the report as a signed archive in the vault."
    stores = Group("stores", (analyse(text),))
    refuses = Group("refuses", (analyse("Never store the report in the vault, only the archive."),))
    unclear = analyse("The report as a signed archive in the vault.")
    assert group_to_join(analyse(text), [stores, refuses]) is not None
    assert group_to_join(unclear, [stores, refuses]) is None
