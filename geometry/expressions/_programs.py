"""Recorded functions as straight Python text, one statement an operation, that runs on arrays of any library.

The text is made number by number, as that of compiled code is (`_scalars`): what is zero is not computed, and what
value, gradient and Hessian share is computed once. Every number stands for an array over the batch; a number that runs
with the k-th loop from outside has k + 1 more axes behind, and a sum over a loop is one over the last axis.

Arrays of a foreign arithmetic, which know more than a float does, run the same text: they have a method `constant`, and
operations of the names of the table. There no constant is rounded, and powers stay powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace, device_of, is_numpy_namespace, quietly
from geometry.expressions._nodes import Node
from geometry.expressions._operations import NUMPY_NAMES, TABLE
from geometry.expressions._scalars import Scalar, Scalars, TooLong

__all__ = ["LONGEST", "Program", "TooLong"]

LONGEST = 2000
"""Longer texts are not worth their compilation."""
TOGETHER = 2**15
"""Numbers in one array of NumPy's, where a batch is cut: several of them stay in a processor's cache."""
INFIX = (
    *("add", "subtract", "multiply", "divide", "negative", "square", "abs"),
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
)
OPERATORS = {name: TABLE[name].texts.python for name in INFIX}
OPERATORS |= {"logical_and": "({0} & {1})", "logical_or": "({0} | {1})", "logical_not": "(~{0})"}


class Program:
    """The text for some nodes, and what it needs.

    Parameters
    ----------
    nodes : sequence of Node
    exact : bool
        For a foreign arithmetic.

    Raises
    ------
    TooLong
        If there are more than `LONGEST` operations, and not for a foreign arithmetic.
    """

    def __init__(self, nodes: Sequence[Node], exact: bool = False) -> None:
        scalars = Scalars(limit=None if exact else LONGEST, folded=not exact, exact=exact)
        self.nodes, self._exact = nodes, exact
        self._entries = [scalars.of(node, faithful=node.shape == ()) for node in nodes]  # values, not derivatives
        self._grids: dict[int, tuple[int, ...]] = {}  # of each scalar, the lengths of the loops that it runs with
        self._names: dict[int, str] = {}
        self._bound: dict[str, Any] = {}  # what the text takes from outside: operations, numbers and tables
        lines = [*self._statements()]
        outputs = ", ".join(f"({''.join(self._output(e) + ', ' for e in entries)})" for entries in self._entries)
        body = "\n".join(f"        {line}" for line in [*lines, f"return [{outputs}]"])
        self.text = f"def make({', '.join(self._bound)}):\n    def run(x):\n{body}\n    return run\n"
        room: dict[str, Any] = {}
        exec(self.text, room)
        self._make: Callable[..., Callable[[Array], Any]] = room["make"]
        self._made: dict[Any, Callable[[Array], Any]] = {}

    @property
    def work(self) -> int:
        """How many numbers are made for one θ."""
        return sum(math.prod(self._grids[key]) for key in self._names)

    @property
    def widest(self) -> int:
        """How many numbers the largest array has for one θ."""
        return max(map(math.prod, self._grids.values()), default=1)

    # The text.

    def _statements(self) -> Iterator[str]:
        order = _ordered(entry for entries in self._entries for entry in entries)
        last = {id(argument): id(scalar) for scalar in order for argument in scalar.arguments}
        last |= {id(entry): 0 for entries in self._entries for entry in entries}  # to the end
        for scalar in order:
            if scalar.operation in ("number", "load"):
                self._grids[id(scalar)] = numpy.shape(scalar.data)
                continue
            text, name = self._text(scalar), f"t{len(self._names)}"
            self._names[id(scalar)] = name
            gone = {self._names[id(a)] for a in scalar.arguments if id(a) in self._names and last[id(a)] == id(scalar)}
            yield f"{name} = {text}" + "".join(f"; del {old}" for old in sorted(gone))

    def _text(self, scalar: Scalar) -> str:
        if scalar.operation == "parameter":
            self._grids[id(scalar)] = numpy.shape(scalar.data)
            if not scalar.loops:
                return f"x[..., {scalar.data}]"
            return f"{self._bind('entries')}(x, {self._bind(scalar.data)})"
        if scalar.operation in ("sum", "largest"):
            return self._reduced(scalar)
        grids = [self._grids[id(a)] for a in scalar.arguments]
        rank = max(map(len, grids))
        self._grids[id(scalar)] = numpy.broadcast_shapes(*(grid + (1,) * (rank - len(grid)) for grid in grids))
        alone = self._exact and all(a.operation in ("number", "load") for a in scalar.arguments)
        if scalar.operation in OPERATORS:
            arguments = [self._argument(a, rank, alone) for a in scalar.arguments]
            return OPERATORS[scalar.operation].format(*arguments)
        arguments = [self._argument(a, rank, True) for a in scalar.arguments]
        if self._exact and scalar.operation == "pow" and scalar.arguments[1].operation == "number":
            arguments[1] = repr(scalar.arguments[1].data)
        return f"{self._bind(scalar.operation)}({', '.join(arguments)})"

    def _reduced(self, scalar: Scalar) -> str:
        """A sum or the largest over the last axis; of numbers that do not run with the loop, without it."""
        (body,), (depth, length) = scalar.arguments, scalar.data
        grid = self._grids[id(body)]
        if depth not in body.loops:
            self._grids[id(scalar)] = grid
            entry = self._argument(body, len(grid), self._exact)
            return f"({entry} * {float(length)})" if scalar.operation == "sum" else f"(+{entry})"
        rank = 1 + max(scalar.loops, default=-1)
        self._grids[id(scalar)] = grid[:rank]
        total = f"{self._bind(scalar.operation)}({self._argument(body, depth + 1, True)})"
        return total + (f"[..., {', '.join(['0'] * (depth - rank))}]" if rank < depth else "")

    def _argument(self, scalar: Scalar, rank: int, wrapped: bool) -> str:
        """What to write for an argument of an operation that runs with so many loops."""
        if scalar.operation == "number":
            return repr(scalar.data) if not wrapped and math.isfinite(scalar.data) else self._bind(scalar.data)
        if scalar.operation == "load":
            return self._bind(scalar.data.reshape(scalar.data.shape + (1,) * (rank - scalar.data.ndim)), not wrapped)
        missing = rank - len(self._grids[id(scalar)])
        return self._names[id(scalar)] + (f"[..., {', '.join(['None'] * missing)}]" if missing else "")

    def _output(self, scalar: Scalar) -> str:
        """What to return for an entry: a new array, not a view of θ."""
        return f"+{self._names[id(scalar)]}" if scalar.operation == "parameter" else self._argument(scalar, 0, True)

    def _bind(self, thing: Any, beside: bool = False) -> str:
        """The name of an operation, a number or a table of them, or a table of indices.

        In a foreign arithmetic what stands `beside` an operator stays as it is, and so do truths and indices.
        """
        if isinstance(thing, str):
            self._bound[f"{thing}_"] = thing
            return f"{thing}_"
        kind = "n" if self._exact and (beside or numpy.asarray(thing).dtype.kind != "f") else "c"
        for name, other in self._bound.items():
            if name.startswith(kind) and not isinstance(other, str) and _same(thing, other):
                return name
        self._bound[name := f"{kind}{len(self._bound)}"] = thing
        return name

    # Its evaluation.

    @quietly
    def __call__(self, xp: Namespace, theta: Array) -> list[Array]:
        """The nodes at θ (batch..., d), each of shape (batch..., node shape)."""
        if is_numpy_namespace(xp):
            return self._on_numpy(theta)
        zero, batch = xp.zeros_like(theta[..., 0]), tuple(theta.shape[:-1])
        results = []
        for node, entries in zip(self.nodes, self.run(theta, *_of_library(xp, theta)), strict=True):
            whole = [e if tuple(e.shape) == batch and type(e) is type(zero) else zero + e for e in entries]
            result = xp.stack(whole, axis=-1) if node.shape else whole[0]
            results.append(xp.reshape(result, batch + node.shape) if len(node.shape) > 1 else result)
        return results

    def run(self, theta: Any, operation: Callable[[str], Any], constant: Callable[[Any], Any]) -> Any:
        """All entries of the nodes, by any operations; those that do not depend on θ may be without its batch."""
        bound = [
            operation(x) if isinstance(x, str) else x if name.startswith("n") else constant(x)
            for name, x in self._bound.items()
        ]
        return self._make(*bound)(theta)

    def _on_numpy(self, theta: NDArray[Any]) -> list[Any]:
        """In portions that a processor's cache holds."""
        dtype = theta.dtype
        if dtype not in self._made:
            bound = [_numpys(x) if isinstance(x, str) else _of_dtype(x, dtype) for x in self._bound.values()]
            self._made[dtype] = self._make(*bound)
        run, batch = self._made[dtype], theta.shape[:-1]
        results = [numpy.empty(batch + node.shape, dtype=dtype) for node in self.nodes]
        count, step = math.prod(batch), max(1, TOGETHER // self.widest)
        if count <= 2 * step:
            _fill(results, len(batch), run(theta))
            return [result[()] for result in results]
        flat = theta.reshape(count, -1)
        rows = [result.reshape(count, *node.shape) for result, node in zip(results, self.nodes, strict=True)]
        for first in range(0, count, step):
            part = slice(first, first + step)
            _fill([row[part] for row in rows], 1, run(flat[part]))
        return results


def _fill(results: list[Any], ndim: int, found: Any) -> None:
    """Write entries into arrays of `ndim` axes of the batch, and those of the node."""
    for result, entries in zip(results, found, strict=True):
        if result.ndim == ndim:
            result[...] = entries[0]
            continue
        flat = result.reshape(*result.shape[:ndim], len(entries))  # a view
        for i, entry in enumerate(entries):
            flat[..., i] = entry


def _numpys(name: str) -> Any:
    return REDUCTIONS[name] if name in REDUCTIONS else getattr(numpy, NUMPY_NAMES.get(name, name))


REDUCTIONS = {
    "sum": partial(numpy.add.reduce, axis=-1),
    "largest": partial(numpy.maximum.reduce, axis=-1),
    "entries": lambda theta, indices: theta[..., indices],
}


def _of_dtype(number: Any, dtype: Any) -> Any:
    """Tables in the dtype of θ; numbers stay Python's, which follow the arrays."""
    floats = isinstance(number, numpy.ndarray) and number.dtype.kind == "f"
    return number.astype(dtype) if floats else number


def _of_library(xp: Namespace, theta: Array) -> tuple[Callable[[str], Any], Callable[[Any], Any]]:
    """Operations and constants of an array library, or of arrays that know more than a float does."""
    own = {"sum": partial(xp.sum, axis=-1), "largest": partial(xp.max, axis=-1), "entries": partial(_entries, xp)}
    foreign = getattr(theta, "constant", None)

    def constant(number: Any) -> Any:
        dtype = {"f": theta.dtype, "b": xp.bool}.get(numpy.asarray(number).dtype.kind)
        return xp.asarray(number, dtype=dtype, device=device_of(theta))

    return lambda name: own.get(name) or getattr(xp, name), foreign or constant


def _entries(xp: Namespace, theta: Array, indices: Any) -> Array:
    if isinstance(indices, numpy.ndarray):
        return theta[..., indices]
    return xp.reshape(xp.take(theta, xp.reshape(indices, (-1,)), axis=-1), (*theta.shape[:-1], *indices.shape))


def _ordered(roots: Iterable[Scalar]) -> list[Scalar]:
    """All scalars under the roots, arguments first."""
    order: dict[int, Scalar] = {}
    stack = [(root, False) for root in reversed([*roots])]
    while stack:
        scalar, ready = stack.pop()
        if ready:
            order[id(scalar)] = scalar
        elif id(scalar) not in order:
            stack.append((scalar, True))
            stack.extend((argument, False) for argument in reversed(scalar.arguments))
    return [*order.values()]


def _same(one: Any, other: Any) -> bool:
    a, b = numpy.asarray(one), numpy.asarray(other)
    alike = isinstance(one, numpy.ndarray) == isinstance(other, numpy.ndarray)
    return alike and a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
