"""Resolve the dependencies of pyproject.toml into requirements/*.txt, each wheel with its hash.

Invariant: the result depends on the public registry alone. This machine's own package folders
and mirrors are switched off while resolving, and no address is written into a lock file.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SERVER = "requirements/server.txt"
DEV = "requirements/dev.txt"
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--no-emit-options",
]


def resolver_environment() -> dict[str, str]:
    """The environment without this machine's own sources of packages."""
    own_sources = {"PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in own_sources}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "CUSTOM_COMPILE_COMMAND": "make lock"}


def lock(target: str, *options: str) -> None:
    """Write one lock file; versions already in it stay unless the options say otherwise."""
    print(f"lock: {target}", flush=True)
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options]
    command += [f"--output-file={target}", "pyproject.toml"]
    subprocess.run(command, cwd=CHECKOUT, env=resolver_environment(), check=True)


def main() -> None:
    """Write the server's lock first; the developers' lock then agrees with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take newer versions")
    arguments = parser.parse_args()
    upgrade = ["--upgrade"] if arguments.upgrade else []
    lock(SERVER, "--extra=server", *upgrade)
    lock(DEV, "--extra=server", "--extra=dev", f"--constraint={SERVER}", *upgrade)


if __name__ == "__main__":
    main()
