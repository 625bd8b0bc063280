"""Mathematical laws of rolling balls, distances and offsets, each a test of any implementation.

>>> from rbo_ref import laws, oracle
>>> for law in laws.of("step"):
...     law.check(oracle.RightPort(), max_examples=5)

With pytest, one test a law: ``@pytest.mark.parametrize("law", laws.of("step"), ids=str)``.
"""

from rbo_ref.laws import (
    of_distance,
    of_level_sets,
    of_morphology,
    of_offset,
    of_point_clouds,
    of_reach,
    of_reachability,
    of_steps,
    of_surfaces,
    of_touching,
    of_walks,
)
from rbo_ref.laws.law import LAWS, VERBS, Law, LawBroken, of

__all__ = [
    "LAWS",
    "VERBS",
    "Law",
    "LawBroken",
    "of",
    "of_distance",
    "of_level_sets",
    "of_morphology",
    "of_offset",
    "of_point_clouds",
    "of_reach",
    "of_reachability",
    "of_steps",
    "of_surfaces",
    "of_touching",
    "of_walks",
]
