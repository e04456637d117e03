"""The numbers of tables and indexes, kept as rows of the store itself.

Invariant: a number is given once and never again. An index that is no longer declared is retired,
so that declaring it anew builds it anew, as is one whose building was cut short; a table keeps its
number for ever. Indexes are retired and built only while no other process has the store open: one
that declares other indexes would write rows past them (docs/decisions/0013).
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from hubify.core.schema import BoundTable, Table
from hubify.storage.engine import Commit, Engine, HeadMoved, RowWrite
from hubify.values.errors import InvalidInput, Unavailable
from hubify.values.ids import RowId
from hubify.values.rows import Row, index

BACKFILL_ROWS = 500
SCAN_ROWS = 1_000
MAX_OPENINGS = 8  # tries, while other processes keep writing


class CatalogRow(Row, frozen=True):
    """One table (`skills`) or index (`skills.by_name`) and its number.

    `building`: the index does not hold all rows yet.
    """

    name: str
    number: int
    retired: bool = False
    building: bool = False


CATALOG = Table("_catalog", CatalogRow, (index("number"),))
CATALOG_NUMBERS = {"_catalog": 1, "_catalog.by_number": 2}
FIRST_FREE = 3


class Catalog:
    """The tables of this process under the numbers of this store."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._declared = [CATALOG, *tables]
        self._by_type: dict[type[Row], BoundTable] = {}
        self.whole_since: dict[int, int] = {}
        """For each index built over rows that were there: from which timestamp on it has them."""
        names = [table.name for table in self._declared]
        if len(set(names)) != len(names):
            message = f"two tables share a name: {sorted(names)}"
            raise InvalidInput(message)

    def table_of(self, row_type: type[Row]) -> BoundTable:
        """The bound table whose rows have this type.

        Raises:
            TypeError: no loaded domain declares a table for it.

        """
        found = self._by_type.get(row_type)
        if found is None:
            message = f"{row_type.__name__} is not a row of any declared table"
            raise TypeError(message)
        return found

    @property
    def tables(self) -> list[BoundTable]:
        """All bound tables."""
        return list(self._by_type.values())

    def open(self, engine: Engine, now_ns: int, *, alone: bool = True) -> None:
        """Read the numbers of a store, give new ones, and build the entries of new indexes.

        Raises:
            Unavailable: others write all the time, or, unless `alone`, indexes differ from theirs.

        """
        for _try in range(MAX_OPENINGS):
            try:
                self._open(engine, now_ns, alone=alone)
            except HeadMoved:
                continue
            self.whole_since = _whole_since(engine)
            return
        message = "other processes keep writing to this store while it is opened; try again"
        raise Unavailable(message)

    def _open(self, engine: Engine, now_ns: int, *, alone: bool) -> None:
        head = engine.head()  # whatever comes later was not seen below, and moves the head
        known = {number: row for number, row, _since in _read(engine) if not row.retired}
        numbers = CATALOG_NUMBERS | {row.name: row.number for row in known.values()}
        retired = self._undeclared(numbers) | {row.name for row in known.values() if row.building}
        numbers = {name: number for name, number in numbers.items() if name not in retired}
        new = self._missing(numbers)
        building = {name for name in new if name.split(".")[0] in numbers}
        if not alone:
            _refuse_to_rebuild(retired | building)
        first = _highest(engine) + 1
        numbers |= {name: first + place for place, name in enumerate(new)}
        bound = [BoundTable(table, numbers) for table in self._declared]
        self._by_type = {table.row_type: table for table in bound}
        writes = [
            *_retire(known, retired, bound[0]),
            *_name(new, numbers, bound[0], building),
        ]
        if writes:
            head = _commit(engine, head, writes, now_ns)
        if building:
            head = self._backfill(engine, head, {numbers[name] for name in building}, now_ns)
            _commit(engine, head, list(_built(building, numbers, bound[0])), now_ns)

    def _undeclared(self, numbers: dict[str, int]) -> set[str]:
        tables = {table.name for table in self._declared}
        indexes = {
            f"{table.name}.{index.name}" for table in self._declared for index in table.indexes
        }
        return {
            name
            for name in numbers
            if "." in name and name.split(".")[0] in tables and name not in indexes
        }

    def _missing(self, numbers: dict[str, int]) -> list[str]:
        wanted = [
            name
            for table in self._declared
            for name in [table.name, *(f"{table.name}.{index.name}" for index in table.indexes)]
        ]
        return [name for name in dict.fromkeys(wanted) if name not in numbers]

    def _backfill(self, engine: Engine, head: int, fresh: set[int], now_ns: int) -> int:
        for table in self._by_type.values():
            if not fresh & {bound.number for bound in table.indexes}:
                continue
            after = 0
            while rows := engine.rows(table.number, after=after, limit=BACKFILL_ROWS):
                writes = [
                    _entries_only(table, number, version.value, fresh) for number, version in rows
                ]
                head = _commit(engine, head, writes, now_ns)
                after = rows[-1][0]
        return head


