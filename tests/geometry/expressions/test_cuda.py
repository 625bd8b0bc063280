"""The CUDA text of every operation and of whole functions: compiled for GPUs, and run on the CPU against mpmath."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from geometry.expressions import record
from geometry.expressions._operations import TABLE
from geometry.expressions._source import LANGUAGES
from tests.geometry.cuda import compiled, each_target, on_cpu

from .functions import SMOOTH
from .test_operations import PLACES, calls, check_answers, expected, in_words, number

PRELUDE = LANGUAGES["cuda"].prelude
RECORDED = {name: record(function, 2) for name, function in SMOOTH.items()}
NUMBERS = {name: place for place, name in enumerate(RECORDED)}


def cells() -> str:
    """A kernel for each operation, of the numbers that a thread reads."""
    kernels = []
    for name, operation in TABLE.items():
        arguments = [f"x[{k}]" for k in range(len(operation.slopes))]
        if name.startswith("logical") or name == "where":
            arguments = [f"(x[{k}] > 0.0)" if name != "where" or not k else f"x[{k}]" for k in range(len(arguments))]
        kernels.append(
            f'extern "C" __global__ void op_{name}(const double *x, double *y)\n'
            f"{{\n    x += 3 * threadIdx.x;\n    y[threadIdx.x] = {operation.texts.c.format(*arguments)};\n}}\n"
        )
    return PRELUDE + "".join(kernels)


def functions(names) -> str:
    """A kernel for each function with its derivatives."""
    texts = []
    for name in names:
        texts.append(RECORDED[name].source("cuda", name=f"f{NUMBERS[name]}"))
        texts.append(
            f'extern "C" __global__ void run{NUMBERS[name]}(const double *x, double *y, double *g, double *h)\n'
            f"{{\n    const int i = threadIdx.x;\n"
            f"    y[i] = f{NUMBERS[name]}(x + 2 * i, g + 2 * i, h + 4 * i);\n}}\n"
        )
    return "".join(texts)


@each_target
def test_every_operation_is_compiled_for_gpus(target):
    code = compiled(cells(), target)
    assert all(f"op_{name}".encode() in code for name in TABLE)


@each_target
def test_whole_functions_are_compiled_for_gpus(target):
    assert compiled(functions(["dents", "network", "pieces", "remainders", "nested loops"]), target)


def test_every_function_is_compiled():
    code = compiled(functions(SMOOTH), "compute_80")
    assert all(f"run{place}".encode() in code for place in NUMBERS.values())


def test_infinities_and_nan_are_constants(tmp_path):
    """In a table, as the start of a loop, and by themselves."""
    limits = np.append(np.arange(29.0), np.inf)
    expression = record(lambda t: np.max(np.minimum(t[..., :1], limits), axis=-1) + 0 * t[..., 0] + np.nan, 1)
    text = expression.source("cuda", order=1)
    assert compiled(text, "compute_80")
    f = on_cpu('extern "C" {\n' + text + "}\n", tmp_path).f
    f.restype, gradient = ctypes.c_double, ctypes.c_double()
    assert np.isnan(f(ctypes.byref(ctypes.c_double(77.0)), ctypes.byref(gradient), None))
    assert gradient.value == 1.0


def test_a_mistake_is_seen():
    with pytest.raises(AssertionError, match="cosinus"):
        compiled('extern "C" __global__ void f(double *x) { *x = cosinus(*x); }', "compute_80")
    with pytest.raises(AssertionError, match="unused"):
        compiled('extern "C" __global__ void f(double *x) { int unused = 1; }', "compute_80")


def test_operations_on_the_cpu(tmp_path):
    lines = (f"    *y++ = {text};\n" for text in in_words("cuda", number))
    run = on_cpu(f'{PRELUDE}extern "C" void answer(double *y)\n{{\n{"".join(lines)}}}\n', tmp_path)
    answers = np.zeros(len(calls()))
    run.answer(answers.ctypes.data_as(ctypes.c_void_p))
    check_answers(answers)


def test_functions_on_the_cpu(tmp_path):
    """Against NumPy's, which other tests hold to balls."""
    names = list(SMOOTH)
    launches = (
        f'extern "C" void call{NUMBERS[name]}(void **arguments) {{ launched(run{NUMBERS[name]}, 1, 4, arguments); }}\n'
        for name in names
    )
    library = on_cpu(functions(names) + "".join(launches), tmp_path)
    for name in names:
        found = [np.full((len(PLACES), size), np.nan) for size in (1, 2, 4)]
        arrays = (np.ascontiguousarray(PLACES), *found)
        words = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
        library[f"call{NUMBERS[name]}"]((ctypes.c_void_p * 4)(*map(ctypes.addressof, words)))
        np.testing.assert_allclose(np.hstack(found), expected(name), rtol=1e-11, atol=1e-11, err_msg=name)
