"""The border to the array libraries: the only file that imports ``array_api_compat``.

Everything else is written in functions of the array API standard, taken from the namespace that `floating` returns.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from numbers import Integral, Real
from textwrap import shorten
from typing import Any, TypeVar

import numpy
from array_api_compat import (
    array_namespace,
    is_array_api_obj,
    is_array_api_strict_namespace,
    is_jax_namespace,
    is_numpy_namespace,
    is_torch_namespace,
)
from array_api_compat import device as device_of
from array_api_compat import is_dask_array as is_dask

Array = Any
Namespace = Any
Verb = TypeVar("Verb", bound=Callable[..., Any])
NOWHERE = nullcontext()

__all__ = [
    "Array",
    "Namespace",
    "array_namespace",
    "broadcast",
    "count_dtype",
    "device_of",
    "epsilon",
    "filled",
    "fixed",
    "floating",
    "holds",
    "is_array_api_obj",
    "is_compiling",
    "is_dask",
    "is_jax_namespace",
    "is_numpy_namespace",
    "is_torch_namespace",
    "is_traced",
    "library",
    "parted",
    "per_item",
    "positive",
    "quietly",
    "repeat",
    "sized",
    "to_numpy",
    "unmasked",
    "while_loop",
    "whole",
    "widest_float",
]


def floating(name: str, *arrays: Array) -> tuple[Any, ...]:
    """The common namespace of `arrays`, then the arrays themselves in one common floating dtype.

    Python numbers and nested sequences become arrays of the library, dtype and device of the others; of NumPy's where
    there are none. Integers become the namespace's default float.
    """
    held = [sized(name, unmasked(name, a)) for a in arrays if is_array_api_obj(a)]
    written = [_from_python(name, a) for a in arrays if not is_array_api_obj(a)]
    try:
        xp = array_namespace(*(held or written))
    except TypeError as error:
        kinds = ", ".join(type(a).__module__.partition(".")[0] for a in held)
        raise TypeError(f"{name}: all arrays must belong to one array library, got {kinds}") from error
    held = [_as_floating(xp, name, a) for a in held]
    if held:
        dtype = xp.result_type(*held)
        written = [xp.asarray(a, dtype=dtype, device=device_of(held[0])) for a in written]
    else:
        written = [_as_floating(xp, name, a) for a in written]
        dtype = xp.result_type(*written)
    found = (iter(held), iter(written))
    ordered = (next(found[not is_array_api_obj(a)]) for a in arrays)
    return (xp, *(a if a.dtype == dtype else xp.astype(a, dtype) for a in ordered))


def unmasked(name: str, array: Array) -> Array:
    """The array, unless it is masked."""
    if _is_masked(array):
        raise TypeError(
            f"{name} must not be a masked array, since what is masked would count: pass {name}.filled(nan), of a "
            "floating dtype (of a dask array: dask.array.ma.filled)"
        )
    return array


def filled(array: Array) -> Array:
    """The array with NaN where it is masked; integers that are become NumPy's default float."""
    if not _is_masked(array):
        return array
    if is_dask(array):
        import dask.array

        meta = filled(array._meta)
        return dask.array.map_blocks(filled, array, dtype=meta.dtype, meta=meta)
    return numpy.ma.filled(array if array.dtype.kind == "f" else array.astype(float), numpy.nan)


def parted(array: Array) -> tuple[Array, Any]:
    """The array without its mask, and the mask, None where it has none: of `numpy.ma`."""
    return (array.data, numpy.ma.getmaskarray(array)) if isinstance(array, numpy.ma.MaskedArray) else (array, None)


def _is_masked(array: Array) -> bool:
    return isinstance(array._meta if is_dask(array) else array, numpy.ma.MaskedArray)


def sized(name: str, array: Array) -> Array:
    """The array, unless it is dask's and only computing tells how long it is."""
    if is_dask(array) and any(math.isnan(n) for n in array.shape):
        raise ValueError(f"{name} has chunks of unknown size; call {name}.compute_chunk_sizes() first")
    return array


def _from_python(name: str, value: Any) -> numpy.ndarray:
    try:
        array = numpy.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be an array or a rectangular nested sequence of numbers") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of real numbers, got {value!r}")
    return array


