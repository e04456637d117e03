"""Pure calculation over the record: trust, tickets, the canary judge, and what explains them.

Invariant: no clock, no randomness, no I/O and no other package of ours than `values`; the same
record gives the same number on every machine, so anybody can recompute what is shown.
"""
