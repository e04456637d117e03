"""Cut a suggestion into clauses and find the verb that asks in each.

Invariant: a clause that asks has the mode `ask`; a clause that reports what happened, or why, has
the mode `tell` and never turns the meaning of a request.
"""

from typing import Final, Literal

import msgspec

from hubify.evidence.similarity.lexicon import (
    BECAUSE,
    BECAUSE_AT_START,
    BLAME,
    CIRCUMSTANCE,
    EXCEPT,
    FUNCTION_WORDS,
    IMPERATIVES,
    INSTEAD,
    INSTEAD_AT_END,
    MAX_PHRASE,
    MODALS,
    NEGATORS,
    NOT_ONLY,
    PHRASE_STARTS,
    PRONOUNS,
    SUBJECTS,
    SUBORDINATE,
    VERB_STEMS,
    amount_way,
    concept_of,
    is_action,
)
from hubify.evidence.similarity.stems import IRREGULAR, stem
from hubify.evidence.similarity.tokens import Language, Token, language_of, tidy, tokenize

Mode = Literal["ask", "tell"]
PHRASE_LISTS: Final = (
    CIRCUMSTANCE,
    NOT_ONLY,
    INSTEAD,
    INSTEAD_AT_END,
    EXCEPT,
    NEGATORS,
    MODALS,
    BECAUSE,
    SUBORDINATE,
)
PAIRED: Final = frozenset("()[]{}（）")
CUTS: Final = frozenset({"but", "pero", "aber", "sondern", "mais", "sino", "但", "而"})
OPENERS: Final = frozenset("also just then always and or only first better maybe possibly".split())
LEADING_IN: Final = frozenset(
    "for on in when if before after at with during once while where to".split()
)
NEGATED_START: Final = frozenset({"don't", "dont", "never", "not", "no"})
TELLING: Final = frozenset(
    "i we it they he she is are was were had has have did does my our ours us me there".split()
)
MODAL_REACH: Final = 4  # words between "should" and its verb


class Clause(msgspec.Struct):
    """A run of words between stops; `head` is the place of the verb that asks."""

    words: list[Token]
    mode: Mode
    head: int | None = None
    head_concept: str | None = None
    negated: bool = False


def clauses_of(text: str) -> tuple[Language, list[Clause]]:
    """The language of a text and its clauses, in order."""
    tidied = tidy(text)
    language = language_of(tidied)
    tokens = _join_phrases(tokenize(tidied), language)
    clauses: list[Clause] = []
    for words in _runs(tokens, language):
        clause = _clause(words, language)
        if clauses and clause.mode == "tell" and _goes_on(clauses[-1], words, language):
            clauses[-1].words.extend(words)
        else:
            clauses.append(clause)
    return language, clauses


def _join_phrases(tokens: list[Token], language: Language) -> list[Token]:
    """Make one token of each phrase that a list knows (`leave out`, `in place of`)."""
    joined: list[Token] = []
    place = 0
    while place < len(tokens):
        if _is_parted_phrase(tokens[place : place + 3], language):
            verb, pronoun, particle = tokens[place : place + 3]
            joined.append(Token("word", f"{verb.text}_{particle.text}", verb.surface))
            joined.append(pronoun)
            place += 3
            continue
        length = _phrase_length(tokens, place, language)
        run = tokens[place : place + length]
        text = "_".join(token.text for token in run)
        joined.append(Token("word", text, run[0].surface) if length > 1 else run[0])
        place += length
    return joined


def _is_parted_phrase(run: list[Token], language: Language) -> bool:
    """`leave it out` is `leave_out it`."""
    if language != "en" or len(run) < 3 or any(token.kind != "word" for token in run):
        return False
    verb, pronoun, particle = (token.text for token in run)
    return pronoun in PRONOUNS and concept_of(f"{verb}_{particle}", "en") is not None


def _phrase_length(tokens: list[Token], place: int, language: Language) -> int:
    first = tokens[place]
    if first.text not in PHRASE_STARTS and stem(first.text) not in PHRASE_STARTS:
        return 1
    for length in range(min(MAX_PHRASE, len(tokens) - place), 1, -1):
        run = tokens[place : place + length]
        if all(token.kind == "word" for token in run) and _is_phrase(
            "_".join(token.text for token in run), language
        ):
            return length
    return 1


