"""Options that many commands have, and how an option says what it is for.

Invariant: an option with one meaning has one declaration.
"""

from typing import Annotated

from cyclopts import App, Group, Parameter

ARGUMENTS, OPTIONS, LAST = (
    Group("Arguments", sort_key=0), Group("Options", sort_key=2), Group("Options", sort_key=9),
)  # fmt: skip


def told(sentence: str, value: str | None = None) -> Parameter:
    """What an argument or option is for, and a word for its value, as its help shows them."""
    return Parameter(help=sentence, metavar=value)


def branch(name: str, sentence: str, group: Group, place: int) -> App:
    """A command that has commands of its own, at a place among its neighbours."""
    return App(
        name=name, help=sentence, group=group, sort_key=place, group_arguments=ARGUMENTS,
        group_parameters=OPTIONS,
    )  # fmt: skip


DataOption = Annotated[
    str | None,
    Parameter(
        name="--data",
        metavar="DIR",
        help="Data directory, instead of the server at HUBIFY_URL (HUBIFY_DATA; default: data).",
    ),
]
JsonOption = Annotated[bool, Parameter(name="--json", help="Print JSON, for programs.")]
