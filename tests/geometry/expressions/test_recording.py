"""What cannot be recorded is refused in a sentence with the line; nothing that a user writes is swallowed."""

import inspect
import math

import numpy as np
import pytest
import scipy.special

from geometry.expressions import RecordingError, record


def branches(t):
    if t[0] > 0:
        return t[0]
    return t[1]


def writes(t):
    t[0] = 1.0
    return t.sum()


def loops(t):
    while t[0] > 1:
        t = t / 2
    return t[0]


def adds_in_place(t):
    total = np.zeros(())
    total += t[0]
    return total


REFUSED = {
    branches: r"a branch on data cannot be recorded \(test_recording.py, line \d+: if t\[0\] > 0:\); write where",
    loops: r"a branch on data .*while t\[0\] > 1:",
    writes: r"writing into an array .*t\[0\] = 1.0\); make a new one: where, stack, concat",
    lambda t: float(t[0]): "a recorded number as a Python or NumPy number",
    lambda t: math.sin(t[0]): "a recorded number as a Python or NumPy number",
    lambda t: t[t > 0].sum(): "an index or mask that depends on θ .* write where",
    lambda t: np.arange(2.0)[t[0]]: "a recorded",
    lambda t: np.array([t[0], t[1]]).sum(): "a recorded array as a NumPy array .* stack instead of numpy.array",
    lambda t: np.asarray(t).sum(): "a recorded array as a NumPy array",
    adds_in_place: r"writing into an array .*total \+= t\[0\]\); make a new one: a = a \+ b in place of a \+= b",
    lambda t: scipy.special.erf(t[0]): "^the ufunc erf cannot be recorded .*or hand over a gradient",
    lambda t: np.interp(t[0], [0, 1], [0, 1], period=3): "numpy.interp with these arguments .*period",
    lambda t: np.average(t[:, None] * t, axis=(0, 1), weights=[1, 2]): "average with weights of another shape",
    lambda t: np.median(np.concatenate([t] * 9)): "sort of 18 numbers",
    lambda t: np.sinc(t[0]): "numpy.sinc .*at 0 give the gradient yourself",
    lambda t: np.linalg.det(t[:, None] * t): "numpy.linalg.det",
    lambda t: np.fft.fft(t)[0]: "numpy.fft",
    lambda t: np.argmax(t) * t[0]: "numpy.argmax .*write max",
    lambda t: t.argsort()[0]: ".argsort cannot be recorded",
    lambda t: np.add.accumulate(t)[1]: "numpy.add.accumulate",
    lambda t: np.add(t[0], t[1], dtype="float32"): "the argument dtype= of numpy.add",
    lambda t: np.add(t[0], t[1], where=[True]): "the argument where= of numpy.add",
    lambda t: np.sum(t, dtype=int): "dtype=.*of sum",
    lambda t: np.sum(t, out=np.zeros(())): "numpy.sum|out= of sum",
    lambda t: np.round(t, 1, np.zeros(2))[0]: "numpy.round with these arguments",
    lambda t: t.astype(int)[0] * 1.0: "a conversion to int64 .*write floor, trunc or round",
    lambda t: t.astype("float32").sum(): "a conversion to float32",
    lambda t: np.sort(np.concatenate([t] * 9))[0]: "sort of 18 numbers .*at most 16",
    lambda t: np.linalg.norm(t[:, None] * t, ord=2): "the matrix norm ord=2",
    lambda t: np.pad(t, 1, constant_values=3.0).sum(): "pad with other values than 0",
    lambda t: np.einsum(t, [0], []): "einsum with lists of axes",
    lambda t: t[0] + 1j: "an operation with complex128",
    lambda t: t[0] + "one": "an operation with",
    lambda t: np.random.default_rng().normal() * t[0]: "the recording is not the function: at ",
    lambda t: 1 / 0: "the function cannot be recorded: it raised ZeroDivisionError",
    lambda t: t.unknown: "it raised AttributeError: a recorded array has no attribute 'unknown'",
    lambda t: np.max(t, foo=2): "foo",
    lambda t: np.clip(t, 0, 1, a_min=0).sum(): "a_min|one lower",
    lambda t: t.__array_namespace__().special(t): "the function special cannot be recorded",
    lambda t: t.__array_namespace__().linalg.eigh(t): "linalg.eigh cannot be recorded",
    lambda t: t.__array_namespace__().sum(t, initial=0, axes=0): "axes",
    lambda t: max(t[0], t[1]): "a branch on data",
    lambda t: (t[0] > 1) ^ 1: "\\^ of numbers",
    lambda t: ~t[0]: "~ of numbers",
    lambda t: [1.0, 2.0][t[0]]: "a recorded number",
}


