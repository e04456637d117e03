"""Tell concrete suggestions from vague ones, praise and attacks.

Invariant: the reading depends on the text alone; an attack is told before anything else, so that no
praise or request around it can hide it.
"""

import re
import tomllib
from importlib.resources import files
from itertools import pairwise
from typing import Final, Literal

import msgspec

from hubify.evidence.similarity.clauses import Clause, clauses_of
from hubify.evidence.similarity.lexicon import amount_way
from hubify.evidence.similarity.terms import VERB, WEAK, term_of
from hubify.evidence.similarity.tokens import ACRONYM, Language, Token, tidy
from hubify.evidence.similarity.wordlists import fold
from hubify.evidence.suggestions.splitting import MAX_REQUESTS, split_requests
from hubify.evidence.suggestions.wording import one_line

__all__ = ["MAX_REQUESTS", "MAX_TEXT", "Kind", "Reading", "read_suggestion"]

MAX_TEXT: Final = 2_000  # characters of a suggestion that are kept
HIDDEN_CHARACTERS: Final = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\U000e0000-\U000e007f]"
)
MAX_HIDDEN: Final = 3  # a stray joiner or direction mark is no attack; a run of them is

Kind = Literal["concrete", "vague", "none", "attack"]


class Reading(msgspec.Struct, frozen=True):
    """What a suggestion is, what it asks for, and by which rule that was told.

    `text` is what was written, in one line (`one_line`); `requests` are pieces of it.
    """

    kind: Kind
    text: str
    requests: tuple[str, ...]
    reason: str


class Attack(msgspec.Struct, frozen=True):
    """One attack pattern; `unless_negated` spares "never print passwords"."""

    id: str
    pattern: re.Pattern[str]
    unless_negated: bool


class Rules(msgspec.Struct, frozen=True):
    """The word lists and patterns of `rules.toml`."""

    attacks: tuple[Attack, ...]
    praise: frozenset[str]
    praise_phrases: frozenset[str]
    complaint: frozenset[str]
    vague: frozenset[str]
    vague_openers: frozenset[str]
    max_other_words: int


def _load() -> Rules:
    text = files("hubify.evidence.suggestions").joinpath("rules.toml").read_text("utf-8")
    data = tomllib.loads(text)
    return Rules(
        attacks=tuple(
            Attack(
                rule["id"],
                re.compile(rule["pattern"], re.MULTILINE),
                rule.get("unless_negated", False),
            )
            for rule in data["attack"]
        ),
        praise=frozenset(data["praise"]["words"].split()),
        praise_phrases=frozenset(data["praise"]["phrases"].split()),
        complaint=frozenset(data["complaint"]["words"].split()),
        vague=frozenset(data["vague"]["triggers"].split()),
        vague_openers=frozenset(data["vague"]["openers"].split()),
        max_other_words=data["vague"]["MAX_OTHER_WORDS"],
    )


RULES: Final = _load()


def read_suggestion(text: str) -> Reading:
    """Read one suggestion; any text, however hostile, gets a reading and never an exception."""
    hidden = len(HIDDEN_CHARACTERS.findall(text[: 2 * MAX_TEXT]))
    kept, normal = one_line(text, MAX_TEXT), normalise(text)
    rule = "hidden-characters" if hidden > MAX_HIDDEN else _attack(normal)
    if rule:
        return Reading("attack", kept, (), rule)
    language, clauses = clauses_of(normal)
    words = _words(normal)
    if not words:
        return Reading("none", kept, (), "empty")
    if _is_praise(clauses, words):
        return Reading("none", kept, (), "praise")
    if _is_vague(clauses, language, words):
        return Reading("vague", kept, (), "names no concrete change")
    return Reading("concrete", kept, split_requests(kept), "concrete")


def normalise(text: str) -> str:
    """The text as it is judged, in one line: what looks alike is made the same (`tidy`)."""
    return one_line(tidy(text), MAX_TEXT)


def _attack(text: str) -> str | None:
    folded = fold(text)
    return next((rule.id for rule in RULES.attacks if _matches(rule, folded)), None)


def _matches(rule: Attack, folded: str) -> bool:
    found = rule.pattern.search(folded)
    if found is None:
        return False
    before = folded[max(0, found.start() - NEGATION_REACH) : found.start()]
    return not (rule.unless_negated and NEGATION.search(before))


NEGATION_REACH: Final = 40  # characters before a match in which a negation spares it
NEGATION: Final = re.compile(r"\b(?:not|never|don't|dont|doesn't|stop|avoid|no|without|refuse)\b")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['-][^\W_]+)*", fold(text))


def _holds(words: list[str], singles: frozenset[str], phrases: frozenset[str]) -> bool:
    return bool(_found(words, singles, phrases))


def _found(words: list[str], singles: frozenset[str], phrases: frozenset[str]) -> set[str]:
    """The single words and phrases of two or three words that occur."""
    runs = ("_".join(words[at : at + n]) for n in (2, 3) for at in range(len(words) - n + 1))
    joined = "".join(words)
    han = {entry for entry in singles | phrases if not entry.isascii() and entry in joined}
    return han | (singles & set(words)) | (phrases & set(runs))


def _is_praise(clauses: list[Clause], words: list[str]) -> bool:
    found = _found(_without_denied(words), RULES.praise, RULES.praise_phrases)
    if not found:
        return False
    asks = any(_is_request(clause, found) for clause in clauses)
    return not asks and not _holds(words, RULES.complaint, frozenset())


def _without_denied(words: list[str]) -> list[str]:
    """`not great` is no praise."""
    return [word for before, word in pairwise(["", *words]) if before not in DENIALS]


DENIALS: Final = frozenset({"not", "isn't", "wasn't", "aren't", "less"})


def _is_request(clause: Clause, praise: set[str]) -> bool:
    """A clause with a verb that asks, unless it is itself praise ("keep it up")."""
    texts = [token.text for token in clause.words if token.kind != "end"]
    if (
        clause.mode != "ask"
        or clause.head is None
        or _found(texts, frozenset(praise), frozenset(praise))
    ):
        return False
    past = clause.words[0].text in AMBIGUOUS_PASTS and clause.head == 0
    return not past and _is_specific(clause)


AMBIGUOUS_PASTS: Final = frozenset({"cut", "set", "put", "read", "hit", "let", "spread"})


def _is_specific(clause: Clause) -> bool:
    return any(token.kind in {"word", "code", "han"} for token in clause.words[1:])


def _is_vague(clauses: list[Clause], language: Language, words: list[str]) -> bool:
    """A wish for better, whose other words name at most a topic."""
    tokens = [token for clause in clauses for token in clause.words]
    if any(_is_concrete(token) for token in tokens) or any(clause.negated for clause in clauses):
        return False
    if any(amount_way(token.text) and token.text != "more" for token in tokens):
        return False
    terms = {term[0] for token in tokens if (term := _topic(token, language))}
    if not _holds(words, RULES.vague, frozenset()) and words[0] not in RULES.vague_openers:
        return len(terms) <= 1 and len(words) <= 2 and all(c.mode == "tell" for c in clauses)
    return len(terms) <= RULES.max_other_words


def _is_concrete(token: Token) -> bool:
    """A number or a name of code; an acronym may be just a topic."""
    return token.kind == "number" or (token.kind == "code" and not ACRONYM.fullmatch(token.surface))


def _topic(token: Token, language: Language) -> tuple[str, float] | None:
    term = term_of(token, language)
    if term is None or term[1] <= WEAK or token.text in RULES.vague:
        return None
    return term if term[1] > VERB else None
