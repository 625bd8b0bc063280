"""Every optimizer as its formulas, once: over numbers that know rounding they are the truth, over arrays right ports.

They share no line with the code that is judged.
"""

from rbo_ref.oracle.formulas.formula import Formula, Loop
from rbo_ref.oracle.formulas.known import FORMULAS, LOOPS, formula_of
from rbo_ref.oracle.formulas.of_the_ball import RollingBallFormula

__all__ = ["FORMULAS", "LOOPS", "Formula", "Loop", "RollingBallFormula", "formula_of"]
