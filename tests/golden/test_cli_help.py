"""The help pages of every command, as a person sees them."""

from collections.abc import Callable, Iterator

from cyclopts import App

from hubify.cli.main import program
from hubify.cli.world import real_world
from tests.cli.terminal import hubify


def commands(app: App, chain: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The chain of words of every command, the program itself first."""
    yield chain
    for name in app:
        if not name.startswith("-"):
            yield from commands(app[name], (*chain, name))


def test_every_help_page_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    pages: list[str] = []
    for chain in commands(program(real_world())):
        finished = hubify(*chain, "--help", environment={})
        assert finished.status == 0
        pages.append(f"$ {' '.join(('hubify', *chain, '--help'))}\n\n{finished.out}")
    golden("cli-help.txt", "\n".join(pages))


def test_every_line_of_help_fits_a_narrow_terminal() -> None:
    for chain in commands(program(real_world())):
        lines = hubify(*chain, "--help", environment={}).out.splitlines()
        assert max(map(len, lines)) <= 88
