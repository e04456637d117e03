"""The log's records, as the layers above the core know them.

Invariant: nothing above the core imports an engine or its contract; these names are all it needs.
"""

from hubify.storage.engine import Commit, Engine, HeadMoved, RowWrite, StorageFailed, Traces

__all__ = ["Commit", "Engine", "HeadMoved", "RowWrite", "StorageFailed", "Traces"]
