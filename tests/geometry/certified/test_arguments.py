"""Nothing that a user writes is swallowed: every argument is obeyed or refused, whichever way it comes in.

The truth is NumPy's own value. The cases are generated from the table of functions and from the signatures of NumPy, of
the table, and of arrays, so that a function or an argument that is new fails here until it has been thought of.
"""

from __future__ import annotations

import inspect
import operator
import warnings

import numpy as np
import pytest

from geometry.certified._forms import Form, Record, box_form, point_form
from geometry.certified._functions import namespace as xp
from geometry.certified._intervals import interval
from geometry.certified._jets import Jet, differentiated
from geometry.certified._table import ALIASES, TABLE, by_numpy
from geometry.certified._truth import Truth

A = np.array([[0.21, 0.85, 0.43], [0.67, 0.32, 0.74]])
B = np.array([[0.55, 0.28, 0.91], [0.39, 0.81, 0.17]])
MASK = np.array([[True, False, True], [False, True, True]])

# How each function is called at the least: its arguments, from two arrays.
ONE = "abs acos asin asinh atan atanh ceil cos cosh exp expm1 floor isfinite isinf isnan log log10 log1p log2"
ONE += " max mean min negative norm positive prod reciprocal round sign sin sinh sort sqrt square sum tan tanh trunc"
ONE += " vector_norm permute_dims matrix_transpose result_type asarray zeros_like ones_like unstack clip"
TWO = "add atan2 divide equal fmax fmin greater greater_equal hypot less less_equal maximum minimum multiply not_equal"
TWO += " pow subtract vecdot"
CALLS = {name: lambda a, b: ((a,), {}) for name in ONE.split()}
CALLS |= {name: lambda a, b: ((a, b), {}) for name in TWO.split()}
CALLS |= {name: lambda a, b: ((a < b,), {}) for name in ("any", "all", "logical_not")}
CALLS |= {name: lambda a, b: ((a < b, a < 0.5), {}) for name in ("logical_and", "logical_or", "logical_xor")}
CALLS |= {
    "acosh": lambda a, b: ((a + 1,), {}),
    "astype": lambda a, b: ((a, float), {}),
    "broadcast_arrays": lambda a, b: ((a, b[0]), {}),
    "broadcast_to": lambda a, b: ((a, (4, 2, 3)), {}),
    "concat": lambda a, b: (([a, b],), {}),
    "cumulative_sum": lambda a, b: ((a,), {"axis": -1}),
    "diff": lambda a, b: ((a,), {}),
    "dot": lambda a, b: ((a, B[0]), {}),
    "einsum": lambda a, b: (("ij,kj->ik", a, b), {}),
    "empty_like": lambda a, b: ((a,), {}),
    "expand_dims": lambda a, b: ((a, 0), {}),
    "flip": lambda a, b: ((a, 0), {}),
    "full": lambda a, b: (((2, 3), b), {}),
    "full_like": lambda a, b: ((a, 0.25), {}),
    "matmul": lambda a, b: ((a, B.T), {}),
    "moveaxis": lambda a, b: ((a, 0, 1), {}),
    "reshape": lambda a, b: ((a, (3, 2)), {}),
    "roll": lambda a, b: ((a, 1, 0), {}),
    "squeeze": lambda a, b: ((a[..., None], -1), {}),
    "stack": lambda a, b: (([a, b],), {}),
    "swapaxes": lambda a, b: ((a, 0, 1), {}),
    "take": lambda a, b: ((a, [1, 0, 1], 1), {}),
    "tensordot": lambda a, b: ((a, B.T), {"axes": 1}),
    "where": lambda a, b: ((a < b, a, b), {}),
}

