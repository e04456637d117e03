"""Shipped for tests, ours and an operator's: a backend in memory, suites, fakes."""
