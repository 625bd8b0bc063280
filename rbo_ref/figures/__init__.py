"""Pictures of balls and of what they see: steps and trajectories, the figures of the paper, the geometry of landscapes.

They need matplotlib, the extra ``figures``, and no display. Each function draws on the axes that it is given, and
returns them.
"""

from rbo_ref.figures._ironing import ironed, ranges
from rbo_ref.figures._paths import rolling
from rbo_ref.figures._step import one_step

__all__ = ["ironed", "one_step", "ranges", "rolling"]
