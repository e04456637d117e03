"""The storage contract, on the engine without a disk."""

from collections.abc import Generator
from contextlib import contextmanager

from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.engine_contract import EngineContract


class MemoryStores:
    """One store and the engines that have it open."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.engines: list[MemoryEngine] = []

    def open(self) -> MemoryEngine:
        self.engines.append(MemoryEngine(self.store))
        return self.engines[-1]

    def crash(self) -> None:
        while self.engines:
            self.engines.pop().close()


class TestMemoryEngine(EngineContract):
    @contextmanager
    def new_store(self) -> Generator[MemoryStores]:
        yield MemoryStores()
