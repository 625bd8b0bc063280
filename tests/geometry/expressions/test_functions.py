"""Every function of the namespace against NumPy's of the same name, through NumPy and through the namespace."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from geometry.expressions import record
from geometry.expressions._functions import ALIASES, COMPOSED, FUNCTIONS
from geometry.expressions._operations import TABLE

THETA = np.array([0.3, 0.7, 0.45])
BOOLEAN = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "invert")


def square(t):
    return t[:, None] * np.array([1.0, -0.5, 2.0]) + t**2


CASES = {  # (xp, t) → array; xp is NumPy, or the namespace
    "all": lambda xp, t: xp.all(t > 0.4, keepdims=True),
    "any": lambda xp, t: xp.any(t > 0.6, axis=0, keepdims=True),
    "amax": lambda xp, t: xp.amax(square(t), axis=1),
    "amin": lambda xp, t: xp.amin(square(t), axis=(0, 1), keepdims=True),
    "max": lambda xp, t: xp.max(square(t), axis=0),
    "min": lambda xp, t: xp.min(square(t)),
    "arange": lambda xp, t: xp.arange(3) * t,
    "around": lambda xp, t: xp.around(7.77 * t, 1),
    "round": lambda xp, t: xp.round(t * 50, -1) if xp is np else xp.round(t * 50, decimals=-1),
    "rint": lambda xp, t: xp.rint(5 * t),
    "fix": lambda xp, t: xp.fix(-5 * t),
    "array": lambda xp, t: t if xp is np else xp.array([t[0], t[1], 1.0]) * 0 + t,
    "asanyarray": lambda xp, t: t if xp is np else xp.asanyarray(t),
    "asarray": lambda xp, t: t if xp is np else xp.asarray(t, dtype=float),
    "ascontiguousarray": lambda xp, t: t if xp is np else xp.ascontiguousarray(t),
    "astype": lambda xp, t: xp.astype(t > 0.4, t.dtype) * t,
    "atleast_1d": lambda xp, t: xp.atleast_1d(t[0]),
    "atleast_2d": lambda xp, t: xp.atleast_2d(t),
    "atleast_3d": lambda xp, t: xp.atleast_3d(t),
    "average": lambda xp, t: (
        xp.average(square(t), axis=0, weights=[1.0, 2.0, 5.0])
        + xp.average(square(t), axis=-1, weights=np.array([1.0, 2.0, 5.0]), keepdims=True)
        + xp.average(square(t), weights=square(t)) * xp.average(t)
    ),
    "broadcast_arrays": lambda xp, t: xp.broadcast_arrays(t[:, None], t)[0],
    "broadcast_to": lambda xp, t: xp.broadcast_to(t, (2, 3)),
    "can_cast": lambda xp, t: t * xp.can_cast(t.dtype, np.float64),
    "clip": lambda xp, t: xp.clip(t, 0.4, t[::-1] + 0.1),
    "column_stack": lambda xp, t: xp.column_stack([t, 2 * t]),
    "concat": lambda xp, t: xp.concat([t, 2 * t]),
    "concatenate": lambda xp, t: xp.concatenate([square(t), 2 * square(t)], axis=1),
    "copy": lambda xp, t: xp.copy(t),
    "count_nonzero": lambda xp, t: xp.count_nonzero(square(t) > 0.3, axis=0) * t,
    "cross": lambda xp, t: xp.cross(t, t[::-1] ** 2),
    "cumprod": lambda xp, t: xp.cumprod(square(t), axis=0),
    "cumsum": lambda xp, t: xp.cumsum(square(t)),
    "cumulative_prod": lambda xp, t: xp.cumulative_prod(t, include_initial=True),
    "cumulative_sum": lambda xp, t: xp.cumulative_sum(square(t), axis=1, include_initial=True),
    "diag": lambda xp, t: xp.diag(t, 1) + xp.diag(xp.diag(xp.outer(xp.concatenate([t, t[:1]]), t[[0, 1, 2, 0]]))),
    "diagflat": lambda xp, t: xp.diagflat(t, k=-1),
    "diagonal": lambda xp, t: xp.diagonal(square(t), offset=1),
    "diff": lambda xp, t: xp.diff(square(t), n=2, axis=0),
    "dot": lambda xp, t: xp.dot(square(t), t) * xp.dot(2.0, t),
    "dstack": lambda xp, t: xp.dstack([t, t**2]),
    "einsum": lambda xp, t: (
        xp.einsum("ij,jk,k->i", square(t), square(t), t)
        + xp.einsum("ii", square(t))
        + xp.einsum("...i,ij,...j->...", square(t), square(t), t)
        + xp.einsum("...i, k...", t, square(t)[:, 0])[0]
    ),
    "empty": lambda xp, t: t * xp.empty((0, 3)).size,
    "empty_like": lambda xp, t: t * xp.empty_like(t).size,
    "expand_dims": lambda xp, t: xp.expand_dims(t, axis=1),
    "eye": lambda xp, t: xp.eye(3, k=1) * t,
    "finfo": lambda xp, t: t * xp.finfo(t.dtype).eps,
    "flatten": lambda xp, t: square(t).flatten(),
    "flip": lambda xp, t: xp.flip(square(t), axis=1),
    "fliplr": lambda xp, t: xp.fliplr(square(t)),
    "flipud": lambda xp, t: xp.flipud(square(t)),
    "full": lambda xp, t: xp.full(3, 2.5) * t,
    "full_like": lambda xp, t: xp.full_like(t, 2.5) * t,
    "hstack": lambda xp, t: xp.hstack([t, t**2]),
    "iinfo": lambda xp, t: t * (np if xp is np else xp).finfo(np.float64).bits,
    "inner": lambda xp, t: xp.inner(square(t), t) + xp.inner(square(t), square(t)),
    "interp": lambda xp, t: xp.interp(square(t), [-0.2, 0.1, 0.4, 0.9], [1.0, -3.0, 2.0, 2.5]),
    "isdtype": lambda xp, t: t * xp.isdtype(t.dtype, "real floating"),
    "linspace": lambda xp, t: t * xp.linspace(0, 1, 3),
    "logaddexp.reduce": lambda xp, t: np.logaddexp.reduce(square(t), axis=1) + np.logaddexp.reduce(t, keepdims=True),
    "matmul": lambda xp, t: xp.matmul(t, square(t)) + xp.matmul(square(t), square(t)),
    "matrix_transpose": lambda xp, t: xp.matrix_transpose(square(t)),
    "mean": lambda xp, t: xp.mean(square(t), axis=0, where=np.eye(3) + np.eye(3)[::-1] > 0),
    "median": lambda xp, t: xp.median(square(t), axis=0) + xp.median(square(t)[:2], keepdims=True)[0],
    "meshgrid": lambda xp, t: xp.meshgrid(t, t**2, indexing="ij")[1],
    "moveaxis": lambda xp, t: xp.moveaxis(square(t), 0, -1),
    "ndim": lambda xp, t: t * xp.ndim(square(t)),
    "ones": lambda xp, t: t * xp.ones(3),
    "ones_like": lambda xp, t: t * xp.ones_like(t),
    "outer": lambda xp, t: xp.outer(t, t**2),
    "pad": lambda xp, t: xp.pad(t, (1, 2)) + xp.pad(t, (2, 1), mode="edge"),
    "permute_dims": lambda xp, t: xp.permute_dims(square(t), (1, 0)),
    "polyval": lambda xp, t: xp.polyval([1.0, -2.0, 0.5], t),
    "prod": lambda xp, t: xp.prod(square(t), axis=0, initial=2.0),
    "ptp": lambda xp, t: xp.ptp(square(t), axis=1),
    "ravel": lambda xp, t: xp.ravel(square(t)),
    "repeat": lambda xp, t: xp.repeat(t, [1, 3, 2]),
    "reshape": lambda xp, t: xp.reshape(square(t), (1, -1)),
    "result_type": lambda xp, t: t * xp.result_type(t.dtype, np.float32).itemsize,
    "roll": lambda xp, t: xp.roll(square(t), (1, 2), axis=(0, 1)),
    "rollaxis": lambda xp, t: xp.rollaxis(square(t), 1),
    "rot90": lambda xp, t: xp.rot90(square(t), 3),
    "select": lambda xp, t: xp.select([t > 0.5, t > 0.4], [t**2, -t], default=9.0),
    "shape": lambda xp, t: t * xp.shape(square(t))[0],
    "size": lambda xp, t: t * xp.size(square(t)),
    "sort": lambda xp, t: xp.sort(square(t), axis=0),
    "squeeze": lambda xp, t: xp.squeeze(t[None, :], axis=0),
    "stack": lambda xp, t: xp.stack([t, t**2], axis=-1),
    "std": lambda xp, t: xp.std(square(t), axis=0),
    "sum": lambda xp, t: xp.sum(square(t), axis=(0,), keepdims=True),
    "swapaxes": lambda xp, t: xp.swapaxes(square(t), 0, 1),
    "take": lambda xp, t: xp.take(square(t), np.array([2, 0]), axis=1),
    "tensordot": lambda xp, t: (
        xp.tensordot(square(t), square(t), axes=((0,), (1,))) + xp.tensordot(square(t), square(t))
    ),
    "tile": lambda xp, t: xp.tile(t, (2, 2)),
    "trace": lambda xp, t: xp.trace(square(t), offset=-1) * t,
    "trapezoid": lambda xp, t: xp.trapezoid(square(t), axis=0) + xp.trapezoid(square(t), t**2, axis=-1),
    "transpose": lambda xp, t: xp.transpose(square(t), (1, 0)) + square(t).transpose() + square(t).T,
    "tril": lambda xp, t: xp.tril(square(t), k=-1),
    "triu": lambda xp, t: xp.triu(square(t), k=1),
    "unstack": lambda xp, t: xp.unstack(square(t), axis=1)[2],
    "var": lambda xp, t: xp.var(square(t), axis=1, correction=1),
    "vdot": lambda xp, t: xp.vdot(square(t), square(t)) * t,
    "vecdot": lambda xp, t: xp.vecdot(square(t), t),
    "vstack": lambda xp, t: xp.vstack([t, t**2]),
    "where": lambda xp, t: xp.where(t > 0.4, t, -(t**2)),
    "zeros": lambda xp, t: t + xp.zeros(3),
    "zeros_like": lambda xp, t: t + xp.zeros_like(t),
    "linalg.cross": lambda xp, t: xp.linalg.cross(t, t[::-1] ** 2),
    "linalg.matmul": lambda xp, t: xp.linalg.matmul(square(t), t),
    "linalg.norm": lambda xp, t: xp.linalg.norm(square(t), 3, 1) + xp.linalg.norm(square(t), "fro"),
    "linalg.outer": lambda xp, t: xp.linalg.outer(t, t),
    "linalg.tensordot": lambda xp, t: xp.linalg.tensordot(square(t), t, axes=1),
    "linalg.trace": lambda xp, t: xp.linalg.trace(square(t)) * t,
    "linalg.vecdot": lambda xp, t: xp.linalg.vecdot(square(t), t),
    "linalg.vector_norm": lambda xp, t: xp.linalg.vector_norm(square(t), ord=-np.inf, axis=0),
}


def elementwise(name):
    count = len(inspect.signature(FUNCTIONS[name]).parameters)

    def case(xp, t):
        arguments = [t + 1 if name == "acosh" else t, t[::-1] - 0.1][:count]
        logical = name in BOOLEAN or name.startswith("logical")
        return getattr(xp, name)(*(x > 0.4 if logical else x for x in arguments))

    return case


ELEMENTWISE = [
    name for name in FUNCTIONS if (name in TABLE or name in COMPOSED or name in ALIASES) and name not in CASES
]
CASES |= {name: elementwise(name) for name in ELEMENTWISE}


def weighed(result):
    """One number that knows every entry and its place."""
    result = result * np.ones(()) if isinstance(result, np.ndarray | np.generic) else result + 0
    return np.sum(result * np.cos(np.arange(1.0, result.size + 1)).reshape(result.shape))


def test_every_function_has_a_case():
    assert FUNCTIONS.keys() == CASES.keys()


def test_the_page_lists_all():
    page = (Path(__file__).parents[3] / "docs" / "expressions.rst").read_text(encoding="utf-8")
    listed = page.partition("takes.\n\n")[2].partition("\n\n")[0]
    assert re.findall(r"``(.*?)``", listed) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("through", ["numpy", "namespace"])
def test_functions(name, through):
    case = CASES[name]
    expected = weighed(case(np, THETA))

    def recorded(t):
        return weighed(case(np if through == "numpy" or isinstance(t, np.ndarray) else t.__array_namespace__(), t))

    assert record(recorded, 3).value(THETA) == pytest.approx(expected, rel=1e-13, abs=1e-13)


def test_fmax_and_fmin_take_the_other_of_nan():
    expression = record(
        lambda t: np.fmax(np.sqrt(t[..., 0]), t[..., 1]) * np.fmin(t[..., 1] ** 2, np.log(t[..., 0])), 2
    )
    theta = np.array([[-1.0, 0.7], [0.25, 0.7], [9.0, 2.0]])
    np.testing.assert_allclose(expression.value(theta), [0.7**3, 0.7 * np.log(0.25), 3 * np.log(9)], rtol=1e-15)
    slopes = [[0, 3 * 0.7**2], [0.7 / 0.25, np.log(0.25)], [np.log(9) / 6 + 1 / 3, 0]]
    np.testing.assert_allclose(expression.gradient(theta), slopes, rtol=1e-14)
