"""What a recorded function did: a graph of operations on arrays of known shapes.

A `Node` is one operation. There are seven kinds of them besides the elementwise ones of `operations.TABLE`:

=========  ==========================================================================================
theta      the parameters, shape (d,)
constant   an array of numbers, in `data`
take       entries of the flattened argument, by an array of indices in `data`; −1 stands for a zero
join       the flattened arguments, one behind the other
sum        over the last axis
largest    the largest along the last axis
matmul     the product of two matrices, or of stacks of them whose leading axes are equal
=========  ==========================================================================================

Whatever only moves entries (slices, reshape, transpose, roll, stack, broadcasting to more axes ...) is one `take`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = [
    "Node",
    "constant",
    "from_list",
    "join",
    "largest",
    "listed",
    "matmul",
    "ordered",
    "places",
    "powers_of_two",
    "take",
    "theta",
    "total",
]


class Node:
    """One operation. Nodes that do the same are equal, and have the same `digest` in every process."""

    def __init__(
        self,
        operation: str,
        arguments: tuple[Node, ...],
        shape: tuple[int, ...],
        *,
        data: Any = None,
        boolean: bool = False,
    ) -> None:
        self.operation, self.arguments, self.shape, self.data, self.boolean = operation, arguments, shape, data, boolean
        self.digest = self._hashed()

    def _hashed(self) -> bytes:
        """A hash of the operation, the shape, the numbers and the whole graph below."""
        own = hashlib.blake2b(f"{self.operation}{self.shape}".encode(), digest_size=16)
        if self.data is not None:
            own.update(str(self.data.dtype).encode() + numpy.ascontiguousarray(self.data).tobytes())
        for argument in self.arguments:
            own.update(argument.digest)
        return own.digest()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Node) and self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<{self.operation} {self.shape}>"

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_constant(self) -> bool:
        return self.operation == "constant"

    @cached_property
    def is_zero(self) -> bool:
        return self.is_constant and not numpy.any(self.data)


def theta(d: int) -> Node:
    """The parameters of a function of d variables."""
    return Node("theta", (), (d,))


def constant(numbers: Any) -> Node:
    """Numbers that do not depend on θ: booleans stay what they are, all others become float64."""
    array = numpy.asarray(numbers)
    array = array if array.dtype == bool else array.astype(float)
    return Node("constant", (), array.shape, data=array, boolean=array.dtype == bool)


def places(node: Node) -> NDArray[Any]:
    """The indices of a node's entries in the flattened array, in its shape."""
    return numpy.arange(node.size).reshape(node.shape)


def take(node: Node, indices: NDArray[Any]) -> Node:
    """The entries of a flattened node; index −1 gives 0."""
    indices = numpy.asarray(indices, dtype=numpy.int64)
    if indices.shape == node.shape and numpy.array_equal(indices.reshape(-1), numpy.arange(node.size)):
        return node
    if node.is_constant:
        padded = numpy.append(node.data.reshape(-1), node.data.dtype.type(0))
        return constant(padded[indices])
    if node.operation == "take":
        return take(node.arguments[0], numpy.append(node.data.reshape(-1), -1)[indices])
    return Node("take", (node,), indices.shape, data=indices, boolean=node.boolean)


def join(nodes: Iterable[Node]) -> Node:
    """All nodes flattened, one behind the other: shape (size,)."""
    parts = tuple(nodes)
    if len(parts) == 1:
        return take(parts[0], numpy.arange(parts[0].size))
    if all(part.is_constant for part in parts):
        return constant(numpy.concatenate([part.data.reshape(-1) for part in parts]))
    return Node("join", parts, (sum(part.size for part in parts),), boolean=all(part.boolean for part in parts))


def total(node: Node) -> Node:
    """The sum over the last axis; of constants a number, if it is not rounded."""
    if node.is_constant and (_chooses(node.data, -1) or _are_small(node.data.sum(-1), node.data)):
        return constant(node.data.sum(-1))
    if node.shape[-1] == 1:
        return take(node, numpy.arange(node.size).reshape(node.shape[:-1]))
    return Node("sum", (node,), node.shape[:-1])


def largest(node: Node) -> Node:
    """The largest number along the last axis."""
    if node.is_constant:
        return constant(node.data.max(-1))
    if node.shape[-1] == 1:
        return take(node, numpy.arange(node.size).reshape(node.shape[:-1]))
    return Node("largest", (node,), node.shape[:-1])


def matmul(left: Node, right: Node) -> Node:
    """Products (..., m, k) × (..., k, n) → (..., m, n) with equal leading axes."""
    if left.is_constant and right.is_constant and _multiplies_exactly(left.data, right.data):
        return constant(left.data @ right.data)
    return Node("matmul", (left, right), (*left.shape[:-1], right.shape[-1]))


def powers_of_two(numbers: NDArray[Any]) -> Any:
    """Which numbers multiply without rounding: 0, ±1, ±2, ±1/2, ..."""
    return numpy.isin(numpy.abs(numpy.frexp(numbers)[0]), (0.0, 0.5))


def _chooses(numbers: NDArray[Any], axis: int) -> bool:
    """Whether there is one number at most that is not zero, along an axis."""
    return bool((numpy.count_nonzero(numbers, axis=axis) <= 1).all())


def _are_small(*arrays: NDArray[Any]) -> bool:
    """Whether all are whole numbers that floats hold, and so are their sums."""
    return all(bool(((numbers == numpy.rint(numbers)) & (numpy.abs(numbers) < 2.0**40)).all()) for numbers in arrays)


def _multiplies_exactly(left: NDArray[Any], right: NDArray[Any]) -> bool:
    sides = ((left, -1), (right, -2))
    return any(_chooses(side, axis) and bool(powers_of_two(side).all()) for side, axis in sides)


def ordered(roots: Iterable[Node]) -> Iterator[Node]:
    """All nodes under `roots`, each once, arguments before what is made of them."""
    seen: set[Node] = set()
    stack = [(root, False) for root in roots]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((argument, False) for argument in node.arguments)


def listed(root: Node) -> list[tuple[Any, ...]]:
    """The graph as rows of plain data, each operation after its arguments: graphs are too deep to be pickled."""
    nodes = list(ordered([root]))
    place = {node: k for k, node in enumerate(nodes)}
    return [(n.operation, [place[a] for a in n.arguments], n.shape, n.data, n.boolean) for n in nodes]


def from_list(rows: list[tuple[Any, ...]]) -> Node:
    """The graph of which these are the rows."""
    nodes: list[Node] = []
    for operation, arguments, shape, data, boolean in rows:
        nodes.append(Node(operation, tuple(nodes[k] for k in arguments), shape, data=data, boolean=boolean))
    return nodes[-1]
