"""Wrong ports of the oracle's catalogue break laws of the step."""

import pytest

from rbo_ref import laws
from rbo_ref.oracle import MISTAKES

# The laws in the order in which they are tried, and on how many examples; most mistakes break the first.
TRIED = {"plane": 10, "no-memory": 10, "one-inner-step": 10, "scaling": 10, "rotation": 10, "footpoint": 60}
# 1e-8 in the normal shows only where the inner loop has converged to more digits than that: one example in hundreds.
RARELY = {"normal_epsilon"}


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in RARELY])
def test_a_mistake_breaks_a_law(name):
    assert any(not laws.LAWS[law].holds(MISTAKES[name](), max_examples=count) for law, count in TRIED.items())
