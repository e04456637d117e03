"""Run the simulator: `make sim` goes on until it is stopped, `--seed N` repeats one run.

Prints a line per thousand seeds and the seed of every failure; exits 1 when there was one.
"""

import argparse
import itertools
import logging
import sys
import traceback

from tests.sim.oracles import judge
from tests.sim.world import World


def main() -> int:
    """Run seeds as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--first", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--count", type=int, help="how many seeds (default: without end)")
    parser.add_argument("--steps", type=int, default=300, help="steps per run (default 300)")
    options = parser.parse_args()
    logging.getLogger("hubify").setLevel(logging.CRITICAL)  # what goes wrong here was planted
    if options.seed is not None:
        return 0 if passes(options.seed, options.steps) else 1
    seeds = itertools.count(options.first)
    failures = 0
    for done, seed in enumerate(itertools.islice(seeds, options.count), start=1):
        failures += not passes(seed, options.steps)
        if done % 1000 == 0:
            print(f"{done} seeds, {failures} failures", flush=True)
    return 1 if failures else 0


def passes(seed: int, steps: int) -> bool:
    """Whether a run satisfies every oracle; prints why when it does not."""
    try:
        world = World(seed)
        world.run(steps)
        judge(world)
    except Exception:  # noqa: BLE001 - the search goes on after a failure
        print(f"seed {seed} failed ({steps} steps):\n{traceback.format_exc()}", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
