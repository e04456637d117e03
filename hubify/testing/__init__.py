"""Shipped for tests, ours and those of operators' own functions: a backend in memory, suites, fakes."""
