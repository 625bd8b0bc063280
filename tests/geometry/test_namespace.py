"""The border to the array libraries: what comes in, what goes out, and what is refused."""

import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import geometry
from geometry._namespace import (
    broadcast,
    count_dtype,
    epsilon,
    floating,
    library,
    per_item,
    positive,
    quietly,
    repeat,
    to_numpy,
    while_loop,
)
from tests.geometry import surfaces


def test_floating_keeps_library_device_and_dtype(backend, dtype):
    xp, array = floating("x", backend.asarray([1.0, 2.0], dtype))
    assert xp.sum(array) == 3
    assert backend.belongs(array, dtype)


def test_integers_and_booleans_become_the_default_float(backend):
    default = {"torch": "float32", "strict-no-float64": "float32"}.get(backend.name, "float64")
    for values in ([1, 2], [True, False]):
        _, array = floating("x", backend.asarray(values))
        assert backend.belongs(array, default)
        np.testing.assert_array_equal(backend.to_numpy(array), values)


def test_several_arrays_meet_in_the_wider_dtype(backend):
    narrow, wide = backend.dtypes[0], backend.dtypes[-1]
    _, a, b, c = floating("x", *(backend.asarray([1.0], t) for t in (narrow, wide, narrow)))
    assert backend.belongs(a, wide)
    assert backend.belongs(b, wide)
    assert backend.belongs(c, wide)


@pytest.mark.parametrize("value", [1, 2.5, [1, 2], [[1.0], [2.0]], (True,)])
def test_python_numbers_become_numpy(value):
    _, array = floating("x", value)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("word", TypeError, "x must be an array of real numbers, got 'word'"),
        (None, TypeError, "x must be an array of real numbers, got None"),
        ([1, 2j], TypeError, "x must be an array of real numbers"),
        ([[1], [1, 2]], ValueError, "x must be an array or a rectangular nested sequence"),
        (np.array([1j]), TypeError, "x must have a real floating or integer dtype, got complex128"),
        (np.array(["a"]), TypeError, "x must have a real floating or integer dtype"),
        (np.array([object()]), TypeError, "x must have a real floating or integer dtype, got object"),
    ],
)
def test_what_is_no_real_number_is_refused(value, error, message):
    with pytest.raises(error, match=message):
        floating("x", value)
    with pytest.raises(error, match="x"):
        per_item(np, "x", value, np.ones((1, 1)))
    with pytest.raises(error, match="x"):
        positive("x", value)


def test_libraries_do_not_mix(backend):
    other = pytest.importorskip("array_api_strict").ones(2) if backend.name.startswith("numpy") else np.ones(2)
    with pytest.raises(TypeError, match="points and start: all arrays must belong to one array library, got "):
        floating("points and start", backend.asarray([1.0]), other)


def test_per_item_multiplies_vectors(backend, dtype):
    like = backend.asarray(np.ones((2, 3, 4)), dtype)
    assert per_item(backend.xp, "rate", 0.5, like) == 0.5
    for value in ([1, 2, 3], np.float32([1, 2, 3]), backend.asarray([1, 2, 3]), backend.asarray([1.0, 2.0, 3.0])):
        rate = per_item(floating("like", like)[0], "rate", value, like)
        assert rate.shape == (3, 1)
        assert backend.belongs(rate * like, dtype)
        assert backend.to_numpy((rate * like)[1, 2, :]).tolist() == [3, 3, 3, 3]


def test_per_item_must_fit_the_batch():
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got rate \(4,\), the batch \(2, 3\)"):
        per_item(np, "rate", np.ones(4), np.ones((2, 3, 5)))


def test_broadcast():
    assert broadcast(points=(2, 1), start=(3,)) == (2, 3)
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got points \(2,\), start \(3,\)"):
        broadcast(points=(2,), start=(3,))


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf, [1, -2]])
def test_positive(bad):
    positive("rate", [1, 2.5])
    positive("rate", 0, zero=True)
    with pytest.raises(ValueError, match="rate must be finite and positive, got"):
        positive("rate", bad)
    with pytest.raises(ValueError, match="rate must be finite and not negative, got -1"):
        positive("rate", -1, zero=True)
    with pytest.raises(ValueError, match=r"^rate must be finite and positive, got [^\n]{9,100} \.\.\.$"):
        positive("rate", np.zeros(100))


def test_positive_lets_traced_arrays_pass():
    jax = pytest.importorskip("jax")

    def double(x):
        positive("x", x)
        return 2 * x

    assert jax.jit(double)(-1.0) == -2


def test_to_numpy_is_a_copy_from_any_device(backend, dtype):
    values = np.array([[1.0, 2.0]], dtype)
    array = backend.asarray(values, dtype)
    found = to_numpy(array)
    assert type(found) is np.ndarray
    assert found.dtype == dtype
    found[0, 0] = 7
    np.testing.assert_array_equal(backend.to_numpy(array), values)