ANY = {"axes": [[(-2, -1), (-2, -1), (-2, -1)], 1, [[1], [0]], [1, 0]], "axis": [None, 0, 1, -1, -2, (0, 1), (1,)]}
VALUES = ANY | {
    "a_max": [0.5, A.T[0][:, None], None], "a_min": [0.5, None], "append": [0.5], "casting": ["unsafe", "same_kind"],
    "copy": [None, True, False], "decimals": [0, 1, -1], "descending": [True, False], "destination": [0, 1],
    "device": [None, "cpu"], "dtype": [None, float, int, bool, np.float32, np.longdouble], "fill_value": [2.5, B],
    "include_initial": [True, False], "indices": [0, [-1, 1]], "initial": [0.0, 1.0, 0.5, 7.0, -3.0, B[0, 0]],
    "keepdims": [True, False], "like": [None], "kind": [None, "stable"], "max": [0.5, None], "min": [0.5, None],
    "mode": ["raise", "wrap", "clip"], "n": [1, 2], "optimize": [True, False], "order": ["C", "F", "K", None],
    "ord": [None, 0, 1, 2, 3, 0.5, -1, np.inf, -np.inf, "fro", "nuc"], "out": [None, "array"], "prepend": [0.5],
    "shape": [(6,), (3, 2), (2, 3), (4, 2, 3)], "shift": [1, 2, -1], "signature": ["d->d", "dd->d"],
    "source": [0, 1], "stable": [None, True, False], "subok": [True, False], "where": [True, MASK, MASK[0]],
    "newshape": [(3, 2)], "refcheck": [True], "ndmin": [3],
}  # fmt: skip
OPERANDS = {"a", "a1", "a2", "arr", "array", "arrays", "axis1", "axis2", "b", "condition", "m", "obj", "operands",
            "power", "prototype", "subscripts", "x", "x1", "x2", "y", "args", "kwargs",
            "arrays_and_dtypes", "v"}  # fmt: skip


# What the standard has and NumPy has not.
def sort(x, axis=-1, descending=False, **_):
    return np.flip(np.sort(x, axis), axis) if descending else np.sort(x, axis)


def clip(x, a_min=None, a_max=None, min=None, max=None):
    return np.clip(x, a_min if min is None else min, a_max if max is None else max)


STANDARD = {"sort": sort, "clip": clip}


def numpy_function(name):
    return getattr(np, name, None) or getattr(np.linalg, name)


def parameters(function):
    """Names, in order, of what a function takes besides its operands."""
    try:
        found = inspect.signature(function).parameters
    except ValueError:
        return []
    return [name for name in found if name not in OPERANDS]


def forms():
    """Two arrays in three ways: points, small boxes, and intervals that come as jets."""
    yield point_form(A, interval, Record()), point_form(B, interval, Record())
    record = Record()
    yield box_form(A, np.full(A.shape, 1e-4), interval, record), box_form(B, np.full(B.shape, 1e-4), interval, record)


def jets():
    made = []
    differentiated(lambda t: (made.append(t), t[..., 0])[1], next(forms())[0])
    return [(made[0], made[0])]


def value_of(function, args, options):
    """What NumPy says, or None where it refuses."""
    if isinstance(options.get("out"), str):
        return None  # a form is never written into an array
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **options)
    except (TypeError, ValueError, AttributeError, IndexError):
        return None


def holds(found, truth):
    """Whether an answer contains NumPy's, which is rounded."""
    if isinstance(found, list | tuple):
        return len(found) == len(truth) and all(map(holds, found, truth))
    if isinstance(found, Truth):
        return found.shape == np.shape(truth) and bool((~found.yes | truth).all() and (~found.no | ~truth).all())
    if isinstance(found, np.dtype | np.ndarray | np.generic):
        return bool(np.all(found == truth))
    whole, truth = found.range(), np.asarray(truth, dtype=float)
    truth = truth.reshape(whole.shape) if truth.size == np.prod(whole.shape) == 1 else truth
    with np.errstate(invalid="ignore"):
        slack = 1e-13 * (1 + np.abs(truth))
        inside = (whole.lo - slack <= truth) & (truth <= whole.hi + slack)
    nowhere = np.isnan(whole.lo) | np.isinf(whole.lo) | np.isinf(whole.hi) | found.record.partial
    return whole.lo.shape == truth.shape and bool(np.all(np.where(np.isfinite(truth), inside, nowhere)))


def obeyed_or_refused(function, truth_of, args, true_args, options):
    options = {k: np.empty(A.shape) if isinstance(v, str) and v == "array" else v for k, v in options.items()}
    for form in (form for form in args if isinstance(form, Form)):
        form.record.__init__()
    truth = value_of(truth_of, true_args, options) if not isinstance(options.get("out"), np.ndarray) else None
    try:
        found = function(*args, **options)
    except (TypeError, ValueError):
        return
    assert truth is not None, f"{function} with {options}: NumPy refuses, intervals do not"
    assert holds(found, truth), f"{function} with {options}: {found} for {truth}"


