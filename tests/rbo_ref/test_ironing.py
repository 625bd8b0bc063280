"""The range of the offset function: closed forms, bounds, samples, pictures and the command."""

import json
import math
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph, dilate
from rbo_ref.cli import main
from rbo_ref.ironed import Ironing, ironing, ironing_of_samples, ironing_of_sine
from rbo_ref.landscapes import gaussian_well, paraboloid, sine, wrinkled
from tests.geometry.test_morphology import DELTA

TABLE = {0.0: 2.0, 1.0: 2.0, **DELTA}


def test_the_sine_in_closed_form():
    """By mpmath, and far beyond the table by the asymptote π²/2ρ, of which the next term is a multiple of 1/ρ²."""
    mpmath.mp.dps = 40
    for radius, expected in TABLE.items():
        assert float(ironing_of_sine(radius)) == pytest.approx(expected, rel=1e-14)
    for radius in (1.0001, 1.7, 44.0, 1e5):
        rho = mpmath.mpf(radius)
        s = mpmath.findroot(
            lambda s, rho=rho: mpmath.sin(s) / s / mpmath.sqrt(1 + mpmath.sin(s) ** 2) - 1 / rho,
            (mpmath.mpf(10) ** -9, mpmath.pi),
            solver="anderson",
        )
        exact = 1 + rho + mpmath.cos(s) - rho / mpmath.sqrt(1 + mpmath.sin(s) ** 2)
        assert float(ironing_of_sine(radius)) == pytest.approx(float(exact), rel=1e-13)
    assert float(ironing_of_sine(1e7)) == pytest.approx(math.pi**2 / 2e7, rel=1e-5)


def test_the_sine_as_any_landscape():
    """To 1e-9; the values near 1000 have roundings of 1e-13."""
    found = ironing(sine(), list(TABLE), [(-3 * math.pi, 3 * math.pi)])
    np.testing.assert_allclose(found.range, list(TABLE.values()), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.highest, 1 + np.array(list(TABLE)), rtol=0, atol=1e-9)
    assert found.theta_lowest.shape == found.theta_highest.shape == (len(TABLE), 1)
    np.testing.assert_allclose(np.sin(found.theta_lowest), -1, atol=1e-9)
    np.testing.assert_allclose(np.sin(found.theta_highest), 1, atol=1e-9)


def test_a_box_without_a_trough():
    """The lowest place is then at its side, where f_ρ is that of the crest's circle: f_ρ(θ) for ρ = 1/2, by hand."""
    found = ironing(sine(), 0.5, [(0.5, 2.0)])
    # the centre over θ touches at t: θ = t − cos t/(2√(1 + cos² t))
    t = mpmath.findroot(lambda t: t - mpmath.cos(t) / (2 * mpmath.sqrt(1 + mpmath.cos(t) ** 2)) - 0.5, 0.9)
    low = mpmath.sin(t) + 0.5 / mpmath.sqrt(1 + mpmath.cos(t) ** 2)
    assert found.theta_lowest[0, 0] == 0.5
    assert found.lowest[0] == pytest.approx(float(low), abs=1e-9)


@pytest.mark.parametrize(("d", "radius"), [(1, 0.5), (1, 2.0), (1, 3.0), (2, 0.5), (2, 2.0)])
def test_wells(d, radius):
    """Gaussian: 2 sinh(u/2) at the bottom, u = ρ² − W(exp ρ²). Paraboloid: (ρ² + 1)/2."""
    u = radius**2 - float(mpmath.lambertw(mpmath.exp(radius**2)))
    well = ironing(gaussian_well(), radius, [(-2, 2)] * d)
    bowl = ironing(paraboloid(), radius, [(-2, 2)] * d)
    # d = 2: samples, 1/100 apart; curvatures at the contact are below 40
    error = 1e-9 if d == 1 else d * 0.01**2 / 8 * 40
    assert well.lowest[0] == pytest.approx(2 * math.sinh(u / 2) if radius >= 1 else radius - 1, abs=error)
    assert bowl.lowest[0] == pytest.approx((radius**2 + 1) / 2 if radius >= 1 else radius, abs=error)
    np.testing.assert_allclose(well.theta_lowest, 0, atol=1e-6)
    corner = np.abs(bowl.theta_highest)
    np.testing.assert_allclose(corner, 2)


