"""Which words of a suggestion carry content, and how much.

Invariant: a word that only does grammar has no term; every other token has exactly one key, by
which words of five languages meet.
"""

from typing import Final

from hubify.evidence.similarity.lexicon import (
    EXCEPT,
    FUNCTION_WORDS,
    GIVING,
    INSTEAD,
    INSTEAD_AT_END,
    NEGATORS,
    NOT_ONLY,
    TAKING,
    WEAK_WORDS,
    WITHOUT,
    amount_way,
    concept_of,
)
from hubify.evidence.similarity.stems import stem
from hubify.evidence.similarity.tokens import NON, Language, Token

WEIGHTS: Final = {"code": 1.6, "part": 0.7, "number": 0.6, "word": 1.0, "han": 0.8}
WEAK: Final = 0.25
VERB: Final = 0.4  # add, use, show: what a request does weighs less than what it is about
SALIENT: Final = 0.7  # weight from which a term can carry the meaning of a request
GRAMMAR: Final = (FUNCTION_WORDS, NEGATORS, INSTEAD, INSTEAD_AT_END, EXCEPT, WITHOUT, NOT_ONLY)


def term_of(token: Token, language: Language) -> tuple[str, float] | None:
    """The key and weight of a token, or None when it only does grammar."""
    word = token.text
    if token.kind == "end":
        return None
    if token.kind == "number":
        return f"#{word}", WEIGHTS["number"]
    if token.kind == "code":
        return concept_of(word, "en") or stem(word), WEIGHTS["code"]
    if (len(word) == 1 and word.isascii()) or amount_way(word):
        return None
    if token.kind != "part" and _does_grammar(word, language):
        return None
    if word.startswith(NON):
        return NON + _key_of(word.removeprefix(NON), language), WEIGHTS["word"]
    return _weighed_word(token, language)


def _key_of(word: str, language: Language) -> str:
    return concept_of(word, language) or stem(word)


def _weighed_word(token: Token, language: Language) -> tuple[str, float]:
    word = token.text
    name = concept_of(word, language)
    if name is not None and (name in GIVING or name in TAKING):
        return name, VERB
    if word in WEAK_WORDS[language] or stem(word) in WEAK_WORDS["en"]:
        return name or stem(word), WEAK
    return name or stem(word), WEIGHTS[token.kind]


def _does_grammar(word: str, language: Language) -> bool:
    return any(word in words[language] or word in words["en"] for words in GRAMMAR)