def test_every_function_of_the_table_has_a_case():
    assert CALLS.keys() == TABLE.keys()


@pytest.mark.parametrize("name", CALLS)
def test_functions_contain_numpys_values(name):
    truth_args, options = CALLS[name](A, B)
    truth = STANDARD.get(name, numpy_function(name))(*truth_args, **options)
    for a, b in forms():
        args, _ = CALLS[name](a, b)
        found = getattr(xp, name)(*args, **options)
        assert holds(found, truth) or name == "empty_like"


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_obeyed_or_refused(name):
    """By name, under the standard's name and under NumPy's."""
    named = {*parameters(numpy_function(name)), *parameters(TABLE[name].__wrapped__)}
    assert named <= VALUES.keys()
    true_args, options = CALLS[name](A, B)
    a, b = next(forms())
    args, _ = CALLS[name](a, b)
    truth = STANDARD.get(name, numpy_function(name))
    for argument in sorted(named | {"out", "where", "dtype", "initial", "keepdims", "casting"}):
        for value in VALUES[argument] if name != "empty_like" else ():
            extra = {**options, argument: value}
            obeyed_or_refused(getattr(xp, name), truth, args, true_args, extra)
            obeyed_or_refused(numpy_function(name), truth, args, true_args, extra)


@pytest.mark.parametrize("name", CALLS)
def test_positions_mean_what_they_mean_in_numpy(name):
    function = numpy_function(name)
    truth = STANDARD.get(name, function)
    named = list(inspect.signature(function).parameters.values()) if not isinstance(function, np.ufunc) else []
    true_args, options = CALLS[name](A, B)
    args, _ = CALLS[name](*next(forms()))
    while len(named) > len(args) and named[len(args)].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        for value in VALUES[named[len(args)].name] if name not in ("empty_like", "einsum") else ():
            if not isinstance(value, str):
                rest = {k: v for k, v in options.items() if k != named[len(args)].name}
                obeyed_or_refused(function, truth, (*args, value), (*true_args, value), rest)
                obeyed_or_refused(getattr(xp, name), truth, (*args, value), (*true_args, value), rest)
        default = named[len(args)].default
        args, true_args = (*args, default), (*true_args, default)


def test_an_argument_that_is_refused_is_named():
    a, _ = next(forms())
    for call, words in [
        (lambda: np.sum(a, where=MASK), ["sum", "where"]),
        (lambda: a.sum(axis=0, out=np.empty(3)), ["sum", "out"]),
        (lambda: np.round(a, 1), ["round", "decimals"]),
        (lambda: np.linalg.norm(a, ord=3, axis=-1), ["norm", "ord"]),
        (lambda: np.sin(a, where=MASK), ["sin", "where"]),
        (lambda: np.reshape(a, (3, 2), order="F"), ["reshape", "order"]),
        (lambda: np.add.reduce(a), ["add", "reduce"]),
    ]:
        with pytest.raises(TypeError) as error:
            call()
        assert all(word in str(error.value) for word in words)


# Methods and attributes.

INSIDE = {"becomes", "center", "constant", "flat", "full_slopes", "lifted", "moved", "namespace", "new", "range",
          "record", "reshaped", "shared", "slopes", "spread_to", "swing", "unbounded_where", "view"}  # fmt: skip
METHODS = {"copy": (), "max": (), "mean": (), "min": (), "reshape": ((3, 2),), "sum": ()}
ATTRIBUTES = {"T", "device", "dtype", "mT", "ndim", "shape", "size"}


def test_every_method_has_a_case():
    assert {name for name in dir(Form) if not name.startswith("_")} == INSIDE | METHODS.keys() | ATTRIBUTES


