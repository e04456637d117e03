"""Measurements: figures beside this machine's limits, taken in the same run; nothing fails."""
