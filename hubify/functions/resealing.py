"""Bringing every stored secret under the newest key: at each start, before anybody is served.

So a store from before there were keys, a new key, and a field that has become secret are one case.

Invariant: `_sealing_keys` names every key that some stored secret needs; a key that is not named
there may be thrown away.
"""

from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from hubify.core.catalog import CATALOG, CatalogRow
from hubify.core.committer import Accepted
from hubify.core.log import RowWrite
from hubify.core.pages import PageRequest
from hubify.core.reads import ReadSet
from hubify.core.transaction import Transaction
from hubify.functions.sealing import (
    NONCE_BYTES,
    NOTHING,
    KeyInUse,
    NotOpened,
    Sealed,
    about,
    name_in,
    sealed_fields,
)
from hubify.functions.wiring import Wiring
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import AppError
from hubify.values.rows import Row

PAGE_ROWS = 200
MAX_KEYS = 100
MAX_NAMES = 5_000  # of tables and indexes


class Resealed(msgspec.Struct):
    """How many secrets were sealed that lay in plain text, sealed again, and given up."""

    plain: int = 0
    again: int = 0
    lost: int = 0


def missing_keys(wiring: Wiring) -> list[str]:
    """Names of keys that stored secrets need and this process does not have."""
    needed = _in_use(wiring.database.begin_read(_unwatched))
    return sorted(needed - set(wiring.sealer.names))


def reseal(wiring: Wiring, *, give_up: bool = False) -> Resealed:
    """Seal every secret of the store with the newest key, if it is not yet.

    Args:
        wiring: of the only process that has the store open, before it serves anybody.
        give_up: empty the fields that no key opens, instead of refusing.

    Raises:
        NotOpened: a secret does not open; what was done before stays done.
        Unavailable: the store refused a write.

    """
    done = Resealed()
    _commit(wiring, partial(_name_newest, wiring))
    for table in wiring.registry.tables:
        if sealed_fields(table.row_type):
            _reseal_table(wiring, table.row_type, done, give_up=give_up)
    _commit(wiring, partial(_forget_others, wiring))
    return done


def _reseal_table(wiring: Wiring, row_type: type[Row], done: Resealed, *, give_up: bool) -> None:
    cursor: str | None = None
    while True:
        reader = wiring.database.begin_read(_unwatched)
        page = reader.page(row_type.where(), PageRequest(PAGE_ROWS, cursor))
        rows = [_resealed(wiring, row, done, give_up=give_up) for row in page.page]
        changed = [after for before, after in zip(page.page, rows, strict=True) if after != before]
        _commit(wiring, partial(_replace, rows=changed))
        if page.is_done:
            return
        cursor = page.continue_cursor


def _resealed(wiring: Wiring, row: Row, done: Resealed, *, give_up: bool) -> Row:
    changes: dict[str, Sealed] = {}
    for field in sealed_fields(type(row)):
        held: Sealed = getattr(row, field)
        if held == NOTHING or name_in(held) == wiring.sealer.newest:
            continue
        changes[field] = _under_newest(wiring, row, field, held, done, give_up=give_up)
    return row.changed(**changes)


def _under_newest(
    wiring: Wiring, row: Row, field: str, held: Sealed, done: Resealed, *, give_up: bool
) -> Sealed:
    place = about(row, field)
    plain = bytes(held)
    if name_in(held) is None:
        done.plain += 1
    else:
        try:
            plain = wiring.sealer.unseal(held, place)
        except NotOpened:
            if not give_up:
                raise
            done.lost += 1
            return NOTHING
        done.again += 1
    return wiring.sealer.seal(plain, place, wiring.runtime.entropy(NONCE_BYTES))


def _name_newest(wiring: Wiring, transaction: Transaction) -> None:
    newest = wiring.sealer.newest
    if newest not in _in_use(transaction):
        since = wiring.runtime.wall_ns() // NS_PER_MS
        transaction.insert(KeyInUse(name=newest, since=since))


def _forget_others(wiring: Wiring, transaction: Transaction) -> None:
    if not _knows_every_table(wiring, transaction):
        return  # a domain that is not loaded now may have secrets of its own
    for row in _rows(transaction):
        if row.name != wiring.sealer.newest:
            transaction.delete(row)


def _knows_every_table(wiring: Wiring, transaction: Transaction) -> bool:
    known = {CATALOG.name, *(table.name for table in wiring.registry.tables)}
    named = transaction.take(CatalogRow.where().order_by("number"), limit=MAX_NAMES)
    tables = {row.name for row in named if "." not in row.name}
    return len(named) < MAX_NAMES and tables <= known


def _replace(transaction: Transaction, rows: Iterable[Row]) -> None:
    for row in rows:
        transaction.replace(row)


def _in_use(transaction: Transaction) -> set[str]:
    return {row.name for row in _rows(transaction)}


def _rows(transaction: Transaction) -> list[KeyInUse]:
    return transaction.take(KeyInUse.where().order_by("name"), limit=MAX_KEYS)


def _commit(wiring: Wiring, write: Callable[[Transaction], None]) -> None:
    failures: list[AppError] = []

    def run() -> tuple[ReadSet, tuple[RowWrite, ...]]:
        transaction = wiring.database.begin_write(_unwatched)
        write(transaction)
        return transaction.reads, transaction.changes()

    reads, writes = run()
    accepted = Accepted(
        function="system:reseal", caller="system", reads=reads, writes=writes, rerun=run,
        done=lambda _ts: None, failed=failures.append,
    )  # fmt: skip
    wiring.database.accept(accepted)
    wiring.database.flush()
    if failures:
        raise failures[0]


def _unwatched() -> None:
    """Nobody waits for it, and a page of rows is small."""