def test_the_bound_for_periodic_functions():
    """0 ≤ Δ(ρ) ≤ ρ − √(ρ² − D²) for the period 2D: the crest is never farther than D."""
    found = ironing(wrinkled(12), [0.1, 1.0, 4.0, 10.0, 100.0], [(0.0, 2 * math.pi)], samples=2001)
    assert (np.diff(found.range) <= 1e-9).all()
    for radius, extent in zip(found.radius, found.range, strict=True):
        if radius > math.pi:
            assert 0 <= extent <= radius - math.sqrt(radius**2 - math.pi**2) + 1e-12


@pytest.fixture(scope="module")
def top():
    """The highest place of the wrinkled wave, among 400 001 samples: |f''| < 3.5e5, so one in ten tells where it is."""
    f, (theta, step) = wrinkled().value, np.linspace(0, 2 * math.pi, 40_001, retstep=True)
    heights = np.concatenate([f(part[:, None]) for part in np.array_split(theta, 20)])
    near = theta[heights > heights.max() - 3.5e5 * step**2 / 8]
    return f((near[:, None] + step * np.linspace(-0.5, 0.5, 11)).reshape(-1, 1)).max()


@pytest.mark.parametrize(("box", "radius"), [((-math.pi, math.pi), 1000.0), ((0.3, 7.0), 100.0)])
def test_large_balls_on_the_wrinkled_wave(box, radius, top):
    """Eq. (13) with all its terms: the bound holds, and the ball over the highest place is that much higher than it."""
    found = ironing(wrinkled(), [radius], [box])
    bound = found.radius - np.sqrt(found.radius**2 - math.pi**2)
    assert (found.range <= bound + 1e-11).all()
    assert (found.range >= 0.97 * bound).all()
    np.testing.assert_allclose(found.highest - found.radius, top, rtol=0, atol=2e-5)
    assert (found.highest - found.radius >= top - 1e-12).all()


def test_large_balls_on_a_narrow_hill():
    """The top of the hill is at most 13 from any place of the box, and f vanishes at the far end."""
    hill = FunctionGraph(lambda t: np.exp(-(((t[..., 0] - 5) / 0.05) ** 2) / 2))
    found = ironing(hill, [100.0, 1e3, 1e4], [(-8, 8)])
    bound = 169 / (found.radius + np.sqrt(found.radius**2 - 169))
    assert (found.range <= bound + 1e-11).all()
    np.testing.assert_allclose(found.range, bound, rtol=1e-4)
    np.testing.assert_allclose(found.highest, 1 + found.radius, rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.theta_lowest, -8)


def test_a_wall_beyond_the_box_carries_the_ball_over_its_end():
    """On a post of height h at 1 from the end, the ball of radius 2 is at h + √3 there."""
    post = FunctionGraph(lambda t: np.where(t[..., 0] >= 2.0, 3.0, 0.0))
    found = ironing(post, 2.0, [(-4.0, 1.0)])
    assert found.highest[0] == pytest.approx(3 + math.sqrt(3), abs=1e-9)
    assert (found.theta_highest[0, 0], found.lowest[0]) == (1.0, 2.0)


def test_where_lemma_2_fails():
    """tanh is bounded, but no ball irons it: Δ(ρ) is 2 for every ρ."""
    step = FunctionGraph(lambda t: np.tanh(t[..., 0]), name="tanh")
    for radius in (1.0, 10.0):
        side = 2 * radius + 25
        assert ironing(step, radius, [(-side, side)]).range[0] == pytest.approx(2, abs=1e-9)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), radius=st.floats(0.3, 30), periodic=st.booleans())
def test_samples(seed, radius, periodic):
    heights = np.random.default_rng(seed).normal(size=(30, 17))
    boundary = "periodic" if periodic else "none"
    found = ironing_of_samples(heights, [0.0, radius, 2 * radius], spacing=(0.5, 1.0), boundary=boundary)
    rolled = dilate(heights, radius, spacing=(0.5, 1.0), boundary=boundary)
    assert found.range[0] == np.ptp(heights)
    assert found.range[1] == np.ptp(rolled)
    assert (np.diff(found.range) <= 1e-12).all()
    i, j = np.rint(found.theta_lowest[1] / (0.5, 1.0)).astype(int)
    assert rolled[i, j] == rolled.min()
    i, j = np.rint(found.theta_highest[1] / (0.5, 1.0)).astype(int)
    assert rolled[i, j] == rolled.max()


