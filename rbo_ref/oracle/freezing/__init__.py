"""Freezing: whatever follows from cases, mistakes and laws, written anew by one command, ``rbo-ref freeze``.

That is which mistake each case and each vector hunts, the suite with its version and fingerprints, the lists of
vectors, the page of laws, and the numbers in the prose. A case, a mistake or a law is therefore one file changed.
"""

from rbo_ref.oracle.freezing.derived import FrozenError, Plan, planned, root
from rbo_ref.oracle.freezing.questions import record

__all__ = ["FrozenError", "Plan", "planned", "record", "root"]
