"""Models of landscapes: polynomials against balls, boxes against samples, searches against those without a model."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph, certified
from geometry.arithmetic.intervals import interval
from geometry.certified import _landscape, _problems
from geometry.certified._complex import is_analytic, largest_values
from geometry.certified._landscape import Landscape, Unsuitable
from geometry.certified._polynomials import DEGREES
from rbo_ref import landscapes
from tests.geometry import surfaces
from tests.geometry.certified.truths import holds, polynomial, polynomial_distance

flint = pytest.importorskip("flint")

# Analytic on [−1, 1], and beyond it.
FUNCTIONS = {
    "arithmetic": lambda t: (t[..., 0] - 0.3) * (1.7 + t[..., 0]) / (3 + t[..., 0]) - t[..., 0] ** 2,
    "powers": lambda t: (2 + t[..., 0]) ** 3 - (3 - t[..., 0]) ** -2 + (2 + t[..., 0]) ** 1.3 + 1.5 ** t[..., 0],
    "exponentials": lambda t: np.exp(-(t[..., 0] ** 2)) + np.expm1(t[..., 0] / 2) + np.logaddexp(t[..., 0], 0.3),
    "logarithms": lambda t: np.log(3 + t[..., 0]) + np.log1p(t[..., 0] / 2) + np.log2(2 + t[..., 0]) * np.log10(4.0),
    "roots": lambda t: np.sqrt(2 + t[..., 0]) + np.hypot(t[..., 0], 1.5),
    "waves": lambda t: np.sin(3 * t[..., 0]) * np.cos(t[..., 0]) + np.tan(t[..., 0] / 3),
    "arcs": lambda t: np.arcsin(t[..., 0] / 3) + np.arccos(t[..., 0] / 4) + np.arctan(t[..., 0]),
    "hyperbolas": lambda t: np.sinh(t[..., 0]) + np.cosh(t[..., 0] / 2) + np.tanh(t[..., 0] - 0.5),
    "areas": lambda t: np.arcsinh(t[..., 0]) + np.arccosh(3 + t[..., 0]) + np.arctanh(t[..., 0] / 4),
    "sums": lambda t: np.sum(np.sin(np.arange(1.0, 12.0) * t[..., :1]) / np.arange(1.0, 12.0), axis=-1),
    "dents": landscapes.gaussians(0.5, 9, low=-1, high=1).value,
    "products": lambda t: np.sin(t[..., 0] * t[..., 1]) + np.exp(t[..., 0] - t[..., 1]) / (4 + t[..., 1]),
}
PLANAR = ("dents", "products")
ROUGH = {
    "abs": lambda t: np.abs(t[..., 0]),
    "maximum": lambda t: np.maximum(t[..., 0], 0),
    "where": lambda t: np.where(t[..., 0] > 0, t[..., 0], 0 * t[..., 0]),
    "rounding": lambda t: t[..., 0] + np.floor(t[..., 0]),
    "sign": lambda t: t[..., 0] * np.sign(t[..., 0]),
}


def expression_of(name):
    return FunctionGraph(FUNCTIONS[name]).expression(2 if name in PLANAR else 1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_around_a_box_no_value_is_larger_than_the_bound(name):
    expression, random = expression_of(name), np.random.default_rng(0)
    center, re, im = random.uniform(-0.7, 0.7, (50, expression.d)), *random.uniform(0, 0.3, (2, 50, expression.d))
    bound = largest_values(expression, interval(center - re, center + re), interval(-im, im))
    away = random.uniform(-1, 1, (2, 40, 50, expression.d))
    assert np.isfinite(bound).mean() > 0.9
    assert (np.abs(FUNCTIONS[name](center + re * away[0])) <= bound * (1 + 1e-12)).all()
    if name not in ("exponentials", "roots", "dents"):  # which NumPy has for real numbers alone
        found = np.abs(FUNCTIONS[name](center + re * away[0] + 1j * im * away[1]))
        assert (found <= bound * (1 + 1e-12)).all()


@pytest.mark.parametrize("name", ROUGH)
def test_what_has_kinks_is_no_landscape_of_polynomials(name):
    surface = FunctionGraph(ROUGH[name])
    assert not is_analytic(surface.expression(1))
    with pytest.raises(Unsuitable):
        Landscape(surface, 1, 2.0, 1e-8)
    if name in ("rounding", "sign"):
        return
    random = np.random.default_rng(0)
    queries = random.uniform(-2, 2, (70, 2))
    found = certified.distance(surface, queries, tolerance=1e-2)
    theta = np.linspace(-6, 6, 100_001)
    brute = np.array([np.hypot(theta - x, ROUGH[name](theta[:, None]) - y).min() for x, y in queries])
    assert (found.lower <= brute * (1 + 1e-12)).all()


@pytest.mark.parametrize(("beyond", "size"), [(lambda t: np.log(t[..., 0]), 1.0), (lambda t: 1 / t[..., 0], 3.0)])
def test_where_an_operation_leaves_its_domain_nothing_is_known(beyond, size):
    expression = FunctionGraph(beyond).expression(1)
    around = interval(np.array([[-0.1], [0.5], [0.2]]), np.array([[0.3], [1.0], [size]]))
    bound = largest_values(expression, around, interval(np.full((3, 1), -0.1), np.full((3, 1), 0.1)))
    assert np.isinf(bound).tolist() == [True, False, False]


@pytest.fixture(scope="module", params=FUNCTIONS)
def built(request):
    """A landscape over [−1, 1]ᵈ with polynomials all over it."""
    name = request.param
    expression = expression_of(name)
    landscape = Landscape(FunctionGraph(FUNCTIONS[name]), expression.d, 2.0, 1e-9)
    landscape.roots(np.zeros((1, expression.d)), np.ones(1))
    for _ in range(8):
        rough = np.flatnonzero(landscape.links[: landscape.count, 0] == landscape._below.UNBUILT)
        inside = (np.abs(landscape.rows[rough, : expression.d]) <= 1).all(1)
        if not inside.any():
            break
        landscape.divide(rough[inside])
    return expression, landscape


def test_polynomials_are_as_close_as_they_say(built):
    """Values of f and p in balls of 200 bits at random places."""
    (expression, landscape), random = built, np.random.default_rng(1)
    d, n = expression.d, DEGREES[expression.d - 1]
    assert len(landscape.places)
    flint.ctx.prec, before = 200, flint.ctx.prec
    try:
        for i in random.integers(len(landscape.places), size=12):
            t = np.append(random.uniform(-1, 1, d - 1), random.choice([random.uniform(-1, 1), 1.0, -1.0]))
            t = [flint.arb(x) for x in t]
            place = landscape.places[i]
            value = expression.balls([flint.arb(c) + flint.arb(place[d]) * x for c, x in zip(place, t, strict=False)])
            terms = np.array([flint.arb(c) for c in landscape.coefficients[i]]).reshape((n + 1,) * d)
            for x in reversed(t):
                terms = sum((terms[..., k] * x**k for k in range(1, n + 1)), terms[..., 0])
            off = abs(value[0] - (terms.item() if isinstance(terms, np.ndarray) else terms))
            assert off <= flint.arb(landscape.sizes[i, 3])
            assert landscape.sizes[i, 3] <= landscape.target
    finally:
        flint.ctx.prec = before


def test_rows_hold_values_and_derivatives(built):
    (expression, landscape), random = built, np.random.default_rng(2)
    d, base = expression.d, expression.d + 1
    rows = landscape.rows[random.integers(landscape.count, size=300)]
    s = random.uniform(-1, 1, (300, d))
    theta, eta = rows[:, :d] + rows[:, d, None] * s, rows[:, d]
    c, g = rows[:, base], rows[:, base + 1 : base + 1 + d]
    h = rows[:, base + 1 + d : base + 1 + d + d * d].reshape(-1, d, d)
    r0, r1, r2, _ = rows[:, -4:].T
    bent = (h * s[:, None, :]).sum(-1)
    assert (np.abs(expression.value(theta) - (c + (g * s).sum(1) + (bent * s).sum(1) / 2)) <= r0 + 1e-13).all()
    smooth = np.isfinite(r2)  # the derivatives of p are those of f up to about 1e-9·n⁴/η²
    assert smooth.any()
    off = np.abs(eta[:, None] * expression.gradient(theta) - g - bent).max(1)
    assert (off <= r1 + 1e-6)[smooth].all()
    off = np.abs(eta[:, None, None] ** 2 * expression.hessian(theta) - h).max((1, 2))
    assert (off <= r2 + 1e-5)[smooth].all()


# Searches.


@pytest.fixture
def uses(monkeypatch):
    """How many queries a model was enough for; without any model that other tests have built."""
    counts, real = [], Landscape.distances
    _landscape._LANDSCAPES.clear()

    def counted(self, *arguments):
        found = real(self, *arguments)
        counts.append(int(found.closed.sum()))
        return found

    monkeypatch.setattr(Landscape, "distances", counted)
    return counts


def without_model(verb, *arguments, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_problems, "by_landscape", lambda *_, **__: None)
        return verb(*arguments, **options)


def test_polynomials_by_all_roots_of_their_equation(uses):
    random = np.random.default_rng(3)
    for _ in range(4):
        coefficients = [int(c) for c in random.integers(-4, 5, random.integers(2, 7))]
        points = random.integers(-30, 31, (70, 2))
        low, high = np.array([polynomial_distance(coefficients, int(x), int(y)) for x, y in points]).T
        found = certified.footpoint(polynomial(coefficients), points / 8, tolerance=1e-8)
        assert holds(found.distance, low, high)
        assert found.distance.closed.all()
    assert sum(uses) > 200


@pytest.mark.parametrize(
    ("surface", "d", "tolerance"),
    [
        (surfaces.sine(), 1, 1e-9),
        (landscapes.wrinkled(8), 1, 1e-6),
        (landscapes.beale(), 2, 1e-5),
        (landscapes.gaussians(0.4, 12, low=-1, high=1), 2, 1e-6),
    ],
)
def test_a_model_changes_no_answer(uses, surface, d, tolerance):
    random = np.random.default_rng(4)
    theta = random.uniform(-1.5, 1.5, (72, d))
    normal = random.choice([-1, 1, 0.01], (72, 1)) * surface.normal(theta)
    queries = np.concatenate([theta, surface.value(theta)[:, None]], axis=1) + normal
    found = certified.footpoint(surface, queries, tolerance=tolerance)
    assert sum(uses) == 72
    assert found.distance.closed.all()
    some = slice(None, None, 6)
    plain = without_model(certified.footpoint, surface, queries[some], tolerance=tolerance)
    assert (found.distance.lower[some] <= plain.distance.upper).all()
    assert (plain.distance.lower <= found.distance.upper[some]).all()
    for i in range(12):
        (low, high, unique), (lows, highs, uniques) = found.of(6 * i), plain.of(i)
        if uniques.all() and unique.all() and len(unique) == len(uniques):
            assert ((low <= highs) & (lows <= high)).all()
        assert (low <= found.theta[6 * i] + tolerance**0.5).all(1).any()
        if len(lows) == 1:
            assert ((low <= highs) & (lows <= high)).all(1).any()
    far = np.hypot(np.linalg.norm(found.theta - queries[:, :-1], axis=1), surface.value(found.theta) - queries[:, -1])
    assert np.allclose(far, found.distance.upper, rtol=0, atol=tolerance)
    fast = certified.distance(surface, queries, tolerance=tolerance)
    assert holds(fast, found.distance.lower, found.distance.upper)


def test_places_that_are_as_near_are_all_found(uses):
    """Above the middle of a valley a large ball touches both sides, and a bowl in a circle."""
    height = np.linspace(1.1, 1.4, 80)
    found = certified.footpoint(surfaces.sine(), np.stack([np.full(80, -np.pi / 2), height], axis=1), tolerance=1e-7)
    assert sum(uses) == 80
    assert (found.count == 2).all()
    assert found.unique.all()
    middle = found.lower.reshape(80, 2).sum(1)
    assert np.allclose(middle, -np.pi, rtol=0, atol=1e-6)
    queries = np.concatenate([np.zeros((64, 2)), np.linspace(1.5, 3, 64)[:, None]], axis=1)
    found = certified.footpoint(landscapes.paraboloid(), queries, tolerance=1e-2)
    for i in range(64):
        low, high, _ = found.of(i)
        radius = np.sqrt(2 * queries[i, 2] - 2)
        for angle in np.linspace(0, 2 * np.pi, 30):
            place = radius * np.array([np.cos(angle), np.sin(angle)])
            assert ((low <= place + 1e-12) & (place - 1e-12 <= high)).all(1).any()


def test_a_start_and_a_budget_with_a_model(uses):
    random = np.random.default_rng(5)
    surface, queries = landscapes.wrinkled(10), random.uniform(-2, 2, (70, 2))
    full = certified.distance(surface, queries)
    warm = certified.distance(surface, queries, start=queries[:, :1] + 0.1)
    assert sum(uses) == 140
    assert holds(warm, full.lower, full.upper)
    poor = certified.distance(surface, queries, max_boxes=12)
    assert holds(poor, full.lower, full.upper)
    assert not poor.closed.all()
    assert (poor.boxes <= 12).all()


def test_one_query_uses_what_many_have_built(uses):
    random = np.random.default_rng(6)
    certified.distance(surfaces.sine(), random.uniform(-2, 2, (80, 2)))
    few = certified.distance(surfaces.sine(), [[0.3, 1.0]])
    assert uses == [80, 1]
    plain = without_model(certified.distance, surfaces.sine(), [[0.3, 1.0]])
    assert holds(few, plain.lower, plain.upper)


def test_a_model_in_a_file_is_used(uses, tmp_path):
    random = np.random.default_rng(7)
    queries = random.uniform(-2, 2, (80, 2))
    with pytest.raises(ValueError, match="no model"):
        certified.save_model(surfaces.sine(), 1, tmp_path / "none.npz")
    first = certified.distance(surfaces.sine(), queries)
    certified.save_model(surfaces.sine(), 1, tmp_path / "sine.npz")
    _landscape._LANDSCAPES.clear()
    assert certified.load_model(surfaces.sine(), 1, tmp_path / "sine.npz")
    again = certified.distance(surfaces.sine(), queries[:3])
    assert uses == [80, 3]
    assert again.lower.tolist() == first.lower[:3].tolist()
    more = certified.distance(surfaces.sine(), 5 * queries)  # the tree grows on
    assert holds(more, without_model(certified.distance, surfaces.sine(), 5 * queries).lower, np.inf)


def test_a_damaged_or_foreign_file_is_told_and_not_used(uses, tmp_path):
    certified.distance(surfaces.sine(), np.random.default_rng(8).uniform(-2, 2, (64, 2)))
    path = tmp_path / "sine.npz"
    certified.save_model(surfaces.sine(), 1, path)
    _landscape._LANDSCAPES.clear()
    with pytest.warns(UserWarning, match="another function"):
        assert not certified.load_model(surfaces.double_well(), 1, path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["sizes"][0, 3] /= 2  # a smaller error than was proven
    np.savez(path, **arrays)
    with pytest.warns(UserWarning, match="damaged"):
        assert not certified.load_model(surfaces.sine(), 1, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="damaged"):
        assert not certified.load_model(surfaces.sine(), 1, path)
    with pytest.raises(FileNotFoundError):
        certified.load_model(surfaces.sine(), 1, tmp_path / "none.npz")
    assert not _landscape._LANDSCAPES
