"""No table is forgotten: whatever can hold a name has an eraser, and is tried out with a name."""

import typing
from types import UnionType

import msgspec
import pytest

from hubify.app.compose import DOMAINS
from hubify.core.schema import Table
from hubify.domains.erasure.pages import PAGES, take_part
from hubify.functions import Domain, MutationCtx, Row, index
from hubify.functions.declare import build_registry
from hubify.functions.erasing import Erasers, Subject
from hubify.values.ids import RowId
from tests.domains.erasure.erased_world import left, lived_in

TABLES = build_registry(DOMAINS).tables
NAMES = ("owner", "agent", "agent_id", "author", "author_agent", "asked_by", "requested_by")
NAMES_TOO = ("decided_by", "author_agent_id", "created_by", "told_by", "by", "who")


def holds_text(hint: object) -> bool:
    """Whether a value of this type may be, or hold, any text (an id of a row is none)."""
    if hint is RowId:
        return False
    if hint in (str, bytes, typing.Any, object):
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return any(holds_text(part) for part in typing.get_type_hints(hint).values())
    if isinstance(hint, UnionType) or typing.get_origin(hint) is not None:
        return any(holds_text(part) for part in typing.get_args(hint))
    return False


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_that_can_hold_a_name_says_what_becomes_of_its_rows(table: Table) -> None:
    hints = typing.get_type_hints(table.row_type, include_extras=False)
    texts = [name for name, hint in hints.items() if holds_text(hint) and name != "id"]
    if texts:
        message = f"declare in the page of {table.name} what becomes of {texts} in an erasure"
        assert table.name in PAGES, message


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_table_with_a_field_for_a_name_is_said_to_name_nobody(table: Table) -> None:
    if table.name in ("erasures", "_closed_names", "pending_improvements"):
        return
    fields = {*table.row_type.__struct_fields__} & {*NAMES, *NAMES_TOO}
    hints = typing.get_type_hints(table.row_type)
    named = [field for field in fields if holds_text(hints[field])]
    if named:
        eraser = PAGES[table.name].eraser
        assert eraser.__name__ != "_unchanged", f"{table.name} names somebody in {named}"


def test_the_world_of_these_tests_names_the_person_in_most_tables() -> None:
    named = left(lived_in(), b"quillon")
    with_eraser = {name for name, page in PAGES.items() if page.eraser.__name__ != "_unchanged"}
    assert len(named.keys() & with_eraser) >= 18, "a table without the name proves nothing"


def test_an_operator_s_own_page_can_take_part() -> None:
    domain, erasers = Domain("guests"), Erasers()

    @domain.table("guests", index())
    class Guest(Row, frozen=True):
        name: str

    @erasers.of(Guest)
    def erase_guest(_ctx: MutationCtx, row: Guest, subject: Subject) -> Guest:
        return row.changed(name=subject.named(row.name))

    assert erase_guest is erasers.by_type[Guest]
    take_part(domain, erasers)
    assert PAGES.pop("guests").row_type is Guest
