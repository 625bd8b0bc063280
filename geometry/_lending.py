"""Arrays of PyTorch and JAX as those that have kernels: the same memory under another name, by DLPack.

What decides is where an array lives: in the memory of the CPU it is NumPy's, in that of a CUDA device CuPy's. It is
lent only while no derivative of it may be wanted, and while it holds numbers at all, which a tracer does not.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy

from geometry._autodiff import constant, is_differentiable, is_recorded
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    is_array_api_obj,
    is_compiling,
    is_torch_namespace,
    is_traced,
)

__all__ = ["lend"]

OWNERS = {1: "numpy", 2: "cupy"}
"""The library of each kind of memory, by DLPack's numbers: kDLCPU, kDLCUDA."""


def lend(*arrays: Array) -> tuple[tuple[Array, ...], Callable[[Array], Array]]:
    """The arrays under the name of the library that has kernels for their memory, and what takes results back.

    Parameters
    ----------
    arrays : array or number
        Of one library and one device. Numbers stay as they are.

    Returns
    -------
    lent : tuple of arrays
        Not to be written to. The arrays themselves where they cannot be lent, or need not be.
    back : callable
        From an array of that library to one of the library and the device of `arrays`, in the same dtype; an integer
        that the library does not have becomes its own.
    """
    xp, held = array_namespace(*arrays), [array for array in arrays if is_array_api_obj(array)]
    if is_compiling() or not is_differentiable(xp) or is_recorded(xp, *held) or is_traced(*held):
        return arrays, _itself
    try:
        (device,) = {tuple(map(int, array.__dlpack_device__())) for array in held}
        owner: Any = import_module(OWNERS[device[0]])
        lent = {id(array): owner.from_dlpack(_settled(xp, array)) for array in held}
    except (
        Exception
    ):  # no such library; a wrapper of PyTorch's or a dtype that has no memory to show: each its own error
        return arrays, _itself
    return tuple(lent.get(id(array), array) for array in arrays), lambda result: _returned(xp, result, held[0])


def _itself(array: Array) -> Array:
    return array


def _settled(xp: Namespace, array: Array) -> Array:
    """The array with its numbers in memory as they are."""
    if not is_torch_namespace(xp):
        return array.block_until_ready()
    import torch

    plain = type(array) in (torch.Tensor, torch.nn.Parameter)
    if not plain or torch._is_functional_tensor(array):
        raise TypeError("this tensor's memory is somebody else's to manage")
    return constant(xp, array).resolve_neg()


def _returned(xp: Namespace, result: Array, like: Array) -> Array:
    if not isinstance(result, numpy.ndarray | numpy.generic):
        return xp.from_dlpack(result)
    return xp.asarray(numpy.require(result, requirements="W"), device=device_of(like))
