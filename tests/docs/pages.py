"""What the documents show to be typed, as programs: shell commands and blocks of code."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\\\n.*|\n(?![$\n`]).*)*)", re.MULTILINE)


def commands(page: str, *, under: str = "") -> list[str]:
    """The commands of a page's console blocks, in order; `under` a heading, or of the whole."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if under:
        text = re.split(r"^#+ ", text.partition(f"# {under}\n")[2], maxsplit=1, flags=re.MULTILINE)[
            0
        ]
    return [found.rstrip() for block in CONSOLE.findall(text) for found in COMMAND.findall(block)]


def typed(lines: list[str], url: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Type commands into one shell in a folder; what they wrote. Each must succeed.

    A server that a page shows at localhost:3210 is taken to be at `url`.
    """
    script = "\n".join(["set -e -o pipefail", *lines]).replace("localhost:3210", url)
    finished = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=folder, timeout=120,
        env=dict(environment), check=False,
    )  # fmt: skip
    assert finished.returncode == 0, f"{script}\n{finished.stdout}\n{finished.stderr}"
    return finished.stdout