def _is_phrase(joined: str, language: Language) -> bool:
    if amount_way(joined) or joined in BLAME or concept_of(joined, language):
        return True
    return any(joined in words[language] or joined in words["en"] for words in PHRASE_LISTS)


def _runs(tokens: list[Token], language: Language) -> list[list[Token]]:
    runs: list[list[Token]] = [[]]
    inside = _in_brackets(tokens)
    for place, token in enumerate(tokens):
        if token.kind == "end":
            if token.text not in PAIRED and not (place in inside and token.text in LISTING):
                runs.append([])
            elif runs[-1]:
                runs[-1].append(token)
            continue
        if token.text in BECAUSE[language] or token.text in CUTS:
            runs.append([])
        runs[-1].append(token)
    return [run for run in runs if run]


def _in_brackets(tokens: list[Token]) -> set[int]:
    """The places inside a bracket that is closed again soon: a list in it ends no clause."""
    inside: set[int] = set()
    opened: int | None = None
    for place, token in enumerate(tokens):
        if token.kind != "end":
            continue
        if token.text in OPENING:
            opened = place
        elif token.text in CLOSING and opened is not None:
            if place - opened <= LONGEST_ASIDE:
                inside.update(range(opened, place))
            opened = None
    return inside


OPENING: Final = frozenset("([{（")
CLOSING: Final = frozenset(")]}）")
LISTING: Final = frozenset(",;:、，；：")
LONGEST_ASIDE: Final = 16  # tokens


def _goes_on(before: Clause, words: list[Token], language: Language) -> bool:
    """A few words without a subject or verb of their own go on with the request before them."""
    if before.mode != "ask" or words[0].text in BECAUSE[language] or words[0].text in CUTS:
        return False
    if words[0].text in NEGATORS[language] or words[0].text in INSTEAD[language]:
        return len(words) <= 2 * MODAL_REACH
    return len(words) <= 3 and all(token.text not in TELLING for token in words)


def _clause(words: list[Token], language: Language) -> Clause:
    if words[0].text in BECAUSE[language] or words[0].text in BECAUSE_AT_START:
        return Clause(words, "tell")
    modal = _modal(words, language)
    if modal is not None:
        head = _verb_after(words, modal, language)
        return _asking(words, head, words[modal : head or modal + 2], language)
    head = _imperative(words, language)
    if head is not None:
        return _asking(words, head, words[:head], language)
    if words[0].text in NEGATORS[language] and _is_statement(words):
        return Clause(words, "tell")
    if words[0].text in NEGATORS[language] or [word.text for word in words[:2]] == ["do", "not"]:
        return Clause(words, "ask", negated=True)
    asks = _is_code_only(words) or _says_missing(words, language) or _is_amount(words)
    return Clause(words, "ask" if asks else "tell")


def _says_missing(words: list[Token], language: Language) -> bool:
    """`X is missing`, `faltan X`: what is missing is wanted."""
    for place, token in enumerate(words):
        if token.kind in {"word", "han"} and concept_of(token.text, language) == "miss":
            before = words[place - 1].text if place else ""
            return language != "en" or token.text in LACKS or before in BE
    return False


def _is_amount(words: list[Token]) -> bool:
    """`only one X`, `more Y`, `half a page at most`: a wish without a verb."""
    first = words[0].text
    told = any(token.text in TELLING for token in words)
    return not told and (
        first == "only"
        or (amount_way(first) != 0 and not first.startswith(EXCESS))
        or concept_of(first, "en") == "only_one"
        or words[-1].text == "at_most"
    )


EXCESS: Final = ("too_", "not_", "zu_", "trop_", "demasiad", "太", "不", "过")
LACKS: Final = frozenset({"lacks", "lack", "lacking"})


def _is_code_only(words: list[Token]) -> bool:
    """`option="value"` on its own asks for just that."""
    return all(token.kind in {"code", "part", "number"} for token in words)


def _asking(
    words: list[Token], head: int | None, leading: list[Token], language: Language
) -> Clause:
    negated = any(token.text in NEGATORS[language] for token in leading)
    concept = None
    if head is not None:
        text = words[head].text
        concept = concept_of(text, language) or stem(text)
    return Clause(words, "ask", head, concept, negated)


