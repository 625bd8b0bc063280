"""The search: points within their ranges, that fill them evenly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.tuning import candidates


@given(st.integers(1, 60), st.integers(0, 2**31))
def test_all_points_are_in_range(count, seed):
    for contender in CONTENDERS.values():
        points = candidates(contender.ranges, count, seed)
        assert len(points) == count
        for point in points:
            assert point.keys() == contender.ranges.keys()
            for name, (low, high) in contender.ranges.items():
                assert low * 0.995 <= point[name] <= high * 1.005  # three digits
                assert isinstance(point[name], int) == (isinstance(low, int) and isinstance(high, int))
        optimizer = contender.make(**points[0], seed=0)
        assert hasattr(optimizer, "step")


@pytest.mark.parametrize("count", [5, 24, 100])
def test_in_one_dimension_gaps_are_of_three_lengths(count):
    """Steinhaus' theorem on multiples of an irrational number, and for the golden ratio none exceeds φ²/n."""
    points = np.sort([math.log10(p["x"]) for p in candidates({"x": (1.0, 10.0)}, count)])
    gaps = np.diff([*points, points[0] + 1])
    assert gaps.max() <= (1 + math.sqrt(5)) ** 2 / 4 / count + 0.005
    assert gaps.min() >= 0.38 / count - 0.005


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_in_more_dimensions_they_are_more_even_than_random_points(dimension):
    from scipy.stats import qmc

    ranges = {f"x{i}": (1.0, 10.0) for i in range(dimension)}
    points = np.clip(np.log10([list(p.values()) for p in candidates(ranges, 100)]), 0, 1)
    random = [qmc.discrepancy(np.random.default_rng(i).random((100, dimension))) for i in range(20)]
    assert qmc.discrepancy(points) < np.quantile(random, 0.1)


def test_seeds_shift_the_points():
    ranges = {"x": (1e-3, 1.0)}
    assert candidates(ranges, 3, 1) == candidates(ranges, 3, 1) != candidates(ranges, 3, 2)
