"""Vectors and small symmetric matrices of compiled code, as bare addresses of float64.

No view is made, and nothing counts references. For a literal d the loops over the axes have a known length.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from geometry._kernels.compiling import compiled

__all__ = [
    "ADDRESS",
    "address",
    "at",
    "copy",
    "eigen",
    "hypotenuse",
    "keep",
    "length",
    "scale_along",
    "select",
    "solve",
]

ADDRESS = types.CPointer(types.float64)
EPS = 2.0**-52
SWEEPS = 30  # of Jacobi's rotations; five are usual

_compiled = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@intrinsic
def address(typing_context: Any, array: Any) -> Any:
    """Of the first entry of a contiguous array, which must outlive it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


@intrinsic
def keep(typing_context: Any, array: Any) -> Any:
    """Do nothing with an array, but after what is done at its address: it is freed after its last use by name."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_dummy_value()

    return types.void(array), generate


@intrinsic
def at(typing_context: Any, pointer: Any, places: Any) -> Any:
    """The address so many numbers further on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return pointer(pointer, types.int64), generate


@intrinsic
def select(typing_context: Any, condition: Any, yes: Any, no: Any) -> Any:
    """`yes if condition else no` of numbers that are both known, without a branch."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return types.float64(types.boolean, types.float64, types.float64), generate


@_compiled
def copy(source, target, count):
    for i in range(count):
        target[i] = source[i]


@_compiled
def length(vector, d):
    """|v|, safe against overflow and underflow of squares; NaN for NaN."""
    if d == 1:
        return abs(vector[0])
    total = 0.0
    for i in range(d):
        total += vector[i] * vector[i]
    if 1e-280 < total < 1e280:
        return math.sqrt(total)
    return _scaled_length(vector, d)


@_compiled
def _scaled_length(vector, d):
    size = 0.0
    for i in range(d):
        if not abs(vector[i]) <= size:
            size = abs(vector[i])
    if not 0 < size < np.inf:
        return size
    total = 0.0
    for i in range(d):
        total += (vector[i] / size) ** 2
    return size * math.sqrt(total)


@_compiled
def hypotenuse(a, b):
    """Of a, b ≥ 0."""
    total = a * a + b * b
    if 1e-280 < total < 1e280:
        return math.sqrt(total)
    return math.hypot(a, b)


@_compiled
def scale_along(vector, normal, factor, d):
    """G^(p/2) v in place: the part of v along the unit slope times factor = W^p."""
    along = 0.0
    for i in range(d):
        along += vector[i] * normal[i]
    for i in range(d):
        vector[i] = (vector[i] - along * normal[i]) + along * factor * normal[i]


@_compiled
def solve(a, height, floor, b, factor, v, d):
    """(I + height·a) v = b by Cholesky's LDLᵀ; False unless all eigenvalues are larger than a small floor."""
    for attempt in range(2):
        shift = 0.0 if attempt else floor
        for k in range(d):
            for i in range(k, d):
                total = height * a[i * d + k]
                for j in range(k):
                    total -= factor[i * d + j] * factor[k * d + j] * factor[j * d + j]
                if i > k:
                    factor[i * d + k] = total / factor[k * d + k]
                else:
                    factor[k * d + k] = 1 - shift + total
                    if not factor[k * d + k] > 0:
                        return False
    for i in range(d):
        v[i] = b[i]
        for j in range(i):
            v[i] -= factor[i * d + j] * v[j]
    for k in range(d):
        i = d - 1 - k
        v[i] /= factor[i * d + i]
        for j in range(i + 1, d):
            v[i] -= factor[j * d + i] * v[j]
    return True


@_compiled
def eigen(a, v, values, d):
    """Eigenvalues of the matrix a, eigenvectors in the columns of v, by Jacobi's rotations."""
    for i in range(d):
        for j in range(d):
            v[i * d + j] = 1.0 if i == j else 0.0
    for _ in range(SWEEPS if d > 1 else 0):
        off, size = 0.0, 0.0
        for i in range(d):
            size = max(size, abs(a[i * d + i]))
            for j in range(i):
                off = max(off, abs(a[i * d + j]))
        if off <= EPS * size:
            break
        for p in range(d - 1):
            for q in range(p + 1, d):
                if abs(a[p * d + q]) > EPS * size:
                    _rotate(a, v, p, q, d)
    for i in range(d):
        values[i] = a[i * d + i]


@_compiled
def _rotate(a, v, p, q, d):
    """The rotation that makes a[p, q] zero."""
    both = a[p * d + q]
    ratio = (a[q * d + q] - a[p * d + p]) / (2 * both)
    t = math.copysign(1.0, ratio) / (abs(ratio) + math.sqrt(1 + ratio * ratio))
    c = 1 / math.sqrt(1 + t * t)
    s = t * c
    for k in range(d):
        if k != p and k != q:
            x, y = a[p * d + k], a[q * d + k]
            a[p * d + k] = a[k * d + p] = c * x - s * y
            a[q * d + k] = a[k * d + q] = s * x + c * y
        x, y = v[k * d + p], v[k * d + q]
        v[k * d + p], v[k * d + q] = c * x - s * y, s * x + c * y
    a[p * d + p] -= t * both
    a[q * d + q] += t * both
    a[p * d + q] = a[q * d + p] = 0.0