def _modal(words: list[Token], language: Language) -> int | None:
    for place, token in enumerate(words):
        if token.kind in {"word", "han"} and token.text in MODALS[language]:
            if token.text == "would" and _is_unreal(words, place):
                continue
            return place
    return None


def _is_unreal(words: list[Token], place: int) -> bool:
    """`I would have fetched`: what a person would do, or what did not happen."""
    before = words[place - 1].text if place else ""
    after = words[place + 1].text if place + 1 < len(words) else ""
    return before in PERSONS or after == "have"


PERSONS: Final = frozenset("i we you he she they".split())


def _verb_after(words: list[Token], modal: int, language: Language) -> int | None:
    reach = len(words) if language != "en" else modal + 1 + MODAL_REACH
    for place in range(modal + 1, min(reach, len(words))):
        word = words[place].text
        if words[place].kind in {"word", "han"} and _is_verb(word, language):
            return place
    return None


def _is_verb(word: str, language: Language) -> bool:
    if language == "en" and stem(word) in VERB_STEMS:
        return True
    return is_action(concept_of(word, language) or "")


def _imperative(words: list[Token], language: Language) -> int | None:
    """A bare verb that no subject precedes: at the start, or after "for X", "when Y"."""
    if language != "en":
        return _first_verb(words, language)
    if _is_statement(words):
        return None
    leading = words[0].text in LEADING_IN
    for place, token in enumerate(words):
        if _is_command(words, place, leading=leading):
            return place
        if not leading and not _may_precede_verb(token.text):
            return None
    return None


def _is_command(words: list[Token], place: int, *, leading: bool) -> bool:
    token = words[place]
    if token.kind == "code":
        return not leading and _is_code_verb(words, place)
    after_subject = place > 0 and words[place - 1].text in SUBJECTS
    do_not = token.text == "do" and [word.text for word in words[place + 1 : place + 2]] == ["not"]
    if token.kind != "word" or after_subject or do_not:
        return False
    return _is_base_verb(token.text) or (place == 0 and _acts_like_verb(words))


def _acts_like_verb(words: list[Token]) -> bool:
    """An unknown first word before "by", "the" or "all" can only be a verb: `partition by ...`."""
    first = words[0].text
    past = first in IRREGULAR or first.endswith(("s", "ed", "ing"))
    if len(words) < 2 or past or first in FUNCTION_WORDS["en"]:
        return False
    return words[1].text in VERB_FOLLOWERS


VERB_FOLLOWERS: Final = frozenset("the a an all every each by our your any them it".split())


def _is_statement(words: list[Token]) -> bool:
    """`merge conflicts are ...`: a noun group and its verb, however much it begins like a verb."""
    return any(
        token.text in BE and not SUBJECTS.intersection(word.text for word in words[:place])
        for place, token in enumerate(words[1:4], start=1)
    )


BE: Final = frozenset({"is", "are", "was", "were", "isn't", "aren't", "has", "had"})


def _is_code_verb(words: list[Token], place: int) -> bool:
    """`OCR every page`: a name used as the verb."""
    after = words[place + 1].text if place + 1 < len(words) else ""
    return words[place].surface.isupper() and after in {"all", "each", "every", "the", "any"}


def _may_precede_verb(word: str) -> bool:
    return word in OPENERS or word in NEGATORS["en"] or word == "do"


def _first_verb(words: list[Token], language: Language) -> int | None:
    """Outside English: a verb near the start, or the infinitive that ends a German request."""
    if language == "de" and len(words) > 1 and words[-1].text.endswith("en"):
        return len(words) - 1 if _is_verb(words[-1].text, language) else None
    for place, token in enumerate(words[:4]):
        if token.text in NEGATORS[language]:
            continue
        if place > 1 and words[place - 1].text not in NEGATORS[language]:
            return None
        if token.kind in {"word", "han"} and _is_verb(token.text, language):
            return place
    return None


def _is_base_verb(word: str) -> bool:
    if word in IMPERATIVES:
        return True
    inflected = word.endswith(("ed", "ing", "ion")) or (word[-1] == "s" and not word.endswith("ss"))
    return not inflected and is_action(concept_of(word, "en") or "")
