"""How long the units of time are, in each other.

Invariant: a length of time is a whole number of the unit that its name ends with.
"""

NS_PER_MS = 1_000_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR
