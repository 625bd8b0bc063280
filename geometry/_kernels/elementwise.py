"""Functions of several numbers as functions of arrays, in one compiled loop over all elements.

A function is compiled from its own text; what arrays and numbers have in different ways is found here, by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from numba import float64
from numba.np.ufunc.dufunc import DUFunc

from geometry._kernels.compiling import compiled, remembered
from geometry._kernels.elementary import bits_of, number_of

__all__ = ["elementwise"]

_numbers = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of float64 numbers, and the functions of its module that it calls, as a function of NumPy."""
    body = _with_others(function)
    dispatcher: Any = DUFunc(body)
    dispatcher._dispatcher.cache = remembered(body)
    dispatcher.add(float64(*[float64] * function.__code__.co_argcount))
    found: Callable[..., Any] = dispatcher.ufunc
    return found


@cache
def _of_numbers(function: Callable[..., Any]) -> Any:
    return _numbers(_with_others(function))


def _with_others(function: Any) -> Any:
    """The function, calling compiled ones."""
    space = function.__globals__
    called = [name for name in function.__code__.co_names if isinstance(space.get(name), FunctionType)]
    others = {name: BY_NAME.get(name) or _of_numbers(space[name]) for name in called}
    return FunctionType(function.__code__, {**space, **others}, function.__name__)


@_numbers
def where(condition, x, y):
    return x if condition else y


@_numbers
def two_to(k):
    return number_of(bits_of(k + (MAGIC + 1023.0)) << 52)


@_numbers
def exponent(x):
    return ((bits_of(x) >> 52) & 2047) - 1023.0


MAGIC = 1.5 * 2.0**52  # added to a number it leaves the nearest integer in the last bits
BY_NAME = {"where": where, "two_to": two_to, "exponent": exponent}