def _as_floating(xp: Namespace, name: str, array: Array) -> Array:
    if xp.isdtype(array.dtype, "real floating"):
        return array
    if xp.isdtype(array.dtype, ("integral", "bool")):
        default = xp.__array_namespace_info__().default_dtypes(device=device_of(array))["real floating"]
        return xp.astype(array, default)
    raise TypeError(f"{name} must have a real floating or integer dtype, got {array.dtype}")


def epsilon(xp: Namespace, dtype: Any) -> float:
    """Distance from 1 to the next larger number of `dtype`."""
    return float(xp.finfo(dtype).eps)


def widest_float(xp: Namespace, like: Array) -> Any:
    """The most precise real floating dtype on the device of `like`: float64 nearly everywhere."""
    known = xp.__array_namespace_info__().dtypes(device=device_of(like), kind="real floating")
    return max(known.values(), key=lambda dtype: xp.finfo(dtype).bits)


def quietly(function: Verb) -> Verb:
    """Decorator for functions that answer overflow and NaN by themselves: NumPy's warnings about them are noise.

    They work where their arrays are: CuPy makes arrays on the current device, which becomes that of the first argument
    that is CuPy's, or of its `query`.
    """

    @wraps(function)
    def verb(*arguments: Any, **options: Any) -> Any:
        if is_compiling():  # PyTorch's compiler follows arrays, and no manager of a context of NumPy's
            return function(*arguments, **options)
        with numpy.errstate(all="ignore"), _device_of_cupys((*arguments, *options.values())):
            return function(*arguments, **options)

    return verb  # type: ignore[return-value]


def is_compiling() -> bool:
    """Whether PyTorch's compiler is following this call."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_compiling()


def not_compiling(verb: str) -> None:
    """Raise where PyTorch's compiler follows a call that it cannot."""
    if is_compiling():
        raise TypeError(
            f"{verb} looks samples up on the processor, which torch.compile cannot follow: call it outside of the "
            "compiled function"
        )


def _device_of_cupys(arguments: tuple[Any, ...]) -> Any:
    cupy = sys.modules.get("cupy")
    if cupy is not None:
        for argument in arguments:
            array = getattr(argument, "query", argument)
            if isinstance(array, cupy.ndarray):
                return array.device
    return NOWHERE


def library(xp: Namespace) -> str:
    """The name of an array library, as its users know it."""
    return xp.__name__.removeprefix("array_api_compat.")


def count_dtype(xp: Namespace, like: Array) -> Any:
    """The namespace's default integer dtype on the device of `like`."""
    return xp.__array_namespace_info__().default_dtypes(device=device_of(like))["integral"]


