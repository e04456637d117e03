"""Read a suggestion at intake: is it concrete, vague, praise or an attack, and what does it ask?

Invariant: only a `concrete` reading has requests, so nothing else can ever count towards a draft.
"""

from hubify.evidence.suggestions.reading import MAX_REQUESTS, Kind, Reading, read_suggestion

__all__ = ["MAX_REQUESTS", "Kind", "Reading", "read_suggestion"]
