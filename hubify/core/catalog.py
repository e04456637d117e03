"""The numbers of tables and indexes, kept as rows of the store itself.

Invariant: a number is given once and never again. An index that is no longer declared is retired,
so that declaring it anew builds it anew; a table keeps its number for ever.
"""

from collections.abc import Iterator, Sequence

from hubify.core.schema import BoundTable, Table
from hubify.storage.engine import Commit, Engine, RowWrite
from hubify.values.errors import InvalidInput
from hubify.values.ids import RowId
from hubify.values.rows import Row, index

BACKFILL_ROWS = 500
SCAN_ROWS = 1_000


class CatalogRow(Row, frozen=True):
    """One table (`skills`) or index (`skills.by_name`) and its number."""

    name: str
    number: int
    retired: bool = False


CATALOG = Table("_catalog", CatalogRow, (index("number"),))
CATALOG_NUMBERS = {"_catalog": 1, "_catalog.by_number": 2}
FIRST_FREE = 3


class Catalog:
    """The tables of this process under the numbers of this store."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._declared = [CATALOG, *tables]
        self._by_type: dict[type[Row], BoundTable] = {}
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

    def open(self, engine: Engine, now_ns: int) -> None:
        """Read the numbers of a store, give new ones, and build the entries of new indexes."""
        known = dict(_read(engine))
        numbers = CATALOG_NUMBERS | {row.name: row.number for row in known.values()}
        numbers = {name: number for name, number in numbers.items() if name}
        retired = self._undeclared(numbers)
        for name in retired:
            del numbers[name]
        highest = max([FIRST_FREE - 1, *(row.number for row in known.values())])
        new = self._missing(numbers)
        numbers |= {name: highest + 1 + place for place, name in enumerate(new)}
        bound = [BoundTable(table, numbers) for table in self._declared]
        self._by_type = {table.row_type: table for table in bound}
        writes = [*_retire(known, retired, bound[0]), *_name(new, numbers, bound[0])]
        if writes:
            self._commit(engine, writes, now_ns)
        self._backfill(engine, {numbers[name] for name in new if "." in name}, now_ns)

    def _undeclared(self, numbers: dict[str, int]) -> list[str]:
        tables = {table.name for table in self._declared}
        indexes = {
            f"{table.name}.{index.name}" for table in self._declared for index in table.indexes
        }
        return [
            name
            for name in numbers
            if "." in name and name.split(".")[0] in tables and name not in indexes
        ]

    def _missing(self, numbers: dict[str, int]) -> list[str]:
        wanted = [
            name
            for table in self._declared
            for name in [table.name, *(f"{table.name}.{index.name}" for index in table.indexes)]
        ]
        return [name for name in dict.fromkeys(wanted) if name not in numbers]

    def _backfill(self, engine: Engine, fresh: set[int], now_ns: int) -> None:
        for table in self._by_type.values():
            if not fresh & {bound.number for bound in table.indexes}:
                continue
            after = 0
            while rows := engine.rows(table.number, after=after, limit=BACKFILL_ROWS):
                writes = [
                    _entries_only(table, number, version.value, fresh) for number, version in rows
                ]
                self._commit(engine, writes, now_ns)
                after = rows[-1][0]

    def _commit(self, engine: Engine, writes: Sequence[RowWrite], now_ns: int) -> None:
        head = engine.head()
        commit = Commit(max(head + 1, now_ns), "system:open", "system", tuple(writes))
        engine.append(head, [commit])()


def _read(engine: Engine) -> Iterator[tuple[int, CatalogRow]]:
    table = BoundTable(CATALOG, CATALOG_NUMBERS)
    after = 0
    while rows := engine.rows(table.number, after=after, limit=SCAN_ROWS):
        for number, version in rows:
            row = table.decode(version.value)
            assert isinstance(row, CatalogRow), "the catalog holds catalog rows"
            yield number, row if not row.retired else row.changed(name="")
        after = rows[-1][0]


def _name(names: Sequence[str], numbers: dict[str, int], catalog: BoundTable) -> Iterator[RowWrite]:
    for name in names:
        if name in CATALOG_NUMBERS:
            continue
        # Catalog rows are numbered like what they name: below every time-derived row number.
        number = numbers[name]
        row = CatalogRow(name=name, number=number, id=catalog.id_of(number))
        added = tuple(sorted(catalog.entries(row, number)))
        yield RowWrite(catalog.number, number, None, catalog.encode(row), (), added)


def _retire(
    known: dict[int, CatalogRow], names: Sequence[str], catalog: BoundTable
) -> Iterator[RowWrite]:
    for number, row in known.items():
        if row.name in names:
            after = catalog.encode(row.changed(retired=True, id=RowId(catalog.id_of(number))))
            yield RowWrite(catalog.number, number, catalog.encode(row), after, (), ())


def _entries_only(table: BoundTable, number: int, value: bytes, fresh: set[int]) -> RowWrite:
    entries = table.entries(table.decode(value), number)
    added = tuple(sorted(entry for entry in entries if entry[0] in fresh))
    return RowWrite(table.number, number, value, value, (), added)
