"""A disk under SQLite that refuses, stops the clock, and forgets what nobody flushed.

It is a SQLite VFS over the real one: files are real, so every engine can open them afterwards.
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import apsw

Change = tuple[int, bytes]  # bytes written at an offset; b"" cuts the file there
Rule = Callable[[str, str], apsw.Error | None]  # by what is done ("write") and the file's suffix

numbers = count(1)


class FaultyFile(apsw.VFSFile):
    """One open file."""

    def __init__(
        self, disk: "FaultyDisk", name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        super().__init__("", name, flags)  # type: ignore[arg-type]

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        self.disk.meet("read", self.path)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self.disk.meet("write", self.path)
        super().xWrite(data, offset)
        self.disk.unflushed.setdefault(self.path, []).append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self.disk.meet("truncate", self.path)
        super().xTruncate(newsize)
        self.disk.unflushed.setdefault(self.path, []).append((newsize, b""))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.meet("sync", self.path)
        super().xSync(flags)
        self.disk.flush(self.path)


class FaultyDisk(apsw.VFS):
    """Asks `rule` before each act; the error it answers is what SQLite gets."""

    def __init__(self) -> None:
        self.name = f"faulty-{next(numbers)}"
        self.rule: Rule | None = None
        self.flushed: dict[str, bytes] = {}
        self.unflushed: dict[str, list[Change]] = {}
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FaultyFile:  # noqa: N802
        return FaultyFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802
        self.meet("delete", filename)
        super().xDelete(filename, syncdir)
        self.flushed.pop(filename, None)
        self.unflushed.pop(filename, None)

    def meet(self, act: str, path: str) -> None:
        """Refuse the act if the rule says so."""
        error = self.rule and self.rule(act, path[path.rfind(".db") + 3 :])
        if error:
            raise error

    def flush(self, path: str) -> None:
        """Remember the file as it is: a power cut cannot undo that."""
        self.flushed[path] = Path(path).read_bytes()
        self.unflushed[path] = []

    def after_a_power_cut(self, directory: Path, keep: Callable[[], bool]) -> None:
        """Write the files as a power cut may leave them: of what was not flushed, any part."""
        directory.mkdir()
        for path in {*self.flushed, *self.unflushed}:
            content = bytearray(self.flushed.get(path, b""))
            for offset, data in self.unflushed.get(path, []):
                if not keep():
                    continue
                if not data:
                    del content[offset:]
                    continue
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
            (directory / Path(path).name).write_bytes(content)
