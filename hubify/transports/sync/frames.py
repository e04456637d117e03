"""Transitions that many sessions send alike, built once.

After a commit, sessions at equal versions with equal news send equal bytes; the first builds them
and the others share the object, so that fan-out costs neither time nor memory per session.

Invariant: equal keys mean equal texts, since a key holds everything that a transition says; what is
kept is bounded in number and bytes, save for the newest, which may be larger alone.
"""

from collections.abc import Callable, Sequence

from hubify.wire.server_texts import Version, chunks, transition

MAX_FRAMES = 256
MAX_BYTES = 32 * 1024 * 1024
TEXT, CONTINUATION, FINAL = 0x01, 0x00, 0x80
# Rust's official client, and so PyPI's, takes no frame over 16 MiB, though longer messages.
MAX_FRAME_BYTES = 8 * 1024 * 1024
SHORT, MEDIUM = 126, 65536  # from these sizes on, the length takes two and eight further bytes

Digests = tuple[tuple[int, bytes], ...]  # (query id, digest of its result; empty when removed)
Key = tuple[Version, Version, Digests, bool]
Wrap = Callable[[bytes], bytes]


def text_frame(text: bytes) -> bytes:
    """A whole message, as a server sends a text: unmasked, in several frames when it is long."""
    if len(text) <= MAX_FRAME_BYTES:
        return _frame(FINAL | TEXT, text)
    starts = range(0, len(text), MAX_FRAME_BYTES)
    parts = [text[start : start + MAX_FRAME_BYTES] for start in starts]
    between = (_frame(CONTINUATION, part) for part in parts[1:-1])
    return b"".join((
        _frame(TEXT, parts[0]), *between, _frame(FINAL | CONTINUATION, parts[-1]),
    ))  # fmt: skip


def _frame(first_byte: int, data: bytes) -> bytes:
    """One frame (RFC 6455, 5.2)."""
    size = len(data)
    if size < SHORT:
        return bytes((first_byte, size)) + data
    if size < MEDIUM:
        return bytes((first_byte, SHORT)) + size.to_bytes(2, "big") + data
    return bytes((first_byte, SHORT + 1)) + size.to_bytes(8, "big") + data


class Frames:
    """The recent transitions of all sessions. `wrap` makes a text what the network takes."""

    def __init__(self, wrap: Wrap = text_frame) -> None:
        self.wrap = wrap
        self._kept: dict[Key, bytes] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def transition(
        self,
        start: Version,
        end: Version,
        digests: Digests,
        modifications: Callable[[], Sequence[bytes]],
        *,
        in_chunks: bool,
    ) -> bytes:
        """The bytes of a transition; `modifications` is called when nobody has built it yet."""
        key = (start, end, digests, in_chunks)
        frame = self._kept.get(key)
        if frame is None:
            text = transition(start, end, modifications())
            parts = chunks(text) if in_chunks else (text,)
            frame = b"".join(map(self.wrap, parts))
            self._keep(key, frame)
        return frame

    def _keep(self, key: Key, frame: bytes) -> None:
        self._kept[key] = frame
        self._bytes += len(frame)
        while len(self._kept) > 1 and (self._bytes > MAX_BYTES or len(self._kept) > MAX_FRAMES):
            oldest = next(iter(self._kept))
            self._bytes -= len(self._kept.pop(oldest))
