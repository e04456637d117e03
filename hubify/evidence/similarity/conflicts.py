"""Reasons why two requests cannot be the same, however alike their words are.

Invariant: a conflict is symmetric, and two texts of which one wants what the other rejects always
have one; whoever merges asks here first.
"""

from collections.abc import Callable, Iterator
from typing import Final

from hubify.evidence.similarity.features import Act, Suggestion, Term
from hubify.evidence.similarity.lexicon import COLOURLESS, GIVING, KEEPING, OPPOSITES
from hubify.evidence.similarity.terms import SALIENT
from hubify.evidence.similarity.tokens import NON

OPPOSED_MASS: Final = 0.5  # opposed stances below this are an accident of phrasing
OPPOSED_SHARE: Final = 0.8  # of the agreeing mass
FAR_APART: Final = 2.0  # factor between two amounts of one unit that are different requests
DAY: Final = 86_400  # seconds
AMOUNT_UNITS: Final = frozenset("sbd%")


def conflict(a: Suggestion, b: Suggestion) -> str | None:
    """The first reason why `a` and `b` are different requests, or None when nothing speaks against.

    The rules are those of the module; each names itself in words that can be shown to a person.
    """
    return next(_reasons(a, b), None)


def _reasons(a: Suggestion, b: Suggestion) -> Iterator[str]:
    for reason, rule in MUTUAL_RULES:
        if rule(a, b):
            yield reason
    for reason, rule in ONE_SIDED_RULES:
        if rule(a, b) or rule(b, a):
            yield reason


def _directions_differ(a: Suggestion, b: Suggestion) -> bool:
    return a.direction * b.direction < 0


def _terms(suggestion: Suggestion) -> dict[str, Term]:
    return {term.key: term for term in suggestion.terms}


def _wanted(suggestion: Suggestion) -> set[str]:
    return {term.key for term in suggestion.terms if term.stance > 0}


def _amounts_differ(a: Suggestion, b: Suggestion) -> bool:
    ours, theirs = _by_unit(a), _by_unit(b)
    return any(
        all(max(x, y) >= FAR_APART * min(x, y) for x in ours[unit] for y in theirs[unit])
        for unit in ours.keys() & theirs.keys()
    )


def _by_unit(suggestion: Suggestion) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for amount in suggestion.amounts:
        if amount[-1] in AMOUNT_UNITS:
            unit, factor = ("s", DAY) if amount[-1] == "d" else (amount[-1], 1)
            try:
                found.setdefault(unit, []).append(float(amount[:-1]) * factor)
            except ValueError:
                continue
    return found


def _opposites() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for one, other in OPPOSITES:
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return {name: frozenset(others) for name, others in table.items()}


OPPOSITE_OF: Final = _opposites()


def _one_is_negated(one: Suggestion, other: Suggestion) -> bool:
    """`non-nullable` against `nullable`, `unordered` against `ordered`: the word and its denial."""
    ours, theirs = _wanted(one) - other.keys, _wanted(other) - one.keys
    return any(key[len(prefix) :] in theirs for key in ours for prefix in _denials(key))


def _denials(key: str) -> list[str]:
    return [
        prefix
        for prefix in DENYING
        if key.startswith(prefix) and len(key) >= len(prefix) + SHORTEST_DENIED
    ]


DENYING: Final = (NON, "non", "un", "in", "im", "dis")
SHORTEST_DENIED: Final = 4  # letters of a word that a prefix can deny: `in` does not deny `put`


def _wants_opposites(a: Suggestion, b: Suggestion) -> bool:
    ours, theirs = _wanted(a), _wanted(b)
    only_theirs = theirs - ours
    return any(OPPOSITE_OF.get(key, NOTHING) & only_theirs for key in ours - theirs)


NOTHING: Final[frozenset[str]] = frozenset()


def _stances_oppose(a: Suggestion, b: Suggestion) -> bool:
    ours, theirs = _terms(a), _terms(b)
    opposed = agreed = 0.0
    for key in ours.keys() & theirs.keys():
        one, other = ours[key], theirs[key]
        mass = min(one.weight, other.weight) * one.stance * other.stance
        if mass < 0 and key.startswith("#"):
            return True
        opposed -= min(mass, 0)
        agreed += max(mass, 0)
    return opposed >= OPPOSED_MASS and opposed >= OPPOSED_SHARE * agreed