@pytest.mark.parametrize("name", METHODS)
def test_methods_obey_or_refuse(name):
    function, args = getattr(np.ndarray, name), METHODS[name]
    arguments = {*parameters(getattr(np, name)), "axis", "dtype", "initial", "keepdims", "order", "out", "where"}
    for a, _ in forms():
        assert holds(getattr(a, name)(*args), getattr(A, name)(*args))
        for argument in sorted(arguments):
            for value in VALUES[argument]:
                obeyed_or_refused(getattr(Form, name), function, (a, *args), (A, *args), {argument: value})
        for extra in ((0,), (0, float), (0, None, None, True), (None, None, None, False, 3.0)):
            obeyed_or_refused(getattr(Form, name), function, (a, *args, *extra), (A, *args, *extra), {})
    obeyed_or_refused(Form.reshape, np.ndarray.reshape, (a, 6, 1), (A, 6, 1), {})


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_attributes(name):
    for a, _ in forms():
        found, truth = getattr(a, name), getattr(A, name)
        assert holds(found, truth) if isinstance(found, Form) else found == truth


OPERATORS = "add sub mul truediv pow matmul floordiv mod lshift rshift and_ or_ xor lt le gt ge eq ne"
OPERATORS += " neg pos abs invert"


@pytest.mark.parametrize("name", OPERATORS.split())
def test_operators(name):
    function = getattr(operator, name)
    count = len(inspect.signature(function).parameters)
    others = [B, B.T, B[0], 2, 2.0, True, np.float64(0.5), np.int64(3), np.uint8(200), np.arange(6).reshape(2, 3), MASK,
              np.inf, -np.inf, np.nan, None, 1j, [0.5, 1.0, 2.0], 2**70]  # fmt: skip
    for a, b in forms():
        pairs = [((a, y), (A, y)) for y in others] + [((y, a), (y, A)) for y in others] + [((a, b), (A, B))]
        for args, true_args in pairs if count == 2 else [((a,), (A,))]:
            obeyed_or_refused(function, function, args, true_args, {})


def same_array(x):
    y = x + 0.5
    z = y
    z += 1.0
    return y


def same_array_by_a_function(x):
    y = 2 * x
    z = np.asarray(y) if isinstance(y, np.ndarray) else xp.asarray(y)
    z *= 3.0
    return y + z


def copies(x):
    y = 2 * x
    z, w = y.copy(), +y
    z -= 1.0
    w /= 4.0
    return y + z * w


def accumulated(x):
    total = 0 * x[..., 0]
    for i in range(3):
        total += x[..., i] ** (i + 1)
        total = total @ np.eye(2) if i == 1 else total
    total **= 2
    return total


def changed_after_use_by_functions(x):
    y = x + 1.0
    s = np.sum(y, axis=-1) + (y @ B[0]) + np.stack([y, y])[0].max(axis=-1) + np.prod(y, axis=-1)
    y += 1.0
    return y + s[..., None]


def through_a_view(x):
    y = x + 1.0
    z = y[..., 0]
    z += 1.0
    return y


def beside_a_view(x):
    y = x + 1.0
    z = np.permute_dims(y, (1, 0))
    y += 1.0
    return z


def of_the_argument(x):
    x *= 2.0
    return x


def of_a_part_of_the_argument(x):
    y = x[..., 1:]
    y -= 1.0
    return x


def to_another_shape(x):
    y = x[..., 0] + 0
    y += x.T
    return y


def to_a_smaller_one(x):
    y = x + 0
    y @= B.T
    return y


IN_PLACE = {same_array: True, same_array_by_a_function: True, copies: True, accumulated: True,
            changed_after_use_by_functions: True, through_a_view: False, beside_a_view: False, of_the_argument: False,
            of_a_part_of_the_argument: False, to_another_shape: False, to_a_smaller_one: False}  # fmt: skip


@pytest.mark.parametrize("program", IN_PLACE)
def test_changes_in_place_are_seen_by_all_names_or_refused(program):
    for a, _ in [*forms(), *jets()]:
        if not IN_PLACE[program]:
            with pytest.raises((TypeError, ValueError)):
                program(a)
        else:
            found = program(a)
            assert holds(found.value if isinstance(found, Jet) else found, program(A.copy()))


