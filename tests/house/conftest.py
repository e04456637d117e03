"""Name the files that grow long, at the end of a run, before the limit on length does."""

import pytest

from tests.house.sources import python
from tests.house.test_size import MANY_LINES_IN_A_FILE, length


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the files past the soft limit, the longest first; nothing when there are none."""
    grown = [(length(source), source.path) for source in python()]
    for lines, path in sorted(grown, reverse=True):
        if lines > MANY_LINES_IN_A_FILE:
            terminalreporter.write_line(f"growing long: {path} has {lines} lines")