def test_samples_of_a_sine():
    """A period of samples is an infinite sine, up to h²/8·(1 + curvature of the ball)."""
    n = 4000
    h = 2 * math.pi / n
    found = ironing_of_samples(np.sin(h * np.arange(n)), [0.5, 2.0, 10.0], spacing=h, boundary="periodic")
    np.testing.assert_allclose(found.range, [TABLE[0.3], TABLE[2], TABLE[10]], rtol=0, atol=h**2)


def test_samples_of_any_library(backend):
    heights = np.array([[0.0, 1.0, -2.0], [0.5, 0.0, 3.0]])
    found = ironing_of_samples(backend.asarray(heights), [0.0, 1.0])
    assert isinstance(found, Ironing)
    np.testing.assert_allclose(found.range, [5.0, 3.0], rtol=1e-6)


def test_missing_samples():
    heights = np.array([0.0, np.nan, 5.0, -np.inf])
    with pytest.raises(ValueError, match="heights must not be NaN"):
        ironing_of_samples(heights, 1.0)
    found = ironing_of_samples(heights, [0.0, 1.0], nan="omit")
    assert (found.highest[1], found.lowest[1]) == (6.0, 1.0)
    assert np.isnan(ironing_of_samples(np.full(3, np.nan), 1.0, nan="omit").range).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ironing(np.sin, 1.0, [(0, 1)]), TypeError, "surface must be a FunctionGraph"),
        (lambda: ironing(sine(), -1.0, [(0, 1)]), ValueError, "radius must be finite and not negative"),
        (lambda: ironing(sine(), "x", [(0, 1)]), TypeError, "radius must"),
        (lambda: ironing(sine(), 1.0, [(1, 0)]), ValueError, "box must have finite sides with low < high"),
        (lambda: ironing(sine(), 1.0, []), ValueError, "box must have finite sides"),
        (lambda: ironing(sine(), 1.0, (0, 1)), ValueError, r"box must be a sequence of \(low, high\)"),
        (lambda: ironing(sine(), 1e12, [(0, 1)]), ValueError, "radius 1000000000000.0 is too large beside a box"),
        (lambda: ironing(sine(), 1.0, [(0, 1)], samples=1), ValueError, "samples must be at least 2"),
        (lambda: ironing_of_samples(np.zeros((0, 2)), 1.0), ValueError, "heights must have at least one sample"),
        (lambda: ironing_of_samples(3.0, 1.0), ValueError, "heights must have at least one sample"),
        (lambda: ironing_of_samples([1.0], 0.0, spacing=(1, 2)), ValueError, "spacing must be one number or one per"),
        (lambda: ironing_of_sine(-1), ValueError, "radius must be finite and not negative"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Pictures.


def test_pictures():
    pytest.importorskip("matplotlib")
    from rbo_ref.figures import ironed, ranges

    curve = Ironing(*(np.array(a) for a in ([0.0, 1.0, 10.0], [2, 2, 0.4], [0] * 3, [0] * 3, [[0]] * 3, [[0]] * 3)))
    ax = ranges(curve, exact=ironing_of_sine, asymptote=5.0)
    exact, far, points = (line.get_xydata() for line in ax.lines)
    np.testing.assert_allclose(exact[:, 1], ironing_of_sine(exact[:, 0]))
    np.testing.assert_allclose(far[:, 1] * far[:, 0], 5.0)
    np.testing.assert_array_equal(points, [[1, 2], [10, 0.4]])
    with pytest.raises(ValueError, match="positive radius"):
        ranges(Ironing(*(a[:1] for a in curve)))
    x = np.linspace(0, 1, 5)
    ax = ironed(x, x**2, [(2.0, x + 2)])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), x**2)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), x)


# The command.


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("profile.npy", np.sin(0.1 * np.arange(100)))
    np.save("holes.npy", [1.0, np.nan, 2.0])
    np.save("complex.npy", [1j])
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save("empty.npy", np.zeros((0, 3)))
    (tmp_path / "rubbish.npy").write_text("rubbish")
    (tmp_path / "rubbish.png").write_text("rubbish")
    return tmp_path