def _commit(engine: Engine, head: int, writes: Sequence[RowWrite], now_ns: int) -> int:
    """Append to what was read up to `head`; answers the new head. Raises `HeadMoved`."""
    commit = Commit(max(head + 1, now_ns), "system:open", "system", tuple(writes))
    engine.append(head, [commit])()
    return commit.ts


def _refuse_to_rebuild(names: AbstractSet[str]) -> None:
    if names:
        message = (
            f"the indexes {', '.join(sorted(names)[:5])} are to be built or retired, which needs "
            "the store to one process: stop the others, and start this one alone first"
        )
        raise Unavailable(message)


def _whole_since(engine: Engine) -> dict[int, int]:
    """When each index was whole, for those that are younger than their table."""
    rows = [(row, since) for _number, row, since in _read(engine) if not row.retired]
    tables = {row.name: since for row, since in rows if "." not in row.name}
    return {
        row.number: since
        for row, since in rows
        if "." in row.name and since > tables.get(row.name.split(".")[0], since)
    }


def _read(engine: Engine) -> Iterator[tuple[int, CatalogRow, int]]:
    """Every catalog row with its row number and the timestamp of its last change."""
    table = BoundTable(CATALOG, CATALOG_NUMBERS)
    after = 0
    while rows := engine.rows(table.number, after=after, limit=SCAN_ROWS):
        for number, version in rows:
            row = table.decode(version.value)
            assert isinstance(row, CatalogRow), "the catalog holds catalog rows"
            yield number, row, version.since
        after = rows[-1][0]


def _highest(engine: Engine) -> int:
    return max([FIRST_FREE - 1, *(row.number for _number, row, _since in _read(engine))])


def _name(
    names: Sequence[str], numbers: dict[str, int], catalog: BoundTable, building: AbstractSet[str]
) -> Iterator[RowWrite]:
    for name in names:
        if name in CATALOG_NUMBERS:
            continue
        # Catalog rows are numbered like what they name: below every time-derived row number.
        number = numbers[name]
        row = _row(name, number, catalog, building=name in building)
        added = tuple(sorted(catalog.entries(row, number)))
        yield RowWrite(catalog.number, number, None, catalog.encode(row), (), added)


def _row(name: str, number: int, catalog: BoundTable, *, building: bool) -> CatalogRow:
    return CatalogRow(name=name, number=number, building=building, id=catalog.id_of(number))


def _built(
    names: AbstractSet[str], numbers: dict[str, int], catalog: BoundTable
) -> Iterator[RowWrite]:
    for number, name in sorted((numbers[name], name) for name in names):
        before = catalog.encode(_row(name, number, catalog, building=True))
        after = catalog.encode(_row(name, number, catalog, building=False))
        yield RowWrite(catalog.number, number, before, after, (), ())


def _retire(
    known: dict[int, CatalogRow], names: AbstractSet[str], catalog: BoundTable
) -> Iterator[RowWrite]:
    for number, row in known.items():
        if row.name in names:
            after = catalog.encode(row.changed(retired=True, id=RowId(catalog.id_of(number))))
            yield RowWrite(catalog.number, number, catalog.encode(row), after, (), ())


def _entries_only(table: BoundTable, number: int, value: bytes, fresh: set[int]) -> RowWrite:
    entries = table.entries(table.decode(value), number)
    added = tuple(sorted(entry for entry in entries if entry[0] in fresh))
    return RowWrite(table.number, number, value, value, (), added)
