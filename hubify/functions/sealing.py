"""Secrets that have to be read again, sealed before they are stored.

A field of type `Sealed` holds what only a key beside the store can open: signing keys, coins of
trials, tokens of other services. What need not be read again (passwords, our own keys) is kept as a
digest instead and has no use for this.

    class Webhook(Row, frozen=True):
        url: str
        secret: Sealed = NOTHING

    hook = ctx.seal(ctx.db.insert(Webhook(url=url)), secret=b"...")   # a mutation
    secret = ctx.unseal(hook, "secret")                               # any function

The bytes are `sealed1:`, the key's name (8), a nonce (12), and AES-256-GCM over the secret. The
row's id (which tells its table) and the field's name are associated data, so a sealed field copied
to another row or field does not open. Several keys may be known: the newest seals, each opens.

Opening takes about two microseconds, less than the read of the row, so that nothing is remembered.

Invariant: no secret gets into a log, a message or a `repr`; what does not open is never guessed.
"""

import hashlib
import typing
from collections.abc import Sequence
from functools import cache
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hubify.core.pages import PLAIN
from hubify.core.schema import Table
from hubify.functions.opaque import Labels, SealedCursors
from hubify.values.errors import Unavailable
from hubify.values.rows import Row, unique

Sealed = NewType("Sealed", bytes)
"""Bytes that only `unseal` reads. The type of a row's field that holds a secret."""

NOTHING = Sealed(b"")
"""A field that holds no secret: not yet sealed, or given up with a lost key."""

KEY_BYTES = 32
NONCE_BYTES = 12
MAX_SECRET = 65_536
"""Bytes in one secret."""

_MARK = b"sealed1:"
_NAME_BYTES = 8
_HEAD = len(_MARK) + _NAME_BYTES


class KeyInUse(Row, frozen=True):
    """A key without which some secret of this store cannot be opened, by its name."""

    name: str
    since: int


KEYS_IN_USE = Table("_sealing_keys", KeyInUse, (unique("name"),))


class NotOpened(Unavailable):
    """A stored secret does not open: its key is not known here, or its bytes were changed."""


class Sealer:
    """The keys of one server, the newest last."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Each key has `KEY_BYTES` unguessable bytes; without any, nothing can be sealed."""
        assert all(len(key) == KEY_BYTES for key in keys), f"a sealing key has {KEY_BYTES} bytes"
        self.names = tuple(key_name(key) for key in keys)
        self._ciphers = {
            bytes.fromhex(name): AESGCM(key) for name, key in zip(self.names, keys, strict=True)
        }
        self.cursors = SealedCursors(keys) if keys else PLAIN
        self.labels = Labels(keys)

    def __repr__(self) -> str:
        return f"<Sealer {' '.join(self.names)}>"

    @property
    def newest(self) -> str:
        """The name of the key that seals."""
        assert self.names, "this process was given no key to seal secrets with"
        return self.names[-1]

    def seal(self, plain: bytes, about: bytes, nonce: bytes) -> Sealed:
        """Seal a secret with the newest key; `nonce` is fresh, random, and used for nothing else.

        Args:
            plain: the secret, at most `MAX_SECRET` bytes, not empty.
            about: what it is and whose; the same is needed to open it.
            nonce: `NONCE_BYTES` bytes.

        """
        assert 0 < len(plain) <= MAX_SECRET, f"a secret has 1 to {MAX_SECRET} bytes"
        assert len(nonce) == NONCE_BYTES, f"a nonce has {NONCE_BYTES} bytes"
        name = bytes.fromhex(self.newest)
        return Sealed(_MARK + name + nonce + self._ciphers[name].encrypt(nonce, plain, about))

    def unseal(self, sealed: Sealed, about: bytes) -> bytes:
        """The secret.

        Raises:
            NotOpened: the key is not known, the bytes were changed, or are another field's.

        """
        name = name_in(sealed)
        if name is None:
            raise NotOpened("a stored secret is not in its sealed form; restart the server once")
        cipher = self._ciphers.get(bytes.fromhex(name))
        if cipher is None:
            raise NotOpened(f"the key {name}, which a stored secret was sealed with, is missing")
        body = sealed[_HEAD:]
        try:
            return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], about)
        except (InvalidTag, ValueError):
            raise NotOpened("a stored secret does not open: its bytes were changed") from None


NO_KEYS = Sealer(())


def key_name(key: bytes) -> str:
    """What a key is called where it may be seen: 16 hexadecimal digits that follow from it."""
    return hashlib.sha256(b"hubify sealing key\0" + key).digest()[:_NAME_BYTES].hex()


def name_in(sealed: bytes) -> str | None:
    """The name of the key that sealed a field; None when it is not in the sealed form."""
    if not sealed.startswith(_MARK) or len(sealed) < _HEAD:
        return None
    return sealed[len(_MARK) : _HEAD].hex()


def about(row: Row, field: str) -> bytes:
    """What binds a sealed field to its place."""
    assert row.id, "a row is inserted before its secrets are sealed"
    return f"{row.id}.{field}".encode()


@cache
def sealed_fields(row_type: type[Row]) -> tuple[str, ...]:
    """The fields of a row type that hold secrets."""
    hints = typing.get_type_hints(row_type)
    return tuple(name for name, hint in hints.items() if hint is Sealed)