def test_to_numpy_of_a_tensor_with_history_or_without_a_numpy_dtype():
    torch = pytest.importorskip("torch")
    assert to_numpy(torch.ones(2, requires_grad=True)).tolist() == [1, 1]
    assert to_numpy(torch.full((2,), 0.5, dtype=torch.bfloat16)).tolist() == [0.5, 0.5]


def test_precision_and_counting_dtype(backend, dtype):
    array = backend.asarray([1.0], dtype)
    xp, _ = floating("x", array)
    assert epsilon(xp, array.dtype) == float(np.finfo(dtype).eps)
    assert xp.isdtype(count_dtype(xp, array), "signed integer")
    assert xp.zeros(2, dtype=count_dtype(xp, array), device=array.device).shape == (2,)


def test_library_names():
    assert library(floating("x", 1.0)[0]) == "numpy"


def test_loops_equal_plain_python(backend):
    start = backend.asarray([1.0, 10.0])
    assert backend.to_numpy(backend.jit(lambda x: repeat(5, lambda s: 2 * s, x))(start)).tolist() == [32, 320]

    def below(state):
        return backend.xp.any(state[0] < 100)

    doubled = backend.jit(lambda x: while_loop(below, lambda s: (2 * s[0], s[1] + 1), (x, 0 * x)))(start)
    assert [backend.to_numpy(a).tolist() for a in doubled] == [[128, 1280], [7, 7]]


def test_a_loop_is_rolled_up_when_only_an_input_is_traced():
    jax = pytest.importorskip("jax")

    def power(rate):
        return repeat(30, lambda s: s * rate, jax.numpy.ones(()), rate)

    assert jax.jit(power)(2.0) == 2**30
    assert str(jax.make_jaxpr(power)(2.0)).count("mul") == 1


def test_quietly_silences_numpy_and_nothing_else():
    @quietly
    def overflow():
        return np.float64(1e300) * np.float64(1e300)

    @quietly
    def warn():
        warnings.warn("other", stacklevel=1)

    assert overflow() == np.inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        np.float64(1e300) * np.float64(1e300)
    with pytest.warns(UserWarning, match="other"):
        warn()


def test_quietly_works_where_cupys_arrays_are(monkeypatch):
    """The current device is another one, and becomes it again, also after an error."""
    current = [0]

    class Device:
        def __enter__(self):
            current.append(1)

        def __exit__(self, *error):
            current.pop()

    class Array:
        device = Device()

    @quietly
    def where(what, *others, more=None):
        return len(others) / (current[-1] if what else 0)

    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(ndarray=Array))
    assert where("surface", Array(), 2.0) == 2
    assert where(SimpleNamespace(query=Array())) == where("surface", more=Array()) == 0
    for arguments in ((None, Array()), (1, 2)):
        with pytest.raises(ZeroDivisionError):
            where(*arguments)
    assert current == [0]


SINGLE_PRECISION = """
import jax, jax.numpy as jnp
from geometry import Descent, FunctionGraph, Newton, project
wave = FunctionGraph(lambda t: jnp.sin(t[..., 0]))
for solver in (Newton(matrix=False), Descent(0.1, 200)):
    run = jax.jit(lambda q: [(f.theta, f.steps, f.converged) for f in [project(wave, q, solver)]][0])
    theta, steps, converged = run(jnp.asarray([[0.3, 2.0], [1.0, -1.0]]))
    assert str(theta.dtype) == "float32" and str(steps.dtype) == "int32" and converged.all(), solver
"""


def test_jax_without_double_precision_gives_no_warnings():
    """JAX's default; it warns when asked for 64 bits, and tells its precision only once a process."""
    pytest.importorskip("jax")
    run = subprocess.run([sys.executable, "-W", "error", "-c", SINGLE_PRECISION], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


MASKED = np.ma.masked_array([[0.0, 1.0], [1e6, 0.0]], mask=[[0, 0], [1, 0]])


@pytest.mark.parametrize(
    "run",
    [
        lambda: geometry.project(surfaces.sine(), MASKED),
        lambda: geometry.distance(surfaces.sine(), MASKED),
        lambda: geometry.offset(surfaces.sine(), MASKED[:, :1], 0.5),
        lambda: geometry.offset(surfaces.sine(), [[0.0], [1.0]], MASKED[0]),
        lambda: geometry.medial_radius(surfaces.sine(), MASKED[:, :1]),
        lambda: surfaces.sine().curvatures(MASKED[:, :1]),
        lambda: geometry.reach_from_points(MASKED),
        lambda: geometry.shapes.Sphere(1.0).value(MASKED),
        lambda: surfaces.sine().value(MASKED[:, :1]),
        lambda: geometry.dilate(np.zeros(3), MASKED[0, :1]),
    ],
)
def test_a_mask_is_never_dropped_in_silence(run):
    with pytest.raises(TypeError, match=r"must not be a masked array, .* pass \w+\.filled\(nan\)"):
        run()


def test_numpy_copies_have_no_subclass():
    assert type(to_numpy(np.ma.masked_array([1.0], mask=[True]))) is np.ndarray
