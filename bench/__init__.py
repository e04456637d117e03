"""Measurements: figures as ratios to this machine's limits, taken in the same run. Nothing fails."""
