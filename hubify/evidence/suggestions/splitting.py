"""Cut a suggestion that makes two requests into its requests.

Invariant: a text is cut only where it says so ("two things:", "also", two commands joined by "and"
that share no word), and each part keeps its own words unchanged; when in doubt it stays whole.
"""

import re
import tomllib
from importlib.resources import files
from typing import Final

from hubify.evidence.similarity.analysis import analyse
from hubify.evidence.similarity.features import Suggestion
from hubify.evidence.similarity.terms import SALIENT
from hubify.evidence.similarity.wordlists import fold

MAX_REQUESTS: Final = 3  # the last one keeps whatever else is asked
SHORTEST_REQUEST: Final = 12  # characters; a shorter part is no request of its own
LEAST_TERMS: Final = 2  # salient terms that each part of a joined command needs
NUMBERED: Final = re.compile(r"(?:^|[\s:;,.])(?:\(?[1-4a-d][).]|[1-4]\.|[-*•])\s+")
BACK_REFERENCE: Final = re.compile(
    r"\b(?:it|its|them|they|this|that|these|those|each of|instead|then)\b", re.IGNORECASE
)
NO_COMMAND: Final = re.compile(
    r"[\w-]+ (?:when|if|of|in|on|for|from|with|is|are|was|can|that|which|and|or|to)\b",
    re.IGNORECASE,
)


def _load() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    text = files("hubify.evidence.suggestions").joinpath("rules.toml").read_text("utf-8")
    several = tomllib.loads(text)["several"]
    return (
        tuple(several["announcements"].split("|")),
        tuple(several["joiners"].split("|")),
        tuple(word.replace("_", " ") for word in several["conjunctions"].split()),
    )


ANNOUNCEMENTS, JOINERS, CONJUNCTIONS = _load()


def split_requests(text: str) -> tuple[str, ...]:
    """The requests of one suggestion in one line, in order; mostly just the text itself.

    At most `MAX_REQUESTS`; what a longer list asks for beyond that stays with the last one.
    """
    folded = _fold_in_place(text)
    for announcement in ANNOUNCEMENTS:
        if announcement in folded:
            rest = text[folded.index(announcement) + len(announcement) :]
            return _parts(_numbered(rest) or _at_commas(rest)) or (text,)
    numbered = _parts(_numbered(text))
    if numbered:
        return (text,) if _are_steps(text) else numbered
    for joiner in JOINERS:
        if joiner in folded:
            place = folded.index(joiner)
            parts = _parts([text[:place], text[place + len(joiner) :]])
            if parts:
                return parts
    return _at_conjunction(text, folded) or (text,)


def _fold_in_place(text: str) -> str:
    """Folded letter by letter, so that places in it are places in the text."""
    folded = "".join(fold(letter)[:1] or letter for letter in text)
    return folded if len(folded) == len(text) else text.lower()[: len(text)]


def _parts(parts: list[str]) -> tuple[str, ...]:
    """The parts, each fit to stand alone; none at all when one is too short for that."""
    trimmed = [part.strip(" ,;:.-*•") for part in parts]
    apart = [part for part in trimmed if part]
    if len(apart) < 2 or any(len(part) < SHORTEST_REQUEST and part.isascii() for part in apart):
        return ()
    return tuple(apart)


def _numbered(text: str) -> list[str]:
    marks = list(NUMBERED.finditer(text))[:MAX_REQUESTS]
    if len(marks) < 2:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]


def _are_steps(text: str) -> bool:
    """Whether what precedes a numbered list asks already: then the list only says how.

    `Describe how to recover: (1) ... (2) ...` is one request.
    """
    mark = NUMBERED.search(text)
    lead = analyse(text[: mark.start()]) if mark else None
    return lead is not None and len(_salient(lead)) >= LEAST_TERMS


def _at_commas(text: str) -> list[str]:
    """After an announcement: at "; ", or at the first ", and" or " and "."""
    if ";" in text:
        return text.split(";", MAX_REQUESTS - 1)
    return re.split(r",? (?:and|und|y|et) ", text, maxsplit=1)


def _at_conjunction(text: str, folded: str) -> tuple[str, ...]:
    """Two commands that share no salient word are two requests."""
    for conjunction in CONJUNCTIONS:
        for match in re.finditer(rf",? {re.escape(conjunction)} ", folded):
            left, right = text[: match.start()], text[match.end() :]
            if BACK_REFERENCE.search(right) or NO_COMMAND.match(right):
                continue
            parts = _parts([left, right])
            if parts and _are_apart(analyse(left), analyse(right)):
                return parts
    return ()


def _are_apart(left: Suggestion, right: Suggestion) -> bool:
    ours, theirs = _salient(left), _salient(right)
    commands = _starts_with_act(left) and _starts_with_act(right) and len(left.acts) == 1
    enough = len(ours) >= LEAST_TERMS and len(theirs) >= LEAST_TERMS
    plain = all(act.polarity > 0 for act in (*left.acts, *right.acts))
    return commands and enough and plain and ours.isdisjoint(theirs)


def _starts_with_act(suggestion: Suggestion) -> bool:
    return (
        bool(suggestion.acts)
        and bool(suggestion.terms)
        and (suggestion.terms[0].key == suggestion.acts[0].verb)
    )


def _salient(suggestion: Suggestion) -> set[str]:
    return {term.key for term in suggestion.terms if term.asked and term.weight >= SALIENT}
