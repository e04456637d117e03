"""Kill a writing process again and again and look at what it leaves.

    python -m tests.storage.killed_writer --rounds 200

Each round a child goes on with the story in one file, telling each batch once it is sealed; the
parent kills it (SIGKILL) after a random number of them, at whatever it is doing then. What is left
must be whole batches, and at least all that were told.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from hubify.storage.sqlite import SqliteEngine
from tests.storage import story

MOST_BATCHES = 150  # before a child is killed
BIGGEST_BATCH = 6
REMEMBERED = 100  # commits whose past is not pruned


def write_on(path: Path, seed: int) -> None:
    """Append batches until killed, telling the head after each seal."""
    chance = random.Random(seed)
    engine = SqliteEngine(path)
    head = engine.head()
    while True:
        size = chance.randint(1, BIGGEST_BATCH)
        engine.append(head, story.batch(head, size))()
        head += size
        sys.stdout.write(f"{head}\n")
        sys.stdout.flush()
        engine.prune(head - REMEMBERED - 2 * BIGGEST_BATCH, 50)


def killed_once(path: Path, chance: random.Random) -> tuple[int, int]:
    """Let a child write and kill it; the last head it told, and the head that is found."""
    command = [sys.executable, "-m", "tests.storage.killed_writer", "--write", str(path)]
    child = subprocess.Popen(
        [*command, "--seed", str(chance.randrange(10**6))], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = 0
    for _ in range(chance.randint(0, MOST_BATCHES)):
        told = int(child.stdout.readline())
    child.kill()
    rest = child.stdout.read().split("\n")[:-1]  # whole lines only
    child.wait()
    child.stdout.close()
    told = int(rest[-1]) if rest else told
    engine = SqliteEngine(path)
    found = story.check_prefix(engine, back=REMEMBERED)
    assert engine._reader.pragma("integrity_check") == "ok"
    engine.close()
    return told, found


def kill_rounds(path: Path, rounds: int, seed: int) -> int:
    """Kill so often; how many commits were left in the end."""
    chance, found = random.Random(seed), 0
    for _ in range(rounds):
        before = found
        told, found = killed_once(path, chance)
        assert max(told, before) <= found <= max(told, before) + BIGGEST_BATCH
    return found


def main() -> None:
    """Be the child, or kill many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="be the child that writes to this file")
    arguments = parser.parse_args()
    if arguments.write:
        write_on(arguments.write, arguments.seed)
    with tempfile.TemporaryDirectory() as directory:
        commits = kill_rounds(Path(directory) / "x.db", arguments.rounds, arguments.seed)
    sys.stdout.write(f"{arguments.rounds} kills, {commits:,} commits, nothing lost or half done\n")


if __name__ == "__main__":
    main()