def broadcast(**shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of batches, which are known to the caller by their argument names."""
    try:
        return numpy.broadcast_shapes(*(tuple(shape) for shape in shapes.values()))
    except ValueError as error:
        got = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(f"batch shapes must broadcast, got {got}") from error


def per_item(xp: Namespace, name: str, value: Any, like: Array) -> Any:
    """A hyper-parameter, ready to multiply vectors of shape (..., d): a Python float, or an array of shape (..., 1).

    A hyper-parameter of any other array type is moved to the namespace, dtype and device of `like`.
    """
    if isinstance(value, Real) and not is_array_api_obj(value):
        return float(value)
    _, value = floating(name, value)
    if array_namespace(value) is not xp:
        value = xp.asarray(to_numpy(value), dtype=like.dtype, device=device_of(like))
    broadcast(**{name: value.shape, "the batch": like.shape[:-1]})
    return xp.astype(value, like.dtype)[..., None]


def positive(name: str, value: Any, *, zero: bool = False) -> None:
    """Raise unless every number in `value` is finite and positive (or zero, with ``zero=True``).

    Symbols, of `jax.jit` and of PyTorch's compiler, and arrays of dask have no values yet and pass.
    """
    if isinstance(value, float | int):
        is_wrong = not (math.isfinite(value) and (value >= 0 if zero else value > 0))
    elif is_traced(value) or is_compiling() or is_dask(value):
        return
    else:
        array = unmasked(name, value) if is_array_api_obj(value) else _from_python(name, value)
        xp = array_namespace(array)
        if not xp.isdtype(array.dtype, ("real floating", "integral", "bool")):
            raise TypeError(f"{name} must be real, got dtype {array.dtype}")
        is_wrong = holds(xp.any(~(xp.isfinite(array) & ((array >= 0) if zero else (array > 0)))))
    if is_wrong:
        got = shorten(str(value), 100, placeholder=" ...")
        raise ValueError(f"{name} must be finite and {'not negative' if zero else 'positive'}, got {got}")


def whole(name: str, value: Any, least: int = 0) -> int:
    """`value` as an integer that is at least `least`; anything else raises."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def fixed(make: Callable[..., numpy.ndarray], like: Array, *arguments: Any) -> Array:
    """The numbers that `make` makes of Python's numbers, as an array of the library, dtype and device of `like`.

    To PyTorch's compiler, which does not follow NumPy's random numbers, they are a constant.
    """
    if is_compiling():
        from geometry._torch import fixed_numbers

        return fixed_numbers(make, arguments, like.dtype, device_of(like))
    return array_namespace(like).asarray(make(*arguments), dtype=like.dtype, device=device_of(like))


def to_numpy(array: Array) -> numpy.ndarray:
    """A NumPy copy of any array, from whatever device; a floating dtype that NumPy lacks (bfloat16) becomes float32."""
    if isinstance(array, numpy.ndarray):
        return numpy.array(array, order="C")  # no subclass
    xp = array_namespace(array)
    if is_torch_namespace(xp):
        array = array.detach().cpu()
        return (array.float() if str(array.dtype) == "torch.bfloat16" else array).numpy().copy()
    if hasattr(array, "get"):  # CuPy
        return array.get()
    if is_array_api_strict_namespace(xp):  # refuses NumPy's own conversion on all its devices but one
        return numpy.from_dlpack(array).copy()
    copy = numpy.array(array)
    return copy.astype(numpy.float32) if copy.dtype.kind == "V" else copy  # JAX's bfloat16


def is_traced(*arrays: Any) -> bool:
    """Whether an array is a JAX tracer: a symbol without a value, inside ``jax.jit``."""
    jax = sys.modules.get("jax")
    return jax is not None and any(isinstance(a, jax.core.Tracer) for a in arrays)


def holds(condition: Array) -> bool:
    """Whether a condition () holds: under ``torch.func.vmap``, for any item."""
    if is_torch_namespace(array_namespace(condition)):
        from geometry._torch import Anywhere

        condition = Anywhere.apply(condition)
    return bool(condition)


def repeat(steps: int, body: Callable[[Array], Array], state: Array, *inputs: Array) -> Array:
    """Apply `body` to `state` `steps` times. `inputs` are the other arrays that `body` reads."""
    if is_traced(state, *inputs):
        import jax

        return jax.lax.fori_loop(0, steps, lambda _, s: body(s), state)
    for _ in range(steps):
        state = body(state)
    return state


def while_loop(
    condition: Callable[[Any], Array], body: Callable[[Any], Any], state: tuple[Array, ...], *inputs: Array
) -> Any:
    """Apply `body` to the tuple `state` while `condition` holds. `inputs` are the other arrays that either reads."""
    if is_traced(*state, *inputs):
        import jax

        return jax.lax.while_loop(condition, body, state)
    if is_compiling():
        return _compiled_loop(condition, body, state)
    while holds(condition(state)):
        state = body(state)
    return state


def _compiled_loop(condition: Callable[[Any], Array], body: Callable[[Any], Any], state: tuple[Array, ...]) -> Any:
    """The loop as PyTorch's compiler takes it: its arrays have a layout that stays, and memory of their own."""
    import torch
    from torch._higher_order_ops.while_loop import while_loop as loop
    from torch.utils._pytree import tree_map

    def owned(arrays: Any) -> Any:
        return tree_map(lambda array: array.clone(memory_format=torch.contiguous_format), arrays)

    return loop(lambda *s: condition(s), lambda *s: owned(body(s)), owned(state))