def _forbids_what_is_done(one: Suggestion, other: Suggestion) -> bool:
    return any(_is_forbidden(act, one, other) for act in one.acts if act.polarity < 0)


def _is_forbidden(act: Act, one: Suggestion, other: Suggestion) -> bool:
    if act.verb in COLOURLESS:
        return False
    same = [theirs for theirs in other.acts if theirs.verb == act.verb]
    if same:
        affirmed_too = any(ours.verb == act.verb and ours.polarity > 0 for ours in one.acts)
        excused = not other.rejected.isdisjoint(act.objects)
        does = any(theirs.polarity > 0 for theirs in same)
        return does and not affirmed_too and not excused
    terms = _terms(other)
    term = terms.get(act.verb)
    if term is None or not term.asked or term.stance < 0:
        return False
    return term.stance >= 1 or any(key in terms for key in act.objects)


def _keeps_what_is_changed(one: Suggestion, other: Suggestion) -> bool:
    kept = {act.objects[0] for act in one.acts if _keeps(act) and act.objects}
    return any(_changes(act) and not kept.isdisjoint(act.objects) for act in other.acts)


def _keeps(act: Act) -> bool:
    return act.polarity > 0 and act.verb in KEEPING


def _changes(act: Act) -> bool:
    harmless = act.verb in KEEPING or act.verb in GIVING or act.verb in COLOURLESS
    return act.polarity > 0 and not harmless and act.verb not in {"raise", "lower"}


def _rejects_what_is_asked(one: Suggestion, other: Suggestion) -> bool:
    done = {act.verb for act in other.acts if act.polarity > 0 and act.verb not in COLOURLESS}
    theirs = _terms(other)
    for term in one.terms:
        if not term.asked or term.stance > -1 or term.weight < SALIENT:
            continue
        if term.key in done:
            return True
        asked = theirs.get(term.key)
        if term.key in one.rejected and asked and asked.asked and asked.stance >= 1:
            return True
    return False


def _slots_differ(one: Suggestion, other: Suggestion) -> bool:
    ours, theirs = _terms(one), _terms(other)
    return any(
        _same_slot(slot, their_slot)
        and key != their_key
        and key not in theirs
        and their_key not in ours
        for slot, key in one.slots
        for their_slot, their_key in other.slots
    )


def _same_slot(one: str, other: str) -> bool:
    """`sort by` is itself, and ` by` without a verb of its own is any verb's."""
    verb, _, preposition = one.partition(" ")
    other_verb, _, other_preposition = other.partition(" ")
    return preposition == other_preposition and (verb == other_verb or not verb or not other_verb)


def _choices_differ(a: Suggestion, b: Suggestion) -> bool:
    if not a.choices or not b.choices:
        return False
    return a.choices.isdisjoint(_terms(b)) and b.choices.isdisjoint(_terms(a))


def _names_differ(a: Suggestion, b: Suggestion) -> bool:
    """Both ask for code by name, share none, and no name is part of another."""
    ours, theirs = wanted_codes(a), wanted_codes(b)
    if not ours or not theirs or ours & theirs:
        return False
    return any(not _is_named(code, b.codes) for code in ours) and any(
        not _is_named(code, a.codes) for code in theirs
    )


def wanted_codes(suggestion: Suggestion) -> set[str]:
    """The code names that are asked for."""
    return {
        term.key
        for term in suggestion.terms
        if term.asked and term.stance > 0 and term.key in suggestion.codes
    }


def _is_named(code: str, names: frozenset[str]) -> bool:
    return any(code in name or name in code for name in names)


Rule = Callable[[Suggestion, Suggestion], bool]

MUTUAL_RULES: Final[tuple[tuple[str, Rule], ...]] = (
    ("one asks for more, the other for less", _directions_differ),
    ("the amounts asked for are far apart", _amounts_differ),
    ("each wants the opposite half of a pair", _wants_opposites),
    ("one wants what the other does not", _stances_oppose),
    ("each chooses something else", _choices_differ),
    ("each names other code", _names_differ),
)
ONE_SIDED_RULES: Final[tuple[tuple[str, Rule], ...]] = (
    ("one names what the other denies", _one_is_negated),
    ("one forbids what the other does", _forbids_what_is_done),
    ("one keeps what the other changes", _keeps_what_is_changed),
    ("one sets aside what the other asks for", _rejects_what_is_asked),
    ("they differ in what it should be done by, in or with", _slots_differ),
)
