"""The array that writes down what is done to it."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import numpy

from geometry.expressions._nodes import Node, constant, take
from geometry.expressions._operations import NUMPY_NAMES, elementwise, where

__all__ = ["Recorded", "RecordingError", "as_node", "numeric", "refuse"]

STANDARD_NAMES = {numpys: ours for ours, numpys in NUMPY_NAMES.items()} | {
    "absolute": "abs",
    "fabs": "abs",
    "mod": "remainder",
    "rint": "round",
    "true_divide": "divide",
}
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logaddexp": "logaddexp.reduce"}


class RecordingError(TypeError):
    """A function did something that cannot be recorded; the message says what, where, and what to write instead."""


def refuse(what: str, instead: str = "") -> RecordingError:
    """The error for something that cannot be recorded, with the line of the user's that did it."""
    advice = f"; {instead}" if instead else ""
    return RecordingError(f"{what} cannot be recorded{_users_line()}{advice}")


def _users_line() -> str:
    """The innermost line that is neither ours nor an array library's."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if not _is_library(name):
            line = linecache.getline(name, frame.f_lineno).strip()
            return f" ({Path(name).name}, line {frame.f_lineno}: {line})" if line else ""
        frame = frame.f_back
    return ""


LIBRARIES = frozenset({"array_api_compat", "array_api_strict", "numpy", "scipy"})


def _is_library(file: str) -> bool:
    path = Path(file)
    ours = path.parent == Path(__file__).parent and path.name != "<stdin>"
    return ours or not LIBRARIES.isdisjoint(path.parts) or file.startswith("<__array_function__")


def as_node(value: Any) -> Node:
    """The node of a recorded array, or of numbers."""
    if isinstance(value, Recorded):
        return value.node
    if isinstance(value, list | tuple) and _holds_recorded(value):
        return Recorded.functions.stack([Recorded(as_node(entry)) for entry in value]).node
    try:
        array = numpy.asarray(value)
    except Exception as error:
        raise refuse(f"an operation with {type(value).__name__}") from error
    if array.dtype.kind not in "biuf":
        raise refuse(f"an operation with {array.dtype if array.dtype != object else type(value).__name__}")
    return constant(array)


def _holds_recorded(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_recorded(entry) for entry in value)
    return isinstance(value, Recorded)


def numeric(node: Node) -> Node:
    """Truth as the numbers 0 and 1."""
    return where(node, constant(1.0), constant(0.0)) if node.boolean else node


def _binary(name: str, swapped: bool = False) -> Callable[[Recorded, Any], Recorded]:
    def operate(self: Recorded, other: Any) -> Recorded:
        pair = (other, self) if swapped else (self, other)
        return Recorded.functions.apply(name, *pair)

    return operate


class Recorded:
    """An array without numbers: it has a shape, and remembers by its node how it was made."""

    __array_priority__ = 10_000.0
    __hash__ = None  # type: ignore[assignment]
    functions: ClassVar[Any]  # the namespace; set where it is made
    device = "cpu"
    dtype = numpy.dtype(float)

    def __init__(self, node: Node) -> None:
        self.node = node
        if node.boolean:
            self.dtype = numpy.dtype(bool)

    def __repr__(self) -> str:
        return f"<recorded array of shape {self.shape}>"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def size(self) -> int:
        return self.node.size

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a number")
        return self.shape[0]

    def __iter__(self) -> Iterator[Recorded]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Recorded:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, Recorded) or _holds_recorded(k) for k in keys):
            raise refuse("an index or mask that depends on θ", "write where(condition, a, b)")
        return Recorded(take(self.node, numpy.arange(self.size).reshape(self.shape)[key]))

    def __setitem__(self, key: Any, value: Any) -> None:
        raise refuse("writing into an array", "make a new one: where, stack, concat")

    def __bool__(self) -> bool:
        raise refuse("a branch on data", "write where(condition, a, b), minimum, maximum, abs or clip")

    def _number(self) -> Any:
        raise refuse("a recorded number as a Python or NumPy number", "write it in functions of arrays")

    __float__ = __int__ = __index__ = __complex__ = _number

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise refuse("a recorded array as a NumPy array", "use array functions; stack instead of numpy.array")

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return self.functions

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = STANDARD_NAMES.get(ufunc.__name__, ufunc.__name__)
        if vars(numpy).get(ufunc.__name__) != ufunc:
            raise refuse(f"the ufunc {ufunc.__name__}", "write it in NumPy's functions, or hand over a gradient")
        if options.get("out") is not None:
            raise refuse("writing into an array", "make a new one: a = a + b in place of a += b, stack, concat")
        if method == "reduce" and ufunc.__name__ in REDUCTIONS:
            options.setdefault("axis", 0)
            return self.functions.call(f"numpy.{ufunc.__name__}.reduce", REDUCTIONS[ufunc.__name__], inputs, options)
        if method != "__call__":
            raise refuse(f"numpy.{ufunc.__name__}.{method}")
        given = [f"{key}=" for key, value in options.items() if not (key == "where" and value is True)]
        if given:
            raise refuse(f"the argument {given[0]} of numpy.{ufunc.__name__}")
        return self.functions.call(f"numpy.{ufunc.__name__}", name, inputs, {})

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        module = (getattr(function, "__module__", None) or "numpy").removeprefix("numpy").removeprefix(".")
        name = f"linalg.{function.__name__}" if module == "linalg" else function.__name__
        return self.functions.call(f"numpy.{name}", name, arguments, options)

    __add__, __radd__ = _binary("add"), _binary("add", swapped=True)
    __sub__, __rsub__ = _binary("subtract"), _binary("subtract", swapped=True)
    __mul__, __rmul__ = _binary("multiply"), _binary("multiply", swapped=True)
    __truediv__, __rtruediv__ = _binary("divide"), _binary("divide", swapped=True)
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _binary("floor_divide", swapped=True)
    __mod__, __rmod__ = _binary("remainder"), _binary("remainder", swapped=True)
    __pow__, __rpow__ = _binary("pow"), _binary("pow", swapped=True)
    __matmul__, __rmatmul__ = _binary("matmul"), _binary("matmul", swapped=True)
    __and__, __rand__ = _binary("logical_and"), _binary("logical_and", swapped=True)
    __or__, __ror__ = _binary("logical_or"), _binary("logical_or", swapped=True)
    __xor__, __rxor__ = _binary("logical_xor"), _binary("logical_xor", swapped=True)
    __lt__, __le__, __gt__, __ge__ = map(_binary, ("less", "less_equal", "greater", "greater_equal"))
    __eq__ = _binary("equal")  # type: ignore[assignment]
    __ne__ = _binary("not_equal")  # type: ignore[assignment]

    def __neg__(self) -> Recorded:
        return self.functions.apply("negative", self)

    def __pos__(self) -> Recorded:
        return Recorded(numeric(self.node))

    def __abs__(self) -> Recorded:
        return self.functions.apply("abs", self)

    def __invert__(self) -> Recorded:
        if not self.node.boolean:
            raise refuse("~ of numbers")
        return Recorded(elementwise("logical_not", self.node))

    def __getattr__(self, name: str) -> Any:
        if name == "T":
            return self.functions.call("T", "transpose", (self,), {})
        if name == "mT":
            return self.functions.call("mT", "matrix_transpose", (self,), {})
        if name in METHODS:
            return lambda *arguments, **options: self.functions.call(f".{name}", name, (self, *arguments), options)
        raise AttributeError(f"a recorded array has no attribute {name!r}")


METHODS = frozenset(
    {
        *("all", "any", "argmax", "argmin", "argsort", "astype", "clip", "copy", "cumprod", "cumsum", "diagonal"),
        *("dot", "flatten", "max", "mean", "min", "prod", "ravel", "repeat", "reshape", "round", "sort", "squeeze"),
        *("std", "sum", "swapaxes", "take", "trace", "transpose", "var"),
    }
)
