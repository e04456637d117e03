"""Cut English inflections off a word, so that `retries`, `retried` and `retrying` meet.

Invariant: a stem never grows longer than its word, and words of up to three letters stay whole.
The rules are the first steps of Porter's stemmer plus the endings that software prose uses most.
"""

from functools import lru_cache

VOWELS = frozenset("aeiouy")
DERIVED = (
    ("ization", "iz"),
    ("isation", "iz"),
    ("ations", "at"),
    ("ation", "at"),
    ("ators", "at"),
    ("ator", "at"),
    ("ments", ""),
    ("ment", ""),
    ("ness", ""),
    ("ities", ""),
    ("ity", ""),
    ("ions", ""),
    ("ion", ""),
    ("ably", ""),
    ("able", ""),
    ("ally", "al"),
    ("ly", ""),
    ("ising", "iz"),
    ("izing", "iz"),
    ("ised", "iz"),
    ("ized", "iz"),
    ("ise", "iz"),
    ("ize", "iz"),
)
DOUBLED = frozenset("bdfgmnprt")
NEVER_BEFORE_E = frozenset("aeiouwxy")
IRREGULAR = {
    "began": "begin",
    "begun": "begin",
    "broke": "break",
    "broken": "break",
    "built": "build",
    "chosen": "choose",
    "done": "do",
    "found": "find",
    "froze": "freeze",
    "given": "give",
    "hidden": "hide",
    "indices": "index",
    "kept": "keep",
    "left": "left",
    "lost": "lose",
    "made": "make",
    "meant": "mean",
    "overwrote": "overwrite",
    "ran": "run",
    "sent": "send",
    "shown": "show",
    "spoken": "speak",
    "taken": "take",
    "took": "take",
    "went": "go",
    "written": "write",
    "wrote": "write",
}
SHORTEST_STEM = 3


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """Return the stem of a lower-case English word; other words come back nearly unchanged."""
    if len(word) <= SHORTEST_STEM or not word.isascii():
        return word
    word = IRREGULAR.get(word, word)
    plural_free = _without_plural(word)
    verb_free = _without_verb_ending(plural_free)
    return _without_last_e(_without_derivation(verb_free))


def _without_plural(word: str) -> str:
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_verb_ending(word: str) -> str:
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        head = word.removesuffix(ending)
        if head != word and len(head) >= 2 and VOWELS.intersection(head):
            return _base_form(head)
    return word


def _base_form(head: str) -> str:
    """Undo what an ending did to its verb: `logg` is log, `mak` is make, `add` is add."""
    if len(head) > SHORTEST_STEM and head[-1] == head[-2] and head[-1] in DOUBLED:
        return head[:-1]
    lost_e = len(head) <= SHORTEST_STEM and head[-2] in VOWELS and head[-1] not in NEVER_BEFORE_E
    return head + "e" if lost_e else head


def _without_derivation(word: str) -> str:
    for ending, replacement in DERIVED:
        head = word.removesuffix(ending)
        if head != word and len(head) >= SHORTEST_STEM:
            return head + replacement
    return word


def _without_last_e(word: str) -> str:
    return word[:-1] if word.endswith("e") and len(word) > SHORTEST_STEM + 1 else word
