"""Cut a suggestion into tokens: code, numbers, words, Chinese text, ends of clauses.

Invariant: every pattern is linear in the text, the text is bounded, and a code token keeps what a
sentence would blur: `--force` and `--force-with-lease` stay two tokens.
"""

import re
import unicodedata
from typing import Final, Literal, NamedTuple

from hubify.evidence.similarity.lexicon import (
    CONCEPTS,
    FUNCTION_WORDS,
    HAN_WORDS,
    LONGEST_HAN_WORD,
)
from hubify.evidence.similarity.stems import stem
from hubify.evidence.similarity.wordlists import fold

MAX_TEXT: Final = 2_000  # characters of a suggestion that are looked at
MAX_TOKENS: Final = 400

Kind = Literal["code", "part", "number", "word", "han", "end"]
Language = Literal["en", "es", "de", "fr", "zh"]


class Token(NamedTuple):
    """One piece of the text; `text` is folded, `surface` is as written."""

    kind: Kind
    text: str
    surface: str = ""


HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff"
PIECE: Final = re.compile(
    rf"""
      (?P<ticked>`[^`\n]{{1,160}}`)
    | (?P<url>https?://[^\s<>"']{{1,300}})
    | (?P<path>(?<![\w.])~?\.{{0,2}}/[\w./*-]{{1,120}}|(?<!\S)\.[A-Za-z][\w-]{{1,40}})
    | (?P<attribute>\#!?\[[^\]\n]{{1,80}}\])
    | (?P<flag>(?<![\w-])--?[A-Za-z][\w-]{{0,60}})
    | (?P<range>\d{{1,3}}\s?[-–]\s?\d{{1,6}}(?:\s?(?:%|[A-Za-z]{{1,3}}\b))?)
    | (?P<number>\d{{1,15}}(?:[.,]\d{{1,9}}){{0,4}}(?:\s?(?:%|[A-Za-z]{{1,7}}\b))?\+?)
    | (?P<word>[^\W\d_{HAN}](?:[\w'’./:@+-]{{0,80}}[^\W{HAN}]|)(?:\(\)|\(\))?)
    | (?P<under>_[\w.]{{1,80}})
    | (?P<han>[{HAN}]{{1,400}})
    | (?P<end>[.!?;:,\n()\[\]{{}}，。；：！？、（）—…]|\s[–-]\s)
    """,
    re.VERBOSE,
)
ABBREVIATION: Final = re.compile(r"\b(?:e\.g\.|i\.e\.|etc\.|z\.B\.|p\. ?ej\.|p\. ?ex\.|w/)")
PATH: Final = re.compile(r"/\w*/|\.\w{1,5}$|^\w\d*/|@")
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9]{1,80}")
ACRONYM: Final = re.compile(r"[A-Z]{2,10}s?")
CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
UNITS: Final = {
    "ms": ("s", 0.001),
    "s": ("s", 1),
    "sec": ("s", 1),
    "secs": ("s", 1),
    "second": ("s", 1),
    "seconds": ("s", 1),
    "segundos": ("s", 1),
    "sekunden": ("s", 1),
    "secondes": ("s", 1),
    "min": ("s", 60),
    "mins": ("s", 60),
    "minute": ("s", 60),
    "minutes": ("s", 60),
    "minutos": ("s", 60),
    "minuten": ("s", 60),
    "h": ("s", 3600),
    "hour": ("s", 3600),
    "hours": ("s", 3600),
    "horas": ("s", 3600),
    "stunden": ("s", 3600),
    "heures": ("s", 3600),
    "day": ("d", 1),
    "days": ("d", 1),
    "dias": ("d", 1),
    "tage": ("d", 1),
    "tagen": ("d", 1),
    "jours": ("d", 1),
    "week": ("d", 7),
    "weeks": ("d", 7),
    "month": ("d", 30),
    "months": ("d", 30),
    "year": ("d", 365),
    "years": ("d", 365),
    "kb": ("b", 1e3),
    "mb": ("b", 1e6),
    "gb": ("b", 1e9),
    "tb": ("b", 1e12),
    "k": ("", 1e3),
    "m": ("", 1e6),
    "%": ("%", 1),
    "percent": ("%", 1),
}
NUMBER: Final = re.compile(r"(\d[\d.,]*)(?:\s?(%|[A-Za-z]{1,7}))?")
SPOKEN: Final = {
    word: str(value)
    for value, words in enumerate(
        (
            "zero cero null",
            "",
            "two dos zwei deux",
            "three tres drei trois",
            "four cuatro vier quatre",
            "five cinco funf cinq",
            "six seis sechs",
            "seven siete sieben sept",
            "eight ocho acht huit",
            "nine nueve neun neuf",
            "ten diez zehn dix",
        )
    )
    for word in words.split()
}


