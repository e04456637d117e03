"""What two error messages have in common when they tell of the same fault.

Invariant: a signature is a function of the text alone, in one line of at most `MAX_SIGNATURE`
characters; what differs from run to run (numbers, addresses, paths, quoted values) is not in it.
"""

import re
from typing import Final

MAX_READ: Final = 2_000
MAX_SIGNATURE: Final = 160
LEAST_LETTERS: Final = 4
VARYING: Final = (
    (re.compile(r"https?://[^\s'\"<>)]+", re.IGNORECASE), "<url>"),
    (re.compile(r"\[redacted:[a-z0-9_ -]+\]", re.IGNORECASE), "<secret>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@ +-]{1,80}){2,}"), "<path>"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|`[^`\n]{0,200}`"), "<value>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
)


def signature_of(message: str) -> str | None:
    """The signature of an error message; None when it says too little to be told from others.

    Of a traceback it is the last line, which names the error.
    """
    lines = [line.strip() for line in message[:MAX_READ].splitlines() if line.strip()]
    if not lines:
        return None
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    for pattern, stands_for in VARYING:
        line = pattern.sub(stands_for, line)
    told = " ".join(line.lower().split())[:MAX_SIGNATURE]
    plain = re.sub(r"<[a-z]+>", "", told)
    return told if sum(letter.isalpha() for letter in plain) >= LEAST_LETTERS else None
