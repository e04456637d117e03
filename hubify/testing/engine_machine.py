"""A random life of one store with two handles, each step checked against the naive model.

Invariant: after any steps whatever (commits, lost races, crashes, prunes) both handles answer each
question about each readable time as the model does.
"""

from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hubify.storage.engine import Engine, HeadMoved, Traces
from hubify.testing.engine_model import (
    INDEXES,
    NUMBERS,
    SPANS,
    EngineModel,
    all_traces,
    batches,
)

HANDLES = 2

handles = st.integers(0, HANDLES - 1)
limits = st.sampled_from([-1, 0, 1, 2, 3, 1000])


class TestedStore(Protocol):
    """A place that engines open, as servers open a database."""

    def open(self) -> Engine:
        """One more handle, as another process would have it."""
        ...

    def crash(self) -> None:
        """End every handle as a killed process ends; the next `open` finds what that leaves."""
        ...


class EngineMachine(RuleBasedStateMachine):
    """Drives two handles on one store (`hypothesis.stateful`); a subclass says which store."""

    def __init__(self) -> None:
        super().__init__()
        self.model = EngineModel()
        self.context = self.new_store()
        self.store = self.context.__enter__()
        self.engines = [self.store.open() for _ in range(HANDLES)]

    def new_store(self) -> AbstractContextManager[TestedStore]:
        """As `EngineContract.new_store`."""
        raise NotImplementedError

    def teardown(self) -> None:
        """Let the store go."""
        self.close_handles()
        self.context.__exit__(None, None, None)

    @rule(handle=handles, data=st.data())
    def commit(self, handle: int, data: Any) -> None:  # noqa: ANN401 - hypothesis keeps its type private
        """A batch is sealed and becomes the newest."""
        batch = data.draw(batches(self.model.newest))
        self.engines[handle].append(self.model.newest.ts, batch)()
        self.model.apply(batch)

    @rule(handle=handles, data=st.data(), back=st.integers(1, 3))
    def commit_after_an_old_head(self, handle: int, data: Any, back: int) -> None:  # noqa: ANN401
        """A batch that builds on another head is refused."""
        batch = data.draw(batches(self.model.newest))
        with pytest.raises(HeadMoved):
            self.engines[handle].append(self.model.newest.ts - back, batch)()

    @rule(handle=handles, data=st.data())
    def stage_and_close(self, handle: int, data: Any) -> None:  # noqa: ANN401
        """A handle is closed with a batch staged, and opened again."""
        engine = self.engines[handle]
        engine.append(self.model.newest.ts, data.draw(batches(self.model.newest)))
        self.check_head()
        engine.close()
        self.engines[handle] = self.store.open()

    @rule(handle=handles, data=st.data(), staged=st.booleans())
    def crash(self, handle: int, data: Any, *, staged: bool) -> None:  # noqa: ANN401
        """Every process dies, perhaps with a batch staged."""
        if staged:
            batch = data.draw(batches(self.model.newest))
            self.engines[handle].append(self.model.newest.ts, batch)
        self.store.crash()
        self.engines = [self.store.open() for _ in range(HANDLES)]

    @rule()
    def reopen(self) -> None:
        """Every process ends in order."""
        self.close_handles()
        self.engines = [self.store.open() for _ in range(HANDLES)]

    @precondition(lambda self: self.model.newest.ts > self.model.horizon)
    @rule(handle=handles, limit=limits, data=st.data())
    def prune(self, handle: int, limit: int, data: Any) -> None:  # noqa: ANN401
        """Some of the past is dropped; times before it are read no more."""
        before = data.draw(st.integers(self.model.horizon, self.model.newest.ts))
        found = self.engines[handle].prune(before, limit)
        assert found == self.model.prune(before, max(limit, 0))

    @rule(handle=handles, limit=limits, traces=all_traces(), data=st.data())
    def erase(self, handle: int, limit: int, traces: Traces, data: Any) -> None:  # noqa: ANN401
        """Traces are taken out of some of the log."""
        times = st.integers(0, self.model.newest.ts)
        span = {"after": data.draw(times), "until": data.draw(times)}
        done = self.engines[handle].erase(traces, **span, limit=limit)
        assert done == self.model.erase(traces, **span, limit=limit)

    @rule(handle=handles, data=st.data())
    def shred(self, handle: int, data: Any) -> None:  # noqa: ANN401
        """The files are written anew, once nothing is left to prune."""
        before = data.draw(st.integers(0, self.model.newest.ts))
        assert self.engines[handle].shred(before) == self.model.shred(before)

    @rule(handle=handles, data=st.data())
    def read(self, handle: int, data: Any) -> None:  # noqa: ANN401
        """Rows and ranges, now or at a time."""
        engine, model = self.engines[handle], self.model
        at = data.draw(st.none() | st.integers(model.horizon, model.newest.ts + 2))
        for number in NUMBERS:
            assert engine.get(number, at) == model.get(number, at)
        index, span = data.draw(st.sampled_from(INDEXES)), data.draw(st.sampled_from(SPANS))
        limit, reverse = data.draw(limits), data.draw(st.booleans())
        found = engine.scan(index, span, limit=limit, reverse=reverse, at=at)
        limit = max(limit, 0)
        assert found == model.scan(index, span, limit=limit, reverse=reverse, at=at)

    @rule(handle=handles, limit=limits, table=st.integers(1, 3), data=st.data())
    def list(self, handle: int, limit: int, table: int, data: Any) -> None:  # noqa: ANN401
        """The rows of a table and the end of the log, by the page."""
        engine, model, most = self.engines[handle], self.model, max(limit, 0)
        after = data.draw(st.sampled_from([0, *NUMBERS]))
        assert engine.rows(table, after=after, limit=limit) == model.rows(
            table, after=after, limit=most
        )
        after = data.draw(st.integers(0, model.newest.ts + 1))
        assert engine.tail(after, limit) == model.tail(after, most)

    @invariant()
    def check_head(self) -> None:
        """Nothing but what is sealed moves the head."""
        for engine in self.engines:
            assert engine.head() == self.model.newest.ts

    def close_handles(self) -> None:
        """Close every handle in order."""
        for engine in self.engines:
            engine.close()