def tidy(text: str) -> str:
    """One form for what looks alike: NFKC, plain quotes, no control characters, bounded."""
    normal = ABBREVIATION.sub(" ", unicodedata.normalize("NFKC", text[: 2 * MAX_TEXT]))
    plain = normal.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x00A0: " "})
    kept = (letter for letter in plain if letter == "\n" or unicodedata.category(letter)[0] != "C")
    return "".join(kept)[:MAX_TEXT]


def language_of(text: str) -> Language:
    """The language whose function words are most frequent; English unless another clearly leads."""
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    if han * 4 >= len(text.replace(" ", "")) or han >= 12:
        return "zh"
    words = re.findall(r"[^\W\d_]{1,30}(?:'[a-z]{1,3})?", fold(text))
    scores = {name: sum(word in FUNCTION_WORDS[name] for word in words) for name in _LATIN}
    if max(scores.values()) <= FEW_HITS:
        foreign = [word for word in words if stem(word) not in CONCEPTS["en"]]
        for name in _LATIN[1:]:
            scores[name] += sum(word in CONCEPTS[name] for word in foreign)
        scores["en"] += len(words) - len(foreign)
    best = max(_LATIN, key=lambda name: (scores[name], name == "en"))
    return best if scores[best] > scores["en"] else "en"


FEW_HITS: Final = 1  # function words that do not yet tell a language


_LATIN: Final[tuple[Language, ...]] = ("en", "es", "de", "fr")


def tokenize(text: str) -> list[Token]:
    """The tokens of a tidy text, in order, at most `MAX_TOKENS`."""
    tokens: list[Token] = []
    for match in PIECE.finditer(text):
        tokens.extend(_tokens_of(match.lastgroup or "", match.group()))
        if len(tokens) >= MAX_TOKENS:
            break
    return tokens[:MAX_TOKENS]


def _tokens_of(group: str, surface: str) -> list[Token]:
    if group in {"ticked", "attribute"}:
        return _code_span(surface.strip("`"))
    if group == "url":
        return [Token("code", fold(surface[:80]), surface)]
    if group in {"flag", "under", "path"}:
        return _code(surface)
    if group in {"number", "range"}:
        return _numbers(surface)
    if group == "word":
        return _word(surface)
    if group == "han":
        return [Token("han", word, word) for word in han_words(surface)]
    return [Token("end", surface.strip()[:1] or "-", surface)]


def _word(surface: str) -> list[Token]:
    bare = surface.rstrip(".:/'-+@").removesuffix("'s")
    closing = [Token("end", ".", ".")] if surface != bare and surface[-1] in ".:" else []
    if "/" in bare and not PATH.search(bare):
        return [token for piece in bare.split("/") for token in _word(piece)] + closing
    if looks_like_code(bare):
        return [*_code(bare), *closing]
    pieces = [piece for piece in re.split(r"[./:@+]|(?<=\w)-(?=\w)", bare) if piece]
    return [*_plain_words(pieces), *closing]


