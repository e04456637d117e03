"""Erasure: taking a person out of the registry, through history, and saying what was erased.

Invariant: this page stands above all others and writes none of their rows itself: each page says
what becomes of its own (`pages.py`).
"""

from hubify.domains.erasure import functions
from hubify.domains.erasure.pages import take_part
from hubify.domains.erasure.tables import ErasureState, erasure

__all__ = ["ErasureState", "erasure", "functions", "take_part"]
