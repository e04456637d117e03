"""The content rules, as data: what to look for, where, how bad it is, where it blocks.

Invariant: every pattern has bounded repeats only and no rule changes at run time; `EDITION` changes
with the rules, so that a decision says by which rules it was made.
"""

import re
import tomllib
from importlib.resources import files
from typing import Final

import msgspec

from hubify.evidence.gateway.findings import Severity
from hubify.evidence.gateway.lines import Kind

EDITION: Final = "gateway-rules/1"
RULE_FILES: Final = ("shell.toml", "injection.toml")
MACROS: Final = {
    "{CMD}": (
        r"(?:^|[;&|(`{]|\$\(|\b(?:sudo|then|do|else|exec|nohup|xargs|env)\s)"
        r"\s{0,4}(?:[$#>%]\s{1,2})?"
    ),
    "{SH}": r"(?:ba|z|da|k|fi|a)?sh",
    "{SECRET}": (
        r"(?:(?:~|\$\{?HOME\}?|/root|/home/[\w.-]{1,32}|/Users/[\w.-]{1,32})/)?"
        r"(?:\.ssh/(?:id_\w{1,20}|identity|\*)(?!\w{0,20}\.pub)|\.ssh/?(?=[\s\"'|;)]|$)"
        r"|\.aws/credentials|\.netrc\b|\.npmrc\b|\.pypirc\b|\.kube/config|\.docker/config\.json"
        r"|\.git-credentials|\.gnupg\b|\.config/(?:gcloud|gh/hosts)|\.azure\b|(?<![\w*])\.env\b"
        r"|/etc/shadow\b)"
    ),
    "{PASTE}": (
        r"(?:pastebin\.com|paste\.ee|hastebin\.com|transfer\.sh|glot\.io|rentry\.co|termbin\.com"
        r"|0x0\.st|ix\.io|dpaste\.\w{2,4}|cdn\.discordapp\.com|bit\.ly|tinyurl\.com|t\.ly|is\.gd"
        r"|anonfiles\.com|file\.io|gofile\.io|catbox\.moe)"
    ),
}


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as it stands in a data file."""

    id: str
    severity: Severity
    looks_in: tuple[Kind, ...]
    blocks_in: tuple[Kind, ...]
    pattern: str
    message: str
    fix: str = ""
    hints: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """A rule ready to run."""

    id: str
    severity: Severity
    looks_in: frozenset[Kind]
    blocks_in: frozenset[Kind]
    pattern: re.Pattern[str]
    message: str
    fix: str
    hints: tuple[str, ...]


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data file of rules."""

    rule: tuple[Written, ...]


def _load() -> tuple[Rule, ...]:
    folder = files("hubify.evidence.gateway").joinpath("rules")
    texts = (folder.joinpath(name).read_text("utf-8") for name in RULE_FILES)
    found = (msgspec.convert(tomllib.loads(text), RuleFile) for text in texts)
    return tuple(_ready(written) for one in found for written in one.rule)


def _places_by_hint(rules: tuple[Rule, ...]) -> dict[str, frozenset[int]]:
    """For each hint the places of the rules that it speaks for."""
    hints = {hint for rule in rules for hint in rule.hints}
    return {
        hint: frozenset(place for place, rule in enumerate(rules) if hint in rule.hints)
        for hint in sorted(hints)
    }


def _ready(written: Written) -> Rule:
    pattern = written.pattern
    for name, text in MACROS.items():
        pattern = pattern.replace(name, text)
    return Rule(
        written.id,
        written.severity,
        frozenset(written.looks_in),
        frozenset(written.blocks_in),
        re.compile(pattern, re.IGNORECASE),
        written.message,
        written.fix or DEFAULT_FIX,
        written.hints,
    )


class Signs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words, phrases and marks of one kind of mention."""

    words: str
    phrases: tuple[str, ...]
    marks: str


class Mention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Signs that a text only speaks of an attack."""

    warned: Signs
    searched: Signs


def _load_mention() -> Mention:
    text = files("hubify.evidence.gateway").joinpath("rules", "mention.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Mention)


def _pattern_of(signs: Signs) -> re.Pattern[str]:
    words = [re.escape(word).replace(r"\*", r"\w{0,8}") for word in signs.words.split()]
    spoken = "|".join((*words, *(re.escape(phrase) for phrase in signs.phrases)))
    marks = f"|[{signs.marks}]" if signs.marks else ""
    return re.compile(rf"(?<!\w)(?:{spoken})(?!\w){marks}", re.IGNORECASE)


DEFAULT_FIX: Final = "Remove it, or appeal and say what it is for."
RULES: Final = _load()
HINTS: Final = _places_by_hint(RULES)
UNHINTED: Final = frozenset(place for place, rule in enumerate(RULES) if not rule.hints)
"""Places of the rules that have no hints and may match anywhere."""
WARNED: Final = _pattern_of(_load_mention().warned)
SEARCHED: Final = _pattern_of(_load_mention().searched)
