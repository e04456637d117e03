"""`hubify` and `python -m hubify`: the command line.

Invariant: an interruption while the program is still being loaded ends it without a traceback.
"""

import sys
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the program and end the process."""
    try:
        from hubify.cli import main as program  # noqa: PLC0415 - loading it takes a while
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    program.main()


if __name__ == "__main__":
    main()
