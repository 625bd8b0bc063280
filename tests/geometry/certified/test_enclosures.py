"""Every enclosure of the table of operations, and whole functions with their derivatives, against python-flint's balls.

The cases are generated from the table and from the functions that are recorded in the tests.
"""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx

from geometry.arithmetic._forms import Form, Record, box_form, differentiated, point_form
from geometry.arithmetic._logic import Truth
from geometry.arithmetic.intervals import interval
from geometry.expressions import record
from geometry.expressions._operations import TABLE
from tests.geometry.expressions.functions import SMOOTH
from tests.geometry.expressions.test_operations import points

RADII = [1e-9, 1e-3, 0.4]
PLACES = [-1.0, -0.6, 0.0, 0.37, 1.0]  # ε
STEPS = {"floor", "ceil", "trunc", "round", "sign", "remainder", "maximum", "minimum", "abs"}


@pytest.fixture(autouse=True)
def precise():
    before, ctx.prec = ctx.prec, 160
    yield
    ctx.prec = before


def holds(form, index, epsilon, truth):
    """Whether one element of a form at ε is consistent with a ball."""
    low, high = (arb(float(end[index])) for end in (form.center.lo, form.center.hi))
    rest, slopes = truth, form.full_slopes()
    for i, e in enumerate(epsilon if slopes is not None else ()):
        rest = rest - arb(float(slopes.lo[(i, *index)])).union(arb(float(slopes.hi[(i, *index)]))) * arb(e)
    return bool(rest.upper() >= low) and bool(rest.lower() <= high)


def inside(x, r):
    """The places of a box, as balls."""
    return [arb(x) + arb(r) * arb(e) for e in PLACES]


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("radius", RADII)
def test_boxes(name, radius):
    """Of all arguments together, and truths as they are."""
    for arguments in points(name):
        numbers = [x for x in arguments if not isinstance(x, bool)]
        n, record = max(1, len(numbers)), Record()
        theta = box_form(np.array([numbers or [0.0]], dtype=float), np.full((1, n), radius), record)
        forms = iter(range(n))
        with np.errstate(all="ignore"):
            given = [Truth(x, not x) if isinstance(x, bool) else theta[..., next(forms)] for x in arguments]
            found = TABLE[name].enclosure(*given)
        for k, e in enumerate(PLACES):
            epsilon = [e if i % 2 == 0 else PLACES[-1 - k] for i in range(n)]
            balls = iter([arb(x) + arb(radius) * arb(t) for x, t in zip(numbers, epsilon, strict=False)])
            ball = TABLE[name].ball(*(x if isinstance(x, bool) else next(balls) for x in arguments))
            if isinstance(found, Truth):
                assert ball is None or not (found.no if ball else found.yes).any()
            elif ball.is_finite():
                assert holds(found, (0,), epsilon, ball), (arguments, epsilon)


@pytest.mark.parametrize("name", TABLE)
def test_points(name):
    """They are enclosed between floats that are next to each other, or nearly."""
    for arguments in points(name):
        forms = [
            Truth(x, not x) if isinstance(x, bool) else Form(interval(np.array([x])), None, Record()) for x in arguments
        ]
        ball = TABLE[name].ball(*(x if isinstance(x, bool) else arb(x) for x in arguments))
        found = TABLE[name].enclosure(*forms)
        if isinstance(found, Truth):
            assert bool(found.yes.all() if ball else found.no.all())
            continue
        assert holds(found, (0,), [], ball)
        if name != "pow" or arguments[0] > 0:
            assert found.center.hi[0] - found.center.lo[0] <= 1e-14 * (1 + abs(float(ball.mid())))


@pytest.mark.parametrize("power", [-3.0, -1.0, 0.0, 1.0, 2.0, 7.0, 0.1, 0.5, 2.5, -1.5])
def test_powers_that_are_numbers(power):
    for radius in RADII:
        found = TABLE["pow"].enclosure(box_form(np.array([[1.5]]), np.array([[radius]]), Record()), power)
        for e, x in zip(PLACES, inside(1.5, radius), strict=True):
            assert holds(found, (0, 0), [e], TABLE["pow"].ball(x, arb(power)))


