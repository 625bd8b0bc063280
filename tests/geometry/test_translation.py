"""What numba compiles, in CUDA C++: the same numbers as in Python."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest

pytest.importorskip("numba")

from geometry._kernels.compiling import compiled
from geometry._kernels.pointers import at, eigen, length
from geometry._kernels.translation import PRELUDE, translated
from tests.geometry.cuda import compiled as compiled_for_gpus
from tests.geometry.cuda import on_cpu

_compiled = compiled(error_model="numpy")
BEGIN, LIMIT, FIRST, SHIFT = 7, 40, 0, 2.0**-3


@_compiled
def collatz(x, y):
    """A name that is set in a loop and read after it; a word of C++ for a name."""
    new, steps, even = BEGIN, 0, 0
    while True:
        if new == 1 or steps >= LIMIT:
            status = 1
            break
        if half(new) * 2 == new:
            new = half(new)
            even += 1
        else:
            new = 3 * new + 1
        steps += 1
        status = 2
    y[0], y[1], y[2] = steps, status, new + 2 * even


@_compiled
def half(n):
    for i in range(n + 1):
        if 2 * i >= n:
            return i
    return -1


@_compiled
def exchange(x, y):
    """All values before any target."""
    for i in range(3):
        y[i] = x[i]
    y[0], y[1] = y[1], y[0] + SHIFT
    a, b = y[1], y[2]
    a, b = b, a
    y[1] = y[2] = a * 2 - b


@_compiled
def comparisons(x, y):
    """Of numbers of which one is not a number, too; min and max are Python's."""
    count = 0
    for i in range(3):
        for j in range(i + 1, 3):
            count += 1
            y[0] += 1.0 if -1 < x[i] <= x[j] < 2 else 0.0
            y[1] = min(y[1], max(x[i], x[j]))
            y[2] += 0.5 if not (x[i] < x[j]) or x[i] > 0.25 else -0.25
    y[FIRST] += count / 2


@_compiled
def pair(a, b):
    return a / b, a > b


@_compiled
def functions(x, y):
    quotient, larger = pair(x[0], x[1])
    y[0] = math.hypot(quotient, 1) if larger else math.copysign(3.0, x[2])
    y[1] = abs(at(x, 1)[0]) ** 2
    y[2] = -math.sqrt(x[0] * x[0]) if math.isfinite(x[2]) and larger else np.inf


FUNCTIONS = {f.py_func.__name__: f for f in (collatz, exchange, comparisons, functions)}
NUMBERS = [[0.5, -1.5, 1.0], [1.25, 0.25, -3.0], [1.0, 1.0, math.inf], [0.75, math.nan, 0.25], [-0.5, 0.0, 1.5]]


class Pointer:
    """An address in Python: numbers from a place on."""

    def __init__(self, numbers, place=0):
        self.numbers, self.place = numbers, place

    def __getitem__(self, i):
        return self.numbers[self.place + i]

    def __setitem__(self, i, value):
        self.numbers[self.place + i] = value


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    calls = "".join(
        f'extern "C" void call_{name}(const double *x, double *y) {{ {name}(x, y); }}\n' for name in FUNCTIONS
    )
    text = PRELUDE + translated(*FUNCTIONS.values(), eigen, length)
    calls += 'extern "C" double size(double *v) { return length(v, Literal<3>()); }\n'
    calls += 'extern "C" void spectrum(double *a, double *v, double *e) { eigen(a, v, e, 3); }\n'
    return on_cpu(text + calls, tmp_path_factory.mktemp("translation"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_numbers_of_python(monkeypatch, library, name):
    python = FUNCTIONS[name].py_func
    for other in (half, pair):
        monkeypatch.setitem(python.__globals__, other.py_func.__name__, other.py_func)
    monkeypatch.setitem(
        python.__globals__, "at", lambda pointer, places: Pointer(pointer.numbers, pointer.place + places)
    )
    for numbers in NUMBERS:
        x, y = np.array(numbers), np.zeros(3)
        library[f"call_{name}"](*(ctypes.c_void_p(array.ctypes.data) for array in (x, y)))
        expected = np.zeros(3)
        with np.errstate(all="ignore"):
            python(Pointer(x), Pointer(expected))
        np.testing.assert_array_equal(y, expected)


def test_small_matrices(library):
    library.size.restype = ctypes.c_double
    rng = np.random.default_rng(0)
    for scale in (1.0, 1e-200, 1e200):
        vector, matrix = scale * rng.normal(size=3), rng.normal(size=(3, 3))
        assert library.size(ctypes.c_void_p(vector.ctypes.data)) == pytest.approx(
            np.linalg.norm(vector / scale) * scale
        )
        symmetric = matrix + matrix.T
        diagonal, vectors, values = symmetric.copy(), np.zeros((3, 3)), np.zeros(3)
        library.spectrum(*(ctypes.c_void_p(array.ctypes.data) for array in (diagonal, vectors, values)))
        np.testing.assert_allclose(vectors * values @ vectors.T, symmetric, atol=1e-14)


def test_gpus_take_it():
    call = 'extern "C" __global__ void run(const double *x, double *y) { collatz(x, y); functions(x, y); }\n'
    assert compiled_for_gpus(PRELUDE + translated(*FUNCTIONS.values()) + call, "compute_80")


@_compiled
def slices(x, y):
    return x[1:]


@_compiled
def prints(x, y):
    print(x)


@_compiled
def steps_by_two(x, y):
    for i in range(0, 4, 2):
        y[i] = x[i]


@_compiled
def swears(x, y):
    with x:
        y[0] = 1


@_compiled
def remembers(x, y):
    """What is set in one round of a loop and read in another."""
    for i in range(3):
        if x[i] > 0:
            last = x[i]
        y[i] = last


@_compiled
def unknown(x, y):
    y[0] = np.e + NUMBERS


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (slices, "x[1:]"),
        (prints, "print"),
        (steps_by_two, "for i in range(0, 4, 2)"),
        (swears, "with x"),
        (unknown, "np.e"),
        (remembers, "last = x[i]"),
    ],
)
def test_what_has_no_translation_is_refused(function, line):
    with pytest.raises(TypeError) as refusal:
        translated(function)
    assert str(refusal.value).startswith(f"{function.py_func.__name__} cannot be translated: ")
    assert line in str(refusal.value)
