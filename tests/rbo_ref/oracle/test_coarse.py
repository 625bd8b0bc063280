"""A lower precision inside of any optimizer is named by what a right port in it errs; no formula is taken for one."""

from fractions import Fraction

import numpy as np
import pytest

from geometry.arithmetic.formats import format_of, rounded
from geometry.arithmetic.machine_arrays import PRODUCTS, Coarse, MatrixUnit
from rbo_ref.oracle import check
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.formulas.machines import inside, over

TF32 = format_of("tf32")
CASES = {"adam": ["usual-*", "short-*"], "sam": ["usual-*", "wide-*"], "muon": ["short-*", "cubic-wide"]}


# --- the arithmetic -------------------------------------------------------------------------------------------------


def test_single_numbers_are_those_of_the_processor():
    """Arrays of float32 round each operation too."""
    kind, random = Coarse.to(format_of("float32")), np.random.default_rng(0)
    x, y = (random.normal(size=50).astype(np.float32) for _ in range(2))
    one, other = (kind.result("given", numbers.astype(float)) for numbers in (x, y))
    for operation in (lambda a, b: a * b + a / b - b, lambda a, b: (a - 2.5) * (1 - b), lambda a, _: abs(a) ** 0.5):
        np.testing.assert_array_equal(operation(one, other).numbers, operation(x, y).astype(float))


def test_sums_of_rounded_products_are_kept():
    x = Coarse.to(format_of("bfloat16"), PRODUCTS).result("given", np.array([1 + 2.0**-8]))
    product = (x * x).numbers[0]
    assert product == rounded(float((1 + Fraction(1, 256)) ** 2), format_of("bfloat16"))
    assert (x * x + 2.0**-20).numbers[0] == product + 2.0**-20


def test_products_that_are_summed_are_those_of_rounded_factors():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(3, 4)), random.normal(size=(4, 2))
    kind = MatrixUnit.of(TF32)
    product, plain = rounded(a, TF32).astype(float) @ rounded(b, TF32).astype(float), a @ b
    np.testing.assert_array_equal((kind(a) @ kind(b)).numbers, product)
    np.testing.assert_array_equal((a @ kind(b)).numbers, product)
    assert not np.allclose(product, plain, rtol=1e-6)
    np.testing.assert_array_equal((kind(a) * kind(a)).numbers, a * a)
    squares = kind.functions.sum(kind(a) * kind(a)).numbers
    assert squares == np.sum(rounded(a, TF32).astype(float) ** 2) != np.sum(a * a)


# --- what is named --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float32", "tf32", "float16", "bfloat16"])
@pytest.mark.parametrize("optimizer", ["adam", "sam", "muon"])
def test_a_precision_inside_is_named(optimizer, name):
    """Of ports that compute sums as precisely as they are told, which no catalogue has."""
    port, asked = over(formula_of(optimizer), inside(name)[-1])(), {"optimizer": optimizer, "cases": CASES[optimizer]}
    report = check(port, **asked)
    if (optimizer, name) == ("adam", "tf32"):  # it sums no products
        assert report.passed
        return
    assert report.diagnosis.name == f"{name}_inside", str(report)
    declared = "inner_dtype" if (optimizer, name) == ("muon", "bfloat16") else "compute_dtype"
    assert f"; {declared}={name!r} declares it" in report.diagnosis.evidence
    assert check(port, diagnosis=False, **asked, **{declared: name}).passed


SMALL = [("adam", 1e-6), ("adam", 1e-2), ("sam", 1e-4), ("muon", 1e-6), ("muon", 1e-2)]


def longer(optimizer, share):
    """A port of which all steps are too long by a share of them."""
    cls = formula_of(optimizer)

    def advance(self, loss, theta, *more):
        new = cls.advance(self, loss, theta, *more)
        return new + share * (new - theta)

    return type("Longer", (cls,), {"advance": advance})()


@pytest.mark.parametrize(("optimizer", "share"), SMALL)
def test_a_small_error_of_a_formula_is_no_precision(optimizer, share, monkeypatch):
    monkeypatch.setattr("rbo_ref.oracle.diagnosis.by_edits", lambda *_: None)  # which finds the share
    report = check(longer(optimizer, share), optimizer=optimizer, cases=CASES[optimizer])
    assert not report.passed
    assert report.diagnosis is None, str(report)


def test_a_step_of_a_library_stays_in_it():
    xp = pytest.importorskip("array_api_strict", reason="array_api_strict is not installed")
    port, hyper = formula_of("gradient-descent"), {"nesterov": False}
    hyper |= {"learning_rate": float(np.float32(0.3)), "momentum": float(np.float32(0.9))}
    theta = xp.asarray([1.0, 2.0])
    iterates = over(port, inside("float32")[0])()(lambda x: (xp.sum(x * x), x), theta, iterations=3, **hyper)
    single = port()(lambda x: (np.sum(x * x), x), np.float32([1, 2]), iterations=3, **hyper)
    for one, other in zip(iterates, single, strict=True):
        assert (type(one), one.dtype) == (type(theta), theta.dtype)
        np.testing.assert_array_equal(np.asarray(one), other.astype(float))
