"""What stands for something outside without telling what: cursors of pages, labels of names.

A cursor holds a key of an index, and that holds names of owners and skills; so it is sealed, and
its length padded. Both are made with keys that follow from the server's sealing keys: the newest
makes them, and each opens cursors that were made with it.

Invariant: nothing here depends on time or chance: a page that is made again is the same page.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hubify.core.pages import InvalidCursor

LABEL_DIGITS = 16
"""Hexadecimal digits of a label."""
_BLOCK = 32
"""Bytes; a cursor's length tells no more of its key's than how many of these it takes."""
_PAD = b"\x80"


class SealedCursors:
    """Cursors that only this server can read or make, and only for the list they were made for."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """From a server's keys, the newest last; at least one."""
        self._ciphers = [
            AESSIV(hmac.digest(key, b"hubify cursors", "sha512")) for key in reversed(keys)
        ]

    def write(self, key: bytes, about: bytes) -> str:
        """The cursor that stands behind a key in the list that `about` names."""
        padded = key + _PAD + bytes(-(len(key) + 1) % _BLOCK)
        sealed = self._ciphers[0].encrypt(padded, [about])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, cursor: str, about: bytes) -> bytes:
        """The key in a cursor.

        Raises:
            InvalidCursor: it is none, or one of another list.

        """
        try:
            sealed = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        except (binascii.Error, UnicodeEncodeError):
            raise InvalidCursor from None
        for cipher in self._ciphers:
            try:
                padded = cipher.decrypt(sealed, [about])
            except (InvalidTag, ValueError):
                continue
            return padded.rstrip(b"\0").removesuffix(_PAD)
        raise InvalidCursor


class Labels:
    """Texts that stand for names: equal for equal names, and not to be undone by trying names."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """From a server's keys, the newest last."""
        self._key = hmac.digest(keys[-1], b"hubify labels", "sha256") if keys else b""

    def label(self, *name: str) -> str:
        """The label of a name, which is several texts; 16 hexadecimal digits."""
        assert self._key, "this process was given no key to make labels with"
        framed = b"".join(len(raw).to_bytes(4) + raw for raw in (part.encode() for part in name))
        return hmac.digest(self._key, framed, "sha256").hex()[:LABEL_DIGITS]