def result_of(capsys, *arguments):
    assert main(["iron", *arguments, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_command_on_a_landscape(capsys, files):
    found = result_of(capsys, "sine", "--radius", "2", "10", "0.5")
    assert found["radius"] == [0.5, 2.0, 10.0]
    np.testing.assert_allclose(found["range"], ironing_of_sine(found["radius"]), rtol=0, atol=1e-9)
    assert main(["iron", "gaussian_well", "--radius", "0.1:0.4:3", "--box", "-2", "2", "--box", "-1", "1"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["0.1", "0.2", "0.4"]


def test_command_on_samples(capsys, files):
    found = result_of(capsys, "profile.npy", "--radius", "1", "--spacing", "0.1", "--boundary", "periodic")
    expected = ironing_of_samples(np.load("profile.npy"), 1.0, spacing=0.1, boundary="periodic")
    assert found["range"] == expected.range.tolist()
    assert found["theta_lowest"] == expected.theta_lowest.tolist()
    assert result_of(capsys, "holes.npy", "--radius", "0.5", "--nan", "omit")["lowest"] == [1.5]
    assert result_of(capsys, "holes.npy", "--radius", "0.5", "--nan", "propagate")["highest"] == [2.5]


def test_command_on_images(capsys, files):
    image_module = pytest.importorskip("PIL.Image")
    assert main(["iron", "rubbish.png", "--radius", "1"]) == 2
    assert "rbo-ref: cannot read rubbish.png: " in capsys.readouterr().err
    grey = np.random.default_rng(0).integers(0, 2**16, (12, 9)).astype(np.uint16)
    image_module.fromarray(grey).save("grey.png")
    expected = ironing_of_samples(grey, 4.0)
    assert result_of(capsys, "grey.png", "--radius", "4")["range"] == expected.range.tolist()
    colour = np.full((5, 6, 3), 77, np.uint8)
    colour[2, 2] = 200
    image_module.fromarray(colour).save("colour.png")
    assert result_of(capsys, "colour.png", "--radius", "0", "1")["range"] == [123.0, 123.0]


def test_images_without_pillow(capsys, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert main(["iron", "rubbish.png", "--radius", "1"]) == 2
    assert "rbo-ref: images need Pillow: pip install" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["sine", "profile.npy"])
def test_command_draws(files, target):
    pytest.importorskip("matplotlib")
    assert main(["iron", target, "--radius", "0.1:10:9", "--out", "picture.png"]) == 0
    assert (files / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--radius", "1"], "nowhere is neither a file nor a landscape (sine, "),
        (["rubbish.npy", "--radius", "1"], "cannot read rubbish.npy: it holds no array of numbers"),
        (["objects.npy", "--radius", "1"], "cannot read objects.npy: it holds no array of numbers"),
        (["complex.npy", "--radius", "1"], "complex.npy must hold real numbers, got complex128 of shape (1,)"),
        (["empty.npy", "--radius", "1"], "empty.npy must hold real numbers, got float64 of shape (0, 3)"),
        (["holes.npy", "--radius", "1"], "heights must not be NaN (1 of 3 are)"),
        (["profile.npy", "--radius", "1", "--spacing", "1", "2"], "spacing must be one number or one per axis (1)"),
        (["profile.npy", "--radius", "1", "--box", "0", "1"], "--box is for landscapes"),
        (["sine", "--radius", "1", "--boundary", "periodic"], "--boundary is for samples in a file"),
        (["sine", "--radius", "far"], "--radius takes numbers or LOW:HIGH:COUNT, got 'far'"),
        (["sine", "--radius", "1:2"], "--radius takes numbers or LOW:HIGH:COUNT, got '1:2'"),
        (["sine", "--radius", "2:1:5"], "--radius LOW:HIGH:COUNT needs 0 < LOW < HIGH and COUNT >= 2"),
        (["sine", "--radius", "-1"], "radius must be finite and not negative"),
        (["sine", "--radius", "1", "--box", "2", "1"], "box must have finite sides"),
        (["sine", "--radius", "1", "--out", "picture.txt"], "the name of the picture must end in"),
        (["sine", "--radius", "1", "--json", "no/where.json"], "cannot write no/where.json"),
    ],
)
def test_command_answers_wrong_input_in_a_sentence(capsys, files, arguments, message):
    assert main(["iron", *arguments]) == 2
    assert f"rbo-ref: {message}" in capsys.readouterr().err
