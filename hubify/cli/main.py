"""The program `hubify`: its commands, and how each way to fail ends.

Invariant: an expected refusal is one line on standard error with its code, and exit status 1; a
command line that cannot be understood ends with 2; only a fault of ours shows a traceback.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError, Group, Parameter
from rich.console import Console

from hubify import __version__
from hubify.cli.agents import agent_app
from hubify.cli.backups import BackupCommands
from hubify.cli.benches import NAME as BENCH
from hubify.cli.benches import bench_app
from hubify.cli.erasing import EraseCommand
from hubify.cli.functions import FunctionCommands
from hubify.cli.help_pages import WIDTH, HelpPages
from hubify.cli.keys import keys_app
from hubify.cli.options import ARGUMENTS, LAST, OPTIONS
from hubify.cli.reports import ReportCommand
from hubify.cli.secrets import secrets_app
from hubify.cli.server import AboutCommands, serve_command
from hubify.cli.skills import skills_app
from hubify.cli.targets import KEY
from hubify.cli.world import Misuse, World, real_world
from hubify.sdk.errors import HubifyError
from hubify.values.errors import AppError

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
SERVER_PARTS = frozenset({"apsw", "httptools", "semver", "uvicorn", "uvloop", "yaml"})
HELP = """Skills that AI agents share, report on, and improve by the evidence.

Commands work on the server at HUBIFY_URL, with the key in HUBIFY_API_KEY. Without HUBIFY_URL they
work on the data directory (--data, HUBIFY_DATA, or ./data): through its server when one runs, else
directly.

Results go to standard output, all else to standard error. The exit status is 0 when it is done, 1
when it was refused or failed, 2 when the command line cannot be understood, 130 when it was
interrupted."""
HINTS = {
    "UNAUTHORIZED": "set HUBIFY_API_KEY; `hubify keys create` makes a key",
    "RATE_LIMITED": "wait a minute, or raise HUBIFY_RATE_LIMITS on the server",
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the program and end the process."""
    sys.exit(run(sys.argv[1:] if argv is None else argv, real_world()))


def run(argv: Sequence[str], world: World) -> int:
    """Run one command; its exit status."""
    try:
        result = program(world, argv)(argv, exit_on_error=False, print_error=False)
        world.out.flush()
    except (CycloptsError, Misuse) as error:
        world.say(f"hubify: {_one_line(str(error))} (--help shows how)")
        return MISUSED
    except (HubifyError, AppError) as error:
        world.say(_refusal(error.code, error.message, _hint(error.code, world)))
        return FAILED
    except ModuleNotFoundError as error:
        if error.name not in SERVER_PARTS:
            raise
        message = "this needs the parts of the server: pip install 'hubify[server]'"
        world.say(_refusal("UNAVAILABLE", f"{message}; or set HUBIFY_URL"))
        return FAILED
    except BrokenPipeError:
        world.hush()
        return FAILED
    except OSError as error:
        place = error.filename or "the output"
        world.say(_refusal("UNAVAILABLE", f"{place}: {error.strerror or error}"))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return result if isinstance(result, int) else DONE


def program(world: World, argv: Sequence[str] | None = None) -> App:
    """The commands over one world; for one command line, perhaps without those that load slowly."""
    app = App(
        name="hubify", help=HELP, version=__version__, help_format="plaintext",
        help_formatter=HelpPages(), result_action="return_value",
        group_arguments=ARGUMENTS, group_parameters=OPTIONS,
        default_parameter=Parameter(negative=(), show_default=False),
        console=Console(file=world.out, width=WIDTH, highlight=False),
        error_console=Console(file=world.err, width=WIDTH, highlight=False),
        suppress_keyboard_interrupt=False,
    )  # fmt: skip
    operate, use, build = (
        Group(title, sort_key=place)
        for place, title in enumerate(("Run a hub", "Use a hub", "Build on it"))
    )
    for flag in ("--help", "--version"):
        app[flag].group = (LAST,)
    about, functions, backups = AboutCommands(world), FunctionCommands(world), BackupCommands(world)
    app.command(serve_command(world), name="serve", group=operate, sort_key=0)
    app.command(keys_app(world, operate, 1))
    app.command(backups.backup, group=operate, sort_key=2)
    app.command(backups.restore, group=operate, sort_key=3)
    app.command(secrets_app(world, operate, 4))
    app.command(EraseCommand(world).run, name="erase", group=operate, sort_key=5)
    app.command(about.settings, group=operate, sort_key=6)
    app.command(skills_app(world, use, 0))
    app.command(ReportCommand(world).run, name="report", group=use, sort_key=1)
    app.command(agent_app(world, use, 2))
    app.command(functions.list, name="functions", group=build, sort_key=0)
    app.command(functions.call, group=build, sort_key=1)
    app.command(bench_app(world, build, 2, wanted=argv is None or BENCH in argv))
    app.command(about.version, group=build, sort_key=3)
    return app


def _refusal(code: str, message: str, hint: str = "") -> str:
    return f"hubify: {code}: {_one_line(message)}" + (f" ({hint})" if hint else "")


def _hint(code: str, world: World) -> str:
    """What a person may do about a refusal; empty where its message says it."""
    if code == "UNAUTHORIZED" and world.environment.get(KEY):
        return "the key in HUBIFY_API_KEY is not, or no longer, one of this hub's"
    return HINTS.get(code, "")


def _one_line(text: str) -> str:
    return " ".join(text.split())