KEYS = [0, -1, ..., None, np.s_[:, 0], np.s_[..., 1:], np.s_[::-1], [1, 0], np.s_[0, :, None], np.s_[[1], :, None],
        np.s_[..., [2, 0]], np.s_[0, ..., [1, 2]], np.s_[[0], None, [1]], np.s_[None, 0, None, [1]],
        MASK]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_items(key):
    for a, _ in forms():
        found = a[key]
        assert holds(found, A[key])
        if found.slopes is not None:  # one of each for every element: the slope of an element by itself
            own = np.zeros((*found.slopes.shape[:1], *A.shape))
            for i in range(3):
                own[i, :, i] = 1e-4
            np.testing.assert_array_equal(found.slopes.hi, np.stack([row[key] for row in own]))


# NumPy's protocols.


@pytest.mark.parametrize("name", sorted(n for n, f in vars(np).items() if isinstance(f, np.ufunc) and f.nin < 3))
def test_every_ufunc_obeys_or_refuses(name):
    function = getattr(np, name)
    for a, b in forms():
        for x, y, low in ((a, b, 0), (a - 0.5, b - 0.5, 0.5), (a + 1, b + 1, -1)):
            args, true_args = (x, y)[: function.nin], (A - low, B - low)[: function.nin]
            obeyed_or_refused(function, function, args, true_args, {})
        for option, value in {"where": MASK, "out": "array", "dtype": np.float32, "casting": "unsafe"}.items():
            obeyed_or_refused(function, function, (a, b)[: function.nin], (A, B)[: function.nin], {option: value})
    for method in ("reduce", "accumulate", "reduceat", "outer", "at"):
        arguments = {"reduceat": (a, [0, 1]), "outer": (a, b), "at": (a, [0], 1.0)}.get(method, (a,))
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            getattr(function, method)(*arguments)


def test_only_the_functions_of_the_table_are_known():
    """By what they are: another function of the same name is another one."""
    for room in (np, np.linalg, np.emath, np.fft, np.ma, np.char):
        for name, function in vars(room).items():
            if not callable(function) or isinstance(function, type):
                continue
            same = {n for n in TABLE if getattr(np, n, None) is function or getattr(np.linalg, n, None) is function}
            same |= {ALIASES[name]} if name in ALIASES and getattr(np, name) is function else set()
            try:
                found = by_numpy(function)
            except (TypeError, AttributeError):
                assert not same, name
            else:
                assert any(found is TABLE[n] for n in same), name


# Derivatives: all functions have the right ones, or say that they are not smooth.


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"any", "all", "result_type"}))
def test_jets_have_the_derivatives_of_numpys_functions(name):
    """By central differences of NumPy's values, along a line in the space of arguments."""
    weights = np.arange(1.0, 200.0)

    def scalar(call, theta):
        """A number from θ (..., 1)."""
        t = theta[..., 0]
        args, options = CALLS[name](*((base + slope * t[0]) for base, slope in ((A, 0.5 - B), (B, A + 0.25))))
        found = call(*args, **options)
        if isinstance(found, Truth) or getattr(found, "dtype", float) == np.bool_:
            return t
        total, count = 0.0, 0
        for part in found if isinstance(found, list | tuple) else [found]:
            flat = part.reshape((-1,))
            total, count = total + (flat * weights[count : count + flat.shape[0]]).sum(-1), count + flat.shape[0]
        return total + 0 * t

    record = Record()
    theta = point_form(np.zeros((1, 1)), interval, record)
    value, first, second = (form.center for form in differentiated(lambda t: scalar(getattr(xp, name), t), theta))
    numpys = STANDARD.get(name, numpy_function(name))
    at = {k: scalar(numpys, np.full((1, 1), k * 2.0**-10))[0] for k in (-2, -1, 0, 1, 2)}
    if name == "empty_like":
        return
    assert value.lo[0] - 1e-10 <= at[0] <= value.hi[0] + 1e-10
    slope = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * 2.0**-10)
    bend = (16 * (at[1] + at[-1]) - (at[2] + at[-2]) - 30 * at[0]) / (12 * 2.0**-20)
    size = 1 + abs(at[0])
    assert first.lo[0, 0] - 1e-6 * size <= slope <= first.hi[0, 0] + 1e-6 * size
    assert second.lo[0, 0, 0] - 1e-3 * size <= bend <= second.hi[0, 0, 0] + 1e-3 * size
    assert first.hi[0, 0] - first.lo[0, 0] < 1e-9 * size
