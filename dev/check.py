"""Run the static checks and the tests of the house rules, and say which of them failed.

Invariant: every step runs even when an earlier one failed; the exit status is 0 only if all
passed. A passing step is one line, a failing one shows everything its tool said.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = [str(BIN / "python"), "-m", "pytest", "-q"]
STEPS = {
    "format": [str(BIN / "ruff"), "format", "--check"],
    "lint": [str(BIN / "ruff"), "check"],
    "types": ["dev/node/node_modules/.bin/pyright", "--warnings"],
    "imports": [str(BIN / "lint-imports"), "--no-logo"],
    "house": [*PYTEST, "tests/house"],
    "goldens": [*PYTEST, "tests/golden"],
    "docs": [*PYTEST, "tests/docs"],
}
ADVICE = {
    "format": "`make format` mends it",
    "lint": "`make format` mends what can be mended",
    "imports": "move the code, or place the new package in pyproject.toml on purpose",
    "goldens": "if the change is meant, `make golden` and review the difference",
}


def passes(step: str) -> bool:
    """Run one step and report it."""
    started = time.monotonic()
    done = subprocess.run(
        STEPS[step],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    if done.returncode == 0:
        print(f"check: {step:8} ok    {seconds:5.1f} s", flush=True)
        return True
    print(done.stdout)
    print(f"check: {step:8} FAILED {seconds:4.1f} s  {ADVICE.get(step, '')}".rstrip(), flush=True)
    return False


def has_tests(step: str) -> bool:
    """Whether a step has something to look at: a test folder may not exist."""
    command = STEPS[step]
    return command[: len(PYTEST)] != PYTEST or (CHECKOUT / command[-1]).is_dir()


def main() -> int:
    """Run the named steps, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"any of: {', '.join(STEPS)}")
    steps = parser.parse_args().steps or list(STEPS)
    if unknown := [step for step in steps if step not in STEPS]:
        parser.error(f"no such step: {', '.join(unknown)}")
    failed = [step for step in steps if has_tests(step) and not passes(step)]
    if failed:
        print(f"check: failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