def _plain_words(pieces: list[str]) -> list[Token]:
    """A token a piece, but `non-null` is one word, and another one than `null`."""
    if len(pieces) > 1 and fold(pieces[0]) in NEGATING:
        first, second, *rest = pieces
        negated = Token("word", f"{NON}{fold(second)}", f"{first}-{second}")
        return [negated, *(_plain_word(piece) for piece in rest)]
    return [_plain_word(piece) for piece in pieces]


NON: Final = "non_"  # begins the key of what is the opposite of the rest of the key
NEGATING: Final = frozenset({"non", "un", "anti", "no", "not", "nicht"})


def _plain_word(surface: str) -> Token:
    folded = fold(surface)
    if folded in SPOKEN:
        return Token("number", SPOKEN[folded], surface)
    return Token("word", folded, surface)


def looks_like_code(word: str) -> bool:
    """Whether a word out of a sentence is a name of code: case inside, underscores, call, path."""
    if "_" in word or word.endswith("()") or "@" in word:
        return True
    if ACRONYM.fullmatch(word):
        return True
    if re.search(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d|\d[A-Za-z]", word):
        return True
    return bool(re.search(r"\w[./]\w", word)) and not re.search(r"\w/\w{1,12}$", word)


def _code_span(span: str) -> list[Token]:
    pieces = re.findall(r"--?[A-Za-z][\w-]{0,60}|[A-Za-z_][\w.:-]{0,79}|\d[\w.]{0,20}", span)
    tokens: list[Token] = []
    for piece in pieces[:24]:
        tokens.extend(_numbers(piece) if piece[0].isdigit() else _code(piece.rstrip(".:-")))
    return tokens or [Token("code", fold(span), span)]


def _code(surface: str) -> list[Token]:
    """A code token and its parts: `maxRetries` is `maxretries`, `max`, `retries`."""
    joined = "".join(IDENTIFIER.findall(fold(surface)))
    if not joined:
        return []
    if ACRONYM.fullmatch(surface):
        return [
            Token("code", joined.removesuffix("s") if surface.endswith("s") else joined, surface)
        ]
    pieces = [piece for run in IDENTIFIER.findall(surface) for piece in CAMEL.split(run)]
    parts = [Token("part", fold(piece), piece) for piece in pieces if len(pieces) > 1][:6]
    return [Token("code", joined, surface), *parts]


def _numbers(surface: str) -> list[Token]:
    tokens: list[Token] = []
    found = NUMBER.findall(surface)
    unit = fold(found[-1][1]) if found else ""
    for digits, own_unit in found[:6]:
        tokens.append(Token("number", _amount(digits, fold(own_unit) or unit), digits))
    if unit and unit not in UNITS:
        tokens.append(Token("word", unit, unit))
    return tokens


def _amount(digits: str, unit: str) -> str:
    plain = digits.rstrip(".,").replace(",", "") if digits.count(",") != 1 else digits.rstrip(".,")
    if plain.count(".") > 1:
        return plain
    try:
        value = float(plain.replace(",", "" if re.search(r",\d{3}$", plain) else "."))
    except ValueError:
        return plain
    name, factor = UNITS.get(unit, ("", 1))
    return f"{value * factor:g}{name}"


def han_words(run: str) -> list[str]:
    """Longest known words of a Chinese run; what no list knows comes as overlapping pairs."""
    words: list[str] = []
    unknown = ""
    place = 0
    while place < len(run):
        word = _known_at(run, place)
        if word:
            words.extend(_pairs(unknown))
            unknown = ""
            words.append(word)
            place += len(word)
        else:
            unknown += run[place]
            place += 1
    return [*words, *_pairs(unknown)]


def _known_at(run: str, place: int) -> str:
    for length in range(min(LONGEST_HAN_WORD, len(run) - place), 0, -1):
        word = run[place : place + length]
        if word in HAN_WORDS:
            return word
    return ""


def _pairs(run: str) -> list[str]:
    if len(run) < 2:
        return [run] if run else []
    return [run[place : place + 2] for place in range(len(run) - 1)]
