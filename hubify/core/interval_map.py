"""Which of many intervals hold a key.

Invariant: `stab(key)` finds exactly the owners of the intervals that contain the key. Ranges of one
prefix, by far the most common, are found by hashing the key's prefixes; all others stand in a treap
ordered by start and annotated with the largest end beneath (Seidel & Aragon 1996, "Randomized
search trees"; Cormen et al., "Interval trees"), so a key costs O(log n + hits).
"""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from hubify.values.interval import Interval

T = TypeVar("T", bound=Hashable)


class _Node(Generic[T]):
    __slots__ = ("interval", "left", "max_end", "owners", "priority", "right")

    def __init__(self, interval: Interval) -> None:
        self.interval = interval
        self.owners: set[T] = set()
        # As good as a random number, and salted per process: no caller can choose the shape.
        self.priority = hash(interval)
        self.max_end: bytes = interval.end
        self.left: _Node[T] | None = None
        self.right: _Node[T] | None = None

    def settle(self) -> None:
        """Recompute the largest end from the children."""
        largest = self.interval.end
        if self.left is not None:
            largest = max(largest, self.left.max_end)
        if self.right is not None:
            largest = max(largest, self.right.max_end)
        self.max_end = largest


class IntervalMap(Generic[T]):
    """A multimap from intervals to owners."""

    def __init__(self) -> None:
        self._prefixes: dict[bytes, set[T]] = {}
        self._lengths: dict[int, int] = {}
        self._root: _Node[T] | None = None

    def __bool__(self) -> bool:
        return bool(self._prefixes) or self._root is not None

    def add(self, interval: Interval, owner: T) -> None:
        """Let `owner` be found by every key of the interval."""
        prefix = interval.prefix
        if prefix is None:
            self._root = _insert(self._root, interval, owner)
            return
        owners = self._prefixes.get(prefix)
        if owners is None:
            owners = self._prefixes[prefix] = set()
            self._lengths[len(prefix)] = self._lengths.get(len(prefix), 0) + 1
        owners.add(owner)

    def remove(self, interval: Interval, owner: T) -> None:
        """Undo one `add`."""
        prefix = interval.prefix
        if prefix is None:
            self._root = _discard(self._root, interval, owner)
            return
        owners = self._prefixes[prefix]
        owners.discard(owner)
        if not owners:
            del self._prefixes[prefix]
            self._lengths[len(prefix)] -= 1
            if not self._lengths[len(prefix)]:
                del self._lengths[len(prefix)]

    def stab(self, key: bytes) -> Iterator[set[T]]:
        """The owners of every interval that holds `key`, as sets (which may share members)."""
        for length in self._lengths:
            owners = self._prefixes.get(key[:length])
            if owners and length <= len(key):
                yield owners
        if self._root is not None:
            yield from _stab(self._root, key)


def _stab(root: _Node[T], key: bytes) -> Iterator[set[T]]:
    waiting: list[_Node[T]] = [root]
    while waiting:
        node = waiting.pop()
        if node.max_end <= key:
            continue
        if node.left is not None:
            waiting.append(node.left)
        if node.interval.start <= key:
            if key < node.interval.end:
                yield node.owners
            if node.right is not None:
                waiting.append(node.right)


def _insert(node: _Node[T] | None, interval: Interval, owner: T) -> _Node[T]:
    if node is None:
        node = _Node(interval)
        node.owners.add(owner)
        return node
    if interval == node.interval:
        node.owners.add(owner)
        return node
    if interval < node.interval:
        node.left = _insert(node.left, interval, owner)
        node = _rotate_right(node) if node.left.priority > node.priority else node
    else:
        node.right = _insert(node.right, interval, owner)
        node = _rotate_left(node) if node.right.priority > node.priority else node
    node.settle()
    return node


def _discard(node: _Node[T] | None, interval: Interval, owner: T) -> _Node[T] | None:
    if node is None:
        return None
    if interval == node.interval:
        node.owners.discard(owner)
        return node if node.owners else _join(node.left, node.right)
    if interval < node.interval:
        node.left = _discard(node.left, interval, owner)
    else:
        node.right = _discard(node.right, interval, owner)
    node.settle()
    return node


def _join(left: _Node[T] | None, right: _Node[T] | None) -> _Node[T] | None:
    if left is None or right is None:
        return left or right
    if left.priority > right.priority:
        left.right = _join(left.right, right)
        left.settle()
        return left
    right.left = _join(left, right.left)
    right.settle()
    return right


def _rotate_right(node: _Node[T]) -> _Node[T]:
    top = node.left
    assert top is not None, "only a left child can rise to the right"
    node.left, top.right = top.right, node
    node.settle()
    return top


def _rotate_left(node: _Node[T]) -> _Node[T]:
    top = node.right
    assert top is not None, "only a right child can rise to the left"
    node.right, top.left = top.left, node
    node.settle()
    return top
