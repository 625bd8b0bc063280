"""Known mistakes: what people get wrong, as lines of the formulas that read otherwise.

They prove that the cases are sensitive (every mistake must fail), and they name the mistake of a port that fails (the
one that reproduces its output). They run on arrays of any library and dtype, and over numbers that know rounding.
"""

from rbo_ref.oracle.mistakes.mistake import Mistake, made
from rbo_ref.oracle.mistakes.tables import KNOWN

__all__ = ["KNOWN", "Mistake", "made"]