@pytest.mark.parametrize("function", REFUSED)
def test_refusals(function):
    with pytest.raises(RecordingError, match=REFUSED[function]) as told:
        record(function, 2)
    assert isinstance(told.value, TypeError)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda t: t, r"one number for theta of shape \(d,\), got shape \(2,\)"),
        (lambda t: (t[0], t[1]), "must return one array, got 2 of them"),
    ],
)
def test_wrong_results(function, message):
    with pytest.raises(ValueError, match=message):
        record(function, 2)


@pytest.mark.parametrize(("function", "d"), [(np.sum, 0), (np.sum, -1), (np.sum, 1.5), ("f", 2)])
def test_wrong_arguments(function, d):
    with pytest.raises((TypeError, ValueError), match=r"d must be|function must be callable"):
        record(function, d)


def test_a_function_that_raises_elsewhere_is_told():
    def picky(t):
        if isinstance(t, np.ndarray) and t[0] < 0:
            raise OverflowError("too small")
        return t[0] + t[1]

    with pytest.raises(RecordingError, match=r"for theta of shape \(2,\) the function raised OverflowError: too small"):
        record(picky, 2)


def test_functions_of_one_point_are_recorded_too():
    expression = record(lambda x: x[0] ** 2 + sum(i * y for i, y in enumerate(x)), 3)
    np.testing.assert_allclose(expression.gradient([[1.0, 2.0, 3.0]] * 4), [[2, 1, 2]] * 4)


def signatures():
    """Every argument that NumPy gives to the functions that are recorded, with a value that is not its default."""
    values = {"axis": 0, "keepdims": True, "initial": 0.5, "where": np.array([True, False, True]), "ddof": 1}
    values |= {"decimals": 1, "n": 2, "k": 1, "ord": 1, "dtype": np.float32, "out": np.zeros(()), "order": "F"}
    functions = [
        np.sum,
        np.prod,
        np.mean,
        np.max,
        np.min,
        np.var,
        np.std,
        np.round,
        np.cumsum,
        np.cumprod,
        np.clip,
        np.any,
    ]
    functions += [np.all, np.diff, np.ptp, np.sort, np.linalg.norm, np.count_nonzero, np.linalg.vector_norm, np.ravel]
    functions += [np.reshape, np.roll, np.repeat, np.flip, np.trace, np.squeeze, np.expand_dims, np.tril]
    for function in functions:
        for name in inspect.signature(function).parameters:
            if name in values and (name, function) not in CRASHES:
                yield pytest.param(function, {name: values[name]}, id=f"{function.__name__}-{name}")


CRASHES = (("out", np.cumsum), ("out", np.cumprod))  # NumPy does, for an array of another shape
FIRST = {np.clip: (0.4, 1.2), np.reshape: ((3, 3),), np.roll: (1,), np.repeat: (2,), np.expand_dims: ()}
MATRIX = {np.reshape, np.trace, np.ravel, np.tril, np.flip}


@pytest.mark.parametrize(("function", "options"), list(signatures()))
def test_every_argument_is_honoured_or_refused(function, options):
    def value(t):
        array = np.stack([t, t**2, np.cos(t)]) if function in MATRIX else t
        result = function(array, *FIRST.get(function, ()), **options)
        return np.sum(result * np.arange(1.0, result.size + 1).reshape(result.shape))

    theta = np.array([0.3, 1.7, 0.9])
    try:
        expected = value(theta)
    except (TypeError, ValueError):
        pytest.skip("NumPy itself refuses it here")
    try:
        found = record(value, 3).value(theta)
    except (RecordingError, ValueError):
        return
    assert found == pytest.approx(expected, rel=1e-14)


def test_what_numba_compiled_is_recorded_as_it_was_written():
    numba = pytest.importorskip("numba")

    def bowl(t):
        total = 0.0
        for i in range(t.shape[0]):
            total += (i + 1) * t[i] ** 2
        return total

    expression = record(numba.njit(bowl), 2)
    np.testing.assert_array_equal(expression.gradient([3.0, 5.0]), [6.0, 20.0])
