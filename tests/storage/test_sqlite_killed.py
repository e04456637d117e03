"""A killed process leaves whole batches, and all that it was told were sealed."""

from pathlib import Path

import pytest

from tests.storage.killed_writer import kill_rounds


@pytest.mark.slow
def test_a_killed_process_leaves_a_whole_prefix_of_its_log(tmp_path: Path) -> None:
    assert kill_rounds(tmp_path / "x.db", rounds=6, seed=1) > 0