@pytest.mark.parametrize("name", SMOOTH)
def test_functions_and_their_derivatives(name):
    """f, ∇f and ∇²f in boxes hold what balls give at places of the boxes; of points they are narrow."""
    expression = record(SMOOTH[name], 2)
    center = np.random.default_rng(3).uniform(0.3, 2.0, (3, 2))
    for radius in (1e-7, 0.02):
        notes = Record()
        with np.errstate(all="ignore"):
            forms = differentiated(expression, box_form(center, np.full((3, 2), radius), notes))
        for i, epsilon in [(0, (0.5, -1.0)), (1, (-0.3, 0.8)), (2, (0.0, 0.0))]:
            theta = [arb(float(c)) + arb(radius) * arb(e) for c, e in zip(center[i], epsilon, strict=True)]
            for form, balls in zip(forms, expression.balls(theta), strict=True):
                for index in np.ndindex(balls.shape):
                    assert not balls[index].is_finite() or holds(form, (i, *index), epsilon, balls[index])
                    if notes.irregular:
                        break
    notes = Record()
    with np.errstate(all="ignore"):
        forms = differentiated(expression, point_form(center, notes))
    for form in forms if name != "long maximum" else forms[:1]:
        assert (form.center.hi - form.center.lo <= 1e-10 * (1 + form.center.mag)).all()


def test_constants_are_not_rounded():
    """The derivative of 0.1·(0.2·x) is the product of two floats, which is none; that of x^0.1 has the power −0.9."""
    for function, truth in [
        (lambda t: 0.1 * (0.2 * t[..., 0]), lambda x: arb(0.1) * arb(0.2)),
        (lambda t: t[..., 0] ** 0.1, lambda x: arb(0.1) * x ** (arb(0.1) - 1)),
        (lambda t: np.log2(t[..., 0]), lambda x: 1 / (x * arb(2).log())),
        (lambda t: np.sum(np.array([0.1, 0.2, 0.3]) * t, axis=-1), lambda x: arb(0.1) + arb(0.2) + arb(0.3)),
    ]:
        theta = point_form(np.array([[1.7]]), Record())
        slope = differentiated(record(function, 1), theta, 1)[1]
        assert holds(slope, (0, 0), [], truth(arb(1.7)))
        assert 0 < slope.center.hi[0, 0] - slope.center.lo[0, 0] < 1e-14


def test_the_largest_of_many():
    theta = box_form(np.array([[0.3, 1.2]]), np.full((1, 2), 0.01), Record())
    expression = record(SMOOTH["long maximum"], 2)
    (found,) = differentiated(expression, theta, 0)
    for epsilon in [(-1.0, 1.0), (0.3, 0.2)]:
        place = [arb(c) + arb(0.01) * arb(e) for c, e in zip((0.3, 1.2), epsilon, strict=True)]
        assert holds(found, (0,), epsilon, expression.balls(place)[0][()])


@pytest.mark.parametrize(
    "function",
    [
        lambda t: np.log(t[..., 0]) ** np.sin(np.floor(t[..., 1])),  # x⁰ = 1, even of what is not defined
        lambda t: np.power(np.floor(2 + t[..., 1]), np.sqrt(t[..., 0])),  # 1ʸ = 1 as well
        lambda t: np.power(np.exp(np.floor(t[..., 1])), np.arccos(t[..., 0] - 1)),
    ],
)
def test_powers_of_what_is_not_defined(function):
    """As IEEE 754 has them, and so NumPy and every compiled source."""
    expression, random = record(function, 2), np.random.default_rng(0)
    center, radius = random.uniform(-1.5, 1.5, (200, 2)), 10.0 ** random.uniform(-3, 0, (200, 2))
    theta = center + radius * random.uniform(-1, 1, (50, 200, 2))
    with np.errstate(all="ignore"):
        values, notes = function(theta), Record()
        (form,) = differentiated(expression, box_form(center, radius, notes), 0)
    whole, known = form.range(), np.isfinite(values)
    assert known[theta[..., 0] < 0].any()
    assert notes.partial
    assert (~known | ((whole.lo - 1e-9 <= values) & (values <= whole.hi + 1e-9))).all()
