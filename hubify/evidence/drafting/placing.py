"""Choose the section of a skill that a piece of advice belongs to.

Invariant: the choice depends on the words of the skill and of the advice alone; among equals the
first section wins, and when nothing fits there is a fixed section of its own.
"""

import math
from collections import Counter
from typing import Final

from hubify.evidence.drafting.sections import Section
from hubify.evidence.similarity import Suggestion, analyse
from hubify.evidence.similarity.lexicon import TAKING
from hubify.evidence.similarity.terms import SALIENT
from hubify.evidence.similarity.wordlists import fold

PITFALLS: Final = "Common Pitfalls"
INSTRUCTIONS: Final = "Instructions"
CAUTIONS: Final = frozenset(
    """pitfall pitfalls troubleshooting gotcha gotchas caution cautions warning warnings mistakes
    limitations notes problems issues errors faq debugging tips avoid""".split()
)
STEPS: Final = frozenset(
    """instructions steps usage workflow process guidelines rules practices procedure how guide
    principles approach requirements use using quick""".split()
)
TITLE_WEIGHT: Final = 2.0
KIND_WEIGHT: Final = 1.0
LEAST_FIT: Final = 2.0  # weight of words in common from which a section fits by what it is about
MAX_SECTION_TEXT: Final = 2_000  # characters of a section that are compared


def choose_section(
    advice: Suggestion, sections: list[Section], lines: list[str]
) -> tuple[Section | None, str]:
    """The best section, or None and the title of the section to append."""
    texts = [analyse(_text_of(section, lines)) for section in sections]
    held = Counter(key for text in texts for key in text.keys)
    deeper = any(section.level > 1 for section in sections)
    least_level = 2 if deeper else 1  # the title of the whole is no section when there are others
    scored = [
        (_fit(advice, section, text, held, len(sections)), index)
        for index, (section, text) in enumerate(zip(sections, texts, strict=True))
        if section.level >= least_level
    ]
    fallback = PITFALLS if _is_caution(advice) else INSTRUCTIONS
    if not scored:
        return None, fallback
    fit, index = max(scored, key=lambda pair: (pair[0], -pair[1]))
    if fit >= LEAST_FIT:
        return sections[index], sections[index].title
    of_kind = [section for section in sections if _is_of_kind(section, advice)]
    return (of_kind[0], of_kind[0].title) if of_kind else (None, fallback)


def _fit(
    advice: Suggestion, section: Section, text: Suggestion, held: Counter[str], count: int
) -> float:
    """Weight of the words in common, rare ones more, those of the title twice."""
    title = analyse(section.title).keys
    fit = 0.0
    for term in advice.terms:
        if term.weight >= SALIENT and term.key in text.keys:
            rarity = math.log((count + 1) / held[term.key]) / math.log(count + 1)
            fit += term.weight * rarity * (TITLE_WEIGHT if term.key in title else 1.0)
    return fit + (KIND_WEIGHT if fit and _is_of_kind(section, advice) else 0.0)


def _text_of(section: Section, lines: list[str]) -> str:
    text = section.title + "\n" + "".join(lines[section.start + 1 : section.end])
    return text[:MAX_SECTION_TEXT]


def _is_of_kind(section: Section, advice: Suggestion) -> bool:
    words = set(fold(section.title).replace("-", " ").split())
    return bool(section.level) and not words.isdisjoint(CAUTIONS if _is_caution(advice) else STEPS)


def _is_caution(advice: Suggestion) -> bool:
    """Advice against something, or about what goes wrong."""
    against = any(act.polarity < 0 or act.verb in TAKING for act in advice.acts)
    return against or not any(act.polarity > 0 for act in advice.acts)
